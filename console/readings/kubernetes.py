"""What a Kubernetes cluster says of itself. Key of each topic: the cluster's name.

Rows are keyed by ``namespace/name``. CPU is in cores, memory in bytes.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from console.readings.base import PrivateText, Reading, topic


class KindState(msgspec.Struct, frozen=True, omit_defaults=True):
    """How well one kind can be seen, in all namespaces or in one."""

    state: str
    """watching, starting, unreachable, denied, absent (the server does not have it)."""
    problem: str = ""
    objects: int = 0


@topic("kubernetes", pane="cluster")
class KubernetesApi(Reading, frozen=True, kw_only=True, omit_defaults=True):
    """The API server's pulse."""

    cluster: str = ""
    ready: bool | None = None
    """``/readyz`` says ok; None: we may not ask it."""
    failing: tuple[str, ...] = ()
    """Checks of ``/readyz`` that fail, where the server tells: ``etcd``, ``informer-sync`` …"""
    checks: int = 0
    """Checks of ``/readyz`` that were told, those that fail among them."""
    version: str = ""
    """Of the server: ``v1.34.1``; empty: it has not told."""
    kinds: dict[str, KindState] = {}
    """``pods``, or ``pods in NAMESPACE`` → how well it can be seen."""


class KubeNode(msgspec.Struct, frozen=True, omit_defaults=True):
    """A node."""

    zone: str = ""
    region: str = ""
    ready: str = ""
    """True, False, Unknown (the node no longer reports), or empty: it never said."""
    ready_since: datetime | None = None
    pressures: tuple[str, ...] = ()
    """Other conditions that hold or cannot be told: ``MemoryPressure``, ``DiskPressure unknown``."""
    reason: str = ""
    """Why it is not ready."""
    cordoned: bool = False
    taints: tuple[str, ...] = ()
    """``key:effect``."""
    cpu_capacity: float | None = None
    memory_capacity: int | None = None
    pods_capacity: int | None = None
    cpu_allocatable: float | None = None
    memory_allocatable: int | None = None
    pods_allocatable: int | None = None
    kubelet: str = ""
    created_at: datetime | None = None
    pods: int = 0
    """Pods placed on it that have not ended, as far as pods can be seen."""
    cpu_requested: float = 0.0
    """What those pods ask for: this is what the scheduler counts against ``cpu_allocatable``."""
    memory_requested: int = 0
    memory_limits: int = 0
    """Sum of the limits of those that have one; more than there is: overcommitted."""


@topic("kubernetes.nodes", pane="cluster")
class KubernetesNodes(Reading, frozen=True, kw_only=True, omit_defaults=True):
    """Nodes by name."""

    nodes: dict[str, KubeNode] = {}


class KubePod(msgspec.Struct, frozen=True, omit_defaults=True):
    """A pod."""

    namespace: str
    name: str
    phase: str = ""
    reason: str = ""
    """Why it does not run as it should, worst first: CrashLoopBackOff, ImagePullBackOff, Unschedulable, Evicted …"""
    message: PrivateText = ""
    ready: int = 0
    """Containers that are ready."""
    containers: int = 0
    restarts: int = 0
    """Of all containers, those of initialisation too."""
    ended_reason: str = ""
    """Why a container ended last: OOMKilled, Error, Completed …"""
    ended_code: int | None = None
    ended_at: datetime | None = None
    node: str = ""
    owner: str = ""
    """``Deployment/web``: what keeps it running, a ReplicaSet's Deployment where the pod tells; empty: nobody."""
    images: tuple[str, ...] = ()
    """As declared, one for each container."""
    digests: tuple[str, ...] = ()
    """As running, one for each container; empty where it has not run."""
    cpu_request: float = 0.0
    memory_request: int = 0
    cpu_limit: float = 0.0
    """Sum over containers that have one."""
    memory_limit: int = 0
    created_at: datetime | None = None
    started_at: datetime | None = None
    deleted_at: datetime | None = None
    """When its grace ends or ended; None: nobody asked for its end."""


@topic("kubernetes.pods", pane="cluster")
class KubernetesPods(Reading, frozen=True, kw_only=True, omit_defaults=True):
    """Pods."""

    pods: dict[str, KubePod] = {}


class KubeWorkload(msgspec.Struct, frozen=True, omit_defaults=True):
    """A Deployment, StatefulSet or DaemonSet."""

    kind: str
    namespace: str
    name: str
    desired: int = 0
    ready: int = 0
    updated: int = 0
    available: int = 0
    paused: bool = False
    behind: bool = False
    """Its controller has not yet seen the newest specification."""
    reason: str = ""
    """Why it does not progress: ProgressDeadlineExceeded, FailedCreate …"""
    message: PrivateText = ""
    images: tuple[str, ...] = ()
    created_at: datetime | None = None
    zones: tuple[str, ...] = ()
    """Where its pods are placed, as far as pods and nodes can be seen."""
    nodes: tuple[str, ...] = ()
    """On which; sorted, the first eight."""
    single: str = ""
    """What would take all of it away at once: ``one replica``, ``one node``, ``one zone`` (of a cluster that has more);
    empty: nothing alone, or it cannot be told. A fact of how it is built, no fault."""


