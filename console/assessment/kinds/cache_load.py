"""What a cache carries: memory, writes, evictions, big keys, time to answer, queues."""

from __future__ import annotations

from console.assessment.kinds.cache_roles import loss
from console.assessment.look import Look, fact
from console.assessment.symptom import Clear, Said, Symptom, kind
from console.assessment.views import Cache
from console.assessment.words import count, listing, share, short, size
from console.readings import BigKey, Evidence, RedisServer
from console.readings.finding import Severity


def _subject(cache: Cache) -> str:
    return f"{cache.name}/{cache.primary}"


@kind("cache-memory-full", "cache", "warning_share", "critical_share")
def cache_memory_full(look: Look) -> Said:
    """Memory is nearly used up, where what is evicted is lost to somebody, or nothing may be evicted."""
    for cache in look.caches.values():
        writer = cache.writer
        if writer is None:
            continue
        subject = _subject(cache)
        part = writer.used_memory / writer.maxmemory if writer.maxmemory > 0 else 0.0
        # A plain cache (allkeys-…) is meant to be full, and makes room by itself.
        if writer.maxmemory_policy.startswith("allkeys") or part < look.limit(
            "cache-memory-full", "warning_share", subject
        ):
            yield Clear(subject=subject, stands_on=(writer,))
            continue
        severe = part >= look.limit("cache-memory-full", "critical_share", subject)
        users = look.cache_users(cache)
        nothing = writer.maxmemory_policy in ("", "noeviction") or not writer.keys_with_ttl
        then = "every write is refused" if nothing else "sessions are thrown out, and people are logged out"
        when = "now" if writer.write_refused else "when it is full,"
        yield Symptom(
            subject=subject,
            severity="critical" if severe else "warning",
            title=f"Memory of {cache.name} is {share(writer.used_memory, writer.maxmemory)} full",
            impact=f"{users.words}: {when} {then} ({loss(look, cache)}).",
            action="Look for what grew (big keys, queues nobody reads); make room there, or raise maxmemory if the host has it.",
            stands_on=(writer,),
            affects=users.databases,
            evidence=(
                fact(
                    writer,
                    "memory",
                    f"{size(writer.used_memory)} of {size(writer.maxmemory)}",
                    f"{look.threshold('cache-memory-full', 'warning_share'):.0%}",
                ),
                fact(writer, "policy", writer.maxmemory_policy or "?"),
                fact(writer, "keys", f"{writer.keys}, {writer.keys_with_ttl} of them expire"),
                *_evictions(writer),
            ),
            causes=(
                f"big-keys:{cache.name}",
                *(f"queue-backlog:{cache.name}/{short(name)}" for name in cache.settings.queues),
            ),
        )


def _evictions(writer: RedisServer) -> tuple[Evidence, ...]:
    if not writer.evicted_per_s:
        return ()
    return (fact(writer, "thrown out", f"{writer.evicted_per_s:.1f} keys/s"),)


@kind("cache-writes-refused", "cache")
def cache_writes_refused(look: Look) -> Said:
    """The primary refuses writes."""
    for cache in look.caches.values():
        writer = cache.writer
        if writer is None:
            continue
        why = writer.write_refused or ("too few replicas" if writer.min_replicas_ok is False else "")
        subject = _subject(cache)
        if not why:
            yield Clear(subject=subject, stands_on=(writer,))
            continue
        users = look.cache_users(cache)
        yield Symptom(
            subject=subject,
            severity="critical",
            title=f"{cache.name} refuses writes: {_in_words(why)}",
            impact=f"{users.words} cannot use {loss(look, cache)}: whatever has to be written there fails.",
            action=_open_again(why, cache),
            stands_on=(writer,),
            affects=users.databases,
            evidence=(
                fact(writer, "refused", why),
                fact(
                    writer,
                    "memory",
                    f"{size(writer.used_memory)} of {size(writer.maxmemory) if writer.maxmemory else 'no limit'}",
                ),
                fact(writer, "last save to disk", "ok" if writer.rdb_last_ok and writer.aof_last_ok else "failed"),
            ),
            causes=(f"cache-memory-full:{subject}", f"cache-no-replica:{cache.name}"),
            hidden_by=(f"cache-primary-down:{cache.name}",),
        )


