"""For every kind about an ingress: what makes it, and what is just not enough to make it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec

from console.readings import (
    Reading,
    ReloadFailure,
    TraefikCertificates,
    TraefikConfig,
    TraefikReloads,
    TraefikServer,
    TraefikService,
)
from tests.assessment.cases import Act, Case
from tests.assessment.scene import Scene
from tests.assessment.scene_traefik import certificate, routers, rows, served, traefik, traffic

SERVER = "edge/traefik-1"


def _metrics(**own: Any) -> Act:
    """Traffic of tenants as given; ``whole``: fields of the reading."""
    whole = own.pop("whole", {})
    return lambda scene: scene.change(TraefikServer, SERVER, routers=rows(**own), **whole)


def _config(**fields: Any) -> Act:
    return lambda scene: scene.change(TraefikConfig, SERVER, **fields)


def _certificate(**own: Callable[[Scene], Any]) -> Act:
    def act(scene: Scene) -> None:
        scene.change(
            TraefikCertificates,
            "edge",
            certificates=lambda: served(scene.now, **{name: make(scene) for name, make in own.items()}),
        )

    return act


def _reloads(seconds_ago: float) -> Act:
    def act(scene: Scene) -> None:
        at = scene.now
        failure = ReloadFailure("file", at, at, 1, "collecting file configs: routes.yml: yaml: line 3")
        scene.change(TraefikReloads, SERVER, failures={"file": failure})
        scene.change(TraefikServer, SERVER, reloaded_at=at - timedelta(seconds=seconds_ago))

    return act


def _fail(*readings: tuple[type[Reading], str]) -> Act:
    def act(scene: Scene) -> None:
        for cls, key in readings:
            scene.fail(cls, key)

    return act


def well(scene: Scene) -> None:
    """All is as it was."""
    for cls in (TraefikServer, TraefikConfig, TraefikReloads):
        scene.mend(cls, SERVER)
    scene.mend(TraefikCertificates, "edge")


def gone(share: float, requests: int = 80) -> Any:
    """A tenant of whose requests this share ends in 502."""
    per_s = requests / 20
    failed = per_s * share
    return traffic("acme@file", "acme", per_s, requests=requests, errors_per_s=failed, gateway_per_s=failed)


def broken(problem: str) -> Any:
    """acme's router, not in force for this reason."""
    return msgspec.structs.replace(routers()["acme@file"], state="disabled", problems=(problem,))


def _odd(**more: Any) -> Any:
    return traffic("acme@file", "acme", **more)


DEAD = TraefikService(
    "acme@file", "acme", "loadBalancer", {"http://10.1.0.1:8069": "DOWN"}, True, "enabled", ("acme@file",)
)
LAME = TraefikService(
    "acme@file", "acme", "loadBalancer", {"http://10.1.0.1:8069": "DOWN", "http://10.1.0.2:8069": "UP"}, True, "enabled", ("acme@file",)
)  # fmt: skip
HALF = {name: traffic(f"{name}@file", name, errors_per_s=0.4) for name in ("acme", "bauhof", "cobalt")}

TRAEFIK: tuple[Case, ...] = (
    Case("backend-down:edge/acme", _metrics(acme=gone(1.0)), well, _metrics(acme=gone(0.4)), "critical", traefik),
    Case("backend-slow:edge/acme", _metrics(acme=_odd(p95_ms=4200.0)), well, _metrics(acme=_odd(p95_ms=2800.0)), platform=traefik),
    Case("requests-flood:edge/acme", _metrics(acme=_odd(per_s=60.0)), well, _metrics(acme=_odd(per_s=19.0)), platform=traefik),
    Case(
        "middleware-missing:edge/acme", _config(routers=routers(acme=broken('middleware "gate@file" does not exist'))), well,
        _config(routers=routers()), "critical", traefik,
    ),
    Case(
        "router-broken:edge/acme", _config(routers=routers(acme=broken('the service "odoo@file" does not exist'))), well,
        _config(routers=routers()), "critical", traefik,
    ),
    Case("config-not-reloaded:edge/traefik-1", _reloads(60), well, _reloads(-60), platform=traefik),
    Case(
        "cert-expiring:edge/acme.example.com", _certificate(acme=lambda scene: certificate(scene.now, "acme", 9)), well,
        _certificate(acme=lambda scene: certificate(scene.now, "acme", 22)), platform=traefik,
    ),
    Case(
        "cert-wrong-host:edge/acme.example.com",
        _certificate(acme=lambda scene: certificate(scene.now, "acme", matches=False, names=("www.example.com",))), well,
        _certificate(acme=lambda scene: certificate(scene.now, "acme", names=("*.example.com",))), "critical", traefik,
    ),
    Case(
        "cert-untrusted:edge/acme.example.com",
        _certificate(acme=lambda scene: certificate(scene.now, "acme", trusted=False, why="unable to get local issuer certificate")), well,
        _certificate(acme=lambda scene: certificate(scene.now, "acme", trusted=None)), "critical", traefik,
    ),
    Case(
        "ingress-errors:edge", _metrics(**HALF, whole={"errors_per_s": 1.2}), well,
        _metrics(acme=_odd(errors_per_s=1.2), whole={"errors_per_s": 1.2}), platform=traefik,
    ),
    Case("ingress-unreachable:edge", _fail((TraefikCertificates, "edge")), well, lambda _scene: None, "critical", traefik),
)  # fmt: skip
