"""What a tenant's databases have to do: scheduled jobs, queue, mail, attachments, modules in passage."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from console.readings.odoo import OdooChannel, OdooCron
from screens.section import fact
from screens.tenant_group import TenantNow
from screens.tenant_topic import Topic, silent_topic
from screens.tenant_words import figures, files_gone, mark, unread
from screens.tile_words import marked
from widgets.format import count, moment, number, size
from widgets.spans import Line, fit, joined, line


def jobs_topic(tenant: TenantNow, now: datetime, cells: int) -> Topic | None:
    if why := unread(tenant, "crons"):
        return Topic("jobs", "Scheduled jobs", (line((why, "unknown")),), style="unknown")
    told, severity = figures(tenant), mark(tenant, "late")
    active = sum(part.reading.crons_active for part in tenant.databases if part.reading)
    read = [part.reading for part in tenant.databases if part.reading]
    ran = max((each.crons_ran_at for each in read if each.crons_ran_at), default=None)
    crons = by_trouble(cron for each in read for cron in each.crons.values())
    bad = severity if told.late else ""
    parts = [fact("late", f"{marked(number(told.late), bad)} of {active}", bad)]
    if told.late_since is not None:
        parts.append(fact("since", moment(told.late_since, now)))
    if told.failing:
        parts.append(fact("failing", number(told.failing), severity or "strong"))
    if told.off:
        parts.append(fact("switched off", number(told.off), severity or "strong"))
    parts.append(fact("last ran", moment(ran, now)))
    troubled = [cron for cron in crons if cron.troubled or cron.running]
    tail = line((", ".join(cron.name for cron in troubled), "muted"))
    body = tuple(cron_line(cron, now, cells) for cron in troubled)
    return Topic("jobs", "Scheduled jobs", tuple(parts), body, severity, tail)


def by_trouble(crons: Iterable[OdooCron]) -> list[OdooCron]:
    """Those in trouble first, then those that run, then as they fall due."""
    return sorted(
        crons,
        key=lambda cron: (
            not cron.troubled,
            not cron.running,
            cron.next_at.timestamp() if cron.next_at else float("inf"),
            cron.id,
        ),
    )


def cron_words(cron: OdooCron, now: datetime) -> str:
    """What is the matter with a scheduled job: ``late since 02:31``, ``failed 3 times``, ``runs since 02:44``; empty: nothing."""
    words = []
    if cron.switched_off:
        words.append("switched off after failing")
    if cron.late:
        words.append(f"late since {moment(cron.next_at, now)}")
    if cron.failures:
        words.append(f"failed {count(cron.failures, 'time')}")
    if cron.timed_out:
        words.append(f"killed over it {count(cron.timed_out, 'time')}")
    if cron.running:
        words.append(f"runs since {moment(cron.running_since, now)}" if cron.running_since else "runs")
    return ", ".join(words)


def cron_line(cron: OdooCron, now: datetime, cells: int) -> Line:
    """One scheduled job: its name, and what is the matter."""
    words = cron_words(cron, now)
    return line(fit(cron.name, max(8, cells - len(words) - 2)), "  ", (words, "strong" if cron.troubled else "muted"))


def queue_topic(tenant: TenantNow, now: datetime, cells: int) -> Topic | None:
    if why := unread(tenant, "queue"):
        return Topic("queue", "Queue", (line((why, "unknown")),), style="unknown")
    told, severity = figures(tenant), mark(tenant, "queue")
    if not told.has_queue:
        return Topic("queue", "Queue", (line(("queue_job is not installed", "muted")),))
    parts = [fact("waiting", marked(number(told.waiting), severity), severity)]
    if told.oldest_at is not None:
        parts.append(fact("oldest since", moment(told.oldest_at, now)))
    if told.dead:
        parts.append(fact("dead", number(told.dead), severity or "strong"))
    bad = mark(tenant, "failed") if told.failed else ""
    parts.append(fact("failed", marked(number(told.failed), bad), bad))
    databases = [part.reading for part in tenant.databases if part.reading]
    channels = [channel for each in databases for channel in each.channels.values()]
    failed = sorted((row for each in databases for row in each.failed_jobs.values()), key=lambda row: -row.count)
    tail = line((f"{failed[0].function} {failed[0].error}".strip() if failed else "", "muted"))
    body = [channel_line(channel, now) for channel in sorted(channels, key=lambda row: -row.waiting)]
    body += [line(("✗ ", "muted"), f"{row.function} ", (f"×{row.count} {row.error}", "muted")) for row in failed]
    return Topic("queue", "Queue", tuple(parts), tuple(body), severity, tail)


def channel_line(channel: OdooChannel, now: datetime) -> Line:
    """One channel: ``root.mail     120 waiting since 02:31  2 running  4 failed``."""
    since = f" since {moment(channel.oldest_at, now)}" if channel.oldest_at else ""
    parts = [line(*fit(channel.name, 12), f"{number(channel.waiting):>5}", (f" waiting{since}", "muted"))]
    for word, value in (("running", channel.running), ("dead", channel.dead), ("failed", channel.failed)):
        if value:
            parts.append(line(number(value), (f" {word}", "muted")))
    if channel.paused:
        parts.append(line(("paused", "strong")))
    return joined(parts)


def mail_topic(tenant: TenantNow, now: datetime, cells: int) -> Topic | None:
    if why := unread(tenant, "mail"):
        return Topic("mail", "Mail", (line((why, "unknown")),), style="unknown")
    mails = [part.reading.mail for part in tenant.databases if part.reading and part.reading.mail]
    if not mails:
        return None
    told, severity = figures(tenant), mark(tenant, "mail")
    parts = [fact("waiting", number(told.mail_waiting), severity if told.mail_waiting else "")]
    oldest = min((mail.oldest_at for mail in mails if mail.oldest_at), default=None)
    if oldest is not None:
        parts.append(fact("oldest since", moment(oldest, now)))
    bad = severity if told.mail_failed else ""
    parts.append(fact("failed", marked(number(told.mail_failed), bad), bad))
    rows = sorted((row for mail in mails for row in mail.reasons.values()), key=lambda row: -row.count)
    tail = line((rows[0].reason if rows else "", "muted"))
    body = tuple(line((f"{number(row.count):>4} × ", "muted"), row.reason) for row in rows)
    return Topic("mail", "Mail", tuple(parts), body, severity, tail)


def files_topic(tenant: TenantNow, now: datetime, cells: int) -> Topic | None:
    if not tenant.files:
        return None
    silent = next((part for part in tenant.files if part.reading is None), None)
    if silent is not None:
        return silent_topic("files", "Attachments", silent, now)
    read = [part.reading for part in tenant.files if part.reading]
    severity, gone = mark(tenant, "files"), files_gone(tenant)
    checked = [each.checked for each in read if each.checked is not None]
    parts: list[Line] = []
    if gone is None:
        parts.append(line(("whether its files are there is not known", "unknown")))
    else:
        bad = severity if gone else ""
        parts.append(fact("gone or changed", marked(number(gone), bad), bad))
        parts.append(line(("of ", "muted"), number(sum(checked)), (" looked for", "muted")))
    stores: dict[str, int] = {}
    for each in read:
        for store, rows in each.by_store.items():
            stores[store] = stores.get(store, 0) + rows
    kept = ", ".join(f"{store} {number(rows)}" for store, rows in sorted(stores.items(), key=lambda pair: -pair[1]))
    total = sum(each.bytes or 0 for each in read)
    if kept:
        parts.append(line((f"in {kept}", "muted"), (f", {size(total)}" if total else "", "muted")))
    examples = [(name, what) for each in read for name, what in each.examples.items()]
    body = tuple(line((f"{name}  ", "muted"), what) for name, what in examples)
    return Topic("files", "Attachments", tuple(parts), body, severity or ("unknown" if gone is None else ""))


def modules_topic(tenant: TenantNow, now: datetime) -> Topic | None:
    if why := unread(tenant, "modules"):
        return Topic("modules", "Modules", (line((why, "unknown")),), style="unknown")
    rows = [row for part in tenant.databases if part.reading for row in part.reading.modules.values()]
    if not rows:
        return None
    severity = mark(tenant, "modules")
    body = tuple(
        line((row.name, "strong"), (f"  {row.state}", severity), (f"  since {moment(row.since, now)}", "muted"))
        for row in rows
    )
    names = ", ".join(f"{row.name} {row.state}" for row in rows[:3])
    parts = (line((names, severity or "strong")), line(("no scheduled job runs meanwhile", "muted")))
    return Topic("modules", "Modules", parts, body, severity)
