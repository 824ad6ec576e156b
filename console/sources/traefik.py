"""The sources for every Traefik ingress of an environment."""

from __future__ import annotations

from console.clients.certificate import Handshakes
from console.clients.web import MIB, Web
from console.settings import Cadences, EnvironmentFile
from console.settings.environment import LogSource, TraefikIngress
from console.sources.base import Source
from console.sources.traefik_access import TraefikAccessSource
from console.sources.traefik_certificates import TraefikCertificatesSource
from console.sources.traefik_config import TraefikConfigSource
from console.sources.traefik_reloads import TraefikReloadsSource
from console.sources.traefik_routing import Routing
from console.sources.traefik_server import TraefikServerSource


def traefik_sources(environment: EnvironmentFile, cadences: Cadences) -> list[Source]:
    """Metrics, configuration and log of each server, certificates and access log of each ingress: at the normal cadence."""
    return [
        source
        for name, ingress in environment.traefik.items()
        for source in _of(name, ingress, Routing(environment.applications), cadences)
    ]


def _of(name: str, ingress: TraefikIngress, routing: Routing, cadences: Cadences) -> list[Source]:
    cadence = cadences.normal
    sources: list[Source] = []
    for server, place in ingress.servers.items():
        metrics = Web(place.metrics, ca_file=ingress.ca_file, most=64 * MIB)
        sources.append(TraefikServerSource(name, server, metrics, routing, cadence))
        if place.api:
            api = Web(place.api, ca_file=ingress.ca_file)
            sources.append(TraefikConfigSource(name, server, api, routing, cadence))
        if _named(place.log):
            assert place.log is not None
            sources.append(TraefikReloadsSource(name, server, place.log, cadence))
    if ingress.address:
        host, _, port = ingress.address.rpartition(":")
        shakes = Handshakes(host.strip("[]"), int(port), ingress.ca_file)
        sources.append(TraefikCertificatesSource(name, shakes, ingress.hosts, routing, cadence))
    if _named(ingress.access_log):
        assert ingress.access_log is not None
        sources.append(TraefikAccessSource(name, ingress.access_log, routing, cadence))
    return sources


def _named(log: LogSource | None) -> bool:
    return log is not None and bool(log.path or log.command)