def _in_words(why: str) -> str:
    code = why.split(":", 1)[0]
    words = {
        "OOM": "memory is full",
        "MISCONF": "it cannot save to disk",
        "NOREPLICAS": "too few replicas",
        "LOADING": "it is loading its data",
    }
    return f"{words[code]} ({code})" if code in words else short(why, 40)


def _open_again(why: str, cache: Cache) -> str:
    word = why.upper()
    if "OOM" in word or "MEMORY" in word:
        return "Make room: find what grew (big keys, queues); raise maxmemory for now if the host has it."
    if "MISCONF" in word or "SAVE" in word:
        return f"It cannot save to disk: look at disk and log of {cache.primary}."
    if "REPLICA" in word:
        return "Bring its replicas back; it is configured to refuse writes without them."
    return f"Read the log of {cache.primary} for the reason."


@kind("cache-evicting", "cache", "warning_per_s", "allkeys_per_s")
def cache_evicting(look: Look) -> Said:
    """Keys are thrown out for want of memory."""
    for cache in look.caches.values():
        writer = cache.writer
        if writer is None or writer.evicted_per_s is None:
            continue
        subject = _subject(cache)
        plain = writer.maxmemory_policy.startswith("allkeys")
        name = "allkeys_per_s" if plain else "warning_per_s"
        if writer.evicted_per_s < look.limit("cache-evicting", name, subject):
            yield Clear(subject=subject, stands_on=(writer,))
            continue
        users = look.cache_users(cache)
        felt = (
            "answers get slower, since more has to be computed anew"
            if plain
            else f"parts of {loss(look, cache)} are lost, people are logged out"
        )
        yield Symptom(
            subject=subject,
            severity="warning",
            title=f"{cache.name} throws out {writer.evicted_per_s:.0f} keys/s for want of memory",
            impact=f"{users.words}: {felt}.",
            action="Look for what grew (big keys, queues); give it more memory if all of it is needed.",
            stands_on=(writer,),
            affects=users.databases,
            evidence=(
                *_evictions(writer),
                fact(writer, "limit", f"{look.threshold('cache-evicting', name):g} keys/s"),
                fact(
                    writer,
                    "memory",
                    f"{size(writer.used_memory)} of {size(writer.maxmemory)}, {writer.maxmemory_policy or '?'}",
                ),
            ),
            causes=(f"cache-memory-full:{subject}", f"big-keys:{cache.name}"),
        )


@kind("big-keys", "cache", "warning_bytes", "warning_share")
def big_keys(look: Look) -> Said:
    """Single keys so big that every use of them stalls the server."""
    for cache in look.caches.values():
        if cache.keys is None:
            continue
        limit = look.limit("big-keys", "warning_bytes", cache.name)
        memory = max((reading.maxmemory for reading in cache.servers.values() if reading), default=0)
        if memory:
            limit = min(limit, memory * look.limit("big-keys", "warning_share", cache.name))
        big = sorted(
            (key for key in cache.keys.big.values() if key.bytes >= limit), key=lambda key: (-key.bytes, key.name)
        )
        if not big:
            yield Clear(subject=cache.name, stands_on=(cache.keys,))
            continue
        worst, total = big[0], sum(key.bytes for key in big)
        yield Symptom(
            subject=cache.name,
            severity="warning",
            title=f"{count(len(big), 'key')} of {cache.name} {'is' if len(big) == 1 else 'are'} too big: {size(total)}",
            impact="Users feel short stalls: while such a key is read, written or deleted, every other request waits.",
            action=f"Ask who writes {short(worst.name)}; split it or let it expire; delete with UNLINK, never DEL.",
            stands_on=(cache.keys,),
            evidence=(
                *(fact(cache.keys, _key(key), size(key.bytes), size(limit)) for key in big[:5]),
                fact(cache.keys, "sampled", f"{cache.keys.sampled} of {cache.keys.total} keys"),
            ),
        )


