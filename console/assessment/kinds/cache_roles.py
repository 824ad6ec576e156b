"""Roles in a cache: a primary, its replicas, and a role that moved."""

from __future__ import annotations

from console.assessment.look import Look, fact
from console.assessment.memory import recent
from console.assessment.symptom import Clear, Said, Symptom, kind
from console.assessment.views import Cache, down
from console.assessment.words import clock, count, listing, size, span
from console.readings import Evidence, Reading, RedisKeys, RedisServer, ReplicaLink, address


def loss(look: Look, cache: Cache) -> str:
    """What is lost without this cache, in a few words."""
    return cache.settings.used_for or f"what they keep in {cache.name}"


def _last(cache: Cache) -> tuple[Reading, ...]:
    return tuple(reading for reading in cache.last.values() if reading is not None)


@kind("cache-primary-down", "cache", "after_seconds")
def cache_primary_down(look: Look) -> Said:
    """No server of the cache takes writes."""
    for cache in look.caches.values():
        writer = cache.writer
        if writer is not None and not writer.loading:
            yield Clear(subject=cache.name, stands_on=(writer,))
            continue
        lost = cache.last.get(cache.primary)
        gone = down(lost)
        readable = [reading for reading in cache.servers.values() if reading is not None]
        nobody = bool(_last(cache)) and all(down(reading) for reading in cache.last.values())
        only_replicas = bool(readable) and all(reading.role == "replica" for reading in readable)
        if writer is not None or gone or nobody or (only_replicas and lost in readable):
            yield _primary_down(look, cache, lost, gone=gone or nobody)


def _primary_down(look: Look, cache: Cache, lost: RedisServer | None, *, gone: bool) -> Symptom:
    users = look.cache_users(cache)
    loading = lost is not None and lost.loading and not gone
    stands_on: tuple[Reading, ...] = (lost,) if lost is not None and (gone or loading) else _last(cache)
    if loading:
        what = f"{cache.primary} is loading its data"
    elif gone:
        what = f"primary {cache.primary} does not answer" if cache.primary else "no server answers"
    else:
        what = "every server is a replica"
    good_at = lost.good_at if lost is not None and gone else None
    covers = [reading.where for reading in stands_on if down(reading)]
    return Symptom(
        subject=cache.name,
        severity="critical",
        title=f"{cache.name} takes no writes: {what}",
        impact=f"{users.words} lose {loss(look, cache)} until a replica takes over.",
        action=_failover(cache),
        stands_on=stands_on,
        since=good_at,
        affects=users.databases,
        evidence=(
            *(
                fact(reading, name, reading.problem or reading.role or reading.status)
                for name, reading in cache.last.items()
                if reading
            ),
            *_sentinels_say(cache),
        ),
        covers=(*covers, address(RedisKeys, cache.name)),
        after_s=look.threshold("cache-primary-down", "after_seconds"),
    )


def _failover(cache: Cache) -> str:
    if any(cache.sentinels.values()):
        return (
            "Sentinels should fail over by themselves; if not, see whether they have a quorum and a replica to choose."
        )
    if len(cache.servers) > 1:
        return (
            "Start the primary again, or make a replica the primary by hand (REPLICAOF NO ONE) and point clients to it."
        )
    return "Start the server again; look at its log and at the memory of its host."


def _sentinels_say(cache: Cache) -> tuple[Evidence, ...]:
    flags = sorted({reading.primary_flags for reading in cache.sentinels.values() if reading and reading.primary_flags})
    one = next((reading for reading in cache.sentinels.values() if reading), None)
    return (fact(one, "Sentinels say of the primary", listing(flags)),) if flags else ()


@kind("cache-no-replica", "cache", "after_seconds")
def cache_no_replica(look: Look) -> Said:
    """A server of the cache that should be a replica does not follow the primary."""
    for cache in look.caches.values():
        writer = cache.writer
        if writer is None or len(cache.servers) < 2:
            continue
        missing = [name for name in cache.servers if name != cache.primary and not _follows(cache, writer, name)]
        if missing:
            yield _no_replica(look, cache, writer, missing)
        else:
            yield Clear(subject=cache.name, stands_on=(writer,))


def _link(cache: Cache, writer: RedisServer, name: str) -> ReplicaLink | None:
    named = cache.addresses_of(name)
    return next((link for link in writer.replicas.values() if link.address in named), None)


def _follows(cache: Cache, writer: RedisServer, name: str) -> bool:
    """Whether a server is a replica in good order, by its own word where it can be read, else by the primary's."""
    own, link = cache.servers[name], _link(cache, writer, name)
    if own is not None:
        return own.role == "replica" and own.link_up is not False
    # Never read, or not readable for reasons of ours: the primary's word counts.
    return link is not None and link.state == "online"


