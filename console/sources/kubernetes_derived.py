"""What follows from several kinds together: where workloads run, what nodes carry, whom budgets hold, which images run. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from console.clients.kubernetes_kinds import Selector
from console.readings.kubernetes import KubeBudget, KubeNode, KubePod, KubeWorkload
from console.readings.kubernetes_images import KubeImage
from console.sources.kubernetes_optional_rows import Scanned

_ENDED = ("Succeeded", "Failed")
_MOST_NODES = 8
_MOST_IMAGES = 2000


class PodEntry(NamedTuple):
    """A pod, and its labels, which no reading needs."""

    row: KubePod
    labels: dict[str, str]


class BudgetEntry(NamedTuple):
    """A budget, and whose pods it counts."""

    row: KubeBudget
    selector: Selector | None


def loaded(nodes: Mapping[str, KubeNode], pods: Iterable[KubePod]) -> dict[str, KubeNode]:
    """Nodes with what the pods that are placed on them ask for."""
    placed: dict[str, list[KubePod]] = defaultdict(list)
    for pod in pods:
        if pod.node and pod.phase not in _ENDED:
            placed[pod.node].append(pod)
    return {
        name: msgspec.structs.replace(
            node,
            pods=len(placed[name]),
            cpu_requested=round(sum(pod.cpu_request for pod in placed[name]), 6),
            memory_requested=sum(pod.memory_request for pod in placed[name]),
            memory_limits=sum(pod.memory_limit for pod in placed[name]),
        )
        if name in placed
        else node
        for name, node in nodes.items()
    }


def placed(
    workloads: Mapping[str, KubeWorkload], pods: Iterable[KubePod], nodes: Mapping[str, KubeNode]
) -> dict[str, KubeWorkload]:
    """Workloads with where their pods are."""
    by_owner: dict[tuple[str, str], set[str]] = defaultdict(set)
    for pod in pods:
        if pod.node and pod.owner and pod.phase not in _ENDED and pod.deleted_at is None:
            by_owner[pod.namespace, pod.owner].add(pod.node)
    zones_there = {node.zone for node in nodes.values() if node.zone}
    found = {}
    for key, workload in workloads.items():
        on = by_owner.get((workload.namespace, f"{workload.kind}/{workload.name}"))
        if not on:
            found[key] = workload
            continue
        zones = tuple(sorted({nodes[name].zone for name in on if name in nodes and nodes[name].zone}))
        found[key] = msgspec.structs.replace(
            workload,
            zones=zones,
            nodes=tuple(sorted(on)[:_MOST_NODES]),
            single=_single(workload, len(on), len(zones), len(nodes), len(zones_there)),
        )
    return found


def _single(workload: KubeWorkload, nodes: int, zones: int, nodes_there: int, zones_there: int) -> str:
    if workload.kind == "DaemonSet" or not workload.desired:
        return ""
    if workload.desired == 1:
        return "one replica"
    if nodes == 1 and nodes_there > 1:
        return "one node"
    return "one zone" if zones == 1 and zones_there > 1 else ""


def held(
    budgets: Mapping[str, BudgetEntry], pods: Iterable[PodEntry], nodes: Mapping[str, KubeNode]
) -> dict[str, KubeBudget]:
    """Budgets with whose pods they count, and which drains wait for them."""
    by_namespace: dict[str, list[PodEntry]] = defaultdict(list)
    for entry in pods:
        if entry.row.phase not in _ENDED and entry.row.deleted_at is None:
            by_namespace[entry.row.namespace].append(entry)
    cordoned = {name for name, node in nodes.items() if node.cordoned}
    found = {}
    for key, (budget, selector) in budgets.items():
        meant = [each.row for each in by_namespace[budget.namespace] if selector and selector.takes(each.labels)]
        found[key] = msgspec.structs.replace(
            budget,
            workloads=tuple(sorted({pod.owner for pod in meant if pod.owner})[:_MOST_NODES]),
            drained=tuple(sorted({pod.node for pod in meant if pod.node in cordoned})[:_MOST_NODES]),
        )
    return found


def images(pods: Iterable[KubePod], scans: Iterable[Scanned] = ()) -> dict[str, KubeImage]:
    """Images by workload, with what a scanner found in them."""
    running: dict[tuple[str, str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for pod in pods:
        if pod.phase in _ENDED:
            continue
        owner = pod.owner or f"Pod/{pod.name}"
        for number, image in enumerate(pod.images):
            digest = pod.digests[number] if number < len(pod.digests) else ""
            running[pod.namespace, owner, image][digest] += 1
    reports = {(scan.namespace, name): scan.found for scan in scans for name in (*scan.names, scan.digest) if name}
    found = {}
    for (namespace, owner, image), digests in sorted(running.items())[:_MOST_IMAGES]:
        known = tuple(sorted(digest for digest in digests if digest))
        report = next(
            (hit for name in (*known, image, image.partition("@")[0]) if (hit := reports.get((namespace, name)))), None
        )
        found[f"{namespace}/{owner}/{image}"] = KubeImage(
            namespace=namespace,
            workload=owner,
            image=image,
            digests=known,
            pods=sum(digests.values()),
            mutable=mutable(image),
            differs=_differs(image, known),
            found=report,
        )
    return found


def mutable(image: str) -> bool:
    """Whether a name of an image may mean another one tomorrow: ``latest`` or no tag, and no digest."""
    if "@" in image:
        return False
    tag = image.rpartition("/")[2].partition(":")[2]
    return tag in ("", "latest")


def _differs(image: str, digests: tuple[str, ...]) -> str:
    declared = image.partition("@")[2]
    others = [digest for digest in digests if digest.startswith("sha256:") and digest != declared]
    if declared and others:
        return f"declared {_short(declared)}, runs {', '.join(map(_short, others[:3]))}"
    if len(digests) > 1:
        return f"pods run different images: {', '.join(map(_short, digests[:3]))}"
    return ""


def _short(digest: str) -> str:
    return digest[:19]
