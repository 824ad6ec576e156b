"""What a tenant does by itself: scheduled jobs, the job queue, and modules in passage that keep all of it from running."""

from __future__ import annotations

from datetime import datetime, timedelta

from console.assessment.look import Look, fact
from console.assessment.symptom import Said, Symptom, kind
from console.assessment.tenants import Tenant, since_of
from console.assessment.words import clock, count, listing, short, span
from console.readings import Evidence, OdooChannel, OdooCron, OdooDatabase, OdooEvent, OdooLog, Reading

_SHOWN = 6
_SELDOM = ("hours", "days", "weeks", "months")


def _age_s(look: Look, moment: datetime | None) -> float:
    return max(0.0, (look.now - moment).total_seconds()) if moment is not None else 0.0


@kind("module-to-upgrade", "application", "after_seconds", "critical_seconds")
def module_to_upgrade(look: Look) -> Said:
    """Modules stand between two states: as long as one does, Odoo skips every scheduled job, without a word to anybody."""
    for tenant in look.tenants.values():
        for reading in tenant.databases:
            if "modules" in reading.unread:
                yield tenant.untold(reading)
            if not reading.modules or "modules" in reading.unread:
                continue
            rows = list(reading.modules.values())
            since = max((row.since for row in rows if row.since), default=None)
            waiting = _age_s(look, reading.crons_late_since)
            severe = waiting >= look.threshold("module-to-upgrade", "critical_seconds")
            states = listing(dict.fromkeys(row.state for row in rows))
            others = f" and {reading.modules_in_passage - 1} more" if reading.modules_in_passage > 1 else ""
            yield Symptom(
                subject=tenant.subject(reading),
                severity="critical" if severe else "warning",
                title=f"{short(rows[0].name)}{others} of {short(tenant.name)} stands at “{states}”",
                impact=f"{tenant.label}: no scheduled job runs (mail, reminders, imports) until this is over.",
                action="If nobody upgrades it now: run the upgrade (-u MODULE), or cancel it in Apps; see the runbook.",
                stands_on=(reading,),
                since=since,
                evidence=(
                    *(fact(reading, row.name, f"{row.state}, since {clock(row.since)}") for row in rows[:_SHOWN]),
                    fact(reading, "scheduled jobs late", f"{reading.crons_late} of {reading.crons_active}"),
                ),
                after_s=look.threshold("module-to-upgrade", "after_seconds"),
                **tenant.whose,
            )


@kind(
    "cron-stuck", "application", "late_seconds", "busy_seconds", "running_seconds", "critical_seconds", "settle_seconds"
)
def cron_stuck(look: Look) -> Said:
    """Scheduled jobs do not run although they are due, or one runs without an end."""
    for tenant in look.tenants.values():
        for reading in tenant.databases:
            if "crons" in reading.unread or reading.standby:
                yield tenant.untold(reading)
            else:
                yield from _cron_stuck(look, tenant, reading)


def _cron_stuck(look: Look, tenant: Tenant, reading: OdooDatabase) -> Said:
    subject = tenant.subject(reading)
    rows = list(reading.crons.values())
    endless = [
        row for row in rows
        if row.running and _age_s(look, row.running_since) >= look.limit("cron-stuck", "running_seconds", subject)
    ]  # fmt: skip
    runs = [row for row in rows if row.running]
    # While one runs the others wait for its end: a cron worker does one thing at a time.
    patience = "busy_seconds" if runs else "late_seconds"
    late = [
        row for row in rows if row.late and _age_s(look, row.next_at) >= look.limit("cron-stuck", patience, subject)
    ]
    if not late and not endless:
        return
    longest = max((_age_s(look, row.next_at) for row in late), default=0.0)
    if endless:
        title = f"Job “{short(endless[0].name)}” of {short(tenant.name)} runs for {span(_age_s(look, endless[0].running_since))}"
    else:
        title = f"{count(reading.crons_late, 'scheduled job')} of {short(tenant.name)} late by up to {span(longest)}"
    nobody = reading.connections == 0
    yield Symptom(
        subject=subject,
        severity="critical" if longest >= look.threshold("cron-stuck", "critical_seconds") else "warning",
        title=title,
        impact=f"{tenant.label}: what Odoo does by itself waits: {listing(row.name for row in (endless + late)[:3])}.",
        action="See that its cron worker lives (log, l), and what the running job waits for (database pane).",
        stands_on=(reading,),
        since=since_of([*(row.next_at for row in late), *(row.running_since for row in endless)]),
        evidence=(
            *(_late(reading, row, look) for row in late[:_SHOWN]),
            *(fact(reading, row.name, f"runs since {clock(row.running_since)}", span(look.threshold("cron-stuck", "running_seconds")))
              for row in runs[:2]),
            fact(reading, "any job last ran", clock(reading.crons_ran_at)),
            *((fact(reading, "Odoo's sessions", "none: nobody is there to run them"),) if nobody else ()),
        ),
        causes=(
            *tenant.pods_down, f"worker-killed:{tenant.subject()}", *tenant.database_slow, f"cron-failing:{subject}",
        ),
        hidden_by=(
            f"module-to-upgrade:{subject}", *tenant.database_down, f"tenant-unreachable:{tenant.subject()}", *tenant.way_down,
        ),
        settle_s=look.threshold("cron-stuck", "settle_seconds"),
        **tenant.whose,
    )  # fmt: skip


