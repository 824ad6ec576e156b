"""The parts of a tenant as tables: pages, mail, attachments, modules, log events, what is not told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from console.readings.odoo import OdooDatabase, OdooEvent, OdooStep
from screens.section import MISSING, Section, number_cell, unknown
from screens.tenant_group import Part, TenantNow
from screens.tenant_topics import newest
from screens.tenant_words import mark, times_usual, unread
from screens.trust import silence_and_why
from widgets.columns import Cell, Column, Row
from widgets.format import milliseconds, moment, number, size
from widgets.spans import line

PAGES = (
    Column("step", "step", 10, sort="S"),
    Column("now", "last", 8, "right", sort="L", descending=True),
    Column("p50", "usual", 8, "right", sort="U", descending=True),
    Column("p95", "p95", 8, "right", sort="P", descending=True),
    Column("at", "asked (UTC)", 11, drop=2, sort="A", descending=True),
    Column("problem", "problem", 20, flex=1),
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


def known(
    tenant: TenantNow,
    parts: Sequence[Part[Any]],
    columns: Sequence[Column],
    now: datetime,
    make: Callable[[], Section],
    part: str = "",
) -> Section:
    """A section that needs all of these parts; where one is silent it has nothing to show, and says why."""
    silent = next((part for part in parts if part.reading is None), None)
    if silent is not None:
        return unknown(columns, f"{silent.key}: {silence_and_why(silent.raw, now)}")
    if part and (why := unread(tenant, part)):
        return unknown(columns, why)
    if not parts:
        return Section(tuple(columns), empty=f"the environment file does not have this of {tenant.name} read")
    return make()


def databases_read(tenant: TenantNow) -> list[OdooDatabase]:
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

    return known(tenant, [tenant.pages] if tenant.pages else [], PAGES, now, make)


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


def mail(tenant: TenantNow, now: datetime) -> Section:
    """Why mails were refused."""

    def make() -> Section:
        boxes = [each.mail for each in databases_read(tenant) if each.mail is not None]
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

    return known(tenant, tenant.databases, MAIL, now, make, "mail")


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

    return known(tenant, tenant.files, FILES, now, make)


def modules(tenant: TenantNow, now: datetime) -> Section:
    """Modules in a state of passage."""

    def make() -> Section:
        rows = [
            Row((each.database, row.name), (Cell(row.name, "strong"), Cell(row.state, mark(tenant, "modules")), row.version, Cell(moment(row.since, now), "muted")))
            for each in databases_read(tenant)
            for row in each.modules.values()
        ]  # fmt: skip
        installed = sum(each.modules_installed for each in databases_read(tenant))
        summary = line((f"{installed} installed", "muted"))
        return Section(MODULES, tuple(rows), (summary,), empty="no module waits for an upgrade, an installation or its removal", count=len(rows) or None, state=mark(tenant, "modules") if rows else "")  # fmt: skip

    return known(tenant, tenant.databases, MODULES, now, make, "modules")


def events(tenant: TenantNow, now: datetime) -> Section:
    """What the log tells that no table does."""

    def make() -> Section:
        reading = tenant.log.reading if tenant.log else None
        assert reading is not None
        rows = newest(reading.events.values())
        return Section(EVENTS, tuple(_event_row(row, now) for row in rows), (line((reading.origin, "muted")),), empty="nothing worth a word within the last hour", count=len(rows) or None)  # fmt: skip

    return known(tenant, [tenant.log] if tenant.log else [], EVENTS, now, make)


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
