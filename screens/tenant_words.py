"""What is said of a tenant in few words: why it hurts, and its figures, where they are known."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from console.readings.odoo import OdooDatabase, OdooStep
from screens.tenant_group import TenantNow
from screens.tile_words import speaks_of
from screens.trust import silent_for

PAGES = ("project", "document", "purchase", "log in", "health")
"""Steps by how much they tell of what users get: the first three are pages, the last proves little."""
SLOW_FROM_MS = 100.0
"""Below this nobody feels how many times slower than usual it is."""
SPOKEN: dict[str, tuple[str, ...]] = {
    "pages": ("transaction", "tenant-unreachable", "workers-busy"),
    "errors": ("backend", "ingress-errors", "middleware", "router-broken"),
    "late": ("cron", "module"),
    "queue": ("queue",),
    "failed": ("jobs-failing",),
    "mail": ("mail",),
    "files": ("attachment",),
    "modules": ("module",),
    "busy": ("workers-busy",),
}
"""Figure → words in the kinds of findings that speak of it: a figure is marked only where a finding does."""


def mark(tenant: TenantNow, figure: str) -> str:
    """Severity of the worst finding that speaks of a figure; empty: none does."""
    own = [each for each in tenant.found if each.pane in ("application", "ingress") and each.state == "open"]
    return speaks_of(own, *SPOKEN[figure])


class Figures(NamedTuple):
    """Numbers of a tenant's databases taken together. None: not known."""

    watched: bool
    """Whether any database is looked at as Odoo's. False: nothing below means anything."""
    known: bool
    """Whether every one of them can be read now."""
    late: int | None = None
    late_since: datetime | None = None
    failing: int | None = None
    off: int | None = None
    has_queue: bool = False
    waiting: int | None = None
    oldest_at: datetime | None = None
    failed: int | None = None
    dead: int | None = None
    has_mail: bool = False
    mail_waiting: int | None = None
    mail_failed: int | None = None
    modules: int | None = None
    connections: int | None = None
    busy: int | None = None


def figures(tenant: TenantNow) -> Figures:
    """A number is there only where every database of the tenant told it: half a sum would be read as the whole."""
    read = [part.reading for part in tenant.databases if part.reading is not None]
    if not tenant.databases or len(read) < len(tenant.databases):
        return Figures(bool(tenant.databases), False)
    gone = {part for each in read for part in each.unread}
    channels = [channel for each in read for channel in each.channels.values()]
    mails = [each.mail for each in read if each.mail is not None]

    def known(part: str, value: int) -> int | None:
        return None if part in gone else value

    return Figures(
        True,
        True,
        late=known("crons", sum(each.crons_late for each in read)),
        late_since=_first(each.crons_late_since for each in read),
        failing=_whole(each.crons_failing for each in read),
        off=known("crons", sum(each.crons_off for each in read)),
        has_queue="queue" in gone or any(each.queue_job for each in read),
        waiting=known("queue", sum(channel.waiting for channel in channels)),
        oldest_at=_first(channel.oldest_at for channel in channels),
        failed=known("queue", sum(channel.failed for channel in channels)),
        dead=known("queue", sum(channel.dead for channel in channels)),
        has_mail="mail" in gone or bool(mails),
        mail_waiting=known("mail", sum(mail.outgoing for mail in mails)) if mails else None,
        mail_failed=known("mail", sum(mail.failed for mail in mails)) if mails else None,
        modules=known("modules", sum(each.modules_in_passage for each in read)),
        connections=_whole(each.connections for each in read),
        busy=_whole(each.busy for each in read),
    )


def unread(tenant: TenantNow, part: str) -> str:
    """Why a part (``crons``, ``queue``, ``mail``, ``modules``) of a database that answers could not be read; empty: it was."""
    found = [each.reading for each in tenant.databases if each.reading is not None and part in each.reading.unread]
    return f"not read this time: {found[0].problem or 'the database did not say why'}" if found else ""


def files_gone(tenant: TenantNow) -> int | None:
    """Files that are not there or are not what their rows say; None: not known of all."""
    read = [part.reading for part in tenant.files]
    told = [None if each is None or each.missing is None else each.missing + (each.differing or 0) for each in read]
    return _whole(told)