def _late(reading: OdooDatabase, row: OdooCron, look: Look) -> Evidence:
    last = f", last ran {clock(row.last_at)}" if row.last_at else ", never ran"
    return fact(
        reading, row.name, f"due since {clock(row.next_at)}{last}", span(look.threshold("cron-stuck", "late_seconds"))
    )


@kind("cron-failing", "application", "failures", "shown_seconds")
def cron_failing(look: Look) -> Said:
    """Scheduled jobs fail again and again, or were switched off by Odoo for it."""
    for tenant in look.tenants.values():
        if not tenant.databases:
            continue
        logged = _failing_by_log(look, tenant)
        for reading in tenant.databases:
            if "crons" in reading.unread:
                yield tenant.untold(reading)
                continue
            subject = tenant.subject(reading)
            off = [row for row in reading.crons.values() if row.switched_off]
            failing = [row for row in reading.crons.values() if _fails(look, row)]
            events = [] if reading.crons_failing is not None else [
                each for each in logged if each.database in ("", reading.database) and _often(look, each, reading)
            ]  # fmt: skip
            names = [*(row.name for row in (*off, *failing)), *(each.subject for each in events)]
            if names:
                yield _cron_failing(look, tenant, reading, subject, off, failing, events, names)


def _fails(look: Look, row: OdooCron) -> bool:
    """Once is enough where the next try is far away; Odoo counts three kills in a row as one failure."""
    least = 1 if _is_seldom(row) else look.threshold("cron-failing", "failures")
    return row.active and (
        (row.failures or 0) >= least or (row.timed_out or 0) >= look.threshold("cron-failing", "failures")
    )


def _is_seldom(row: OdooCron) -> bool:
    return row.every.endswith(_SELDOM)


def _failing_by_log(look: Look, tenant: Tenant) -> list[OdooEvent]:
    """Jobs whose last end within the time shown was a failure."""
    if tenant.log is None:
        return []
    shown = timedelta(seconds=look.threshold("cron-failing", "shown_seconds"))
    return [
        each
        for each in tenant.log.events.values()
        if each.what in ("job failed", "job timed out")
        and each.last_at is not None
        and look.now - each.last_at <= shown
        and (each.good_at is None or each.good_at < each.last_at)
    ]


def _often(look: Look, event: OdooEvent, reading: OdooDatabase) -> bool:
    rows = [row for row in reading.crons.values() if row.name == event.subject]
    least = 1 if any(map(_is_seldom, rows)) else look.threshold("cron-failing", "failures")
    return event.count >= least


def _cron_failing(
    look: Look, tenant: Tenant, reading: OdooDatabase, subject: str, off: list[OdooCron], failing: list[OdooCron],
    events: list[OdooEvent], names: list[str],
) -> Symptom:  # fmt: skip
    log: OdooLog | None = tenant.log if events else None
    stands_on: tuple[Reading, ...] = (log,) if log is not None and not off and not failing else (reading,)
    who = f"“{short(names[0])}” of {short(tenant.name)}"
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    what = "switched off by Odoo after failing" if off else "fails"
    said = _said(tenant, names)
    return Symptom(
        subject=subject,
        severity="warning",
        title=f"Job {who}{more}: {what}" if off else f"Scheduled job {who}{more} {what}",
        impact=f"{tenant.label}: what these jobs do is not done: {listing(names)}.",
        action="Read its traceback in the log (l); when it is mended, run it by hand"
        + (", and switch it on again (Settings, Scheduled Actions)." if off else "."),
        stands_on=stands_on,
        since=since_of([*(row.failing_since for row in failing), *(row.last_at for row in off)]),
        evidence=(
            *(fact(reading, row.name, f"switched off, last ran {clock(row.last_at)}") for row in off[:3]),
            *(fact(reading, row.name, _failures(row), f"{look.threshold('cron-failing', 'failures'):g}") for row in failing[:4]),
            *(fact(log, each.subject, f"failed {each.count} times within the hour, last {clock(each.last_at)}", text=each.message)
              for each in events[:3]),
            *((fact(tenant.log, "its log", "says", text=said),) if said and not events else ()),
        ),
        causes=(f"worker-killed:{tenant.subject()}", *tenant.database_down, *tenant.database_slow),
        hidden_by=(),
        **tenant.whose,
    )  # fmt: skip


def _failures(row: OdooCron) -> str:
    if row.failures:
        return f"{count(row.failures, 'failure')} in a row since {clock(row.failing_since)}"
    return f"its worker was killed {row.timed_out} times in a row"


