"""Sentinels: who watches, and whether they could fail over."""

from __future__ import annotations

from console.assessment.look import Look, fact
from console.assessment.symptom import Clear, Said, Symptom, kind
from console.assessment.views import Cache, down
from console.assessment.words import short
from console.readings import address
from console.readings.redis import Sentinel


@kind("sentinel-lost", "cache", "after_seconds")
def sentinel_lost(look: Look) -> Said:
    """A Sentinel does not answer."""
    for cache in look.caches.values():
        for name, last in cache.sentinels_last.items():
            if last is not None and down(last):
                yield _lost(look, cache, name, last)


def _lost(look: Look, cache: Cache, name: str, last: Sentinel) -> Symptom:
    left = sum(reading is not None for reading in cache.sentinels.values())
    quorum = max((reading.quorum for reading in cache.sentinels.values() if reading), default=0)
    needed = max(quorum, len(cache.sentinels) // 2 + 1)
    spare = left - needed
    return Symptom(
        subject=f"{cache.name}/{name}",
        severity="warning",
        title=f"Sentinel {name} of {cache.name} does not answer",
        impact="Users feel nothing; "
        + (
            "the others could not fail over any more."
            if spare < 0
            else f"{left} of {len(cache.sentinels)} are left, "
            + ("and a failover needs all of them." if spare == 0 else "enough for a failover.")
        ),
        action=f"Start {name} again and read its log; if its host is lost, put a Sentinel elsewhere.",
        stands_on=(last,),
        since=last.good_at,
        evidence=(
            fact(last, name, last.problem or last.status),
            fact(
                next((reading for reading in cache.sentinels.values() if reading), None),
                "Sentinels that answer",
                f"{left} of {len(cache.sentinels)}",
                f"{needed} for a failover",
            ),
        ),
        covers=(address(Sentinel, f"{cache.name}/{name}"),),
        after_s=look.threshold("sentinel-lost", "after_seconds"),
    )


@kind("sentinel-no-quorum", "cache", "after_seconds")
def sentinel_no_quorum(look: Look) -> Said:
    """The Sentinels that are left cannot agree on a failover."""
    for cache in look.caches.values():
        gone = [last for last in cache.sentinels_last.values() if last is not None and down(last)]
        without = [reading for reading in cache.sentinels.values() if reading and reading.quorum_ok is False]
        agreeing = tuple(reading for reading in cache.sentinels.values() if reading and reading.quorum_ok)
        if agreeing and not without:
            yield Clear(subject=cache.name, stands_on=agreeing)
        if not without and not (gone and len(gone) == len(cache.sentinels_last)):
            continue
        saying = without or gone
        yield Symptom(
            subject=cache.name,
            severity="critical",
            title=f"Sentinels of {cache.name} have no quorum: no failover is possible",
            impact="Users feel nothing yet; if the primary fails now, it stays down until somebody acts."
            if cache.writer is not None
            else "The cache stays down until somebody acts: no Sentinel may promote a replica.",
            action="Bring the missing Sentinels back, at least a majority of them.",
            stands_on=(saying[0],),
            since=max((last.good_at for last in gone if last.good_at), default=None),
            evidence=tuple(
                fact(
                    reading, reading.sentinel or "?", short(reading.quorum_answer or reading.problem, 80) or "no quorum"
                )
                for reading in saying
            ),
            causes=tuple(f"sentinel-lost:{cache.name}/{name}" for name in cache.sentinels),
            after_s=look.threshold("sentinel-no-quorum", "after_seconds"),
        )
