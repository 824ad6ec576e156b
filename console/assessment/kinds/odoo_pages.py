"""What a tenant's users meet: nobody answers, every worker is busy, workers are killed, transactions fail or take long."""

from __future__ import annotations

from datetime import timedelta

from console.assessment.look import Look, fact
from console.assessment.symptom import Said, Symptom, kind
from console.assessment.tenants import Tenant, in_words, together
from console.assessment.words import count, listing, short, span
from console.readings import Evidence, OdooEvent, OdooPages, OdooStep

_TRANSACTIONS = ("log in", "project", "document", "purchase")
_SEVERE = frozenset({"log in", "project"})


@kind("tenant-unreachable", "application", "after_seconds", "settle_seconds")
def tenant_unreachable(look: Look) -> Said:
    """A tenant's pages do not answer, or answer with an error, though the ingress stands."""
    said = _tenant_unreachable(look)
    action = "Look at what they share first: ingress, nodes, registry, a release; then at one of them."
    yield from together("tenant-unreachable", said, len(look.tenants), "Pages of several tenants do not answer", action)


def _tenant_unreachable(look: Look) -> Said:
    for tenant in look.tenants.values():
        pages = tenant.pages_last
        if pages is None or pages.is_stale(look.now):
            continue
        health = pages.steps.get("health", OdooStep())
        down = pages.status == "unreachable"
        if pages.readable and health.ok is None:
            yield tenant.untold(pages)
            continue
        if not down and (not pages.readable or health.ok is not False or health.silent):
            continue
        said = pages.problem if down else health.problem
        yield Symptom(
            subject=tenant.subject(),
            severity="critical",
            title=f"Pages of {short(tenant.name)} do not answer: {short(said.rpartition(': ')[2], 40)}",
            impact=f"{tenant.label}: nobody can open a page.",
            action="See whether its pods run and are ready, then the way to them (ingress), then its log.",
            stands_on=(pages,),
            since=pages.good_at if down else None,
            evidence=(fact(pages, "first page", said), *_connected(tenant)),
            causes=(*tenant.pods_down, *tenant.database_down),
            hidden_by=tenant.way_down,
            covers=tenant.pages_covered,
            after_s=look.threshold("tenant-unreachable", "after_seconds"),
            settle_s=look.threshold("tenant-unreachable", "settle_seconds"),
            **tenant.whose,
        )


def _connected(tenant: Tenant) -> tuple[Evidence, ...]:
    """How many of its workers the database knows."""
    return tuple(
        fact(reading, "sessions in the database", f"{reading.busy or 0} busy of {reading.connections}")
        for reading in tenant.databases
        if reading.connections is not None
    )


@kind("workers-busy", "application", "warning_ms", "after_seconds", "settle_seconds")
def workers_busy(look: Look) -> Said:
    """The first page, which needs no database, answers late or not at all: no web worker is free."""
    said = _workers_busy(look)
    action = "Look at what they share first: CPU of the nodes, the database, the cache; then at one of them."
    yield from together("workers-busy", said, len(look.tenants), "Web workers of several tenants are all busy", action)