def _key(key: BigKey) -> str:
    items = f", {key.items} items" if key.items is not None else ""
    return f"{short(key.name, 40)} ({key.type or '?'}{items})"


@kind("cache-slow", "cache", "warning_ms", "critical_ms")
def cache_slow(look: Look) -> Said:
    """A server takes long to answer even a PING: half of them, so that one stall is not enough."""
    for cache in look.caches.values():
        for name, reading in cache.servers.items():
            if reading is None or reading.rtt_p50_ms is None:
                continue
            subject = f"{cache.name}/{name}"
            if reading.rtt_p50_ms < look.limit("cache-slow", "warning_ms", subject):
                yield Clear(subject=subject, stands_on=(reading,))
                continue
            severe = reading.rtt_p50_ms >= look.limit("cache-slow", "critical_ms", subject)
            primary = name == cache.primary
            severity: Severity = "critical" if severe and primary else "warning"
            users = look.cache_users(cache)
            slow = sorted(reading.slow.values(), key=lambda call: -call.took_us)[:2]
            yield Symptom(
                subject=subject,
                severity=severity,
                title=f"{name} of {cache.name} takes {reading.rtt_p50_ms:.0f} ms to answer",
                impact=f"{users.words}: every use of {loss(look, cache)} waits that long."
                if primary
                else f"Users feel little: {name} is a replica; a failover to it would be slow.",
                action="Look at the slow log and big keys in the cache pane, then at CPU and swap of its host.",
                stands_on=(reading,),
                affects=users.databases if primary else (),
                evidence=(
                    fact(
                        reading,
                        "round trip, median",
                        f"{reading.rtt_p50_ms:.1f} ms",
                        f"{look.threshold('cache-slow', 'warning_ms'):g} ms",
                    ),
                    fact(
                        reading,
                        "round trip, p99",
                        f"{reading.rtt_p99_ms:.1f} ms" if reading.rtt_p99_ms is not None else "?",
                    ),
                    *(fact(reading, "slow call", f"{call.took_us / 1000:.0f} ms", text=call.command) for call in slow),
                ),
                causes=(f"big-keys:{cache.name}",),
            )


@kind("queue-backlog", "cache", "warning_depth", "critical_depth")
def queue_backlog(look: Look) -> Said:
    """Jobs pile up in a queue."""
    for cache in look.caches.values():
        if cache.keys is None:
            continue
        for queue in cache.keys.queues.values():
            subject = f"{cache.name}/{short(queue.name)}"
            if queue.depth < look.limit("queue-backlog", "warning_depth", subject):
                yield Clear(subject=subject, stands_on=(cache.keys,))
                continue
            severe = queue.depth >= look.limit("queue-backlog", "critical_depth", subject)
            yield Symptom(
                subject=subject,
                severity="critical" if severe else "warning",
                title=f"{queue.depth} jobs wait in {short(queue.name)} of {cache.name}",
                impact=f"What {short(queue.name)} carries (mail, reports, imports) reaches people late or not at all.",
                action="See whether the workers of this queue run and what they wait for; then whether somebody floods it.",
                stands_on=(cache.keys,),
                evidence=(
                    fact(
                        cache.keys, "depth", str(queue.depth), f"{look.threshold('queue-backlog', 'warning_depth'):.0f}"
                    ),
                    fact(cache.keys, "other queues", _others(cache, queue.name)),
                ),
                causes=(f"cache-slow:{_subject(cache)}", f"lock-waits:{next(iter(look.clusters), '')}"),
            )


def _others(cache: Cache, name: str) -> str:
    rows = cache.keys.queues.values() if cache.keys else ()
    return listing([f"{short(queue.name)} {queue.depth}" for queue in rows if queue.name != name]) or "none"
