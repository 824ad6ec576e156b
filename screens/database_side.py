"""The right side of the wide database screen: what must be in sight whatever tab is open."""

from __future__ import annotations

from console.readings import Finding, PostgresMember, PostgresStatements
from screens.database_cluster import Cluster, source
from screens.database_sessions import blocking_lines, one_line
from screens.pane_findings import findings_box, silent_words
from screens.trends import Figure, trends_box
from screens.view import View
from widgets.format import bar, count, number, percent, size, size_rate
from widgets.spans import Block, Line, box, fit, line

FIGURES: tuple[Figure, ...] = (
    ("commits", "tps", lambda value: f"{number(value)}/s"),
    ("connections", "connections", number),
    ("WAL", "wal_bytes", size_rate),
    ("worst lag", "lag", size),
)
MOST_WAITS, MOST_DATABASES, MOST_STATEMENTS = 12, 8, 10


def side(view: View, cluster: Cluster, member: str, found: list[Finding], tab: str, cells: int, height: int) -> Block:
    """Findings, who waits for whom, then as many of the others as there is room for; the trends stand at the foot."""
    silent = silent_words(view.board, "database", cluster.name, view.now)
    trends = trends_box(view, "database", cluster.name, FIGURES, cells)
    room = height - len(trends)
    waits = blocking_lines(view.board, cluster.name, member, view.now, max(1, min(MOST_WAITS, room // 2 - 2)))
    locks = _boxed(waits, cells, "Who waits for whom")
    if room - len(locks) < 4 or tab == "blocking":
        locks = []
    parts = [*findings_box(found, view.now, cells, room - len(locks), silent), *locks]
    for make in (_connections, _busiest):
        left = room - len(parts)
        if left >= 4:
            parts += make(view, cluster, member, cells, left - 2)
    parts += [()] * max(0, room - len(parts))
    return [*parts, *trends]


def _boxed(lines: list[Line], cells: int, title: str) -> Block:
    return box([line(" ", each) for each in lines], cells, len(lines) + 2, title)


def _connections(view: View, cluster: Cluster, member: str, cells: int, most: int) -> Block:
    """Connections by database, against what the server allows."""
    title = f"Connections of {member}"
    reading, why = source(view.board, PostgresMember, cluster.name, member, view.now)
    if reading is None:
        return _boxed([fit(line((why, "unknown")), cells - 4)], cells, title)
    usable = max(1, reading.max_connections - reading.reserved_connections)
    rows = sorted(reading.connections_by_database.items(), key=lambda pair: (-pair[1], pair[0]))
    room = min(most, MOST_DATABASES)
    shown = rows if len(rows) <= room else rows[: room - 1]
    drawn = [_share_row(name, count(amount), amount / usable, cells) for name, amount in shown]
    if len(shown) < len(rows):
        rest = sum(amount for _, amount in rows[len(shown) :])
        drawn.append(_share_row(f"{len(rows) - len(shown)} others", count(rest), rest / usable, cells))
    note = f"{count(reading.connections)} of {count(usable)}"
    return box([line(" ", each) for each in drawn], cells, len(drawn) + 2, title, line((note, "muted")))


def _share_row(name: str, figure: str, share: float, cells: int) -> Line:
    return line(
        fit(line(name), 20),
        fit(line(figure), 6, "right"),
        "  ",
        (bar(share, cells - 42), "series"),
        fit(line(percent(share)), 7, "right"),
    )


def _busiest(view: View, cluster: Cluster, member: str, cells: int, most: int) -> Block:
    """Statements by their share of time since the last look."""
    title = f"Busiest statements of {member}"
    reading, why = source(view.board, PostgresStatements, cluster.name, member, view.now)
    if reading is None:
        return _boxed([fit(line((why, "unknown")), cells - 4)], cells, title)
    others = [row for row in reading.rows.values() if not row.ours]
    rows = sorted(others, key=lambda row: (-row.share, row.id))[: min(most, MOST_STATEMENTS)]
    drawn = [
        line((bar(row.share, 8), "series"), fit(line(percent(row.share)), 7, "right"), "  ", one_line(row.query))
        for row in rows
    ]
    return _boxed(drawn or [line(("none since the last look", "muted"))], cells, title)
