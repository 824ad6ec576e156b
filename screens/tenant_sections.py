"""The parts of a tenant as tables: pages, scheduled jobs, queue, mail, attachments, modules, log events, what is not told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from console.readings.odoo import OdooChannel, OdooCron, OdooDatabase, OdooEvent, OdooFailedJob, OdooStep
from screens.section import MISSING, Section, number_cell, unknown
from screens.tenant_group import Part, TenantNow
from screens.tenant_topics import newest
from screens.tenant_words import mark, times_usual
from screens.tenant_work import by_trouble, cron_words
from screens.trust import silence_and_why
from widgets.columns import Cell, Column, Row
from widgets.format import milliseconds, moment, number, short_age, size
from widgets.spans import line

PAGES = (
    Column("step", "step", 10, sort="S"),
    Column("now", "last", 8, "right", sort="L", descending=True),
    Column("p50", "usual", 8, "right", sort="U", descending=True),
    Column("p95", "p95", 8, "right", sort="P", descending=True),
    Column("at", "asked (UTC)", 11, drop=2, sort="A", descending=True),
    Column("problem", "problem", 20, flex=1),
)
JOBS = (
    Column("name", "scheduled job", 24, flex=2, sort="J"),
    Column("state", "state", 26, flex=1, sort="S"),
    Column("every", "every", 10, drop=3, sort="E"),
    Column("due", "due in", 7, "right", sort="D"),
    Column("last", "ran (UTC)", 11, drop=2, sort="R", descending=True),
    Column("failures", "failures", 8, "right", drop=1, sort="F", descending=True),
)
QUEUE = (
    Column("name", "channel or function", 24, flex=2, sort="C"),
    Column("waiting", "waiting", 7, "right", sort="W", descending=True),
    Column("oldest", "oldest", 7, "right", sort="O", descending=True),
    Column("later", "later", 6, "right", drop=2, sort="L", descending=True),
    Column("running", "running", 7, "right", drop=1, sort="R", descending=True),
    Column("dead", "dead", 5, "right", sort="D", descending=True),
    Column("failed", "failed", 6, "right", sort="F", descending=True),
    Column("why", "what", 16, flex=1, drop=3),
)
MAIL = (
    Column("count", "mails", 6, "right", sort="M", descending=True),
    Column("last", "last (UTC)", 11, sort="L", descending=True),
    Column("reason", "refused because", 30, flex=1, sort="R"),
)
FILES = (
    Column("name", "stored as", 24, sort="S"),
    Column("what", "what it is", 30, flex=1, sort="W"),
)
MODULES = (
    Column("name", "module", 24, flex=1, sort="M"),
    Column("state", "state", 12, sort="S"),
    Column("version", "version", 14, sort="V"),
    Column("since", "since (UTC)", 12, sort="I"),
)
EVENTS = (
    Column("last", "last (UTC)", 11, sort="L", descending=True),
    Column("what", "what", 18, sort="W"),
    Column("count", "times", 5, "right", sort="T", descending=True),
    Column("subject", "of", 20, drop=1, sort="O"),
    Column("message", "message", 20, flex=1),
)
UNTOLD = (Column("what", "what is not told", 26, sort="W"), Column("why", "why", 30, flex=1))
_NONE = Cell("", "", MISSING)


def _known(tenant: TenantNow, parts: Sequence[Part[Any]], columns: Sequence[Column], now: datetime, make: Callable[[], Section]) -> Section:  # fmt: skip
    """A section that needs all of these parts; where one is silent it has nothing to show, and says why."""
    silent = next((part for part in parts if part.reading is None), None)
    if silent is not None:
        return unknown(columns, f"{silent.key}: {silence_and_why(silent.raw, now)}")
    if not parts:
        return Section(tuple(columns), empty=f"the environment file does not have this of {tenant.name} read")
    return make()


def _read(tenant: TenantNow) -> list[OdooDatabase]:
    return [part.reading for part in tenant.databases if part.reading is not None]


def pages(tenant: TenantNow, now: datetime) -> Section:
    """Each timed step: the last time, what is usual."""

    def make() -> Section:
        reading = tenant.pages.reading if tenant.pages else None
        assert reading is not None
        severity = mark(tenant, "pages")
        rows = [_step_row(name, step, severity, now) for name, step in reading.steps.items()]
        rows += [
            Row(name, (Cell(name, "muted"), _NONE, _NONE, _NONE, _NONE, Cell(f"not asked: {why}", "muted")))
            for name, why in reading.untold.items()
            if name not in reading.steps
        ]
        failing = sum(step.ok is False for step in reading.steps.values())
        since = f"one session kept since {moment(reading.session_since, now)}" if reading.session_since else ""
        return Section(
            PAGES, tuple(rows), (line((reading.url, "muted"), f"   {since}" if since else ""),), empty="nothing is asked",
            count=failing or None, state=severity if failing else "",
        )  # fmt: skip

    return _known(tenant, [tenant.pages] if tenant.pages else [], PAGES, now, make)


def _step_row(name: str, step: OdooStep, severity: str, now: datetime) -> Row:
    bad = step.ok is False or times_usual(step) is not None
    last = "fails" if step.ok is False and step.silent else milliseconds(step.ms)
    return Row(
        name,
        (
            name,
            number_cell(last, step.ms, (severity or "strong") if bad else ""),
            number_cell(milliseconds(step.p50_ms), step.p50_ms),
            number_cell(milliseconds(step.p95_ms), step.p95_ms),
            Cell(moment(step.at, now), "muted", step.at.timestamp() if step.at else MISSING),
            Cell(step.problem, (severity or "strong") if step.ok is False else "muted"),
        ),
    )


def jobs(tenant: TenantNow, now: datetime) -> Section:
    """Scheduled jobs: those in trouble or running first, then the next ones due."""

    def make() -> Section:
        read = _read(tenant)
        rows = [
            _cron_row(each, cron, now, mark(tenant, "late"))
            for each in read
            for cron in by_trouble(each.crons.values())
        ]
        late = sum(each.crons_late for each in read)
        active, listed = sum(each.crons_active for each in read), sum(len(each.crons) for each in read)
        summary = [line((f"{active} active", "muted"), (f", {listed} listed" if listed < active else "", "muted"))]
        return Section(JOBS, tuple(rows), tuple(summary), empty="no scheduled job", count=late or None, state=mark(tenant, "late") if late else "")  # fmt: skip

    return _known(tenant, tenant.databases, JOBS, now, make)


def _cron_row(database: OdooDatabase, cron: OdooCron, now: datetime, severity: str) -> Row:
    due = (cron.next_at - now).total_seconds() if cron.next_at else None
    look = (severity or "strong") if cron.troubled else "" if cron.active else "muted"
    words = cron_words(cron, now) or ("" if cron.active else "not active")
    return Row(
        (database.database, cron.id),
        (
            Cell(cron.name, look),
            Cell(words, look),
            Cell(cron.every, "muted"),
            Cell("now", "", due) if due is not None and due <= 0 else number_cell(short_age(due), due),
            Cell(moment(cron.last_at, now), "muted", cron.last_at.timestamp() if cron.last_at else MISSING),
            Cell("?", "muted", MISSING)
            if cron.failures is None
            else number_cell(number(cron.failures), cron.failures, "" if cron.failures else "muted"),
        ),
    )


def queue(tenant: TenantNow, now: datetime) -> Section:
    """Channels, then functions that failed."""

    def make() -> Section:
        read, severity = _read(tenant), mark(tenant, "queue")
        if not any(each.queue_job for each in read):
            return Section(QUEUE, empty="queue_job is not installed")
        rows = [
            _channel_row(each, channel, now, severity)
            for each in read
            for channel in sorted(each.channels.values(), key=lambda row: (-row.waiting, row.name))
        ]
        rows += [
            _failed_row(each, key, row) for each in read for key, row in sorted(each.failed_jobs.items(), key=lambda pair: -pair[1].count)
        ]  # fmt: skip
        waiting = sum(channel.waiting for each in read for channel in each.channels.values())
        return Section(QUEUE, tuple(rows), empty="no job", count=waiting or None, state=severity)

    return _known(tenant, tenant.databases, QUEUE, now, make)


def _channel_row(database: OdooDatabase, channel: OdooChannel, now: datetime, severity: str) -> Row:
    oldest = (now - channel.oldest_at).total_seconds() if channel.oldest_at else None
    said = ["paused"] if channel.paused else []
    said += [f"capacity {channel.capacity}"] if channel.capacity is not None else []
    return Row(
        (database.database, "channel", channel.name),
        (
            channel.name,
            number_cell(number(channel.waiting), channel.waiting, severity if channel.waiting else "muted"),
            number_cell(short_age(oldest), oldest) if oldest is not None else _NONE,
            number_cell(number(channel.later), channel.later, "" if channel.later else "muted"),
            number_cell(number(channel.running), channel.running, "" if channel.running else "muted"),
            number_cell(number(channel.dead), channel.dead, "strong" if channel.dead else "muted"),
            number_cell(number(channel.failed), channel.failed, "strong" if channel.failed else "muted"),
            Cell(", ".join(said), "muted"),
        ),
    )


def _failed_row(database: OdooDatabase, key: str, row: OdooFailedJob) -> Row:
    return Row(
        (database.database, "failed", key),
        (
            Cell(line(("✗ ", "muted"), row.function), "", row.function), _NONE, _NONE, _NONE, _NONE, _NONE,
            number_cell(number(row.count), row.count, "strong"), Cell(f"{row.error}: {row.message}".strip(": "), "muted"),
        ),
    )  # fmt: skip


def mail(tenant: TenantNow, now: datetime) -> Section:
    """Why mails were refused."""

    def make() -> Section:
        boxes = [each.mail for each in _read(tenant) if each.mail is not None]
        if not boxes:
            return Section(MAIL, empty="no outgoing mail in this database")
        rows = [
            Row(key, (number_cell(number(row.count), row.count), Cell(moment(row.last_at, now), "muted", row.last_at.timestamp() if row.last_at else MISSING), row.reason))
            for box in boxes
            for key, row in sorted(box.reasons.items(), key=lambda pair: -pair[1].count)
        ]  # fmt: skip
        waiting, refused = sum(box.outgoing for box in boxes), sum(box.failed for box in boxes)
        summary = line(
            f"{number(waiting)}", (" wait to be sent, ", "muted"), f"{number(refused)}", (" were refused", "muted")
        )
        return Section(MAIL, tuple(rows), (summary,), empty="no mail was refused", count=refused or None, state=mark(tenant, "mail") if refused else "")  # fmt: skip

    return _known(tenant, tenant.databases, MAIL, now, make)


def files(tenant: TenantNow, now: datetime) -> Section:
    """Attachments whose file is gone or is not what its row says."""

    def make() -> Section:
        read = [part.reading for part in tenant.files if part.reading is not None]
        rows = [Row((each.database, name), (name, what)) for each in read for name, what in each.examples.items()]
        stores = ", ".join(f"{store} {number(count)}" for each in read for store, count in each.by_store.items())
        told = all(each.missing is not None for each in read)
        checked = sum(each.checked or 0 for each in read)
        looked = (
            f"{number(checked)} files looked for" if told else "not looked for: the engine has no access to the folder"
        )
        summary = line(
            (f"{stores}   {size(sum(each.bytes or 0 for each in read))}   ", "muted"),
            (looked, "" if told else "unknown"),
        )
        gone = sum((each.missing or 0) + (each.differing or 0) for each in read)
        return Section(
            FILES, tuple(rows), (summary,), empty="no file that was looked for is gone" if told else "whether files are there is not known",
            count=gone or None, state=mark(tenant, "files") if gone else "",
        )  # fmt: skip

    return _known(tenant, tenant.files, FILES, now, make)


def modules(tenant: TenantNow, now: datetime) -> Section:
    """Modules in a state of passage."""

    def make() -> Section:
        rows = [
            Row((each.database, row.name), (Cell(row.name, "strong"), Cell(row.state, mark(tenant, "modules")), row.version, Cell(moment(row.since, now), "muted")))
            for each in _read(tenant)
            for row in each.modules.values()
        ]  # fmt: skip
        installed = sum(each.modules_installed for each in _read(tenant))
        summary = line((f"{installed} installed", "muted"))
        return Section(MODULES, tuple(rows), (summary,), empty="no module waits for an upgrade, an installation or its removal", count=len(rows) or None, state=mark(tenant, "modules") if rows else "")  # fmt: skip

    return _known(tenant, tenant.databases, MODULES, now, make)


def events(tenant: TenantNow, now: datetime) -> Section:
    """What the log tells that no table does."""

    def make() -> Section:
        reading = tenant.log.reading if tenant.log else None
        assert reading is not None
        rows = newest(reading.events.values())
        return Section(EVENTS, tuple(_event_row(row, now) for row in rows), (line((reading.origin, "muted")),), empty="nothing worth a word within the last hour", count=len(rows) or None)  # fmt: skip

    return _known(tenant, [tenant.log] if tenant.log else [], EVENTS, now, make)


def _event_row(row: OdooEvent, now: datetime) -> Row:
    return Row(
        (row.what, row.subject, row.database),
        (
            Cell(moment(row.last_at, now), "muted", row.last_at.timestamp() if row.last_at else MISSING),
            Cell(row.what, "strong"),
            number_cell(number(row.count), row.count),
            row.subject,
            Cell(row.message),
        ),
    )


def untold(tenant: TenantNow) -> Section:
    """What cannot be known of this tenant, and why."""
    rows = tuple(Row(what, (Cell(what, "strong"), why)) for what, why in tenant.untold.items())
    return Section(UNTOLD, rows, empty="everything that is asked is told", count=len(rows) or None)
