"""Faults of the cluster's nodes: silent, full, or a whole zone gone."""

from __future__ import annotations

from console.lab.errors import LabError
from console.lab.faults import platform
from console.lab.faults.base import Deed, Fault, Parameter, Signs, Stroke, Truth
from console.lab.manifests import ingress
from console.lab.platform import control
from console.lab.platform.admin import condition
from console.lab.state import Lab
from console.lab.tenants import tenant

_HOW = Parameter(
    "how", "power", "power: its processes end; freeze: they stand still, as behind a cut network", ("power", "freeze")
)
_ANY = "any"


def _entrances(lab: Lab) -> set[str]:
    """Nodes that Traefik runs on."""
    return {pod["spec"].get("nodeName", "") for pod in platform.pods(lab, ingress.NAMESPACE)}


def _lose(stroke: Stroke, nodes: list[str]) -> None:
    stroke.notes["nodes"] = " ".join(nodes)
    stroke.notes["felt"] = " ".join(platform.tenants_on(stroke.lab, nodes))
    control.lose(stroke.lab.path, *nodes, how="freeze" if stroke.text("how") == "freeze" else "power")


def _lost(stroke: Stroke) -> bool:
    """Whether the cluster has noticed: it does when their Leases have run out."""
    nodes = stroke.notes["nodes"].split()
    return all(condition(platform.look(stroke, "Node", name), "Ready") == "Unknown" for name in nodes)


def _back(stroke: Stroke) -> None:
    if stroke.notes.get("nodes"):
        control.restore(stroke.lab.path, *stroke.notes["nodes"].split())


def _lose_node(stroke: Stroke) -> None:
    wanted = stroke.text("tenant")
    names = platform.NAMES if wanted == _ANY else (wanted,)
    nodes = [str(platform.serving(stroke.lab, tenant(name))["spec"]["nodeName"]) for name in names]
    spared = [node for node in nodes if node not in _entrances(stroke.lab)]
    if not spared:
        raise LabError(f"Traefik runs on {nodes[0]} too: without it nobody is served; choose another tenant")
    _lose(stroke, spared[:1])


def _lose_zone(stroke: Stroke) -> None:
    entrances = _entrances(stroke.lab)
    zones = [control.zone(stroke.lab.path, name) for name in "abc"]
    spared = [nodes for nodes in zones if not entrances & set(nodes) and platform.tenants_on(stroke.lab, nodes)]
    if not spared:
        raise LabError("every zone holds Traefik or no tenant at all")
    _lose(stroke, spared[0])


def _fill(stroke: Stroke) -> None:
    stroke.notes |= {
        "nodes": stroke.text("node"),
        "felt": " ".join(platform.tenants_on(stroke.lab, [stroke.text("node")])),
    }
    control.fill_disk(stroke.lab.path, stroke.text("node"))


def _pressed(stroke: Stroke) -> bool:
    return condition(platform.look(stroke, "Node", stroke.text("node")), "DiskPressure") == "True"


NODE_NOT_READY = Fault(
    name="node-not-ready",
    does="a node that runs a tenant's Odoo, and not Traefik, is lost until heal: its kubelet reports nothing any more and its pods' processes "
    "are killed (how=freeze: stand still). After 8 s its Lease has run out, after another 15 s its pods are made anew on others",
    observable_from="the node's condition Ready is Unknown, some 8 s after it was lost",
    needs_platform=True,
    parameters=(Parameter("tenant", _ANY, "whose Odoo", (_ANY, *platform.NAMES)), _HOW),
    signs=Signs(
        findings=("node-not-ready",),
        allowed=("backend-down", "ingress-errors"),
        panes={"cluster": "warning"},
        latency_s=30,
        tenants=("{felt}",),
        truth=Truth(
            broken="a node no longer reports; whatever ran on it is gone",
            felt="tenants with a pod on it: nothing answers for some 30 s, until their pods run elsewhere",
            cause="node-not-ready",
        ),
    ),
)

NODE_PRESSURE = Fault(
    name="node-pressure",
    does="a file fills the node's disk to 95 % until heal, above the 85 % from which its kubelet reports DiskPressure: the "
    "scheduler gives it no more pods. What runs there runs on",
    observable_from="the node's condition DiskPressure is True",
    needs_platform=True,
    parameters=(Parameter("node", "node-5", "whose disk", tuple(f"node-{number}" for number in range(1, 7))),),
    signs=Signs(
        findings=("node-pressure",),
        panes={"cluster": "warning"},
        latency_s=15,
        tenants=("{felt}",),
        truth=Truth(
            broken="the disk of one node is full; it takes no more pods",
            felt="nobody, yet",
            cause="node-pressure",
        ),
    ),
)

ZONE_LOST = Fault(
    name="zone-lost",
    does="both nodes of a zone are lost until heal, as node-not-ready loses one; of the zones that hold tenants, the first in "
    "which Traefik does not run",
    observable_from="both nodes' condition Ready is Unknown, some 8 s after they were lost",
    needs_platform=True,
    parameters=(_HOW,),
    signs=Signs(
        findings=("zone-lost",),
        allowed=("backend-down", "ingress-errors"),
        panes={"cluster": "critical"},
        latency_s=30,
        tenants=("{felt}",),
        truth=Truth(
            broken="no node of one zone reports any more: the zone is lost, or its network cut",
            felt="tenants whose pods ran there: nothing answers for some 30 s, until they run elsewhere",
            cause="zone-lost",
        ),
    ),
)

DEEDS = {
    NODE_NOT_READY.name: (NODE_NOT_READY, Deed(_lose_node, _lost, _back)),
    NODE_PRESSURE.name: (
        NODE_PRESSURE,
        Deed(_fill, _pressed, lambda stroke: control.empty_disk(stroke.lab.path, stroke.text("node"))),
    ),
    ZONE_LOST.name: (ZONE_LOST, Deed(_lose_zone, _lost, _back)),
}
