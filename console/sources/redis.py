"""The sources for every Redis and Valkey cache of an environment, with its Sentinels."""

from __future__ import annotations

from collections.abc import Mapping

from console.clients.redis import RedisLink
from console.settings.defaults import Cadences
from console.settings.environment import EnvironmentFile, RedisCache, RedisServerSettings, SentinelSettings
from console.sources.base import Source
from console.sources.redis_common import Footprint
from console.sources.redis_keys import RedisKeysSource
from console.sources.redis_server import RedisServerSource
from console.sources.sentinel import SentinelSource


def redis_sources(
    environment: EnvironmentFile, cadences: Cadences, footprints: Mapping[str, Footprint] | None = None
) -> list[Source]:
    """Servers and Sentinels at the fast cadence, keys and queues at the normal one.

    ``footprints``: by cache, shared with whoever else asks its servers.
    """
    shared = footprints or {}
    return [
        source
        for name, cache in environment.redis.items()
        for source in _of(name, cache, cadences, shared.get(name) or Footprint())
    ]


def _of(name: str, cache: RedisCache, cadences: Cadences, footprint: Footprint) -> list[Source]:
    fast = {"every_s": cadences.fast.every_s, "deadline_s": cadences.fast.deadline_s}
    sources: list[Source] = [
        RedisServerSource(name, server, link_of(cache, place), footprint=footprint, **fast)
        for server, place in cache.servers.items()
    ]
    if cache.sample_keys or cache.queues:
        sources.append(
            RedisKeysSource(
                name,
                {server: link_of(cache, place) for server, place in cache.servers.items()},
                queues=cache.queues,
                sample=cache.sample_keys,
                every_s=cadences.normal.every_s,
                deadline_s=cadences.normal.deadline_s,
                footprint=footprint,
            )
        )
    if sentinel := cache.sentinel:
        sources += [
            SentinelSource(name, server, sentinel.master, _sentinel_link(cache, sentinel, place), **fast)
            for server, place in sentinel.servers.items()
        ]
    return sources


def link_of(cache: RedisCache, place: RedisServerSettings) -> RedisLink:
    """A link of its own to a server, as the environment file says to come."""
    return RedisLink(
        place.host,
        place.port,
        username=cache.username,
        password=cache.password,
        tls=cache.tls,
        ca_file=cache.ca_file,
    )


def _sentinel_link(cache: RedisCache, sentinel: SentinelSettings, place: RedisServerSettings) -> RedisLink:
    """With the cache's TLS: Sentinels speak it exactly where their servers do."""
    return RedisLink(
        place.host,
        place.port,
        username=sentinel.username,
        password=sentinel.password,
        tls=cache.tls,
        ca_file=cache.ca_file,
    )
