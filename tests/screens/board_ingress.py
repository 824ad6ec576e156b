"""Parts of scripted boards: two Traefiks before eight tenants, well and on bad days."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from console.board import Board
from console.readings import (
    AccessRow,
    Certificate,
    Evidence,
    Reading,
    ReloadFailure,
    TraefikAccess,
    TraefikCertificates,
    TraefikConfig,
    TraefikMiddleware,
    TraefikReloads,
    TraefikRouter,
    TraefikServer,
    TraefikService,
    Traffic,
    Trend,
)
from console.readings.environment import Tenant
from tests.screens.board_ground import NOW, ago, change, environment, failed, finding, findings, healthy, put

INGRESS = "edge"
SERVERS = ("traefik-1", "traefik-2")
TENANTS = ("acme", "bauhof", "cobalt", "delta", "ebene", "fjord", "granit", "hafen")
MB = 1024**2


def host(name: str) -> str:
    return f"{name}.example.com"


def router_name(name: str) -> str:
    return f"tenant-{name}-odoo-5f1c2a@kubernetescrd"


def service_name(name: str) -> str:
    return f"tenant-{name}-odoo-8069@kubernetescrd"


def _stamp(now: datetime, key: str, every_s: float = 10) -> dict[str, Any]:
    taken = now - timedelta(seconds=2.4)
    return {"key": key, "taken_at": taken, "took_ms": 3.0, "every_s": every_s, "good_at": taken}


def traffic(label: str, tenant: str, per_s: float, p95: float, **more: Any) -> Traffic:
    plain: dict[str, Any] = {
        "requests": round(per_s * 20),
        "requests_per_s": per_s,
        "errors_per_s": 0.0,
        "gateway_per_s": 0.0,
        "limited_per_s": 0.0,
        "refused_per_s": 0.0,
        "p50_ms": round(p95 / 4),
        "p95_ms": p95,
        "p99_ms": round(p95 * 1.6),
        "usual_per_s": round(per_s * 0.9, 1),
        "usual_p95_ms": round(p95 * 0.95),
    }
    return Traffic(label, tenant, **{**plain, **more})


def server(now: datetime, name: str) -> TraefikServer:
    share = 0.6 if name == SERVERS[0] else 0.4
    rates = {tenant: round((60 - 7 * at) * share, 1) for at, tenant in enumerate(TENANTS)}
    total = round(sum(rates.values()), 1)
    return TraefikServer(
        **_stamp(now, f"{INGRESS}/{name}"),
        ingress=INGRESS,
        server=name,
        started_at=now - timedelta(days=9, hours=4),
        window_s=20.0,
        open_connections={"websecure": 212 if name == SERVERS[0] else 143, "metrics": 1, "traefik": 1},
        requests_per_s=total,
        errors_per_s=round(total * 0.001, 2),
        requests=round(total * 20),
        p50_ms=74,
        p95_ms=310,
        p99_ms=620,
        routers={router_name(each): traffic(router_name(each), each, rate, 240 + 20 * at) for at, (each, rate) in enumerate(rates.items())},
        services={service_name(each): traffic(service_name(each), each, rate, 238 + 20 * at) for at, (each, rate) in enumerate(rates.items())},
        entry_points={"websecure": traffic("websecure", "", total, 310, errors_per_s=round(total * 0.001, 2))},
        reloads=41,
        reloaded_at=now - timedelta(minutes=52),
        memory_bytes=118 * MB,
        series=1904,
    )  # fmt: skip


def config(now: datetime, name: str) -> TraefikConfig:
    routers = {
        router_name(each): TraefikRouter(
            router_name(each), each, f"Host(`{host(each)}`)", (host(each),), service=f"tenant-{each}-odoo-8069",
            entry_points=("websecure",), middlewares=(f"tenant-{each}-gate@kubernetescrd",), tls=True, state="enabled",
        )
        for each in TENANTS
    }  # fmt: skip
    services = {
        service_name(each): TraefikService(
            service_name(each), each, "loadBalancer",
            {f"http://10.1.{at}.{pod}:8069": "UP" for pod in range(2, 4 if each == "acme" else 3)},
            checked=each == "acme", state="enabled", used_by=(router_name(each),),
        )
        for at, each in enumerate(TENANTS)
    }  # fmt: skip
    middlewares = {
        f"tenant-{each}-gate@kubernetescrd": TraefikMiddleware(
            f"tenant-{each}-gate@kubernetescrd", "headers", "enabled", (router_name(each),)
        )
        for each in TENANTS
    }
    return TraefikConfig(
        **_stamp(now, f"{INGRESS}/{name}"),
        ingress=INGRESS,
        server=name,
        version="3.7.15",
        routers=routers,
        services=services,
        middlewares=middlewares,
        providers=("KubernetesCRD",),
    )


def certificate(now: datetime, name: str, days: float, **more: Any) -> Certificate:
    plain: dict[str, Any] = {
        "tenant": name,
        "seen_at": now - timedelta(seconds=31),
        "subject": f"CN={host(name)}",
        "issuer": "CN=R11,O=Let's Encrypt,C=US",
        "names": (host(name),),
        "not_before": now - timedelta(days=90 - days),
        "not_after": now + timedelta(days=days),
        "serial": f"4f{name.encode().hex()}9a",
        "matches": True,
        "trusted": True,
        "chain": 2,
    }
    return Certificate(host(name), **{**plain, **more})


def certificates(now: datetime) -> TraefikCertificates:
    rows = {host(each): certificate(now, each, 41 + 6 * at) for at, each in enumerate(TENANTS)}
    return TraefikCertificates(**_stamp(now, INGRESS), ingress=INGRESS, address="203.0.113.7:443", certificates=rows)


def readings(now: datetime) -> list[Reading]:
    """Everything that a healthy ingress says at ``now``."""
    found: list[Reading] = [server(now, name) for name in SERVERS]
    found += [config(now, name) for name in SERVERS]
    found += [TraefikReloads(**_stamp(now, f"{INGRESS}/{name}"), ingress=INGRESS, server=name) for name in SERVERS]
    found += [certificates(now), TraefikAccess(**_stamp(now, INGRESS), ingress=INGRESS, lines=84_000)]
    return found


def trends(now: datetime) -> list[Reading]:
    step = int(now.timestamp()) // 10
    series = {
        "requests": ("/s", 280.0),
        "errors": ("ratio", 0.001),
        "p50": ("ms", 75.0),
        "p95": ("ms", 310.0),
        "connections": ("", 355.0),
    }
    return [
        Trend(
            key=f"ingress/{INGRESS}/{name}",
            taken_at=ago(now, 2),
            unit=unit,
            points={step - 90 + i: level * (0.8 + 0.4 * ((i * 37 % 90) / 90)) for i in range(90)},
        )
        for name, (unit, level) in series.items()
    ]


def ingress_well(now: datetime = NOW) -> Board:
    """Nothing is wrong."""
    board = healthy(now)
    more = readings(now)
    everything = [reading for reading in board if reading.pane is not None] + more
    tenants = {each: Tenant(each.capitalize(), (f"{each}_prod",), hosts=(host(each),)) for each in TENANTS}
    put(board, *more, *trends(now), environment(now, everything, applications=tenants))
    return put(board, findings(now, board, []))


def _bad(now: datetime, kind: str, name: str, severity: str, title: str, age_s: float, **more: Any) -> Any:
    subject = f"{INGRESS}/{name}"
    return finding(now, kind, subject, severity, title, age_s, pane="ingress", **more)


def ingress_broken(now: datetime = NOW) -> Board:
    """acme's backend is gone, bauhof is slow, cobalt's middleware is missing, delta is flooded, two certificates are bad."""
    board = ingress_well(now)
    for name in SERVERS:
        key = f"{INGRESS}/{name}"
        old = board.get(TraefikServer, key)
        plan = board.get(TraefikConfig, key)
        assert old is not None
        assert plan is not None
        routers = dict(old.routers)
        routers[router_name("acme")] = traffic(
            router_name("acme"),
            "acme",
            31.0,
            2,
            errors_per_s=31.0,
            gateway_per_s=31.0,
            usual_p95_ms=230,
            usual_per_s=32.0,
        )
        routers[router_name("bauhof")] = traffic(
            router_name("bauhof"), "bauhof", 18.0, 5000, over_ms=5000.0, p50_ms=2400, usual_p95_ms=250, p99_ms=5000
        )
        routers[router_name("delta")] = traffic(
            router_name("delta"), "delta", 240.0, 610, limited_per_s=12.0, usual_per_s=14.0
        )
        del routers[router_name("cobalt")]
        change(
            board,
            TraefikServer,
            key,
            routers=routers,
            errors_per_s=31.4,
            requests_per_s=390.0,
            requests=7800,
            p95_ms=2600,
            p99_ms=5000,
        )
        cobalt = msgspec.structs.replace(
            plan.routers[router_name("cobalt")], state="disabled",
            problems=('middleware "tenant-cobalt-gate@kubernetescrd" does not exist',),
        )  # fmt: skip
        acme = msgspec.structs.replace(
            plan.services[service_name("acme")],
            servers={"http://10.1.0.2:8069": "DOWN", "http://10.1.0.3:8069": "DOWN"},
        )
        middlewares = {each: row for each, row in plan.middlewares.items() if "cobalt" not in each}
        change(
            board, TraefikConfig, key, routers={**plan.routers, router_name("cobalt"): cobalt},
            services={**plan.services, service_name("acme"): acme}, middlewares=middlewares,
        )  # fmt: skip
    served = board.get(TraefikCertificates, INGRESS)
    assert served is not None
    rows = dict(served.certificates)
    rows[host("ebene")] = certificate(now, "ebene", 9)
    rows[host("fjord")] = certificate(now, "fjord", 3650, default=True, matches=False, trusted=False, why="self-signed certificate",
                                      names=("5f1c.traefik.default",), subject="CN=TRAEFIK DEFAULT CERT", issuer="CN=TRAEFIK DEFAULT CERT", chain=1)  # fmt: skip
    rows[host("granit")] = certificate(now, "granit", 60, matches=False, names=("www.granit.example.com",))
    change(board, TraefikCertificates, INGRESS, certificates=rows)
    change(
        board, TraefikReloads, f"{INGRESS}/traefik-2",
        failures={"kubernetescrd": ReloadFailure("kubernetescrd", ago(now, 70), ago(now, 400), 12, "failed to list *v1alpha1.IngressRoute: Unauthorized")},
    )  # fmt: skip
    change(
        board, TraefikAccess, INGRESS, lines=91_000,
        wrong={
            "502 acme": AccessRow(router_name("acme"), 502, "acme", 6_812, ago(now, 214), ago(now, 3), "POST", "/web/dataset/call_kw", "10.1.0.2:8069", False, 12.0, 11.0),
            "503 acme": AccessRow(router_name("acme"), 503, "acme", 410, ago(now, 190), ago(now, 4), "GET", "/web", "", True, 1.0, None),
            "429 delta": AccessRow(router_name("delta"), 429, "delta", 2_411, ago(now, 250), ago(now, 2), "GET", "/shop", "", True, 0.4, None),
        },
        slow={"bauhof": AccessRow(router_name("bauhof"), 200, "bauhof", 391, ago(now, 280), ago(now, 5), "POST", "/web/action/run", "10.1.1.2:8069", False, 14_200.0, 14_190.0)},
    )  # fmt: skip
    source = f"traefik {INGRESS}/traefik-1"
    rows_found = [
        _bad(now, "backend-down", "acme", "critical", "No backend answers for Acme behind edge (all servers are down)", 214,
             impact="acme_prod: every page ends in an error.", action="See whether its pods run and are ready (cluster pane), then their log.",
             affects=("acme_prod",), tenants=("acme",), evidence=(Evidence("502, 503, 504", "100 % of 1240 requests", "50%", source, ago(now, 2)),)),
        _bad(now, "middleware-missing", "cobalt", "critical", "Route of Cobalt at edge names a middleware that is missing", 120,
             impact="cobalt_prod: nothing can be opened, every request is answered with 404.", action="Create tenant-cobalt-gate again.", tenants=("cobalt",)),
        _bad(now, "cert-untrusted", host("fjord"), "critical", f"Traefik's own default certificate is served for {host('fjord')}", 900,
             impact="fjord_prod: browsers refuse the page.", action="See whether the Secret that the route names is there.", tenants=("fjord",)),
        _bad(now, "cert-wrong-host", host("granit"), "critical", f"Certificate served for {host('granit')} is not made out to it", 800, tenants=("granit",)),
        _bad(now, "backend-slow", "bauhof", "warning", "Bauhof answers slowly behind edge: p95 5.0 s", 280, tenants=("bauhof",)),
        _bad(now, "requests-flood", "delta", "warning", "Flood of requests to Delta at edge: 480/s", 250, tenants=("delta",)),
        _bad(now, "config-not-reloaded", "traefik-2", "warning", "traefik-2 of edge does not take the configuration of kubernetescrd", 400),
        _bad(now, "cert-expiring", host("ebene"), "warning", f"Certificate of {host('ebene')} runs out in 9 d", 40_000, tenants=("ebene",)),
    ]  # fmt: skip
    return put(board, findings(now, board, rows_found))


def ingress_silent(now: datetime = NOW) -> Board:
    """Nobody can be asked, and clients get no connection."""
    board = ingress_well(now)
    for name in SERVERS:
        for cls in (TraefikServer, TraefikConfig):
            failed(
                board,
                cls,
                f"{INGRESS}/{name}",
                now,
                "http://10.0.0.31:9100/metrics: GET /metrics: All connection attempts failed",
                42,
            )
        failed(board, TraefikReloads, f"{INGRESS}/{name}", now, "/var/log/traefik.log: No such file or directory", None)
    for cls in (TraefikCertificates, TraefikAccess):
        failed(board, cls, INGRESS, now, "203.0.113.7:443: refuses connections", 42)
    rows = [
        _bad(now, "ingress-unreachable", "", "critical", "edge cannot be reached: clients get no connection", 42,
             id="ingress-unreachable:edge", impact="acme_prod and 7 more: nothing can be opened.", action="See whether Traefik runs."),
    ]  # fmt: skip
    rows = [msgspec.structs.replace(row, subject=INGRESS) for row in rows]
    return put(board, findings(now, board, rows))


def ingress_bare(now: datetime = NOW) -> Board:
    """Metrics alone, without labels of routers; no API, no address, no logs."""
    board = ingress_well(now)
    for reading in list(board):
        if reading.pane == "ingress" and not isinstance(reading, TraefikServer):
            board.remove(reading.where)
    for name in SERVERS:
        untold = {"routers": "metrics: {prometheus: {addRoutersLabels: true}}"}
        change(board, TraefikServer, f"{INGRESS}/{name}", routers={}, untold=untold)
    told = [reading for reading in board if reading.pane is not None]
    put(board, environment(now, told))
    return put(board, findings(now, board, []))
