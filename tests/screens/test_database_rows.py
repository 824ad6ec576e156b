"""What the database screen shows, as pure functions: readings in, rows out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.board import Board
from console.readings import (
    Activity,
    BlockedSession,
    Environment,
    PatroniMember,
    PostgresIo,
    PostgresMember,
    PostgresSettings,
    PostgresStatements,
    Setting,
    Slot,
)
from screens import database_keep as keep
from screens import database_sessions as sessions_of
from screens import database_work as work
from screens.database_cluster import cluster_at, clusters
from screens.database_members import members
from screens.database_topology import topology
from screens.layout import roomy
from screens.section import Section
from tests.screens.boards import NOW, SCENARIOS
from tests.strategies import readings
from tests.tools.hostile import FIFTY, board_with
from widgets.columns import place, row_line
from widgets.spans import text_of, width
from widgets.topology import draw


def every_section(board: Board, member: str = "pg-2", cluster: str = "main") -> dict[str, Section]:
    group = cluster_at(board, cluster, NOW)
    return {
        "sessions": sessions_of.sessions(board, cluster, member, NOW),
        "blocking": sessions_of.blocking(board, cluster, member, NOW),
        "statements": work.statements(board, cluster, member, NOW),
        "io": work.io(board, cluster, member, NOW),
        "databases": work.databases(board, cluster, member, NOW),
        "slots": keep.slots(board, cluster, member, NOW),
        "settings": keep.settings(board, group, NOW),
        "roles": keep.roles(board, cluster, member, NOW),
        "members": members(group, NOW),
    }


def text(section: Section) -> str:
    lines = [text_of(each) for each in section.summary]
    lines += ["  ".join(row.text(at) for at in range(len(section.columns))) for row in section.rows]
    return "\n".join(lines)


# -- what holds for every section --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCENARIOS)
def test_cells_match_columns_and_keys_are_unique(name: str) -> None:
    for title, section in every_section(SCENARIOS[name](NOW)).items():
        assert len({row.key for row in section.rows}) == len(section.rows), title
        assert all(len(row.cells) <= len(section.columns) for row in section.rows), title


@pytest.mark.parametrize("cells", [77, 117, 131])
def test_columns_that_always_stay_fit_every_size(cells: int) -> None:
    """77, 117 and 131: what a table has for its cells at 80×24, 120×35 and 200×50."""
    for title, section in every_section(SCENARIOS["lock-storm"](NOW)).items():
        placed = place(roomy(section.columns, cells + 3), cells)
        used = sum(each.width for each in placed) + 2 * (len(placed) - 1)
        assert used <= cells, f"{title} needs {used}"
        assert any(each.width >= 8 for each in placed)


def test_sort_letters_are_unique_and_leave_g_alone() -> None:
    for title, section in every_section(SCENARIOS["healthy"](NOW)).items():
        letters = [column.sort for column in section.columns if column.sort]
        assert len(set(letters)) == len(letters), title
        assert "G" not in letters and all(letter.isupper() for letter in letters), title


SILENT = ("sessions", "blocking", "statements", "io", "databases", "slots", "roles")


@pytest.mark.parametrize(
    ("name", "words"), [("hang-primary", "no answer since 02:47:04, 8 s"), ("engine-lost", "not read since")]
)
def test_what_cannot_be_read_shows_no_values_but_since_when(name: str, words: str) -> None:
    found = every_section(SCENARIOS[name](NOW))
    for title in SILENT:
        if name == "engine-lost" and title == "roles":
            continue  # read once a minute: half a minute old is not old
        section = found[title]
        assert not section.rows and not section.summary, title
        assert words in section.notice, title
    row = next(row for row in found["members"].rows if row.key == "pg-2")
    assert "silent" in row.text(2) and all(row.text(at) in ("?", "") for at in range(4, 11))
    assert "88" not in text(found["members"])


def test_nothing_read_yet_says_so() -> None:
    for title, section in every_section(SCENARIOS["not-read-yet"](NOW)).items():
        if title in SILENT:
            assert section.notice == "pg-2: not read yet", title


def test_rows_stay_equal_between_looks() -> None:
    """Equal readings make equal rows: that is what keeps an idle picture from being written."""
    for name in SCENARIOS:
        assert every_section(SCENARIOS[name](NOW)) == every_section(SCENARIOS[name](NOW))


ONLY_POSTGRES = (PostgresMember, Activity, PostgresStatements, PostgresIo, PostgresSettings, PatroniMember)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(readings(*ONLY_POSTGRES), max_size=8), st.integers(60, 210))
def test_any_reading_makes_rows_of_one_width(found: list[Any], cells: int) -> None:
    board = Board()
    pairs = tuple(f"{topic.topic} main/{name}" for name in ("pg-1", "pg-2") for topic in ONLY_POSTGRES)
    board.put(Environment(taken_at=NOW, name="x", panes={"database": pairs}))
    for reading in found:
        board.put(msgspec.structs.replace(reading, taken_at=NOW, every_s=2))
    for section in every_section(board, "pg-1").values():
        layout = place(section.columns, cells)
        want = sum(each.width for each in layout) + 2 * (len(layout) - 1)
        assert all(width(row_line(row, layout)) == want for row in section.rows)
    block = draw(topology(cluster_at(board, "main", NOW), {}, NOW), cells, 10)
    assert all(width(each) <= cells for each in block)


@pytest.mark.parametrize("hostile", FIFTY)
def test_hostile_text_moves_no_column(hostile: str) -> None:
    board = board_with(hostile)
    keys = {reading.key for reading in board if reading.topic == "postgres"}
    assert keys
    for key in keys:
        cluster, _, member = key.partition("/")
        board.put(Environment(taken_at=NOW, name="x", panes={"database": (f"postgres {key}", f"patroni {key}")}))
        for reading in list(board):
            if reading.topic.startswith(("postgres", "patroni")):
                board.put(msgspec.structs.replace(reading, taken_at=NOW))
        for section in every_section(board, member, cluster).values():
            layout = place(section.columns, 117)
            want = sum(each.width for each in layout) + 2 * (len(layout) - 1)
            assert all(width(row_line(row, layout)) == want for row in section.rows)


# -- sessions and blocking ---------------------------------------------------------------------------------------------


def test_sessions_not_idle_first_then_the_longest() -> None:
    section = every_section(SCENARIOS["lock-storm"](NOW))["sessions"]
    states = [row.text(5) for row in section.rows]
    assert states.index("idle") == len(states) - states.count("idle"), "idle ones stand last"
    assert section.rows[0].key == 4121 and section.rows[0].text(5) == "idle in tx"
    assert "waiting for a lock 14" in text(section)
    waits = {row.text(6): row.cells[6].style for row in section.rows}  # type: ignore[union-attr]
    assert waits["Lock: tuple"] == "warning"


def test_sessions_beyond_the_limit_are_counted() -> None:
    board = SCENARIOS["healthy"](NOW)
    reading = board.get(Activity, "main/pg-2")
    assert reading is not None
    board.put(msgspec.structs.replace(reading, sessions_total=724))
    assert "700 not shown" in text(every_section(board)["sessions"])


def test_blocking_heads_first_with_who_waits() -> None:
    section = every_section(SCENARIOS["lock-storm"](NOW))["blocking"]
    head, first, second = section.rows[:3]
    assert (head.key, head.text(0), head.text(2), head.indent) == (4121, "4121 blocks 14", "holds", "")
    assert (first.key, first.text(0), first.text(2), first.indent) == (5200, "5200 blocks 1", "ExclusiveLock", "├─ ")
    assert (second.key, second.indent) == (5227, "│  ╰─ ")
    assert first.text(1) == "6m00s" and first.text(3) == "acme_prod: tuple in purchase_order"
    assert section.count == 14 and len(section.rows) == 15
    assert "head 4121: payroll-import on acme_prod, idle in transaction" in text(section)


def test_blocked_by_a_prepared_transaction_and_by_somebody_unlisted() -> None:
    board = SCENARIOS["healthy"](NOW)
    reading = board.get(Activity, "main/pg-2")
    assert reading is not None
    blocked = {4100: BlockedSession(4100, (0, 99)), 4107: BlockedSession(4107, (99,))}
    board.put(msgspec.structs.replace(reading, blocked=blocked))
    rows = {row.key: row for row in every_section(board)["blocking"].rows}
    assert rows[0].text(0).startswith("prepared tx") or rows[99].text(0) == "99 blocks 2"
    assert rows[99].text(6) == "not listed"
    assert rows[4100].text(0).endswith("+1"), "it waits for more than one"


# -- statements, I/O, databases ----------------------------------------------------------------------------------------


def test_statements_by_share_and_only_since_the_last_look() -> None:
    section = every_section(SCENARIOS["healthy"](NOW))["statements"]
    shares = [row.text(0).split()[-2] for row in section.rows]
    assert shares == ["31", "22", "14", "11", "7", "2"]
    first = every_section(_with(SCENARIOS["healthy"](NOW), PostgresStatements, window_s=0.0))["statements"]
    assert "first look" in first.notice and not first.rows
    without = every_section(_with(SCENARIOS["healthy"](NOW), PostgresStatements, extension=False))["statements"]
    assert "pg_stat_statements is not installed" in without.notice


def _with(board: Board, cls: type[Any], **changes: Any) -> Board:
    reading = board.get(cls, "main/pg-2")
    assert reading is not None
    board.put(msgspec.structs.replace(reading, **changes))
    return board


def test_io_latency_is_unknown_without_timing() -> None:
    timed = every_section(SCENARIOS["healthy"](NOW))["io"]
    assert timed.rows[0].text(4) == "0.2 ms"
    blind = every_section(_with(SCENARIOS["healthy"](NOW), PostgresIo, io_timing=False))["io"]
    assert blind.rows[0].text(4) == "?" and "track_io_timing" in text(blind)


def test_databases_biggest_first_with_their_limits() -> None:
    section = every_section(SCENARIOS["healthy"](NOW))["databases"]
    assert [row.key for row in section.rows][:2] == ["acme_prod", "bauhof_prod"]
    bauhof = section.rows[1]
    assert bauhof.text(2) == "22 of 60" and bauhof.text(8) == "58 M" and "29 %" in bauhof.text(9)


# -- slots, archive, settings, roles -----------------------------------------------------------------------------------


def test_a_slot_that_nobody_reads_stands_first() -> None:
    board = SCENARIOS["healthy"](NOW)
    idle = Slot(
        "forgotten",
        retained_bytes=200 << 20,
        safe_bytes=56 << 20,
        wal_status="extended",
        inactive_since=NOW - timedelta(hours=2),
    )
    reading = board.get(PostgresMember, "main/pg-2")
    assert reading is not None
    board.put(msgspec.structs.replace(reading, slots={**reading.slots, "forgotten": idle}))
    section = every_section(board)["slots"]
    assert [section.rows[0].text(at) for at in (0, 2, 3, 4, 5, 7)] == [
        "forgotten",
        "inactive",
        "200 MB",
        "56 MB",
        "extended",
        "2h00m",
    ]
    assert section.state == "warning"


def test_archive_fails_only_where_the_last_try_failed() -> None:
    board = SCENARIOS["healthy"](NOW)
    assert "archive ok" in text(every_section(board)["slots"])
    reading = board.get(PostgresMember, "main/pg-2")
    assert reading is not None
    failed = msgspec.structs.replace(
        reading, archive_last_failed_at=NOW, archive_last_failed="00A1", archive_failed_count=3
    )
    board.put(failed)
    assert "archive failing" in text(every_section(board)["slots"])
    board.put(msgspec.structs.replace(failed, archive_last_failed_at=NOW - timedelta(days=1)))
    assert "archive ok" in text(every_section(board)["slots"])


def test_settings_that_differ_changed_or_wait_stand_first() -> None:
    section = every_section(SCENARIOS["healthy"](NOW))["settings"]
    assert [(row.key, row.text(1)) for row in section.rows][:3] == [
        ("random_page_cost", "changed"),
        ("work_mem", "differs"),
        ("max_connections", ""),
    ]
    work_mem = section.rows[1]
    assert [work_mem.text(at) for at in (2, 3, 4)] == ["64 MB", "64 MB", "16 MB"]
    assert section.rows[0].text(5) == "was 4, 3h12m ago"


def test_settings_that_must_differ_are_no_news() -> None:
    board = SCENARIOS["healthy"](NOW)
    for index, name in enumerate(("pg-1", "pg-2", "pg-3")):
        reading = board.get(PostgresSettings, f"main/{name}")
        assert reading is not None
        rows = {**reading.settings, "port": Setting("port", str(5432 + index))}
        board.put(msgspec.structs.replace(reading, settings=rows))
    row = next(row for row in every_section(board)["settings"].rows if row.key == "port")
    assert row.text(1) == ""


def test_settings_of_a_silent_member_are_unknown_not_default() -> None:
    section = every_section(SCENARIOS["hang-primary"](NOW))["settings"]
    assert all(row.text(3) == "?" for row in section.rows)
    assert "pg-2 not known" in text(section)


def test_roles_changed_ones_first() -> None:
    section = every_section(SCENARIOS["healthy"](NOW))["roles"]
    assert [row.key for row in section.rows][:2] == ["import_helper", "postgres"]
    assert "superuser" in section.rows[1].text(1) and "30 min ago" in section.rows[0].text(5)


# -- clusters ----------------------------------------------------------------------------------------------------------


def test_clusters_come_from_the_environment_not_from_what_answers() -> None:
    board = SCENARIOS["not-read-yet"](NOW)
    assert clusters(board) == ["main"]
    assert [member.name for member in cluster_at(board, "main", NOW).members] == ["pg-1", "pg-2", "pg-3"]
    assert clusters(Board()) == []


@pytest.mark.parametrize(
    ("name", "main"),
    [
        ("healthy", "pg-2"),
        ("hang-primary", "pg-2"),
        ("two-primaries", "pg-1"),
        ("no-primary", "pg-2"),
        ("all-unknown", "pg-1"),
    ],
)
def test_the_member_that_matters_most(name: str, main: str) -> None:
    assert cluster_at(SCENARIOS[name](NOW), "main", NOW).main == main


def test_a_cluster_without_patroni() -> None:
    cluster = cluster_at(SCENARIOS["two-of-each"](NOW), "reports", NOW)
    assert not cluster.has_patroni and cluster.main == "rp-1"
    section = members(cluster, NOW)
    assert section.rows[0].text(3) == "not run by Patroni"
    assert topology(cluster, {}, NOW).aside is None
    assert replace(cluster, members=()).main == ""
