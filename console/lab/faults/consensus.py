"""Faults of what decides who is primary: Patroni paused, etcd gone."""

from __future__ import annotations

import httpx

from console.lab import health
from console.lab.errors import LabError
from console.lab.faults import tools
from console.lab.faults.base import Deed, Fault, Signs, Stroke, Truth


def _set_pause(stroke: Stroke, value: bool | None) -> None:
    problem = "no member's Patroni answers"
    for server in stroke.lab.of_kind("patroni"):
        try:
            with httpx.Client(trust_env=False) as client:
                answer = client.patch(
                    f"http://127.0.0.1:{server.ports['rest']}/config", json={"pause": value}, timeout=5
                )
        except httpx.HTTPError as error:
            problem = f"{server.name}: {error}"
            continue
        if answer.is_success:
            return
        problem = f"{server.name}: {answer.status_code}"
    raise LabError(f"Patroni's settings could not be changed: {problem}")


def _paused(stroke: Stroke) -> bool:
    try:
        return any(health.rest(server, "/patroni").get("pause") is True for server in stroke.lab.of_kind("patroni"))
    except (httpx.HTTPError, ValueError):
        return False


PAUSE_PATRONI = Fault(
    name="pause-patroni",
    does='PATCH {"pause": true} on Patroni\'s /config: nobody fails over until heal takes it back',
    observable_from="a member's Patroni says that it is paused",
    signs=Signs(
        findings=("patroni-paused",),
        panes={"database": "warning"},
        latency_s=8,
        truth=Truth(
            broken="Patroni is paused: if the primary dies, nobody takes over",
            felt="nobody, yet",
            cause="patroni-paused",
        ),
    ),
)

ETCD_DOWN = Fault(
    name="etcd-down",
    does="SIGKILL to etcd, held down until heal. Some seven seconds later the primary demotes itself: all members read only",
    observable_from="etcd's port refuses connections",
    signs=Signs(
        findings=("dcs-unreachable",),
        allowed=(
            "no-primary",
            "primary-unreachable",
            "primary-restarted",
            "leader-stale",
            "patroni-unreachable",
            "standby-not-streaming",
            "sync-standby-missing",
        ),
        panes={"database": "critical"},
        latency_s=15,
        lingers_s=130,
        tenants=("*",),
        truth=Truth(
            broken="etcd is gone: no member may be primary without it, so all are read only",
            felt="every tenant: reading works, nothing can be saved",
            cause="dcs-unreachable",
        ),
    ),
)

DEEDS = {
    PAUSE_PATRONI.name: (
        PAUSE_PATRONI,
        Deed(lambda stroke: _set_pause(stroke, True), _paused, lambda stroke: _set_pause(stroke, None)),
    ),
    ETCD_DOWN.name: (
        ETCD_DOWN,
        Deed(
            lambda stroke: tools.hold(stroke, "etcd"),
            lambda stroke: tools.refused(stroke.lab.servers["etcd"]),
            lambda stroke: tools.release(stroke, "etcd"),
        ),
    ),
}