def _said(tenant: Tenant, names: list[str]) -> str:
    """What the log says of one of these jobs."""
    events = tenant.log.events.values() if tenant.log else ()
    return next((each.message for each in events if each.what.startswith("job ") and each.subject in names), "")


@kind("queue-blocked", "application", "waited_seconds", "dead_seconds", "settle_seconds")
def queue_blocked(look: Look) -> Said:
    """Jobs wait and nobody takes them: no runner, a paused channel, or jobs whose worker is gone and that nobody puts back."""
    for tenant in look.tenants.values():
        for reading in tenant.databases:
            if "queue" in reading.unread:
                yield tenant.untold(reading)
            elif reading.queue_job:
                yield from _queue_blocked(look, tenant, reading)


def _queue_blocked(look: Look, tenant: Tenant, reading: OdooDatabase) -> Said:
    waited_s = look.threshold("queue-blocked", "waited_seconds")
    rows = list(reading.channels.values())
    runs = any(row.running for row in rows)
    done_lately = reading.jobs_done_at is not None and _age_s(look, reading.jobs_done_at) < waited_s
    blocked = [
        row for row in rows
        if row.waiting and _age_s(look, row.oldest_at) >= waited_s and (row.paused or not (runs or done_lately))
    ]  # fmt: skip
    dead = sum(row.dead for row in rows)
    if not blocked and not dead:
        return
    subject = tenant.subject(reading)
    waiting = sum(row.waiting for row in blocked)
    paused = [row.name for row in blocked if row.paused]
    if blocked:
        why = f"channel {short(paused[0])} is paused" if paused else "nobody takes them"
        title = f"{count(waiting, 'job')} of {short(tenant.name)} {'waits' if waiting == 1 else 'wait'}: {why}"
    else:
        title = f"{count(dead, 'job')} of {short(tenant.name)} {'was' if dead == 1 else 'were'} left by a worker that is gone"
    yield Symptom(
        subject=subject,
        severity="warning",
        title=title,
        impact=f"{tenant.label}: what was put into the queue (exports, mails, bookings) is not done.",
        action="Resume the channel in Job Queue, Channels." if paused else "See that the job runner lives: its line in the log (l), and its configuration.",
        stands_on=(reading,),
        since=since_of(row.oldest_at for row in blocked),
        evidence=(
            *(_channel(reading, row, waited_s) for row in sorted(blocked, key=lambda row: -row.waiting)[:_SHOWN]),
            *((fact(reading, "left by a worker that is gone", str(dead)),) if dead else ()),
            *((fact(reading, "a job was last done", clock(reading.jobs_done_at)),) if reading.jobs_done_at else ()),
        ),
        causes=(*tenant.pods_down, f"worker-killed:{tenant.subject()}", *tenant.database_slow),
        hidden_by=(*tenant.database_down, f"tenant-unreachable:{tenant.subject()}", *tenant.way_down),
        after_s=0.0 if blocked else look.threshold("queue-blocked", "dead_seconds"),
        settle_s=look.threshold("queue-blocked", "settle_seconds"),
        **tenant.whose,
    )  # fmt: skip


def _channel(reading: OdooDatabase, row: OdooChannel, waited_s: float) -> Evidence:
    paused = ", paused" if row.paused else ""
    value = f"{row.waiting} wait, {row.running} run{paused}; the oldest since {clock(row.oldest_at)}"
    return fact(reading, f"channel {row.name}", value, span(waited_s))


@kind("jobs-failing", "application", "warning_jobs", "critical_jobs")
def jobs_failing(look: Look) -> Said:
    """Queue jobs fail for good, many within an hour."""
    for tenant in look.tenants.values():
        for reading in tenant.databases:
            if "queue" in reading.unread:
                yield tenant.untold(reading)
                continue
            subject = tenant.subject(reading)
            lately = sum(row.failed_last_hour for row in reading.channels.values())
            if lately < look.limit("jobs-failing", "warning_jobs", subject):
                continue
            failed = sorted(reading.failed_jobs.values(), key=lambda row: -row.count)
            names = listing(short(row.function) for row in failed) or "see the queue"
            yield Symptom(
                subject=subject,
                severity="critical" if lately >= look.limit("jobs-failing", "critical_jobs", subject) else "warning",
                title=f"{count(lately, 'job')} of {short(tenant.name)} failed within the hour",
                impact=f"{tenant.label}: what they should have done is not done: {names}.",
                action="Read the exception in the evidence; mend it, then requeue them (Job Queue, Jobs).",
                stands_on=(reading,),
                evidence=(
                    fact(reading, "failed within the hour", str(lately), f"{look.threshold('jobs-failing', 'warning_jobs'):g}"),
                    *(fact(reading, row.function, f"{row.count} failed, {row.error}", text=row.message) for row in failed[:_SHOWN]),
                ),
                causes=(*tenant.database_slow, *tenant.database_down, f"attachment-missing:{subject}"),
                **tenant.whose,
            )  # fmt: skip
