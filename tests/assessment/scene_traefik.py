"""An ingress that is well: two tenants behind one Traefik."""

from __future__ import annotations

from datetime import datetime, timedelta

from console.readings import (
    Certificate,
    Reading,
    TraefikAccess,
    TraefikCertificates,
    TraefikConfig,
    TraefikReloads,
    TraefikRouter,
    TraefikServer,
    TraefikService,
    Traffic,
)
from console.settings import Application, EnvironmentFile, LogSource, TraefikIngress
from console.settings import TraefikServer as Place

TENANTS = ("acme", "bauhof", "cobalt")
WINDOW_S = 20.0


def traefik(servers: int = 1) -> EnvironmentFile:
    """Of a platform with this ingress alone."""
    places = {
        f"traefik-{number}": Place(
            metrics="http://10.0.0.31:9100/metrics", api="http://10.0.0.31:8080", log=LogSource(path="/t.log")
        )
        for number in range(1, servers + 1)
    }
    return EnvironmentFile(
        name="test",
        traefik={
            "edge": TraefikIngress(servers=places, address="203.0.113.7:443", access_log=LogSource(path="/a.log"))
        },
        applications={
            name: Application(databases=[name], label=name.capitalize(), url=f"https://{host(name)}")
            for name in TENANTS
        },
    )


def two_traefiks() -> EnvironmentFile:
    """The same with two Traefiks."""
    return traefik(2)


def host(name: str) -> str:
    return f"{name}.example.com"


def traffic(name: str, tenant: str = "", per_s: float = 4.0, **more: float | int | None) -> Traffic:
    """Of a tenant that is asked ``per_s`` times a second and is well."""
    plain: dict[str, float | int | None] = {
        "requests": round(per_s * WINDOW_S),
        "requests_per_s": per_s,
        "errors_per_s": 0.0,
        "gateway_per_s": 0.0,
        "limited_per_s": 0.0,
        "refused_per_s": 0.0,
        "slow": 0,
        "p50_ms": 80.0,
        "p95_ms": 300.0,
        "p99_ms": 700.0,
        "usual_per_s": 4.0,
        "usual_p95_ms": 280.0,
    }
    return Traffic(name, tenant, **{**plain, **more})  # type: ignore[arg-type]


def rows(**own: Traffic) -> dict[str, Traffic]:
    """Routers' traffic, some of it as given, by tenant."""
    return {f"{name}@file": own.get(name) or traffic(f"{name}@file", name) for name in TENANTS}


def routers(**own: TraefikRouter | None) -> dict[str, TraefikRouter]:
    """Routers in force, some of them as given; None: it is not there."""
    made = {
        name: own.get(name)
        if name in own
        else TraefikRouter(
            f"{name}@file", name, f"Host(`{host(name)}`)", (host(name),), service=name, tls=True, state="enabled"
        )
        for name in TENANTS
    }
    return {f"{name}@file": row for name, row in made.items() if row is not None}


def services(**own: TraefikService) -> dict[str, TraefikService]:
    """Services in force, some of them as given."""
    return {
        f"{name}@file": own.get(name)
        or TraefikService(f"{name}@file", name, "loadBalancer", {"http://10.1.0.1:8069": "UP"}, state="enabled", used_by=(f"{name}@file",))
        for name in TENANTS
    }  # fmt: skip


def certificate(now: datetime, name: str, days: float = 60, **more: object) -> Certificate:
    """A good one that ends in so many days."""
    plain: dict[str, object] = {
        "tenant": name,
        "seen_at": now,
        "subject": f"CN={host(name)}",
        "issuer": "CN=R11",
        "names": (host(name),),
        "not_before": now - timedelta(days=30),
        "not_after": now + timedelta(days=days),
        "serial": f"s-{name}",
        "matches": True,
        "trusted": True,
        "chain": 2,
    }
    return Certificate(host(name), **{**plain, **more})  # type: ignore[arg-type]


def served(now: datetime, **own: Certificate) -> dict[str, Certificate]:
    """Certificates, some of them as given."""
    return {host(name): own.get(name) or certificate(now, name) for name in TENANTS}


def traefik_readings(now: datetime, settings: EnvironmentFile) -> list[Reading]:
    """What every ingress of the environment says."""
    made: list[Reading] = []
    for name, ingress in settings.traefik.items():
        for server, place in ingress.servers.items():
            key = {"key": f"{name}/{server}", "taken_at": now, "ingress": name, "server": server}
            if not place.api:
                continue
            counted = rows()
            made.append(
                TraefikServer(
                    **key, window_s=WINDOW_S, requests=240, requests_per_s=12.0, errors_per_s=0.0, p95_ms=300.0,
                    routers=counted, services=counted, reloads=3, reloaded_at=now - timedelta(hours=2),
                    entry_points={"websecure": traffic("websecure", "", 12.0)},
                )
            )  # fmt: skip
            made.append(TraefikConfig(**key, version="3.7.15", routers=routers(), services=services()))
            if place.log:
                made.append(TraefikReloads(**key))
        if ingress.address:
            made.append(TraefikCertificates(key=name, taken_at=now, ingress=name, certificates=served(now)))
        if ingress.access_log:
            made.append(TraefikAccess(key=name, taken_at=now, ingress=name, lines=3600))
    return made
