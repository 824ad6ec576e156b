"""How each live system is looked at: one module per system, one line of registration here."""

from __future__ import annotations

from console.settings import Cadences, EnvironmentFile
from console.sources.base import Check, Source, SourceError

__all__ = ["Check", "Source", "SourceError", "sources_for"]


def sources_for(environment: EnvironmentFile, cadences: Cadences) -> list[Source]:
    """Every source of an environment. Nothing is connected yet; a client library is loaded only where it is needed."""
    sources: list[Source] = []
    footprints = {}
    if environment.postgres:
        from console.sources.postgres import postgres_sources

        sources += postgres_sources(environment, cadences)
    if environment.redis:
        from console.sources.redis import redis_sources
        from console.sources.redis_common import Footprint

        footprints = {name: Footprint() for name in environment.redis}
        sources += redis_sources(environment, cadences, footprints)
    if environment.kubernetes:
        from console.sources.kubernetes import kubernetes_sources

        sources += kubernetes_sources(environment, cadences)
    if environment.traefik:
        from console.sources.traefik import traefik_sources

        sources += traefik_sources(environment, cadences)
    if any(application.odoo for application in environment.applications.values()):
        from console.sources.odoo import odoo_sources

        sources += odoo_sources(environment, cadences, footprints)
    return sources
