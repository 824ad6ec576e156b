"""A Kubernetes cluster as judges want it: what may be believed of its readings, by whom it is felt, what was seen before."""

from __future__ import annotations

import functools
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from console.assessment.people import tenants_in
from console.assessment.words import listing, short
from console.board import Board
from console.readings import (
    Address,
    KubeNode,
    KubePod,
    KubernetesApi,
    KubernetesBudgets,
    KubernetesDatabases,
    KubernetesImages,
    KubernetesNodes,
    KubernetesPods,
    KubernetesQuotas,
    KubernetesScalers,
    KubernetesUsage,
    KubernetesWarnings,
    KubernetesWorkloads,
    KubeWorkload,
    Reading,
    address,
    believed,
)
from console.settings import EnvironmentFile

R = TypeVar("R", bound=Reading)

_WATCHED: tuple[type[Reading], ...] = (
    KubernetesNodes, KubernetesPods, KubernetesWorkloads, KubernetesScalers, KubernetesQuotas, KubernetesBudgets,
    KubernetesWarnings, KubernetesUsage, KubernetesImages, KubernetesDatabases,
)  # fmt: skip
_ENDED = ("Succeeded", "Failed")


class Users(NamedTuple):
    """Who feels what happens in some namespaces."""

    words: str
    """Labels of tenants, else the namespaces."""
    tenants: tuple[str, ...]
    """By name; empty: nobody that the environment file knows."""

    @property
    def known(self) -> bool:
        """Whether they are tenants."""
        return bool(self.tenants)


class Kube:
    """One cluster: readings that may be believed, else None; ``*_last`` whatever was read last."""

    def __init__(self, board: Board, now: datetime, name: str, environment: EnvironmentFile) -> None:
        self.name = name
        self._board, self._now, self._environment = board, now, environment
        self.api_last = board.get(KubernetesApi, name)
        self.usage_last = board.get(KubernetesUsage, name)
        self.api = believed(self.api_last, now)
        self.nodes = self._of(KubernetesNodes)
        self.pods = self._of(KubernetesPods)
        self.workloads = self._of(KubernetesWorkloads)
        self.scalers = self._of(KubernetesScalers)
        self.quotas = self._of(KubernetesQuotas)
        self.budgets = self._of(KubernetesBudgets)
        self.warnings = self._of(KubernetesWarnings)
        self.usage = believed(self.usage_last, now)
        self.memory = KubeMemory()

    def _of(self, cls: type[R]) -> R | None:
        return believed(self._board.get(cls, self.name), self._now)

    @property
    def watched(self) -> tuple[Address, ...]:
        """All that is not believed without the pulse."""
        return tuple(address(cls, self.name) for cls in _WATCHED)

    def users(self, namespaces: Iterable[str]) -> Users:
        """Who uses these namespaces."""
        found = tuple(dict.fromkeys(namespace for namespace in namespaces if namespace))
        names = tenants_in(self._environment, self.name, found)
        labels = [self._environment.applications[name].label or name for name in names]
        if labels:
            return Users(listing(labels), names)
        return Users(f"namespace {listing(found)}" if found else "nobody that is known", ())

    @functools.cached_property
    def lost_nodes(self) -> dict[str, KubeNode]:
        """Nodes that say that they are not ready, or no longer say anything."""
        rows = self.nodes.nodes if self.nodes else {}
        return {name: node for name, node in rows.items() if node.ready in ("False", "Unknown")}

    @functools.cached_property
    def lost_zones(self) -> dict[str, dict[str, KubeNode]]:
        """Zones without a node that is ready, of a cluster that has more than one zone."""
        zones: dict[str, dict[str, KubeNode]] = defaultdict(dict)
        for name, node in (self.nodes.nodes if self.nodes else {}).items():
            if node.zone:
                zones[node.zone][name] = node
        if len(zones) < 2:
            return {}
        return {zone: rows for zone, rows in zones.items() if all(name in self.lost_nodes for name in rows)}

    @functools.cached_property
    def pods_by_owner(self) -> dict[tuple[str, str], list[KubePod]]:
        """(namespace, ``Deployment/odoo``) → pods that are to run."""
        found: dict[tuple[str, str], list[KubePod]] = defaultdict(list)
        for pod in self.pods.pods.values() if self.pods else ():
            if pod.deleted_at is None and (pod.phase not in _ENDED or pod.reason == "Evicted"):
                found[pod.namespace, pod.owner or f"Pod/{pod.name}"].append(pod)
        return found

    @functools.cached_property
    def suspects(self) -> dict[tuple[str, str], list[KubePod]]:
        """Those of ``pods_by_owner`` that say something is wrong, or whose containers have ended before."""
        found = (
            (where, [pod for pod in pods if pod.reason or pod.ended_at]) for where, pods in self.pods_by_owner.items()
        )
        return {where: pods for where, pods in found if pods}

    def inherit(self, last: Kube) -> None:
        """Take over what was made of the same reading of pods: there may be thousands, and looks are many."""
        for name in ("pods_by_owner", "pods_by_node", "suspects"):
            if name in last.__dict__:
                self.__dict__[name] = last.__dict__[name]

    @functools.cached_property
    def pods_by_node(self) -> dict[str, list[KubePod]]:
        """Node → pods placed on it that have not ended."""
        found: dict[str, list[KubePod]] = defaultdict(list)
        for pod in self.pods.pods.values() if self.pods else ():
            if pod.node and pod.phase not in _ENDED:
                found[pod.node].append(pod)
        return found

    @functools.cached_property
    def workload_of(self) -> dict[tuple[str, str], KubeWorkload]:
        """(namespace, ``Deployment/odoo``) → workload."""
        rows = self.workloads.workloads.values() if self.workloads else ()
        return {(row.namespace, f"{row.kind}/{row.name}"): row for row in rows}

    def subject(self, namespace: str, owner: str) -> str:
        """Of a finding about a workload, or a pod that nothing keeps."""
        return f"{self.name}/{namespace}/{owner.partition('/')[2] or owner}"

    def node_causes(self, nodes: Iterable[str]) -> tuple[str, ...]:
        """Findings about these nodes, or their zones, that may explain what is wrong on them."""
        wanted = set(nodes)
        zones = (f"zone-lost:{self.name}/{zone}" for zone, rows in self.lost_zones.items() if wanted & set(rows))
        lost = (f"node-not-ready:{self.name}/{name}" for name in sorted(wanted & set(self.lost_nodes)))
        pressed = (f"node-pressure:{self.name}/{name}" for name in sorted(wanted))
        return (*zones, *lost, *pressed)

    def pod_causes(self, namespace: str, owner: str) -> tuple[str, ...]:
        """Findings about a workload's pods that may explain what is wrong with it."""
        subject = self.subject(namespace, owner)
        kinds = ("image-unpullable", "crash-loop", "pod-unschedulable")
        return tuple(f"{kind}:{subject}" for kind in kinds)

    def quota_causes(self, namespace: str) -> tuple[str, ...]:
        """Findings about the quotas of a namespace."""
        rows = self.quotas.quotas.values() if self.quotas else ()
        return tuple(
            f"quota-exhausted:{self.name}/{namespace}/{row.name}" for row in rows if row.namespace == namespace
        )


