"""What is known of one tenant, topic by topic: its pages and traffic, its work, its users, its log, its pods."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from console.readings.kubernetes import KubePod
from console.readings.odoo import OdooEvent, OdooStep
from screens.section import fact
from screens.tenant_group import TenantNow
from screens.tenant_topic import Topic, silent_topic
from screens.tenant_words import figures, mark, times_usual
from screens.tenant_work import files_topic, jobs_topic, mail_topic, modules_topic, queue_topic
from screens.tile_words import marked
from widgets.format import milliseconds, moment, number, percent, rate
from widgets.spans import Block, Line, fit, joined, line, wrap


def topics(tenant: TenantNow, pods: tuple[KubePod, ...] | None, now: datetime, cells: int) -> tuple[Topic, ...]:
    """Everything of a tenant that is watched, in the order in which one asks. ``cells``: of a line of ``body``."""
    made = (
        _pages(tenant, now, cells),
        _traffic(tenant),
        *_work(tenant, now, cells),
        files_topic(tenant, now, cells),
        _people(tenant),
        _log(tenant, now, cells),
        _pods(pods, now),
        _untold(tenant, cells),
    )
    return tuple(topic for topic in made if topic is not None)


def _work(tenant: TenantNow, now: datetime, cells: int) -> tuple[Topic | None, ...]:
    """What every database of the tenant has to do; where one is silent, that is what there is to say, and once."""
    silent = next((part for part in tenant.databases if part.reading is None), None)
    if silent is not None:
        return (silent_topic("database", "Database", silent, now),)
    if not tenant.databases:
        return ()
    return (
        jobs_topic(tenant, now, cells),
        queue_topic(tenant, now, cells),
        mail_topic(tenant, now, cells),
        modules_topic(tenant, now),
    )


def _pages(tenant: TenantNow, now: datetime, cells: int) -> Topic | None:
    part = tenant.pages
    if part is None:
        return None
    if part.reading is None:
        return silent_topic("pages", "Pages", part, now)
    severity = mark(tenant, "pages")
    worst_first = sorted(
        part.reading.steps.items(), key=lambda each: (each[1].ok is not False, times_usual(each[1]) is None)
    )
    parts = tuple(_step(name, step, severity) for name, step in worst_first)
    body: Block = []
    for name, step in part.reading.steps.items():
        body.append(_step_row(name, step, severity, now, cells))
        if step.ok is not True and step.problem:
            body += [line("  ", each) for each in wrap(step.problem, cells - 3, severity or "unknown", limit=2)]
    for name, reason in part.reading.untold.items():
        said = wrap(f"not asked: {reason}", cells - 9, "muted", limit=2)
        body += [line((f"{name if not at else '':<9}", "muted"), row) for at, row in enumerate(said)]
    bad = [step for step in part.reading.steps.values() if step.ok is False]
    if not parts:
        parts = (line(("nothing is asked", "muted")),)
    return Topic("pages", "Pages", parts, tuple(body), severity if bad else "", whole=True)


def _step(name: str, step: OdooStep, severity: str) -> Line:
    if step.ok is False:
        return line((f"{name} ", "muted"), ("fails", severity or "strong"), (f" ({step.problem})", "muted"))
    if step.ok is None or step.ms is None:
        return line((f"{name} ", "muted"), ("?", "unknown"))
    times = times_usual(step)
    value = milliseconds(step.ms)
    if times is None:
        return fact(name, value)
    return line(
        (f"{name} ", "muted"), (marked(value, severity), severity), (f" usually {milliseconds(step.p50_ms)}", "muted")
    )


def _step_row(name: str, step: OdooStep, severity: str, now: datetime, cells: int) -> Line:
    """``project   6.8 s ▲  usual 480 ms  p95 900 ms  at 02:47:01``."""
    slow = times_usual(step) is not None
    value = "fails" if step.ok is False else "?" if step.ok is None else milliseconds(step.ms)
    style = (severity or "strong") if step.ok is False or slow else "unknown" if step.ok is None else ""
    parts: list[Line] = [line((f"{name:<9}", "muted"), *fit(((value, style),), 7, "right"))]
    if step.p50_ms is not None:
        parts.append(line(("usual ", "muted"), *fit(milliseconds(step.p50_ms), 7, "right")))
        parts.append(line(("p95 ", "muted"), *fit(milliseconds(step.p95_ms), 7, "right")))
    if step.at is not None:
        parts.append(line((moment(step.at, now), "muted")))
    return joined(parts)


def _traffic(tenant: TenantNow) -> Topic | None:
    flow, log = tenant.flow, tenant.log
    parts: list[Line] = []
    severity = mark(tenant, "errors")
    reading = log.reading if log is not None else None
    if flow is not None:
        if flow.why:
            return Topic("traffic", "Traffic", (line((flow.why, "unknown")),), style=severity or "unknown")
        usual = f" usually {rate(flow.usual_per_s)}" if flow.usual_per_s is not None else ""
        parts.append(line(("requests ", "muted"), rate(flow.requests_per_s), (usual, "muted")))
        if flow.requests_per_s:
            share = flow.errors
            bad = severity if share else ""
            parts.append(fact("5xx", marked(percent(share), bad), bad))
        if flow.p95_ms is not None:
            usual = f" usually {milliseconds(flow.usual_p95_ms)}" if flow.usual_p95_ms is not None else ""
            parts.append(line(("p95 ", "muted"), milliseconds(flow.p95_ms), (usual, "muted")))
    elif reading is not None and reading.requests_per_s is not None:
        parts.append(fact("requests", f"{rate(reading.requests_per_s)} by its log"))
        if reading.errors_per_s is not None:
            parts.append(fact("5xx", rate(reading.errors_per_s), severity if reading.errors_per_s else ""))
    if reading is not None and reading.sql_ms is not None:
        parts.append(fact("SQL", milliseconds(reading.sql_ms)))
    if flow is not None:
        servers = [(address, state) for service in flow.services for address, state in service.servers.items()]
        down = sum(state != "UP" for _, state in servers)
        if servers:
            words = f"{len(servers) - down} of {len(servers)} up"
            parts.append(fact("servers", words, (severity or "strong") if down else ""))
    return Topic("traffic", "Traffic", tuple(parts), style=severity) if parts else None


def _people(tenant: TenantNow) -> Topic | None:
    parts: list[Line] = []
    if tenant.sessions is not None:
        reading = tenant.sessions.reading
        if reading is None:
            parts.append(line(("sessions not known", "unknown")))
        else:
            some = "" if reading.complete else "at least "
            whose = " of all who keep theirs there" if reading.shared else ""
            parts.append(fact("sessions", f"{some}{number(reading.logged_in)}{whose}"))
            if reading.used_last_hour is not None:
                parts.append(fact("used within the hour", number(reading.used_last_hour)))
    users = [part.reading.users for part in tenant.databases if part.reading and part.reading.users]
    online = [each.online for each in users if each.online is not None]
    if online:
        parts.append(fact("online", number(sum(online))))
    told = figures(tenant)
    if told.connections is not None:
        parts.append(fact("connections", f"{told.connections}, {number(told.busy)} busy"))
    return Topic("people", "Users", tuple(parts)) if parts else None


def newest(events: Iterable[OdooEvent]) -> list[OdooEvent]:
    """Events of a log, the newest first."""
    return sorted(events, key=lambda row: row.last_at.timestamp() if row.last_at else 0.0, reverse=True)


def _log(tenant: TenantNow, now: datetime, cells: int) -> Topic | None:
    if tenant.log is None:
        return None
    reading = tenant.log.reading
    if reading is None:
        return silent_topic("log", "Log", tenant.log, now)
    rows = newest(reading.events.values())
    if not rows:
        return Topic("log", "Log", (line(("nothing worth a word within the last hour", "muted")),))
    parts = tuple(
        line(f"{row.what} ", (f"×{row.count} ", "muted"), (f"{row.subject} {moment(row.last_at, now)}", "muted"))
        for row in rows[:3]
    )
    body = tuple(
        line(
            (f"{moment(row.last_at, now)}  ", "muted"),
            row.what,
            (f" ×{row.count}  {row.subject}  {row.message}", "muted"),
        )
        for row in rows
    )
    return Topic("log", "Log", parts, body, whole=True)


def _pods(pods: tuple[KubePod, ...] | None, now: datetime) -> Topic | None:
    if pods is None:
        return None
    ready = sum(pod.ready == pod.containers > 0 for pod in pods)
    bad = [pod for pod in pods if pod.reason or pod.ready < pod.containers]
    parts = [fact("ready", f"{ready} of {len(pods)}", "strong" if bad else "")]
    restarts = sum(pod.restarts for pod in pods)
    parts.append(fact("restarts", number(restarts)))
    parts += [line((f"{pod.name} {pod.reason}".strip(), "strong")) for pod in bad[:2]]
    return Topic("pods", "Pods", tuple(parts), tuple(pod_line(pod) for pod in pods))


def pod_line(pod: KubePod) -> Line:
    """One pod: ``odoo-6d9f…  1/1 Running  node-2``."""
    look = "strong" if pod.reason or pod.ready < pod.containers else ""
    return joined(
        [
            line(pod.name),
            line((f"{pod.ready}/{pod.containers} {pod.reason or pod.phase}", look)),
            line((pod.node, "muted")),
        ]
    )


def _untold(tenant: TenantNow, cells: int) -> Topic | None:
    told = tenant.untold
    if not told:
        return None
    body = [each for what, reason in told.items() for each in wrap(f"{what}: {reason}", cells, "muted", limit=2)]
    return Topic("untold", "Not told", (line((", ".join(told), "muted")),), tuple(body), whole=True)