def _workers_busy(look: Look) -> Said:
    for tenant in look.tenants.values():
        pages = tenant.pages
        health = pages.steps.get("health") if pages is not None else None
        if pages is None or health is None:
            continue
        if health.ok is None:
            yield tenant.untold(pages)
            continue
        slow = health.ms is not None and health.ms >= look.limit("workers-busy", "warning_ms", tenant.subject())
        if not health.silent and not slow:
            continue
        took = health.problem if health.silent or health.ms is None else f"{health.ms / 1e3:.1f} s"
        title = "No web worker is free" if health.silent else f"Web workers are all busy ({took} for a first page)"
        usual = (fact(pages, "first page, usually", f"{health.p50_ms:.0f} ms"),) if health.p50_ms is not None else ()
        log = tenant.log
        busy = (fact(log, "requests in its log", f"{log.requests_per_s or 0:.1f}/s"),) if log is not None else ()
        yield Symptom(
            subject=tenant.subject(),
            severity="critical" if health.silent else "warning",
            title=f"{title} at {short(tenant.name)}",
            impact=f"{tenant.label}: every page waits{' and many never come' if health.silent else ''}.",
            action="See what the workers do: slow SQL and locks (database pane), then its log for long requests and who sends them.",
            stands_on=(pages,),
            evidence=(
                fact(pages, "first page (asks no database)", took, f"{look.threshold('workers-busy', 'warning_ms') / 1e3:g} s"),
                *usual,
                *_connected(tenant),
                *busy,
            ),
            causes=(
                *(f"requests-flood:{name}/{short(tenant.name, 60)}" for name in look.environment.traefik),
                *tenant.database_slow,
                *tenant.pods_down,
            ),
            hidden_by=(*tenant.way_down, *tenant.database_down, *tenant.cache_down),
            after_s=look.threshold("workers-busy", "after_seconds"),
            settle_s=look.threshold("workers-busy", "settle_seconds"),
            **tenant.whose,
        )  # fmt: skip


_KILLED = ("worker timeout", "worker CPU limit")
_RECYCLED = "worker memory limit"
_WHY = {
    "worker timeout": "took too long",
    "worker CPU limit": "used too much CPU",
    "worker memory limit": "grew too large",
}


@kind("worker-killed", "application", "kills", "recycles", "shown_seconds")
def worker_killed(look: Look) -> Said:
    """Workers were ended because they took too long, or again and again because they grew too large."""
    for tenant in look.tenants.values():
        log = tenant.log
        if log is None:
            continue
        lately = [each for each in log.events.values() if each.what in _WHY and _recent(look, each)]
        killed = [each for each in lately if each.what in _KILLED]
        recycled = [each for each in lately if each.what == _RECYCLED]
        many = sum(each.count for each in recycled) >= look.threshold("worker-killed", "recycles")
        worst = [*killed, *(recycled if many else ())]
        if not many and sum(each.count for each in killed) < look.threshold("worker-killed", "kills"):
            continue
        why = listing(dict.fromkeys(_WHY[each.what] for each in worst))
        jobs = any("Cron" in each.subject for each in killed)
        number = sum(each.count for each in worst)
        yield Symptom(
            subject=tenant.subject(),
            severity="warning",
            title=f"{count(number, 'worker')} of {short(tenant.name)} ended within the hour: {why}",
            impact=f"{tenant.label}: "
            + ("scheduled jobs were broken off." if jobs else "requests were broken off; people saw an error and lost what they sent."),
            action="Find the request or job in its log before that line (l), and its SQL; raise a limit only when the work is right.",
            stands_on=(log,),
            evidence=tuple(
                fact(log, f"{each.subject or 'worker'}: {each.what.removeprefix('worker ')}", str(each.count), text=each.message)
                for each in worst[:6]
            ),
            causes=(f"workers-busy:{tenant.subject()}", *tenant.database_slow, *tenant.database_down),
            **tenant.whose,
        )  # fmt: skip


def _recent(look: Look, event: OdooEvent) -> bool:
    shown = timedelta(seconds=look.threshold("worker-killed", "shown_seconds"))
    return event.last_at is not None and look.now - event.last_at <= shown


@kind("transaction-failing", "application", "after_seconds", "settle_seconds")
def transaction_failing(look: Look) -> Said:
    """What users do every day fails, though workers answer."""
    said = _transaction_failing(look)
    action = "Read the messages in the evidence: database, session store and storage are shared."
    yield from together(
        "transaction-failing", said, len(look.tenants), "What users do fails at several tenants", action
    )