_KEPT = timedelta(minutes=15)
_MOST_RESTARTS = 10


class KubeMemory:
    """What earlier looks told of one cluster."""

    def __init__(self) -> None:
        self.metrics_at: datetime | None = None
        """When its metrics were last read."""
        self.short_since: dict[str, datetime | None] = {}
        """Workload with fewer ready pods than it wants → since when; None: it was so before the first look."""
        self.moved_at: dict[str, datetime] = {}
        """Of these, one whose rollout goes on → when another pod of its newest version was seen last."""
        self._updated: dict[str, int] = {}
        self.were_on: dict[str, set[str]] = {}
        """Node that is lost → namespaces of the pods that were on it since: they are moved before anybody asks who felt it."""
        self._restarts: dict[str, int] | None = None
        self._last: Kube | None = None
        self._restarted: dict[str, deque[datetime]] = {}
        self._looked = False

    def learn(self, kube: Kube) -> None:
        """Take in one look."""
        last, self._last = self._last, kube
        kube.memory = self
        if kube.usage is not None:
            self.metrics_at = kube.usage.taken_at
        if kube.pods is not None:
            if last is not None and last.pods is kube.pods:
                kube.inherit(last)
            else:
                self._learn_pods(kube.pods)
        self.were_on = {name: self.were_on.get(name, set()) for name in kube.lost_nodes} if kube.nodes else self.were_on
        for name, namespaces in self.were_on.items():
            namespaces.update(pod.namespace for pod in kube.pods_by_node.get(name, ()) if pod.owner)
        if kube.workloads is not None and (last is None or last.workloads is not kube.workloads):
            self._learn_workloads(kube, kube.workloads)

    def _learn_pods(self, reading: KubernetesPods) -> None:
        counts = {key: pod.restarts for key, pod in reading.pods.items() if pod.restarts}
        for key, count in counts.items():
            before = self._restarts.get(key, 0) if self._restarts is not None else count
            if count > before:
                moments = self._restarted.setdefault(key, deque(maxlen=_MOST_RESTARTS))
                moments.extend([reading.taken_at] * min(count - before, _MOST_RESTARTS))
        self._restarts = counts
        for key in [key for key, found in self._restarted.items() if reading.taken_at - found[-1] > _KEPT]:
            del self._restarted[key]

    def _learn_workloads(self, kube: Kube, reading: KubernetesWorkloads) -> None:
        short_now = {key: row for key, row in reading.workloads.items() if row.ready < row.desired}
        for key in set(self.short_since) - set(short_now):
            del self.short_since[key]
        for key, row in short_now.items():
            if key not in self.short_since:
                self.short_since[key] = reading.taken_at if self._looked else _begun(kube, row)
            if row.updated > self._updated.get(key, row.updated):
                self.moved_at[key] = reading.taken_at
        self.moved_at = {key: moment for key, moment in self.moved_at.items() if key in short_now}
        self._updated = {key: row.updated for key, row in short_now.items()}
        self._looked = True

    def restarts(self, key: str, within: timedelta, now: datetime) -> int:
        """How often a pod's containers were seen to start anew lately."""
        return sum(now - moment <= within for moment in self._restarted.get(key, ()))


def _begun(kube: Kube, row: KubeWorkload) -> datetime | None:
    """Since when a workload is short that was so at the first look: since the newest pod of it that is not ready came."""
    pods = kube.pods_by_owner.get((row.namespace, f"{row.kind}/{row.name}"), ())
    return max((pod.created_at for pod in pods if pod.ready < pod.containers and pod.created_at), default=None)


def unready(pods: Iterable[KubePod]) -> Iterator[KubePod]:
    """Those that do not serve."""
    return (pod for pod in pods if pod.ready < pod.containers or pod.phase != "Running")


def place(namespace: str, name: str) -> str:
    """``namespace/name``, cut."""
    return f"{short(namespace, 30)}/{short(name, 40)}"
