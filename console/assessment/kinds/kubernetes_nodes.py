"""Nodes and zones of a cluster that are lost or near it."""

from __future__ import annotations

from console.assessment.kubernetes import Kube, Users
from console.assessment.look import Look, fact
from console.assessment.symptom import Said, Symptom, kind
from console.assessment.words import count, listing, short
from console.readings import KubeNode


def _users(kube: Kube, *nodes: str) -> Users:
    """Tenants with pods there, and of a node that is lost those who had some."""
    there = {pod.namespace for name in nodes for pod in kube.pods_by_node.get(name, ()) if pod.owner}
    return kube.users(sorted(there.union(*(kube.memory.were_on.get(name, ()) for name in nodes))))


def _elsewhere(kube: Kube, users: Users) -> str:
    left = len(kube.nodes.nodes) - len(kube.lost_nodes) if kube.nodes else 0
    who = f"{users.words}: what ran there" if users.known else "What ran there"
    if not left:
        return f"{who} serves nobody, and no node is left to start it on."
    return f"{who} serves nobody until it is started elsewhere: within five minutes, unless it was told otherwise."


@kind("zone-lost", "cluster", "after_seconds")
def zone_lost(look: Look) -> Said:
    """No node of a zone is ready, and there are other zones."""
    for kube in look.kubes.values():
        reading = kube.nodes
        if reading is None:
            continue
        for zone, nodes in kube.lost_zones.items():
            users = _users(kube, *nodes)
            since = [node.ready_since for node in nodes.values() if node.ready_since]
            yield Symptom(
                subject=f"{kube.name}/{zone}",
                severity="critical",
                title=f"Zone {short(zone)} of {kube.name} is lost: no node of {len(nodes)} is ready",
                impact=_elsewhere(kube, users),
                action="See whether the zone itself is gone (power, network, provider); then whether the others have room for its pods.",
                stands_on=(reading,),
                since=max(since, default=None),
                affects=users.tenants,
                tenants=users.tenants,
                evidence=(
                    *(fact(reading, short(name, 40), _says(node)) for name, node in list(nodes.items())[:6]),
                    fact(reading, "other zones", listing(_others(kube, zone)) or "none that is ready"),
                ),
                after_s=look.threshold("zone-lost", "after_seconds"),
            )


def _others(kube: Kube, zone: str) -> list[str]:
    rows = kube.nodes.nodes.values() if kube.nodes else ()
    ready: dict[str, int] = {}
    for node in rows:
        if node.zone and node.zone != zone:
            ready[node.zone] = ready.get(node.zone, 0) + (node.ready == "True")
    return [f"{name} {count(number, 'node')} ready" for name, number in sorted(ready.items())]


def _says(node: KubeNode) -> str:
    how = "says nothing any more" if node.ready == "Unknown" else "not ready"
    return f"{how}: {node.reason}" if node.reason else how


@kind("node-not-ready", "cluster", "after_seconds")
def node_not_ready(look: Look) -> Said:
    """A node says that it is not ready, or has stopped reporting."""
    for kube in look.kubes.values():
        reading = kube.nodes
        if reading is None:
            continue
        for name, node in kube.lost_nodes.items():
            users = _users(kube, name)
            pods = len(kube.pods_by_node.get(name, ()))
            all_lost = len(kube.lost_nodes) == len(reading.nodes)
            yield Symptom(
                subject=f"{kube.name}/{name}",
                severity="critical" if all_lost else "warning",
                title=f"Node {short(name, 40)} {'no longer reports' if node.ready == 'Unknown' else 'is not ready'}",
                impact=_elsewhere(kube, users) if pods or users.known else "Users feel nothing: nothing runs on it.",
                action="Look at the machine: does it run, is its disk full, does its kubelet reach the API server? Drain it if it will not come back soon.",
                stands_on=(reading,),
                since=node.ready_since,
                affects=users.tenants,
                tenants=users.tenants,
                evidence=(
                    fact(reading, "ready", _says(node), "True"),
                    fact(reading, "zone", node.zone or "?"),
                    fact(reading, "pods on it", str(pods)),
                    fact(reading, "cordoned", "yes" if node.cordoned else "no"),
                    fact(reading, "nodes that are ready", f"{len(reading.nodes) - len(kube.lost_nodes)} of {len(reading.nodes)}"),
                ),
                hidden_by=(f"zone-lost:{kube.name}/{node.zone}",) if node.zone else (),
                after_s=look.threshold("node-not-ready", "after_seconds"),
            )  # fmt: skip


@kind("node-pressure", "cluster", "after_seconds")
def node_pressure(look: Look) -> Said:
    """A node runs out of memory, disk or process numbers, or has no network."""
    for kube in look.kubes.values():
        reading = kube.nodes
        if reading is None:
            continue
        for name, node in reading.nodes.items():
            held = tuple(each for each in node.pressures if not each.endswith(" unknown"))
            if not held:
                continue
            users = _users(kube, name)
            usage = kube.usage.nodes.get(name) if kube.usage else None
            memory = f"{usage.memory / 2**30:.1f} GiB" if usage else "?"
            room = f"{node.memory_allocatable / 2**30:.1f} GiB" if node.memory_allocatable else "?"
            yield Symptom(
                subject=f"{kube.name}/{name}",
                severity="warning",
                title=f"Node {short(name, 40)} has {listing(short(each) for each in held)}",
                impact=f"{users.words}: pods there are slow, and may be thrown out and started elsewhere."
                if users.known
                else "Pods there are slow, and may be thrown out and started elsewhere.",
                action="See what uses it up on this node (memory of pods, images, logs); move the largest, or give the node room.",
                stands_on=(reading,),
                affects=users.tenants,
                tenants=users.tenants,
                evidence=(
                    *(fact(reading, short(each, 40), "True", "False") for each in held[:5]),
                    fact(kube.usage or reading, "memory in use", memory, room),
                    fact(reading, "memory its pods ask for", f"{node.memory_requested / 2**30:.1f} GiB", room),
                    fact(reading, "pods on it", str(node.pods)),
                ),
                hidden_by=(f"node-not-ready:{kube.name}/{name}", f"zone-lost:{kube.name}/{node.zone}"),
                after_s=look.threshold("node-pressure", "after_seconds"),
            )