def _transaction_failing(look: Look) -> Said:
    for tenant in look.tenants.values():
        pages = tenant.pages
        if pages is None:
            continue
        failing = {name: step for name, step in _asked(pages) if step.ok is False}
        if not failing:
            if not _all_told(pages):
                yield tenant.untold(pages)
            continue
        subject = tenant.subject()
        first = next(iter(failing.values()))
        yield Symptom(
            subject=subject,
            severity="critical" if _SEVERE & set(failing) else "warning",
            title=f"{_capital(listing(in_words(failing)))} fails at {short(tenant.name)}",
            impact=f"{tenant.label}: {listing(in_words(failing))} ends in an error ({short(first.problem, 60)}).",
            action="Read the message in the evidence, then its log at that moment (l).",
            stands_on=(pages,),
            evidence=tuple(fact(pages, name, "failed", text=step.problem) for name, step in failing.items()),
            causes=(
                *((f"attachment-missing:{subject}",) if "document" in failing else ()),
                *tenant.database_slow,
                *tenant.pods_down,
                f"worker-killed:{subject}",
            ),
            hidden_by=(
                *tenant.database_down, *tenant.cache_down, *tenant.way_down,
                f"workers-busy:{subject}", f"tenant-unreachable:{subject}",
            ),
            after_s=look.threshold("transaction-failing", "after_seconds"),
            settle_s=look.threshold("transaction-failing", "settle_seconds"),
            **tenant.whose,
        )  # fmt: skip


@kind("transaction-slow", "application", "warning_ms", "after_seconds", "settle_seconds")
def transaction_slow(look: Look) -> Said:
    """What users do every day goes well, and takes far longer than it should."""
    said = _transaction_slow(look)
    action = "Look at what they share first: database, CPU of the nodes, storage; then at one of them."
    yield from together("transaction-slow", said, len(look.tenants), "What users do is slow at several tenants", action)


def _transaction_slow(look: Look) -> Said:
    for tenant in look.tenants.values():
        pages = tenant.pages
        if pages is None:
            continue
        subject = tenant.subject()
        slow = {name: step.ms for name, step in _asked(pages) if step.ms is not None and _is_slow(look, step, subject)}
        if not slow:
            if not _all_told(pages):
                yield tenant.untold(pages)
            continue
        worst = max(slow.values())
        yield Symptom(
            subject=subject,
            severity="warning",
            title=f"{_capital(listing(in_words(slow)))} at {short(tenant.name)} takes {worst / 1e3:.1f} s",
            impact=f"{tenant.label}: people wait {span(worst / 1e3)} and more for what is usually there at once.",
            action="See what its workers wait for: slow SQL and locks (database pane), CPU of its pods, then its log.",
            stands_on=(pages,),
            evidence=tuple(
                fact(
                    pages, name, f"{ms / 1e3:.1f} s, usually {_usually(pages.steps[name])}",
                    f"{look.threshold('transaction-slow', 'warning_ms') / 1e3:g} s",
                )
                for name, ms in slow.items()
            ),
            causes=(f"workers-busy:{subject}", *tenant.database_slow, *tenant.way_slow, *tenant.pods_down),
            hidden_by=(
                *tenant.database_down, *tenant.cache_down, f"workers-busy:{subject}", f"transaction-failing:{subject}",
            ),
            after_s=look.threshold("transaction-slow", "after_seconds"),
            settle_s=look.threshold("transaction-slow", "settle_seconds"),
            **tenant.whose,
        )  # fmt: skip


def _asked(pages: OdooPages) -> list[tuple[str, OdooStep]]:
    return [(name, pages.steps[name]) for name in _TRANSACTIONS if name in pages.steps]


def _all_told(pages: OdooPages) -> bool:
    """Whether every step was asked this time."""
    return all(step.ok is not None for _, step in _asked(pages))


def _is_slow(look: Look, step: OdooStep, subject: str) -> bool:
    return bool(step.ok) and step.ms is not None and step.ms >= look.limit("transaction-slow", "warning_ms", subject)


def _usually(step: OdooStep) -> str:
    return f"{step.p50_ms / 1e3:.1f} s" if step.p50_ms is not None else "not known"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
