"""The sources of every tenant whose application the environment file calls Odoo."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from console.settings import Application, Cadences, EnvironmentFile
from console.sources.base import Source
from console.sources.odoo_database import OdooDatabaseSource, Place
from console.sources.odoo_files import OdooFilesSource
from console.sources.odoo_log import OdooLogSource
from console.sources.odoo_pages import OdooPagesSource
from console.sources.odoo_sessions import CachedSessionsSource, CacheSessions, DiskSessionsSource
from console.sources.odoo_visits import Visits
from console.sources.postgres import target_of
from console.sources.redis import link_of
from console.sources.redis_choice import Choice
from console.sources.redis_common import Footprint

PAGES_AT_ONCE = 16
"""Tenants whose pages are asked at a time."""


def odoo_sources(
    environment: EnvironmentFile, cadences: Cadences, footprints: Mapping[str, Footprint] | None = None
) -> list[Source]:
    """Databases, pages and logs at the normal cadence; sessions and files at the slow one.

    ``footprints``: of the caches, shared with their own sources.
    """
    makers = _Makers(environment, cadences, footprints or {})
    return [
        source
        for name, application in environment.applications.items()
        if application.odoo
        for source in makers.of(name, application)
    ]


class _Makers:
    """What the sources of several tenants share."""

    def __init__(self, environment: EnvironmentFile, cadences: Cadences, footprints: Mapping[str, Footprint]) -> None:
        self._environment = environment
        self._cadences = cadences
        self._footprints = footprints
        self._turns = asyncio.Semaphore(PAGES_AT_ONCE)
        self._caches: dict[str, CacheSessions] = {}
        self._visits = {
            name: Visits(
                name,
                {member: target_of(cluster, server) for member, server in cluster.servers.items()},
                every_s=cadences.normal.every_s,
            )
            for name, cluster in environment.postgres.items()
        }

    def of(self, name: str, application: Application) -> list[Source]:
        """Every source of one tenant."""
        normal, slow = self._cadences.normal, self._cadences.slow
        cluster = cluster_of(self._environment, application)
        places = []
        if cluster:
            maintenance = self._environment.postgres[cluster].database
            visits = self._visits[cluster]
            places = [Place(name, each, visits, maintenance) for each in dict.fromkeys(application.databases)]
        sources: list[Source] = []
        for place in places:
            sources.append(OdooDatabaseSource(place, deadline_s=normal.deadline_s))
            sources.append(OdooFilesSource(place, application.filestore, slow))
        if application.url:
            named = places[0].known if places else lambda: ""
            sources.append(OdooPagesSource(name, application, named, self._turns, every_s=normal.every_s))
        sources += self._sessions(name, application)
        if application.log is not None and (application.log.path or application.log.command):
            sources.append(OdooLogSource(name, application.log, normal))
        return sources

    def _sessions(self, name: str, application: Application) -> list[Source]:
        store, slow = application.sessions, self._cadences.slow
        if store is None:
            return []
        if store.path:
            return [DiskSessionsSource(name, store.path, application.databases[0], slow)]
        if store.cache not in self._environment.redis:
            return []
        return [CachedSessionsSource(name, store.prefix, self._cache(store.cache), slow)]

    def _cache(self, name: str) -> CacheSessions:
        if name not in self._caches:
            cache = self._environment.redis[name]
            footprint = self._footprints.get(name) or Footprint()
            choice = Choice({server: link_of(cache, place) for server, place in cache.servers.items()}, footprint)
            fresh_s = 0.6 * self._cadences.slow.every_s
            self._caches[name] = CacheSessions(name, choice, footprint, fresh_s=fresh_s)
        return self._caches[name]


def cluster_of(environment: EnvironmentFile, application: Application) -> str:
    """Name of the PostgreSQL cluster that holds an application's databases; empty: it cannot be told."""
    if application.cluster:
        return application.cluster if application.cluster in environment.postgres else ""
    return next(iter(environment.postgres)) if len(environment.postgres) == 1 else ""
