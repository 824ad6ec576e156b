"""Sessions and who blocks whom, as rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from console.board import Board
from console.readings import Activity, BlockedSession, Session
from screens.database_cluster import source
from screens.section import MISSING, Section, fact, number_cell, unknown
from widgets.branches import Branch, branches
from widgets.columns import Cell, Column, Row
from widgets.format import count, short_age
from widgets.spans import Line, joined, line

SESSIONS = (
    Column("pid", "pid", 7, "right", sort="P"),
    Column("database", "database", 12, sort="D"),
    Column("user", "user", 10, drop=4, sort="U"),
    Column("application", "application", 16, drop=3, sort="A"),
    Column("client", "client", 15, drop=6, sort="C"),
    Column("state", "state", 10, sort="S"),
    Column("wait", "waits for", 18, sort="W"),
    Column("xact", "xact", 6, "right", drop=2, sort="X", descending=True),
    Column("since", "for", 6, "right", sort="F", descending=True),
    Column("query", "query", 12, flex=1, sort="Q"),
)
BLOCKING = (
    Column("pid", "who waits for whom", 22, tree=True, sort="W"),
    Column("since", "for", 6, "right", sort="F", descending=True),
    Column("mode", "wants", 20, drop=3, sort="A"),
    Column("target", "on", 22, flex=1, sort="O"),
    Column("database", "database", 14, drop=2, sort="D"),
    Column("application", "application", 16, drop=1, sort="P"),
    Column("state", "state", 12, drop=4, sort="S"),
    Column("query", "query", 14, flex=2, drop=5, sort="Q"),
)
_SHORT_STATES = {
    "idle in transaction": "idle in tx",
    "idle in transaction (aborted)": "aborted tx",
    "fastpath function call": "fastpath",
}
PREPARED = 0
"""Pid under which pg_blocking_pids names a prepared transaction."""


def _age_s(moment: datetime | None, now: datetime) -> float | None:
    return None if moment is None else max(0.0, (now - moment).total_seconds())


def _age_cell(age_s: float | None, style: str = "") -> Cell:
    return Cell("", "", MISSING) if age_s is None else number_cell(short_age(age_s), age_s, style)


def _state_cell(state: str) -> Cell:
    style = "warning" if state.startswith("idle in transaction") else "muted" if state == "idle" else ""
    return Cell(_SHORT_STATES.get(state, state), style)


def _wait_cell(session: Session) -> Cell:
    kind = session.wait.partition(":")[0]
    return Cell(session.wait, "warning" if kind == "Lock" else "muted" if kind in ("Client", "Activity") else "")


def _rank(session: Session) -> tuple[int, float]:
    """Not idle first, the longest transaction first; idle ones by how long."""
    moment = session.xact_start or (session.query_start if session.state == "active" else session.state_change)
    return (session.state == "idle", moment.timestamp() if moment else 0.0)


def one_line(text: str) -> str:
    """A statement on one line."""
    return " ".join(text.split())


def session_row(session: Session, now: datetime) -> Row:
    """One session."""
    idle = session.state == "idle"
    since = session.query_start if session.state == "active" else session.state_change
    return Row(
        session.pid,
        (
            Cell(str(session.pid), "", session.pid),
            session.database,
            session.user,
            session.application,
            session.client,
            _state_cell(session.state),
            _wait_cell(session),
            _age_cell(_age_s(session.xact_start, now), "warning" if session.state.startswith("idle in") else ""),
            _age_cell(_age_s(since, now)),
            Cell(one_line(session.query)),
        ),
        "muted" if idle else "",
    )


def sessions(board: Board, cluster: str, member: str, now: datetime) -> Section:
    """Who is connected to one server, not idle first, then the longest."""
    reading, why = source(board, Activity, cluster, member, now)
    if reading is None:
        return unknown(SESSIONS, why)
    found = sorted(reading.sessions.values(), key=_rank)
    active = sum(session.state == "active" for session in found)
    in_transaction = sum(session.state.startswith("idle in transaction") for session in found)
    waiting = sum(session.wait.startswith("Lock") for session in found)
    more = reading.sessions_total - len(found)
    summary = joined(
        (
            fact("sessions", count(reading.sessions_total)),
            fact("active", count(active)),
            fact("idle in transaction", count(in_transaction), "warning" if in_transaction else ""),
            fact("waiting for a lock", count(waiting), "warning" if waiting else ""),
            line((f"{count(more)} not shown", "warning")) if more > 0 else (),
        ),
        "   ",
    )
    return Section(
        SESSIONS,
        tuple(session_row(session, now) for session in found),
        (summary,),
        empty="nobody is connected",
        count=reading.sessions_total,
    )


# -- blocking ----------------------------------------------------------------------------------------------------------


def blocking_tree(blocked: Mapping[int, BlockedSession]) -> list[Branch[int]]:
    """The tree of who waits for whom: heads first, those with the most behind them before others; each pid once."""
    parents = {pid: tuple(each.blocked_by) for pid, each in blocked.items()}
    since = {pid: each.since.timestamp() if each.since else 0.0 for pid, each in blocked.items()}
    return branches(parents, order=lambda pid: (since.get(pid, 0.0), pid))


def _who(branch: Branch[int], blocked: Mapping[int, BlockedSession]) -> Line:
    name = "prepared tx" if branch.key == PREPARED else str(branch.key)
    waits = branch.key in blocked
    words = line((name, "strong" if not waits else ""))
    if branch.below:
        words = joined((words, line((f"blocks {branch.below}", "warning" if waits else "critical"))), " ")
    others = len(blocked[branch.key].blocked_by) - 1 if waits else 0
    return line(words, (f" +{others}", "muted")) if others > 0 else words


def blocked_row(
    branch: Branch[int], blocked: Mapping[int, BlockedSession], sessions: Mapping[int, Session], now: datetime
) -> Row:
    """One line of the tree."""
    session = sessions.get(branch.key)
    wait = blocked.get(branch.key)
    if wait is not None:
        since, mode = _age_s(wait.since, now), Cell(wait.mode)
        target = Cell(wait.target)
    else:
        since = _age_s(session.xact_start, now) if session else None
        mode, target = (
            Cell("holds", "critical"),
            Cell("transaction open" if session and session.xact_start else "", "muted"),
        )
    return Row(
        branch.key,
        (
            Cell(_who(branch, blocked), "", branch.key),
            _age_cell(since),
            mode,
            target,
            session.database if session else "",
            session.application if session else "",
            _state_cell(session.state) if session else Cell("not listed", "muted"),
            Cell(one_line(session.query) if session else ""),
        ),
        indent=branch.indent,
    )


def blocking(board: Board, cluster: str, member: str, now: datetime) -> Section:
    """Who waits for whom on one server, as a tree."""
    reading, why = source(board, Activity, cluster, member, now)
    if reading is None:
        return unknown(BLOCKING, why)
    tree = blocking_tree(reading.blocked)
    rows = tuple(blocked_row(branch, reading.blocked, reading.sessions, now) for branch in tree)
    heads = [branch for branch in tree if branch.depth == 0]
    waits = [each.since for each in reading.blocked.values() if each.since]
    summary: tuple[Line, ...] = ()
    if tree:
        longest = _age_s(min(waits), now) if waits else None
        summary = (
            joined(
                (
                    fact("waiting", count(len(reading.blocked), "session"), "warning"),
                    fact("behind", count(len(heads))),
                    fact("longest", short_age(longest)),
                    line((_head_words(heads[0], reading.sessions), "")),
                ),
                "   ",
            ),
        )
    return Section(
        BLOCKING,
        rows,
        summary,
        empty="nobody waits for a lock",
        count=len(reading.blocked),
        state="warning" if reading.blocked else "",
    )


def _head_words(head: Branch[int], sessions: Mapping[int, Session]) -> str:
    session = sessions.get(head.key)
    if session is None:
        return ""
    return f"head {head.key}: {session.application or session.user} on {session.database}, {session.state}"


def blocking_lines(board: Board, cluster: str, member: str, now: datetime, limit: int) -> list[Line]:
    """The tree as lines of text, for the side of a wide screen; at most ``limit``."""
    section = blocking(board, cluster, member, now)
    if section.notice:
        return [line((section.notice, section.notice_style))]
    if not section.rows:
        return [line((section.empty, "muted"))]
    found = list(_lines(section))
    if len(found) > limit:
        found = [*found[: limit - 1], line((f"{len(found) - limit + 1} more: Blocking", "muted"))]
    return found


def _lines(section: Section) -> Iterator[Line]:
    for row in section.rows:
        who, since, _mode, target, database, *_ = row.cells
        assert isinstance(who, Cell)
        assert isinstance(since, Cell)
        own = who.text if not isinstance(who.text, str) else line(who.text)
        place = target.plain if isinstance(target, Cell) else target or ""
        where = database.plain if isinstance(database, Cell) else database or ""
        where = "" if place.startswith(where) else where  # a target names its database where it has one
        yield joined(
            (line((row.indent, "line"), own), line((since.plain, "")), line((where, "muted")), line((place, "muted")))
        )
