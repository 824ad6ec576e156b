"""What a tile shows below its figures where there is room: who uses the system most, who waits, what is slow."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from console.board import Board
from console.readings import Activity, PostgresMember, PostgresStatements, RedisServer, Session, believed
from screens.database_cluster import Cluster
from screens.database_coordination import flags, leader_words, synchronous_words
from screens.database_sessions import blocking_lines
from widgets.format import count, milliseconds, number, percent, short_age
from widgets.gauge import thin_bar
from widgets.spans import Block, Line, fit, line, text_width

Part = tuple[str, list[Line]]
"""Heading and lines, the most telling first; each line takes the width it is given later."""


def parts_block(parts: Sequence[Part], cells: int, rows: int) -> Block:
    """As many parts as fit into ``rows``, each with a heading and at least two lines, a blank row between."""
    block: Block = []
    kept = [part for part in parts if part[1]]
    while kept and sum(3 + min(1, len(lines) - 1) for _, lines in kept) > rows:
        kept.pop()
    spare = rows - sum(2 + min(2, len(lines)) for _, lines in kept)
    for heading, lines in kept:
        more = min(max(0, spare), max(0, len(lines) - 2))
        spare -= more
        block.append(())
        block.append(_heading(heading, cells))
        block += [fit(each, cells) for each in lines[: 2 + more]]
    return block


def _heading(text: str, cells: int) -> Line:
    return line((text + " ", "heading"), ("─" * max(0, cells - text_width(text) - 1), "line"))


# -- database ----------------------------------------------------------------------------------------------------------


def database_parts(board: Board, cluster: str, primary: PostgresMember, now: datetime, narrow: bool) -> list[Part]:
    """Waiting trees, busiest statements, oldest transactions, connections by database."""
    key = f"{cluster}/{primary.member}"
    parts: list[Part] = []
    activity = believed(board.get(Activity, key), now)
    if activity is not None and activity.blocked:
        parts.append(("waits for locks", blocking_lines(board, cluster, primary.member, now, 8)))
    statements = believed(board.get(PostgresStatements, key), now)
    if statements is not None and statements.rows:
        parts.append(("busiest statements", _statements(statements, narrow)))
    if activity is not None:
        oldest = _oldest(activity, now, narrow)
        if oldest:
            parts.append(("oldest transactions", oldest))
    shares = _connections(primary, narrow)
    if shares:
        parts.append(("connections by database", shares))
    return parts


def orphan_parts(cluster: Cluster) -> list[Part]:
    """Where no primary answers: what Patroni makes of it, which decides whether it mends itself."""
    if not cluster.has_patroni:
        return []
    told = [each for each in (leader_words(cluster), synchronous_words(cluster), *flags(cluster)) if each]
    return [("what Patroni says", told)]


def _statements(reading: PostgresStatements, narrow: bool) -> list[Line]:
    others = [row for row in reading.rows.values() if not row.ours]
    rows = sorted(others, key=lambda row: (-row.share, row.id))[:6]
    if narrow:
        return [line((f"{percent(row.share):>5} ", ""), row.query) for row in rows]
    return [
        line(
            (f"{percent(row.share):>5} ", ""), (f"{number(row.calls_per_s):>6}/s ", "muted"),
            (f"{milliseconds(row.mean_ms):>7}  ", "muted"), *fit(((row.database, "accent"),), 10), " ", row.query,
        )
        for row in rows
    ]  # fmt: skip


def _oldest(activity: Activity, now: datetime, narrow: bool) -> list[Line]:
    """Transactions open for longer than a second."""

    def age(session: Session) -> float:
        return (now - session.xact_start).total_seconds() if session.xact_start else 0.0

    rows = sorted((row for row in activity.sessions.values() if age(row) >= 1), key=lambda row: (-age(row), row.pid))[
        :5
    ]
    return [
        line(
            (f"{short_age(age(row)):>6}  ", "warning" if age(row) >= 300 else ""),
            *fit(((row.application or row.user, "accent"),), 14), " ",
            *(() if narrow else (*fit(((row.database, "muted"),), 11), (" ", ""))),
            (row.state if row.state != "active" else row.wait or "active", "muted"),
        )
        for row in rows
    ]  # fmt: skip


def _connections(primary: PostgresMember, narrow: bool) -> list[Line]:
    rows = sorted(primary.connections_by_database.items(), key=lambda each: (-each[1], each[0]))[:6]
    most = max((connections for _, connections in rows), default=1) or 1
    return [
        line(
            *fit(name, 16 if narrow else 20),
            f"{connections:>5} ",
            (thin_bar(connections / most, 10 if narrow else 16), "series"),
        )
        for name, connections in rows
        if connections
    ]


# -- cache -------------------------------------------------------------------------------------------------------------


def cache_parts(primary: RedisServer, now: datetime, narrow: bool) -> list[Part]:
    """Connections by application, calls that were slow."""
    parts: list[Part] = []
    apps = sorted(primary.apps.values(), key=lambda app: (-app.connections, app.name))[:6]
    most = max((app.connections for app in apps), default=1) or 1
    lines = [
        line(
            *fit(app.name, 16 if narrow else 20), f"{app.connections:>5} ", (thin_bar(app.connections / most, 10 if narrow else 16), "series"),
            (f"  {count(app.blocked)} blocked" if app.blocked else "", "muted"),
        )
        for app in apps
    ]  # fmt: skip
    if lines:
        parts.append(("connections by application", lines))
    slow = sorted(primary.slow.values(), key=lambda call: call.at, reverse=True)[:5]
    if slow:
        parts.append(
            (
                "slow calls",
                [
                    line(
                        (f"{short_age((now - call.at).total_seconds()):>6} ago  ", "muted"),
                        f"{milliseconds(call.took_us / 1000):>7}  ",
                        (call.command, "accent"),
                    )
                    for call in slow
                ],
            )
        )
    return parts
