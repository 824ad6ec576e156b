"""A cluster's topology: Patroni's word against the server's own, and lag on the links."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from console.board import Board
from console.readings import DcsMember, PatroniMember, PostgresMember, Replica
from screens.database_cluster import cluster_at
from screens.database_head import head_lines
from screens.database_topology import topology
from screens.pane_findings import about, severities
from tests.screens.board_ground import change
from tests.screens.boards import NOW, SCENARIOS
from widgets.spans import text_of
from widgets.topology import Edge, Node, Topology


def picture(board: Board, cluster: str = "main") -> Topology:
    return topology(cluster_at(board, cluster, NOW), severities(about(board, "database", cluster)), NOW)


def said(node: Node) -> list[str]:
    return [text_of(note) for note in node.notes]


def edge(found: Topology, target: str) -> Edge:
    return next(each for each in found.edges if each.target == target)


def head(board: Board, cells: int = 120, cluster: str = "main") -> str:
    return text_of(head_lines(cluster_at(board, cluster, NOW), [cluster], NOW, cells, "middle")[0])


def test_healthy() -> None:
    found = picture(SCENARIOS["healthy"](NOW))
    assert [text_of(node.name) for node in found.nodes] == ["● pg-2", "○ pg-1", "○ pg-3"]
    assert [text_of(node.role) for node in found.nodes] == ["primary", "sync standby", "standby"]
    assert all(node.style == "line" and not node.notes for node in found.nodes)
    assert edge(found, "pg-1") == Edge("pg-2", "pg-1", "0 B", "0 s", "sync")
    assert edge(found, "pg-3") == Edge("pg-2", "pg-3", "1.2 MB", "0.4 s", "async")
    assert found.aside is not None and text_of(found.aside.state) == "leader key pg-2  DCS ok"


def test_patroni_and_sql_disagree_while_the_primary_hangs() -> None:
    found = picture(SCENARIOS["hang-primary"](NOW))
    primary = found.node("pg-2")
    assert text_of(primary.name) == "? pg-2" and text_of(primary.role) == "leader?"
    assert text_of(primary.state) == "no answer since 02:47:04, 8 s"
    assert said(primary) == ["≠ /cluster says running, SQL does not answer for 8 s"]
    assert primary.style == "critical"
    assert edge(found, "pg-1").broken == "no WAL for 7 s"
    values = " ".join(text_of(each) for each in primary.facts)
    assert "412" not in values and "connections" not in values, "nothing of the last good look is left"


def test_a_standby_that_no_longer_receives() -> None:
    found = picture(SCENARIOS["lag"](NOW))
    link = edge(found, "pg-3")
    assert (link.source, link.broken, link.distance, link.style) == ("pg-2", "cut off", "97 MB", "warning")
    assert said(found.node("pg-3")) == ["≠ /cluster says streaming, SQL has no receiver"]


def test_two_primaries_are_both_named() -> None:
    board = SCENARIOS["two-primaries"](NOW)
    found = picture(board)
    assert [node.key for node in found.roots()] == ["pg-1", "pg-2"]
    assert {found.node(name).style for name in ("pg-1", "pg-2")} == {"critical"}
    assert "≠ /cluster says replica, SQL accepts writes" in said(found.node("pg-2"))
    assert edge(found, "pg-3").source == "pg-1"
    assert "2 primaries: pg-1, pg-2" in head(board)


def test_no_primary() -> None:
    board = SCENARIOS["no-primary"](NOW)
    found = picture(board)
    assert len(found.roots()) == 3 and not found.edges
    assert "primary not known" in head(board) and "leader key held by nobody" in head(board)
    board = SCENARIOS["healthy"](NOW)
    change(board, PostgresMember, "main/pg-2", in_recovery=True)
    assert "no primary" in head(board)
    assert "≠ /cluster says leader, SQL is in recovery" in said(picture(board).node("pg-2"))


@pytest.mark.parametrize("name", ["all-unknown", "not-read-yet", "engine-lost"])
def test_unknown_is_never_green(name: str) -> None:
    found = picture(SCENARIOS[name](NOW))
    styles = {style for node in found.nodes for part in (node.name, node.role, node.state) for _, style in part}
    assert "ok" not in styles and all(node.style == "unknown" for node in found.nodes)
    assert found.aside is not None and "no Patroni answers" in text_of(found.aside.state)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"paused": True}, "PAUSED: no automatic failover"),
        ({"failsafe_active": True}, "failsafe mode"),
        ({"watchdog_failed": True}, "watchdog failed on pg-2"),
        ({"pending_restart": True}, "restart pending on pg-2"),
        ({"dcs_last_seen": NOW - timedelta(seconds=30)}, "DCS not reached by pg-2"),
    ],
)
def test_what_stands_out_about_patroni_is_in_the_head(changes: dict[str, Any], words: str) -> None:
    board = SCENARIOS["healthy"](NOW)
    change(board, PatroniMember, "main/pg-2", **changes)
    assert words in head(board, 200)


def test_dcs_that_nobody_reaches_and_no_synchronous_standby() -> None:
    board = SCENARIOS["healthy"](NOW)
    for name in ("pg-1", "pg-2", "pg-3"):
        change(board, PatroniMember, f"main/{name}", dcs_last_seen=NOW - timedelta(seconds=40))
    assert "DCS not reached for 40 s" in head(board)
    rows = {"pg-2": DcsMember("pg-2", "leader", "running", 7), "pg-1": DcsMember("pg-1", "replica", "streaming", 7)}
    change(board, PatroniMember, "main/pg-2", members=rows)
    assert "synchronous on, no standby" in head(board, 200)
    assert "≠" not in "".join(said(picture(board).node("pg-1")))
    assert "▲ /cluster says nothing of it" in said(
        picture(board).node("pg-3")
    ) or "≠ /cluster says nothing of it" in said(picture(board).node("pg-3"))


def test_whoever_else_receives_is_drawn_as_not_watched() -> None:
    board = SCENARIOS["healthy"](NOW)
    rows = {**SCENARIOS["healthy"](NOW).get(PostgresMember, "main/pg-2").replicas}  # type: ignore[union-attr]
    rows["9"] = Replica("barman_receive_wal", "10.0.0.40", "streaming", "async", 0, 0, 64, slot="barman")
    change(board, PostgresMember, "main/pg-2", replicas=rows)
    found = picture(board)
    stranger = found.nodes[-1] if "barman" in text_of(found.nodes[-1].name) else found.node("pg-2:9")
    assert text_of(stranger.role) == "not watched" and edge(found, "pg-2:9").distance == "64 B"


def test_without_patroni() -> None:
    board = SCENARIOS["two-of-each"](NOW)
    assert "streaming replication without Patroni" in head(board, cluster="reports")
    assert edge(picture(board, "reports"), "rp-2").kind == "sync"


def test_different_systems_are_critical() -> None:
    board = SCENARIOS["healthy"](NOW)
    change(board, PostgresMember, "main/pg-3", system_identifier="1")
    assert "2 different system identifiers" in head(board, 200)


def test_timelines_that_differ_are_said() -> None:
    board = SCENARIOS["healthy"](NOW)
    reading = board.get(PostgresMember, "main/pg-3")
    assert reading is not None
    board.put(msgspec.structs.replace(reading, timeline=6))
    assert "≠ /cluster says timeline 7, SQL 6" in said(picture(board).node("pg-3"))