@topic("kubernetes.workloads", pane="cluster")
class KubernetesWorkloads(Reading, frozen=True, kw_only=True, omit_defaults=True):
    """Workloads; ``deployments/NAMESPACE/NAME`` and so on."""

    workloads: dict[str, KubeWorkload] = {}


class KubeScaler(msgspec.Struct, frozen=True, omit_defaults=True):
    """A HorizontalPodAutoscaler."""

    namespace: str
    name: str
    target: str = ""
    """``Deployment/web``."""
    minimum: int = 1
    maximum: int = 0
    current: int = 0
    desired: int = 0
    at_limit: str = ""
    """TooManyReplicas where it would go higher, TooFewReplicas where lower; empty: not limited."""
    reason: str = ""
    """Why it cannot scale: FailedGetResourceMetric …"""
    message: PrivateText = ""
    scaled_at: datetime | None = None


@topic("kubernetes.scalers", pane="cluster")
class KubernetesScalers(Reading, frozen=True, kw_only=True, omit_defaults=True):
    """HorizontalPodAutoscalers."""

    scalers: dict[str, KubeScaler] = {}


class KubeQuota(msgspec.Struct, frozen=True, omit_defaults=True):
    """A ResourceQuota. By resource as the quota names it (``requests.cpu``, ``pods``): cores, bytes or a count."""

    namespace: str
    name: str
    hard: dict[str, float] = {}
    used: dict[str, float] = {}

    @property
    def fullest(self) -> tuple[str, float]:
        """The resource with the largest share of its limit in use, and that share; ``("", 0.0)`` where nothing is limited."""
        shares = {name: self.used.get(name, 0.0) / limit for name, limit in self.hard.items() if limit > 0}
        return max(shares.items(), key=lambda each: (each[1], each[0]), default=("", 0.0))


@topic("kubernetes.quotas", pane="cluster")
class KubernetesQuotas(Reading, frozen=True, kw_only=True, omit_defaults=True):
    """ResourceQuotas."""

    quotas: dict[str, KubeQuota] = {}


class KubeBudget(msgspec.Struct, frozen=True, omit_defaults=True):
    """A PodDisruptionBudget."""

    namespace: str
    name: str
    min_available: str = ""
    max_unavailable: str = ""
    allowed: int = 0
    """Pods that may be evicted now."""
    healthy: int = 0
    needed: int = 0
    expected: int = 0
    workloads: tuple[str, ...] = ()
    """Whose pods it counts, as far as pods can be seen: ``Deployment/odoo``."""
    drained: tuple[str, ...] = ()
    """Cordoned nodes that hold pods of it: where it allows nothing, their drain waits for it."""

    @property
    def blocks(self) -> bool:
        """No pod of it may be evicted: a node that holds one cannot be drained."""
        return self.expected > 0 and self.allowed == 0


@topic("kubernetes.budgets", pane="cluster")
class KubernetesBudgets(Reading, frozen=True, kw_only=True, omit_defaults=True):
    """PodDisruptionBudgets."""

    budgets: dict[str, KubeBudget] = {}


class KubeWarning(msgspec.Struct, frozen=True, omit_defaults=True):
    """Warning events about one object for one reason, taken together."""

    namespace: str
    object: str
    """``Pod/web-1``."""
    reason: str = ""
    message: PrivateText = ""
    """The newest."""
    count: int = 1
    first_at: datetime | None = None
    last_at: datetime | None = None


@topic("kubernetes.warnings", pane="cluster")
class KubernetesWarnings(Reading, frozen=True, kw_only=True, omit_defaults=True):
    """Warning events; the newest 500 groups. ``NAMESPACE/KIND/NAME/REASON`` → group."""

    warnings: dict[str, KubeWarning] = {}
    more: int = 0
    """Groups left out."""


class KubeUse(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a node or a pod uses, by the metrics API: an average over the last ten to thirty seconds."""

    cpu: float = 0.0
    memory: int = 0
    """The working set: what counts against a limit."""


@topic("kubernetes.usage", pane="cluster")
class KubernetesUsage(Reading, frozen=True, kw_only=True, omit_defaults=True):
    """CPU and memory in use. Requests and limits are in the rows of pods and nodes.

    ``not-configured``: the cluster serves no metrics API (metrics.k8s.io); it is asked again all the time.
    """

    nodes: dict[str, KubeUse] = {}
    """By name."""
    pods: dict[str, KubeUse] = {}
    measured_at: datetime | None = None
    """When the newest of them was measured, by the cluster's clock."""