def _no_replica(look: Look, cache: Cache, writer: RedisServer, missing: list[str]) -> Symptom:
    left = len(cache.servers) - 1 - len(missing)
    title = (
        f"{cache.name} has no replica: {listing(missing)} {'does' if len(missing) == 1 else 'do'} not follow {cache.primary}"
        if not left
        else f"{listing(missing)} of {cache.name} {'does' if len(missing) == 1 else 'do'} not follow {cache.primary}"
    )
    lost = tuple(reading for name in missing if (reading := cache.last[name]) is not None)
    return Symptom(
        subject=cache.name,
        severity="warning",
        title=title,
        impact="Users feel nothing yet; "
        + (
            f"{count(left, 'replica')} left to take over."
            if left
            else f"if {cache.primary} fails now, {loss(look, cache)} are gone."
        ),
        action=f"Start {listing(missing)} again, or read its log for why it cannot follow.",
        stands_on=(writer,),
        since=min((reading.good_at for reading in lost if down(reading) and reading.good_at), default=None),
        evidence=(
            *(fact(reading, name, _state(reading)) for name in missing if (reading := cache.last[name]) is not None),
            fact(
                writer,
                "replicas that the primary counts",
                str(sum(link.state == "online" for link in writer.replicas.values())),
                str(len(cache.servers) - 1),
            ),
        ),
        causes=(f"cache-failover:{cache.name}",),
        hidden_by=(*(f"cache-failover:{cache.name}/{name}" for name in missing),) if len(missing) == 1 else (),
        covers=tuple(reading.where for reading in lost if down(reading)),
        after_s=look.threshold("cache-no-replica", "after_seconds"),
    )


def _state(reading: RedisServer) -> str:
    if not reading.readable:
        return reading.problem or reading.status
    link = "" if reading.role == "primary" else f", link {'up' if reading.link_up else 'down'}"
    syncing = ", copying everything from the primary" if reading.sync_in_progress else ""
    return f"{reading.role or '?'}{link}{syncing}"


@kind("cache-replica-lagging", "cache", "warning_seconds", "warning_bytes")
def cache_replica_lagging(look: Look) -> Said:
    """A replica follows, and is far behind."""
    for cache in look.caches.values():
        writer = cache.writer
        if writer is None:
            continue
        for name in cache.servers:
            link, subject = _link(cache, writer, name), f"{cache.name}/{name}"
            if link is None or name == cache.primary:
                continue
            seconds, behind = link.lag_s or 0.0, link.lag_bytes or 0
            late = seconds >= look.limit("cache-replica-lagging", "warning_seconds", subject)
            far = behind >= look.limit("cache-replica-lagging", "warning_bytes", subject)
            if not (late or far):
                yield Clear(subject=subject, stands_on=(writer,))
                continue
            yield Symptom(
                subject=subject,
                severity="warning",
                title=f"Replica {name} of {cache.name} is {span(seconds)} behind ({size(behind)})",
                impact=f"Users feel nothing yet; a failover to {name} would lose that of {loss(look, cache)}.",
                action=f"Look at the network to {name}, its CPU, and whether it is saving to disk; its log says more.",
                stands_on=(writer,),
                evidence=(
                    fact(
                        writer,
                        "last acknowledgement",
                        f"{span(seconds)} ago",
                        span(look.threshold("cache-replica-lagging", "warning_seconds")),
                    ),
                    fact(
                        writer, "behind", size(behind), size(look.threshold("cache-replica-lagging", "warning_bytes"))
                    ),
                ),
                hidden_by=(f"cache-no-replica:{cache.name}",),
            )


@kind("cache-failover", "cache", "shown_seconds", "split_seconds")
def cache_failover(look: Look) -> Said:
    """The primary's role moved a moment ago, or a failover left two primaries behind."""
    for cache in look.caches.values():
        moved, writer = look.remembers_cache(cache).moved, cache.writer
        if (
            moved
            and writer
            and moved.after == cache.primary
            and recent(moved.at, look.now, look.threshold("cache-failover", "shown_seconds"))
        ):
            users = look.cache_users(cache)
            yield Symptom(
                subject=cache.name,
                severity="warning",
                title=f"{cache.name}: {moved.after} took over from {moved.before} at {clock(moved.at)}",
                impact=f"{users.words}: requests failed for some seconds; the last writes before it may be gone from {loss(look, cache)}.",
                action=f"Find out why {moved.before} was lost (its log, memory of its host), and see that it comes back as a replica.",
                stands_on=(writer,),
                since=moved.at,
                affects=users.databases,
                evidence=(
                    fact(writer, "primary now", f"{moved.after}, {count(len(writer.replicas), 'replica')}"),
                    fact(
                        cache.last.get(moved.before),
                        moved.before,
                        _state(before) if (before := cache.last.get(moved.before)) else "?",
                    ),
                ),
                causes=(f"cache-primary-down:{cache.name}",),
            )
        yield from _split(look, cache)


def _split(look: Look, cache: Cache) -> Said:
    """More than one server says that it is primary, and not only for the moment that a failover takes."""
    if len(cache.primaries) < 2 or cache.primary not in cache.primaries:
        return
    users = look.cache_users(cache)
    for name, reading in cache.primaries.items():
        if name == cache.primary:
            continue
        yield Symptom(
            subject=f"{cache.name}/{name}",
            severity="critical",
            title=f"{cache.name} has two primaries: {cache.primary} and {name}",
            impact=f"{users.words}: what {name} is told will be lost ({loss(look, cache)}).",
            action=f"Keep clients off {name}; Sentinels should make it a replica, else do so: REPLICAOF {cache.primary}.",
            stands_on=(reading, cache.primaries[cache.primary]),
            affects=users.databases,
            evidence=tuple(
                fact(one, server, f"primary, {count(len(one.replicas), 'replica')}, {count(one.clients, 'client')}")
                for server, one in cache.primaries.items()
            ),
            after_s=look.threshold("cache-failover", "split_seconds"),
        )
