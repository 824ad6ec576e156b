"""The table of tenants: one row each, the worst first. Narrow, it keeps who, why and four numbers; wide, it has them all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from console.readings.odoo import OdooStep
from screens.section import MISSING, number_cell
from screens.tenant_group import TenantNow
from screens.tenant_words import (
    Figures,
    figures,
    files_gone,
    mark,
    steps_of,
    telling_step,
    times_usual,
    version_of,
    why,
)
from widgets.columns import Cell, Column, Row, place
from widgets.format import UNKNOWN, milliseconds, number, percent, rate, short_age
from widgets.spans import Line, fit, line, width
from widgets.table import GUTTER
from widgets.verdict import sign

WIDE_FROM = 110
"""Cells from which each kind of page has a column of its own."""
_SIGN = Column("sign", "", 1)
_TENANT = Column("tenant", "tenant", 9, sort="T")
_WHY = Column("why", "why it hurts", 22, flex=1, sort="W")
_ERRORS = Column("5xx", "5xx", 5, "right", sort="X", descending=True)
NARROW = (
    _SIGN,
    _TENANT,
    _WHY,
    Column("page", "page", 7, "right", sort="P", descending=True),
    _ERRORS,
    Column("late", "late", 4, "right", sort="L", descending=True),
    Column("queue", "queue", 6, "right", sort="Q", descending=True),
)
WIDE = (
    _SIGN,
    _TENANT,
    Column("label", "name", 16, drop=6, sort="N"),
    Column("version", "Odoo", 5, drop=7, sort="O"),
    Column("why", "why it hurts", 34, flex=1, sort="W"),
    Column("health", "health", 7, "right", drop=9, sort="H", descending=True),
    Column("log in", "log-in", 9, "right", drop=8, sort="I", descending=True),
    Column("project", "project", 10, "right", drop=2, sort="P", descending=True),
    Column("document", "document", 10, "right", drop=3, sort="D", descending=True),
    Column("purchase", "purchase", 10, "right", drop=4, sort="S", descending=True),
    Column("rate", "req/s", 6, "right", drop=5, sort="R", descending=True),
    _ERRORS,
    Column("late", "late", 4, "right", sort="L", descending=True),
    Column("queue", "queue", 6, "right", sort="Q", descending=True),
    Column("oldest", "oldest", 6, "right", drop=4, sort="E", descending=True),
    Column("failed", "failed", 6, "right", drop=1, sort="F", descending=True),
    Column("mail", "mail", 7, "right", drop=2, sort="M", descending=True),
    Column("files", "gone", 5, "right", drop=3, sort="A", descending=True),
    Column("sessions", "users", 5, "right", drop=11, sort="U", descending=True),
    Column("busy", "busy", 6, "right", drop=10, sort="B", descending=True),
)


_OPTED = ("log in", "purchase")
"""Steps that are asked only where the environment file says so."""


def columns_for(tenants: Sequence[TenantNow], cells: int) -> tuple[Column, ...]:
    """The columns of a table of this width; what nobody opted for has none."""
    if cells < WIDE_FROM:
        return NARROW
    asked = {name for tenant in tenants for name in steps_of(tenant)}
    return tuple(column for column in WIDE if column.key not in _OPTED or column.key in asked)


def rows(tenants: Sequence[TenantNow], now: datetime, columns: Sequence[Column], cells: int) -> tuple[Row, ...]:
    """One row for each tenant, for a table of these columns and this width."""
    room = next((each.width for each in place(columns, cells - GUTTER - 1) if each.column.key == "why"), 20)
    return tuple(_row(tenant, now, columns, room) for tenant in tenants)


def _row(tenant: TenantNow, now: datetime, columns: Sequence[Column], room: int) -> Row:
    told, steps = figures(tenant), steps_of(tenant)
    known = told.has_queue or not told.known
    make: dict[str, Callable[[], Cell]] = {
        "sign": lambda: Cell(sign(tenant.state.state)),
        "tenant": lambda: Cell(tenant.name, "strong" if tenant.hurts else ""),
        "label": lambda: Cell(tenant.label if tenant.label != tenant.name else "", "muted"),
        "version": lambda: _version(tenant),
        "why": lambda: _why(tenant, now, room),
        "page": lambda: _page(tenant),
        "rate": lambda: _rate(tenant),
        "5xx": lambda: _errors(tenant),
        "late": lambda: _count(tenant, told, told.late, "late"),
        "queue": lambda: _queue(tenant, told),
        "oldest": lambda: _oldest(tenant, told, now),
        "failed": lambda: _count(tenant, told, told.failed, "failed") if known else _NOTHING,
        "mail": lambda: _mail(tenant, told),
        "files": lambda: _files(tenant),
        "sessions": lambda: _users(tenant),
        "busy": lambda: _busy(tenant, told),
    }
    cells = (make[each.key]() if each.key in make else _step(tenant, steps.get(each.key), each.key) for each in columns)
    return Row(tenant.name, tuple(cells))


_NOT_WATCHED = Cell("", "", MISSING)
_NOTHING = Cell("–", "muted", MISSING)
"""There is no such thing here, or nothing was asked."""
_NOT_KNOWN = Cell(UNKNOWN, "unknown", MISSING)


def _why(tenant: TenantNow, now: datetime, room: int) -> Cell:
    text, style = why(tenant, now)
    more = f" +{len(tenant.found) - 1}" if len(tenant.found) > 1 else ""
    whole: Line = line((text, style))
    if more and width(whole) + len(more) > room:
        whole = fit(whole, max(1, room - len(more)))
    return Cell(line(whole, (more, "muted")), "", text)


def _page(tenant: TenantNow) -> Cell:
    """The page that tells most, whichever it is."""
    found = telling_step(steps_of(tenant))
    return _step(tenant, found[1] if found else None, "page", short=True)


def _step(tenant: TenantNow, step: OdooStep | None, name: str, *, short: bool = False) -> Cell:
    if tenant.pages is None:
        return _NOT_WATCHED
    if step is None:
        reading = tenant.pages.reading
        return _NOT_KNOWN if reading is None or name == "page" else _NOTHING
    if step.ok is False:
        return Cell("fails", mark(tenant, "pages") or "strong", float("inf"))
    if step.ok is None or step.ms is None:
        return _NOT_KNOWN
    times = None if short else times_usual(step)
    text = milliseconds(step.ms) + (f" ×{times:.0f}" if times is not None else "")
    return number_cell(text, step.ms, mark(tenant, "pages") if times_usual(step) else "")


def _errors(tenant: TenantNow) -> Cell:
    """Share of requests answered with 5xx: as its router counts, else as its log tells."""
    flow, log = tenant.flow, tenant.log
    if flow is not None:
        share, quiet = flow.errors, flow.requests_per_s == 0
    elif log is not None:
        reading = log.reading
        rates = (reading.requests_per_s, reading.errors_per_s) if reading is not None else (None, None)
        quiet = rates[0] == 0
        share = None if rates[0] is None or rates[1] is None or quiet else min(1.0, rates[1] / rates[0])
    else:
        return _NOT_WATCHED
    if share is None:
        return _NOTHING if quiet else _NOT_KNOWN
    return number_cell(percent(share), share, mark(tenant, "errors") if share else "")


def _rate(tenant: TenantNow) -> Cell:
    if tenant.flow is not None:
        value = tenant.flow.requests_per_s
    elif tenant.log is not None:
        value = tenant.log.reading.requests_per_s if tenant.log.reading else None
    else:
        return _NOT_WATCHED
    return _NOT_KNOWN if value is None else number_cell(rate(value), value)


def _count(tenant: TenantNow, told: Figures, value: int | None, figure: str) -> Cell:
    if not told.watched:
        return _NOT_WATCHED
    if value is None:
        return _NOT_KNOWN
    return number_cell(number(value), value, mark(tenant, figure) if value else "muted")


def _queue(tenant: TenantNow, told: Figures) -> Cell:
    if told.known and not told.has_queue:
        return _NOTHING
    return _count(tenant, told, told.waiting, "queue")


def _oldest(tenant: TenantNow, told: Figures, now: datetime) -> Cell:
    if told.oldest_at is None:
        return _NOT_WATCHED if not told.watched else _NOTHING if told.known else _NOT_KNOWN
    oldest = (now - told.oldest_at).total_seconds()
    return number_cell(short_age(oldest), oldest, mark(tenant, "queue"))


def _mail(tenant: TenantNow, told: Figures) -> Cell:
    if told.known and not told.has_mail:
        return _NOTHING
    if not told.known or told.mail_waiting is None:
        return _count(tenant, told, None, "mail")
    failed = f" ✗{number(told.mail_failed)}" if told.mail_failed else ""
    style = mark(tenant, "mail") if told.mail_waiting or failed else "muted"
    return number_cell(
        number(told.mail_waiting) + failed, (told.mail_failed or 0) * 1_000_000 + told.mail_waiting, style
    )


def _files(tenant: TenantNow) -> Cell:
    if not tenant.files:
        return _NOT_WATCHED
    gone = files_gone(tenant)
    return _NOT_KNOWN if gone is None else number_cell(number(gone), gone, mark(tenant, "files") if gone else "muted")


def _version(tenant: TenantNow) -> Cell:
    if not tenant.databases:
        return _NOT_WATCHED
    if tenant.database is None:
        return _NOT_KNOWN
    return Cell(version_of(tenant.database), "muted", _series_number(version_of(tenant.database)))


def _series_number(version: str) -> float:
    """``18.0`` as a number; what is none sorts first."""
    try:
        return float(version)
    except ValueError:
        return -1.0


def _users(tenant: TenantNow) -> Cell:
    if tenant.sessions is None:
        return _NOT_WATCHED
    reading = tenant.sessions.reading
    if reading is not None and reading.shared:
        return _NOTHING  # the store tells how many there are, and not whose
    if reading is None or reading.logged_in is None:
        return _NOT_KNOWN
    return number_cell(number(reading.logged_in), reading.logged_in, "muted")


def _busy(tenant: TenantNow, told: Figures) -> Cell:
    if not told.watched:
        return _NOT_WATCHED
    if told.busy is None or told.connections is None:
        return _NOT_KNOWN
    return number_cell(f"{told.busy}/{told.connections}", told.busy, mark(tenant, "busy") if told.busy else "muted")
