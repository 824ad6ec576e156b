"""One Kubernetes cluster as the board knows it: what of it may be believed, and what the parts of the screen share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from console.board import Board
from console.readings import (
    Environment,
    KubeNode,
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
    KubeUse,
    Reading,
    believed,
)
from screens.trust import silence_and_why

R = TypeVar("R", bound=Reading)
NO_ZONE = "no zone"


@dataclass(frozen=True, slots=True)
class Seen(Generic[R]):
    """One topic: raw reading, and what of it may be believed now."""

    raw: R | None
    reading: R | None
    why: str = ""
    """Why there is nothing to believe; or, of a reading in part, what is missing."""

    @property
    def absent(self) -> bool:
        """The cluster does not have this kind at all."""
        return self.raw is not None and self.raw.status == "not-configured"

    @property
    def partial(self) -> bool:
        """Some of it cannot be seen."""
        return self.reading is not None and self.reading.status == "partial"


@dataclass(frozen=True)
class Platform:
    """A cluster at one moment."""

    name: str
    api: Seen[KubernetesApi]
    nodes: Seen[KubernetesNodes]
    pods: Seen[KubernetesPods]
    workloads: Seen[KubernetesWorkloads]
    scalers: Seen[KubernetesScalers]
    quotas: Seen[KubernetesQuotas]
    budgets: Seen[KubernetesBudgets]
    warnings: Seen[KubernetesWarnings]
    usage: Seen[KubernetesUsage]
    images: Seen[KubernetesImages]
    databases: Seen[KubernetesDatabases]
    tenants: Mapping[str, str] = field(default_factory=dict)
    """Namespace → whose workloads run there."""

    @property
    def lost(self) -> frozenset[str]:
        """Nodes that do not report: what is said of their pods is what was last known."""
        found = self.nodes.reading.nodes if self.nodes.reading else {}
        return frozenset(name for name, node in found.items() if node.ready != "True" and not reports(node))

    @property
    def zone_of(self) -> Mapping[str, str]:
        """Node → zone."""
        found = self.nodes.reading.nodes if self.nodes.reading else {}
        return {name: node.zone for name, node in found.items()}

    @property
    def node_use(self) -> Mapping[str, KubeUse]:
        """What nodes use; empty: not known."""
        return self.usage.reading.nodes if self.usage.reading else {}

    @property
    def pod_use(self) -> Mapping[str, KubeUse]:
        """What pods use; empty: not known."""
        return self.usage.reading.pods if self.usage.reading else {}


def reports(node: KubeNode) -> bool:
    """Whether the node's kubelet still says anything."""
    return node.ready in ("True", "False")


def platforms(board: Board) -> list[str]:
    """Names of the clusters that are configured, in order of the environment file."""
    environment = board.environment
    pairs = environment.panes.get("cluster", ()) if environment else ()
    return list(dict.fromkeys(pair.split(" ", 1)[1].split("/", 1)[0] for pair in pairs if " " in pair))


def platform_at(board: Board, name: str, now: datetime) -> Platform:
    """The cluster ``name`` at ``now``."""

    def seen(cls: type[R]) -> Seen[R]:
        raw = board.get(cls, name)
        reading = believed(raw, now)
        if reading is None:
            return Seen(raw, None, silence_and_why(raw, now))
        return Seen(raw, reading, reading.problem if reading.status == "partial" else "")

    return Platform(
        name,
        seen(KubernetesApi),
        seen(KubernetesNodes),
        seen(KubernetesPods),
        seen(KubernetesWorkloads),
        seen(KubernetesScalers),
        seen(KubernetesQuotas),
        seen(KubernetesBudgets),
        seen(KubernetesWarnings),
        seen(KubernetesUsage),
        seen(KubernetesImages),
        seen(KubernetesDatabases),
        tenants_of(board.environment, name),
    )


def tenants_of(environment: Environment | None, cluster: str) -> dict[str, str]:
    """Namespace → tenant."""
    applications = environment.applications if environment else {}
    return {
        each.namespace: name
        for name, each in applications.items()
        if each.namespace and each.kubernetes in ("", cluster)
    }
