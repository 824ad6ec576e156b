"""Whose traffic it is: hosts of a router's rule, and the tenant behind a router or service. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from console.readings import TraefikRouter
from console.settings import Application

_MATCHER = re.compile(r"(!?)\s*\b(Host|HostHeader|HostSNI|HostRegexp)\(([^()]*)\)", re.IGNORECASE)
_QUOTED = re.compile(r"`([^`]*)`|\"([^\"]*)\"")
_PROVIDERS = ("kubernetescrd", "kubernetes", "kubernetesgateway")
"""Whose names begin with the namespace, and a dash."""
_MOST_RULE = 20_000


def hosts_of(rule: str) -> tuple[tuple[str, ...], bool]:
    """Names that a rule spells out, and whether it may match others too.

    ``Host(`a`) || Host(`b`)`` as in version 3, ``Host(`a`, `b`)`` as in version 2; what is negated names nothing.
    """
    hosts: dict[str, None] = {}
    open_ended = False
    for negated, matcher, inside in _MATCHER.findall(rule[:_MOST_RULE]):
        if negated or matcher.lower() == "hostregexp":
            open_ended = True
            continue
        for ticked, quoted in _QUOTED.findall(inside):
            name = (ticked or quoted).strip().rstrip(".").lower()
            if name == "*" or not name:
                open_ended = True
            else:
                hosts[name] = None
    return tuple(hosts), open_ended or not hosts


class Routing:
    """What the sources of one ingress tell one another: who serves which names for whom."""

    def __init__(self, applications: Mapping[str, Application]) -> None:
        self._by_host = {
            host.lower(): name
            for name, application in applications.items()
            if application.url and (host := urlsplit(application.url).hostname)
        }
        # The longest first: `tenant-acme` must not take what is `tenant-acme-test`'s.
        self._by_namespace = sorted(
            ((application.namespace, name) for name, application in applications.items() if application.namespace),
            key=lambda pair: (-len(pair[0]), pair),
        )
        self._routers: dict[str, dict[str, TraefikRouter]] = {}
        self._services: dict[str, dict[str, str]] = {}

    def learn(self, server: str, routers: Mapping[str, TraefikRouter], services: Mapping[str, str]) -> None:
        """Routers in force on one server, with their tenants, and the tenant of each service."""
        self._routers[server] = dict(routers)
        self._services[server] = dict(services)

    @property
    def hosts(self) -> dict[str, str]:
        """Names that routers with TLS spell out → tenant, empty where it is nobody's."""
        return {
            host: self.tenant_at([host]) or router.tenant
            for routers in self._routers.values()
            for router in routers.values()
            if router.tls
            for host in router.hosts
        }

    def tenant_at(self, hosts: Iterable[str]) -> str:
        """The application that is opened by these names; empty: none, or several."""
        found = {self._by_host[host] for host in hosts if host in self._by_host}
        return found.pop() if len(found) == 1 else ""

    def tenant_named(self, *names: str) -> str:
        """The application in whose namespace a router or service lies, by the name that Traefik gives it."""
        for name in names:
            bare, _, provider = name.rpartition("@")
            if provider not in _PROVIDERS:
                continue
            for namespace, application in self._by_namespace:
                # Where an entry point changes routers, its own name stands before theirs.
                if bare.startswith(f"{namespace}-") or bare.partition("-")[2].startswith(f"{namespace}-"):
                    return application
        return ""

    def tenant_of_router(self, name: str) -> str:
        """As the API told of it, else by its name."""
        known = next((routers[name].tenant for routers in self._routers.values() if name in routers), "")
        return known or self.tenant_named(name)

    def tenant_of_service(self, name: str) -> str:
        """By the routers that use it, else by its name."""
        known = next((services[name] for services in self._services.values() if services.get(name)), "")
        return known or self.tenant_named(name)
