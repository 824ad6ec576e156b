"""What the cache screen shows, as pure functions: readings in, rows and a drawing out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.board import Board
from console.readings import Environment, RedisKeys, RedisServer, Sentinel, SentinelPeer
from screens.cache_group import Cache, cache_at, caches
from screens.cache_members import sentinels, servers
from screens.cache_rows import clients, keys, queues, slow
from screens.cache_side import below, figure_rows, side
from screens.cache_topology import failover_words, primary_words, quorum_words, topology
from screens.layout import roomy
from screens.pane_findings import about, severities
from screens.section import Section
from screens.view import View
from tests.screens.board_ground import change, failed
from tests.screens.boards import NOW, SCENARIOS
from tests.strategies import readings
from tests.tools.hostile import FIFTY, board_with
from widgets.columns import place, row_line
from widgets.spans import text_of, width
from widgets.topology import Topology, draw


def group(board: Board, name: str = "cache") -> Cache:
    return cache_at(board, name, NOW)


def every_section(board: Board, name: str = "cache", server: str = "cache-1") -> dict[str, Section]:
    cache = group(board, name)
    return {
        "servers": servers(cache, NOW),
        "clients": clients(cache, server, NOW),
        "keys": keys(board, cache, NOW),
        "queues": queues(board, cache, NOW),
        "slow": slow(cache, server, NOW),
        "sentinels": sentinels(cache, NOW),
    }


def picture(board: Board) -> Topology:
    return topology(group(board), severities(about(board, "cache", "cache")), NOW)


# -- what holds for every section --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCENARIOS)
def test_cells_match_columns_and_rows_stay_equal(name: str) -> None:
    first, again = every_section(SCENARIOS[name](NOW)), every_section(SCENARIOS[name](NOW))
    assert first == again
    for title, section in first.items():
        assert len({row.key for row in section.rows}) == len(section.rows), title
        assert all(len(row.cells) <= len(section.columns) for row in section.rows), title


@pytest.mark.parametrize("cells", [77, 117, 131])
def test_columns_fit_and_letters_are_unique(cells: int) -> None:
    for title, section in every_section(SCENARIOS["healthy"](NOW)).items():
        placed = place(roomy(section.columns, cells + 3), cells)
        assert sum(each.width for each in placed) + 2 * (len(placed) - 1) <= cells, title
        letters = [column.sort for column in section.columns if column.sort]
        assert len(set(letters)) == len(letters) and "G" not in letters[:0], title


def test_what_cannot_be_read_shows_no_values() -> None:
    found = every_section(SCENARIOS["cache-down"](NOW))
    row = next(row for row in found["servers"].rows if row.key == "cache-1")
    assert row.text(2) == "silent 9 s" and [row.text(at) for at in range(3, 16)] == [""] * 13
    for title in ("clients", "slow"):
        assert not found[title].rows and "no answer since 02:47:03, 9 s: connection refused" in found[title].notice
    dark = every_section(SCENARIOS["all-unknown"](NOW))
    assert "no answer since" in dark["keys"].notice and not dark["queues"].rows


ONLY_CACHE = (RedisServer, RedisKeys, Sentinel)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(readings(*ONLY_CACHE), max_size=6), st.integers(60, 210), st.integers(1, 40))
def test_any_reading_makes_rows_of_one_width(found: list[Any], cells: int, height: int) -> None:
    board = Board()
    pairs = ("redis cache/cache-1", "redis cache/cache-2", "sentinel cache/cache-1", "redis.keys cache")
    board.put(Environment(taken_at=NOW, name="x", panes={"cache": pairs}))
    for reading in found:
        board.put(msgspec.structs.replace(reading, taken_at=NOW, every_s=2))
    cache = group(board)
    for section in every_section(board).values():
        layout = place(section.columns, cells)
        want = sum(each.width for each in layout) + 2 * (len(layout) - 1)
        assert all(width(row_line(row, layout)) == want for row in section.rows)
    assert all(width(each) <= cells for each in draw(topology(cache, {}, NOW), cells, 9))
    view = View(board, NOW)
    assert len(below(view, cache, "servers", cells, height)) <= max(height, 0)
    side(view, cache, [], 66, height)


@pytest.mark.parametrize("hostile", FIFTY)
def test_hostile_text_moves_no_column(hostile: str) -> None:
    board = board_with(hostile)
    keys_of = {reading.key for reading in board if reading.topic == "redis"}
    assert keys_of
    for key in keys_of:
        name, _, server = key.partition("/")
        board.put(
            Environment(
                taken_at=NOW, name="x", panes={"cache": (f"redis {key}", f"sentinel {key}", f"redis.keys {name}")}
            )
        )
        for reading in list(board):
            if reading.topic.startswith(("redis", "sentinel")):
                board.put(msgspec.structs.replace(reading, taken_at=NOW))
        for section in every_section(board, name, server).values():
            layout = place(section.columns, 117)
            want = sum(each.width for each in layout) + 2 * (len(layout) - 1)
            assert all(width(row_line(row, layout)) == want for row in section.rows)


# -- rows --------------------------------------------------------------------------------------------------------------


def test_servers_primary_first_with_memory_against_its_limit() -> None:
    section = every_section(SCENARIOS["healthy"](NOW))["servers"]
    first = section.rows[0]
    assert [first.text(at) for at in (0, 1, 2, 4, 5, 8)] == [
        "cache-1",
        "primary",
        "running",
        "allkeys-lru",
        "1.08",
        "1.8 k/s",
    ]
    assert "71 %" in first.text(3)
    unlimited = every_section(SCENARIOS["two-of-each"](NOW), "sessions", "redis-1")["servers"].rows[0]
    assert unlimited.text(3) == "727 MB", "no limit, no bar"


def test_write_refused_is_critical_and_first() -> None:
    board = SCENARIOS["healthy"](NOW)
    change(
        board,
        RedisServer,
        "cache/cache-1",
        write_refused="OOM: over maxmemory",
        used_memory=1024**3,
        evicted_per_s=12.0,
    )
    row = every_section(board)["servers"].rows[0]
    assert row.text(2) == "refuses: OOM" and row.cells[2].style == "critical"  # type: ignore[union-attr]
    assert row.cells[6].style == "warning"  # type: ignore[union-attr]
    node = picture(board).node("cache-1")
    assert text_of(node.notes[0]) == "▲ OOM: over maxmemory" and text_of(node.state) == "refuses writes"


def test_fragmentation_counts_only_where_it_costs_memory() -> None:
    board = SCENARIOS["healthy"](NOW)
    change(board, RedisServer, "cache/cache-1", fragmentation=2.6)
    change(board, RedisServer, "cache/cache-2", fragmentation=2.6, used_memory=3 << 20)
    styles = {row.key: row.cells[5].style for row in every_section(board)["servers"].rows}  # type: ignore[union-attr]
    assert styles == {"cache-1": "warning", "cache-2": ""}


def test_clients_keys_queues_and_slow_calls_by_what_matters() -> None:
    found = every_section(SCENARIOS["healthy"](NOW))
    assert [row.key for row in found["clients"].rows][:2] == ["odoo-web", "odoo-queue"]
    assert found["keys"].rows[0].text(0) == "session:index" and found["keys"].rows[0].text(2) == "14 MB"
    assert [(row.text(0), row.text(2)) for row in found["queues"].rows] == [("queue:mail", "812"), ("queue:jobs", "14")]
    assert [row.text(2) for row in found["slow"].rows] == ["48 ms", "13 ms"]
    assert found["slow"].rows[0].text(4) == "HGETALL session:index"


def test_no_queue_is_said_to_be_not_configured() -> None:
    board = SCENARIOS["healthy"](NOW)
    change(board, RedisKeys, "cache", queues={})
    assert "names no queue" in every_section(board)["queues"].empty


def test_figures_answer_what_is_watched_of_a_cache() -> None:
    reading = SCENARIOS["healthy"](NOW).get(RedisServer, "cache/cache-1")
    assert reading is not None
    rows = {label: text_of(value) for label, value in figure_rows(reading, NOW)}
    assert "727 MB of 1.0 GB" in rows["memory"] and "allkeys-lru" in rows["policy"] and "1.08" in rows["policy"]
    assert "evicted 0/s" in rows["leave"] and "hit 96 %" in rows["look-ups"] and "p99 0.6 ms" in rows["our PINGs"]
    assert "blocked 4" in rows["clients"] and "rdb+aof" in rows["persistence"]


# -- topology and Sentinels --------------------------------------------------------------------------------------------


def test_healthy_topology() -> None:
    found = picture(SCENARIOS["healthy"](NOW))
    assert [text_of(node.name) for node in found.nodes] == ["● cache-1", "○ cache-2"]
    assert [(each.source, each.target, each.distance, each.span) for each in found.edges] == [
        ("cache-1", "cache-2", "128 B", "0 s")
    ]
    assert found.aside is not None and "3 of 3 answer, quorum 2" in text_of(found.aside.state)


def test_dead_primary_is_still_named_and_its_link_is_broken() -> None:
    board = SCENARIOS["cache-down"](NOW)
    found = picture(board)
    node = found.node("cache-1")
    assert text_of(node.role) == "primary?" and node.style == "critical"
    assert text_of(node.state) == "no answer since 02:47:03, 9 s"
    assert found.edges[0].broken == "link down 9 s"
    assert text_of(primary_words(group(board))) == "primary cache-1"
    assert text_of(failover_words(group(board))) == "objectively down, say 3"


@pytest.mark.parametrize("name", ["all-unknown", "not-read-yet", "engine-lost"])
def test_unknown_is_never_green(name: str) -> None:
    board = SCENARIOS[name](NOW)
    found = picture(board)
    styles = {style for node in found.nodes for part in (node.name, node.role, node.state) for _, style in part}
    assert "ok" not in styles and all(node.style == "unknown" for node in found.nodes)
    assert "quorum not known" in text_of(quorum_words(group(board)))
    assert {style for _, style in quorum_words(group(board))} == {"unknown"}


def test_two_that_call_themselves_primary() -> None:
    board = SCENARIOS["healthy"](NOW)
    change(board, RedisServer, "cache/cache-2", role="primary", primary_address="", link_up=None)
    found = picture(board)
    assert {node.style for node in found.nodes} == {"critical"}
    assert text_of(found.node("cache-2").notes[0]) == "≠ it says primary, Sentinel says cache-1"


def test_lost_sentinels_and_lost_quorum() -> None:
    board = SCENARIOS["healthy"](NOW)
    failed(board, Sentinel, "cache/sentinel-3", NOW, "connection refused", 30)
    lost = {"sentinel-3": SentinelPeer("sentinel-3", "10.0.1.23:26379", "sentinel,s_down,disconnected", 30_000)}
    change(board, Sentinel, "cache/sentinel-1", peers=lost)
    words = quorum_words(group(board))
    assert text_of(words) == "Sentinels 2 of 3 answer, quorum 2" and words[-1][1] == "warning"
    rows = {row.key: row for row in every_section(board)["sentinels"].rows}
    assert rows["sentinel-3"].text(2) == "silent 30 s" and rows["sentinel-1"].text(4) == "0 of 2"
    change(board, Sentinel, "cache/sentinel-1", quorum_ok=False, quorum_answer="NOQUORUM 1 usable Sentinels.")
    assert quorum_words(group(board))[-1] == ("2 of 3 answer, quorum 2: no quorum", "critical")


def test_sentinels_that_disagree() -> None:
    board = SCENARIOS["healthy"](NOW)
    change(board, Sentinel, "cache/sentinel-2", primary_address="10.0.1.12:6379")
    assert text_of(primary_words(group(board))) == "Sentinels disagree: cache-1, cache-2"


def test_a_cache_without_sentinels_has_no_automatic_failover() -> None:
    board = SCENARIOS["two-of-each"](NOW)
    assert caches(board) == ["cache", "sessions"]
    assert text_of(quorum_words(group(board, "sessions"))) == "no Sentinel: no automatic failover"
    assert every_section(board, "sessions", "redis-1")["sentinels"].empty == "no Sentinel watches this cache"


def test_a_resynchronising_replica() -> None:
    board = SCENARIOS["healthy"](NOW)
    change(board, RedisServer, "cache/cache-2", sync_in_progress=True, taken_at=NOW - timedelta(seconds=1))
    assert text_of(picture(board).node("cache-2").state) == "full resynchronisation"