def _first(moments: Iterable[datetime | None]) -> datetime | None:
    return min((each for each in moments if each is not None), default=None)


def _whole(numbers: Iterable[int | None]) -> int | None:
    found = list(numbers)
    return None if not found or any(each is None for each in found) else sum(each or 0 for each in found)


def steps_of(tenant: TenantNow) -> dict[str, OdooStep]:
    """Its synthetic transactions, where they are known."""
    return tenant.pages.reading.steps if tenant.pages is not None and tenant.pages.reading is not None else {}


def telling_step(steps: dict[str, OdooStep]) -> tuple[str, OdooStep] | None:
    """The step that tells most: one that failed, else the slowest page, else whatever was asked."""
    asked = [(name, steps[name]) for name in PAGES if name in steps and steps[name].ok is not None]
    failing = [each for each in asked if each[1].ok is False]
    if failing:
        return failing[0]
    pages = [each for each in asked if each[0] in PAGES[:3] and each[1].ms is not None]
    if pages:
        return max(pages, key=lambda each: each[1].ms or 0.0)
    return asked[0] if asked else None


def times_usual(step: OdooStep) -> float | None:
    """How many times slower than usual, where that is worth a word."""
    if step.ms is None or not step.p50_ms or step.ms < SLOW_FROM_MS or step.ms < 3 * step.p50_ms:
        return None
    return step.ms / step.p50_ms


def series_of(version: str) -> str:
    """``18.0`` of ``18.0.1.3``."""
    return ".".join(version.split(".")[:2])


def version_of(reading: OdooDatabase | None) -> str:
    """Odoo's own series, as the database has it."""
    return "" if reading is None else series_of(reading.version) or "no Odoo"


def own_words(title: str, tenant: TenantNow) -> str:
    """A finding's title in the row of the tenant it is about: without the tenant's own names."""
    names = (tenant.name, tenant.label, *(part.key.partition("/")[2] for part in tenant.databases))
    return _without(title, tuple(dict.fromkeys(name for name in names if name)))


@functools.lru_cache(maxsize=1024)
def _without(title: str, names: tuple[str, ...]) -> str:
    any_of = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    alone = r"(?![\w/.-]|\s*,|\s+and\b)"
    short = re.sub(rf"\s+(?:of|at|for|in|on|from|to)\s+(?:tenant\s+|database\s+)?(?:{any_of}){alone}", "", title)
    rest = re.sub(rf"^(?:tenant\s+|database\s+)?(?:{any_of})(?:'s)?(?::|{alone})\s*", "", short)
    if rest != short and rest.partition(" ")[0].isalpha():  # a sentence begins anew; a technical name stays as it is
        rest = rest[:1].upper() + rest[1:]
    return rest.strip() or title


def why(tenant: TenantNow, now: datetime) -> tuple[str, str]:
    """Why it hurts in a few words, and their style; for one that is well, that."""
    if tenant.found:
        worst = tenant.found[0]
        style = "unknown" if worst.state == "unknown" else worst.severity
        return own_words(worst.title, tenant), style
    state = tenant.state.state
    if state == "ok":
        return "ok", "muted"
    if state == "not-configured":
        return "not watched by itself", "muted"
    if silent := silent_parts(tenant, now):
        return silent, state
    partly = next((f"{word}: {part.raw.problem}" for word, part in tenant.parts if part.raw and part.raw.problem), "")
    return partly or tenant.state.why or state, state


def silent_parts(tenant: TenantNow, now: datetime) -> str:
    """Which parts of it cannot be read: ``pages, database silent 12 s``; empty: all can."""
    kinds: dict[str, list[str]] = {}
    raw = [part.raw for _, part in tenant.parts if part.reading is None]
    if len(raw) > 1 and len(raw) == len(tenant.parts):
        return f"all of it {max((silent_for(each, now) for each in raw), key=len)}"
    for word, part in tenant.parts:
        if part.reading is None:
            kinds.setdefault(silent_for(part.raw, now), []).append(word)
    return "; ".join(f"{', '.join(dict.fromkeys(words))} {how}" for how, words in kinds.items())
