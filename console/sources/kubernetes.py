"""The sources for every Kubernetes cluster of an environment: one that keeps its pulse, one for each topic.

All topics of a cluster but ``usage`` come from what is watched, so that a look costs the API server nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from console.clients import kubernetes_kinds as kinds
from console.clients import kubernetes_optional as optional
from console.clients.kubernetes import Access, Kubernetes, KubernetesError
from console.clients.kubernetes_kinds import Kind
from console.readings import (
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
    Reading,
)
from console.settings.defaults import Cadences
from console.settings.environment import EnvironmentFile, KubernetesCluster
from console.settings.secrets import SecretError, resolve
from console.sources.base import Check, Source
from console.sources.kubernetes_cluster import WORKLOADS, Cluster
from console.sources.kubernetes_privilege import PRIVILEGE, examine

PULSE_S = 5.0
"""How often the pulse is asked for: what is shown of a server that has fallen silent is at most so old, and a deadline."""
_SECRETS = frozenset({"password", "token"})
"""Fields of the environment file that refer to secrets."""
_REST_S = 0.5
"""Kept of a deadline, so that what is wrong is told by us and not by the clock."""


def kubernetes_sources(environment: EnvironmentFile, cadences: Cadences) -> list[Source]:
    """Every topic of every cluster. Nothing is connected yet; watching begins with the first look."""
    sources: list[Source] = []
    secrets = kept_in_cluster(environment)
    for name, settings in environment.kubernetes.items():
        sources += _of(name, settings, cadences, secrets)
        secrets = []  # they are read from the first
    return sources


def kept_in_cluster(environment: EnvironmentFile) -> list[str]:
    """Every ``kube:`` reference of an environment, once."""
    found: dict[str, None] = {}

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            for key, each in value.items():
                if key in _SECRETS and isinstance(each, str) and each.startswith("kube:"):
                    found[each] = None
                walk(each)

    walk(msgspec.to_builtins(environment))
    return list(found)


def _of(name: str, settings: KubernetesCluster, cadences: Cadences, secrets: Sequence[str] = ()) -> list[Source]:
    cluster = Cluster(Kubernetes(access(settings)), name, tuple(settings.namespaces))
    fast, normal, deadline_s = cadences.fast.every_s, cadences.normal.every_s, cadences.normal.deadline_s

    def topic(reading: type[Reading], take: Callable[[], Reading], every_s: float, *wanted: Kind) -> TopicSource:
        return TopicSource(cluster, reading, take, wanted, every_s=every_s, deadline_s=deadline_s)

    return [
        PulseSource(cluster, every_s=min(PULSE_S, normal), deadline_s=deadline_s, secrets=secrets),
        topic(KubernetesNodes, cluster.nodes, fast, kinds.NODES, kinds.PODS),
        topic(KubernetesPods, cluster.pods, fast, kinds.PODS),
        topic(KubernetesWorkloads, cluster.workloads, fast, *WORKLOADS, kinds.PODS, kinds.NODES),
        topic(KubernetesScalers, cluster.scalers, PULSE_S, kinds.SCALERS),
        topic(KubernetesQuotas, cluster.quotas, PULSE_S, kinds.QUOTAS),
        topic(KubernetesBudgets, cluster.budgets, PULSE_S, kinds.BUDGETS, kinds.PODS, kinds.NODES),
        topic(KubernetesWarnings, cluster.warnings, PULSE_S, kinds.WARNINGS),
        topic(KubernetesImages, cluster.images, normal, kinds.PODS),
        topic(KubernetesDatabases, cluster.databases, PULSE_S, optional.CNPG_CLUSTERS, optional.POOLERS),
        UsageSource(cluster, every_s=normal, deadline_s=deadline_s),
    ]


def access(settings: KubernetesCluster) -> Access:
    """How the environment file says that a cluster is reached."""
    reference = settings.token

    def token() -> str:
        try:
            return resolve(reference or "").reveal()
        except SecretError as error:
            raise KubernetesError(str(error)) from None

    return Access(
        kubeconfig=str(Path(settings.kubeconfig).expanduser()) if settings.kubeconfig else "",
        context=settings.context,
        server=settings.server,
        ca_file=settings.ca_file,
        token=token if reference is not None else None,
    )


class _Source:
    """What the sources of a cluster share."""

    privilege = PRIVILEGE

    def __init__(self, cluster: Cluster, reading: type[Reading], *, every_s: float, deadline_s: float) -> None:
        self.reading: type[Reading] = reading
        self.key = cluster.name
        self.every_s = every_s
        self.deadline_s = deadline_s
        self.cluster = cluster

    @property
    def patience_s(self) -> float:
        """How long an answer is waited for."""
        return max(self.deadline_s - _REST_S, self.deadline_s / 2)

    def abandon(self) -> None:
        """A look that is given up is cancelled, and with it the request. Watches go on: the pulse judges them."""

    async def close(self) -> None:
        """All of them end together."""
        await self.cluster.close()

    async def examine(self) -> list[Check]:
        """The pulse's source answers for the whole cluster."""
        return []


class PulseSource(_Source):
    """Whether the API server answers. Without its word no other topic of the cluster is believed."""

    def __init__(self, cluster: Cluster, *, every_s: float, deadline_s: float, secrets: Sequence[str] = ()) -> None:
        super().__init__(cluster, KubernetesApi, every_s=every_s, deadline_s=deadline_s)
        self._secrets = secrets

    async def read(self) -> Reading:
        """One beat."""
        self.cluster.start()
        return await self.cluster.pulse(self.patience_s)

    async def examine(self) -> list[Check]:
        """Connection, and what the role allows."""
        cluster = self.cluster
        return await examine(cluster.api, self.key, self.patience_s, cluster.namespaces, self._secrets)


class TopicSource(_Source):
    """One topic, from what is watched."""

    def __init__(
        self,
        cluster: Cluster,
        reading: type[Reading],
        take: Callable[[], Reading],
        wanted: Sequence[Kind],
        *,
        every_s: float,
        deadline_s: float,
    ) -> None:
        super().__init__(cluster, reading, every_s=every_s, deadline_s=deadline_s)
        self._take = take
        self._wanted = wanted

    async def read(self) -> Reading:
        """What is known now; at first, and while everything is listed anew, it waits for that."""
        self.cluster.start()
        await self.cluster.settled(self.patience_s, *self._wanted)
        return self._take()


class UsageSource(_Source):
    """CPU and memory in use."""

    def __init__(self, cluster: Cluster, *, every_s: float, deadline_s: float) -> None:
        super().__init__(cluster, KubernetesUsage, every_s=every_s, deadline_s=deadline_s)

    async def read(self) -> Reading:
        """Asked of the server."""
        self.cluster.start()
        return await self.cluster.usage(self.patience_s)
