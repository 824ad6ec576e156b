"""The sources of every tenant whose application the environment file calls Odoo."""

from __future__ import annotations

from console.settings import Application, Cadences, EnvironmentFile
from console.sources.base import Source
from console.sources.odoo_database import OdooDatabaseSource, Place
from console.sources.odoo_visits import Visits
from console.sources.postgres import target_of


def odoo_sources(environment: EnvironmentFile, cadences: Cadences) -> list[Source]:
    """Databases and pages at the normal cadence; sessions and files at the slow one."""
    visits = {
        name: Visits(
            name,
            {member: target_of(cluster, server) for member, server in cluster.servers.items()},
            every_s=cadences.normal.every_s,
        )
        for name, cluster in environment.postgres.items()
    }
    sources: list[Source] = []
    for name, application in environment.applications.items():
        if application.odoo:
            cluster = cluster_of(environment, application)
            if cluster:
                maintenance = environment.postgres[cluster].database
                places = [
                    Place(name, each, visits[cluster], maintenance) for each in dict.fromkeys(application.databases)
                ]
                sources += [OdooDatabaseSource(place, deadline_s=cadences.normal.deadline_s) for place in places]
    return sources


def cluster_of(environment: EnvironmentFile, application: Application) -> str:
    """Name of the PostgreSQL cluster that holds an application's databases; empty: it cannot be told."""
    if application.cluster:
        return application.cluster if application.cluster in environment.postgres else ""
    return next(iter(environment.postgres)) if len(environment.postgres) == 1 else ""
