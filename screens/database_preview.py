"""The row under the cursor with its whole text, for the strip under the table."""

from __future__ import annotations

from typing import Any, NamedTuple

from console.readings import Activity, Finding, PostgresStatements
from screens.database_cluster import Cluster, source
from screens.database_sessions import one_line
from screens.database_topology import notes
from screens.section import fact
from screens.view import View
from widgets.format import lsn, milliseconds, moment, number, percent, since
from widgets.spans import Block, Line, box, joined, line, wrap


class Preview(NamedTuple):
    """A title, a line of facts, and a text."""

    title: str
    facts: Line
    text: str


def preview_box(preview: Preview, cells: int, most: int) -> Block:
    """As high as the text needs, at most ``most`` lines."""
    room = max(1, most - 2 - bool(preview.facts))
    text = [line(" ", each) for each in wrap(preview.text, cells - 4, limit=room)]
    body = [line(" ", preview.facts), *text] if preview.facts else text
    return box(body, cells, most, preview.title)


def preview(view: View, cluster: Cluster, member: str, found: list[Finding], tab: str, key: Any) -> Preview | None:
    """What the strip says of a row; None where a row has no text worth a strip."""
    if tab in ("sessions", "blocking"):
        return _session(view, cluster, member, key)
    if tab == "statements":
        return _statement(view, cluster, member, key)
    if tab == "members":
        return _member(view, cluster, key)
    if tab == "findings":
        finding = next((each for each in found if each.id == key), None)
        if finding is None:
            return None
        evidence = [
            fact(each.what, each.value + (f" (limit {each.threshold})" if each.threshold else ""))
            for each in finding.evidence
        ]
        return Preview(finding.title, joined(evidence, "   "), f"{finding.impact} {finding.action}".strip())
    return None


def _member(view: View, cluster: Cluster, key: Any) -> Preview | None:
    member = cluster.member(str(key))
    if member is None:
        return None
    sql = member.sql
    facts = (
        [
            fact("at", sql.address),
            fact("received", lsn(sql.received_bytes)) if sql.in_recovery else fact("written", lsn(sql.current_bytes)),
            fact("replayed", lsn(sql.replayed_bytes)) if sql.in_recovery else (),
            fact("last replayed commit", moment(sql.replayed_at, view.now)) if sql.in_recovery else (),
            fact("from", sql.receiver_from) if sql.receiver_from else (),
        ]
        if sql
        else []
    )
    said = [words for words, _ in notes(cluster, member, view.now)]
    return Preview(f"{member.name}", joined(facts, "   "), "; ".join(said) or "SQL and Patroni agree on it")


def _session(view: View, cluster: Cluster, member: str, key: Any) -> Preview | None:
    reading, _ = source(view.board, Activity, cluster.name, member, view.now)
    if reading is None:
        return None
    session, wait = reading.sessions.get(key), reading.blocked.get(key)
    if session is None:
        return None
    facts = [
        fact("user", session.user),
        fact("from", session.client or "local socket"),
        fact("connected for", since(session.backend_start, view.now)) if session.backend_start else (),
        fact("transaction", since(session.xact_start, view.now)) if session.xact_start else (),
        line(("waits for ", "muted"), (f"{wait.mode} on {wait.target}", "warning")) if wait else (),
        fact("behind", ", ".join(map(str, wait.blocked_by))) if wait else (),
    ]
    title = f"{session.pid}  {session.application or 'no application name'} on {session.database}, {session.state}"
    return Preview(title, joined(facts, "   "), one_line(session.query))


def _statement(view: View, cluster: Cluster, member: str, key: Any) -> Preview | None:
    reading, _ = source(view.board, PostgresStatements, cluster.name, member, view.now)
    statement = reading.rows.get(key) if reading is not None else None
    if statement is None:
        return None
    facts = (
        fact("user", statement.user),
        fact("time", percent(statement.share)),
        fact("mean", milliseconds(statement.mean_ms)),
        fact("calls", f"{number(statement.calls_per_s)}/s"),
        fact("rows", f"{number(statement.rows_per_s)}/s"),
    )
    return Preview(f"Statement in {statement.database}", joined(facts, "   "), one_line(statement.query))
