"""A tenant's scheduled jobs and queue as tables."""

from __future__ import annotations

from datetime import datetime

from console.readings.odoo import OdooChannel, OdooCron, OdooDatabase, OdooFailedJob
from screens.section import MISSING, Section, number_cell
from screens.tenant_group import TenantNow
from screens.tenant_sections import databases_read, known
from screens.tenant_words import mark
from screens.tenant_work import by_trouble, cron_words
from widgets.columns import Cell, Column, Row
from widgets.format import moment, number, short_age
from widgets.spans import line

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
_NONE = Cell("", "", MISSING)


def jobs(tenant: TenantNow, now: datetime) -> Section:
    """Scheduled jobs: those in trouble or running first, then the next ones due."""

    def make() -> Section:
        read = databases_read(tenant)
        rows = [
            _cron_row(each, cron, now, mark(tenant, "late"))
            for each in read
            for cron in by_trouble(each.crons.values())
        ]
        late = sum(each.crons_late for each in read)
        active, listed = sum(each.crons_active for each in read), sum(len(each.crons) for each in read)
        summary = [line((f"{active} active", "muted"), (f", {listed} listed" if listed < active else "", "muted"))]
        return Section(JOBS, tuple(rows), tuple(summary), empty="no scheduled job", count=late or None, state=mark(tenant, "late") if late else "")  # fmt: skip

    return known(tenant, tenant.databases, JOBS, now, make, "crons")


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
        read, severity = databases_read(tenant), mark(tenant, "queue")
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

    return known(tenant, tenant.databases, QUEUE, now, make, "queue")


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
