"""A cluster that is watched: the mirrors of all kinds, and the pulse that says whether they may be believed."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from console.clients import kubernetes_kinds as kinds
from console.clients import kubernetes_optional as optional
from console.clients.kubernetes import Kubernetes, KubernetesError
from console.clients.kubernetes_kinds import Kind
from console.clients.kubernetes_mirror import Mirror
from console.readings.base import Reading
from console.readings.cnpg import KubernetesDatabases
from console.readings.kubernetes import (
    KindState,
    KubeBudget,
    KubeNode,
    KubernetesApi,
    KubernetesBudgets,
    KubernetesNodes,
    KubernetesPods,
    KubernetesQuotas,
    KubernetesScalers,
    KubernetesUsage,
    KubernetesWarnings,
    KubernetesWorkloads,
    KubeWorkload,
)
from console.readings.kubernetes_images import KubeImage, KubernetesImages
from console.sources import kubernetes_derived as derived
from console.sources import kubernetes_optional_rows as optional_rows
from console.sources import kubernetes_rows as rows
from console.sources.base import SourceError
from console.sources.kubernetes_derived import BudgetEntry, PodEntry
from console.sources.kubernetes_pulse import Pulse
from console.sources.kubernetes_usage import measured

WORKLOADS = {
    kinds.DEPLOYMENTS: "Deployment",
    kinds.STATEFULSETS: "StatefulSet",
    kinds.DAEMONSETS: "DaemonSet",
}


def _pod(found: kinds.Pod) -> PodEntry:
    return PodEntry(rows.pod(found), found.metadata.labels or {})


def _budget(found: kinds.Budget) -> BudgetEntry:
    return BudgetEntry(rows.budget(found), found.spec.selector)


_ROWS: dict[Kind, Callable[[Any], Any]] = {
    kinds.NODES: rows.node,
    kinds.PODS: _pod,
    **{kind: functools.partial(rows.workload, name) for kind, name in WORKLOADS.items()},
    kinds.SCALERS: rows.scaler,
    kinds.QUOTAS: rows.quota,
    kinds.BUDGETS: _budget,
    kinds.WARNINGS: rows.warning,
    optional.CNPG_CLUSTERS: optional_rows.cnpg_cluster,
    optional.POOLERS: optional_rows.pooler,
    optional.SCANS: optional_rows.scanned,
    optional.POLICIES: optional_rows.policy,
}

R = TypeVar("R", bound=Reading)
V = TypeVar("V")


class Cluster:
    """One cluster: watches from ``start`` to ``close``. Readings are put together from what is known, without asking.

    ``namespaces``: only these, each by itself; for a role that holds in namespaces and not in the whole cluster. Nodes
    are asked for all the same. Empty: all.
    """

    def __init__(self, api: Kubernetes, name: str, namespaces: tuple[str, ...] = ()) -> None:
        self.api = api
        self.name = name
        self.namespaces = namespaces
        self.mirrors: dict[Kind, list[Mirror[Any]]] = {
            kind: [
                Mirror(api, kind, _ROWS[kind], namespace)
                for namespace in (namespaces if kind.namespaced and namespaces else ("",))
            ]
            for kind in (*kinds.KINDS, *optional.OPTIONAL)
        }
        self._tasks: list[asyncio.Task[Any]] = []
        self._closed = False
        self._pulse = Pulse(api)
        self._beaten = asyncio.Event()
        self._silent = "the API server has not been asked yet"
        """Why nothing may be believed; empty: the pulse is there."""
        self._denied = False
        self._derived: dict[str, tuple[Any, Any]] = {}

    def start(self) -> None:
        """Begin to watch, all kinds at once, unless that was done."""
        if self._tasks or self._closed:
            return
        for mirror in self.every():
            name = f"watch {mirror.kind.plural} {mirror.namespace}"
            self._tasks.append(asyncio.get_running_loop().create_task(mirror.run(), name=name))

    async def close(self) -> None:
        """Stop watching and end the connections."""
        self._closed = True
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self.api.close()

    async def settled(self, patience_s: float, *wanted: Kind) -> None:
        """Until there was a pulse, or none, and each of these kinds was listed or cannot be; so long at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                await self._beaten.wait()
                for kind in wanted:
                    for mirror in self.mirrors[kind]:
                        await mirror.told.wait()

    async def pulse(self, patience_s: float) -> KubernetesApi:
        """Ask ``/readyz``. Raises SourceError where nobody answers, or refuses; then no other reading is given either."""
        taken_at = datetime.now(UTC)
        try:
            told = await self._pulse.beat(patience_s)
        except KubernetesError as error:
            self._lost(error)
            raise SourceError(error.problem, denied=error.denied) from None
        finally:
            self._beaten.set()
        if self._silent:
            self._silent = ""
            for mirror in self.every():
                mirror.wake()
        seen = {label(mirror): KindState(mirror.state, mirror.problem, len(mirror.rows)) for mirror in self.every()}
        return KubernetesApi(key=self.name, taken_at=taken_at, cluster=self.name, kinds=seen, **told)

    def nodes(self) -> KubernetesNodes:
        """Nodes, with what is placed on them. Raises SourceError where they cannot be seen; so do all below."""
        found, verdict = self._seen(kinds.NODES)
        pods = self._entries()

        def made() -> dict[str, KubeNode]:
            return derived.loaded(found, (pod.row for pod in pods.values()))

        return self._made(KubernetesNodes, verdict, nodes=self._kept("nodes", made, kinds.NODES, kinds.PODS))

    def pods(self) -> KubernetesPods:
        """Pods."""
        found, verdict = self._seen(kinds.PODS)
        return self._made(KubernetesPods, verdict, pods={key: entry.row for key, entry in found.items()})

    def workloads(self) -> KubernetesWorkloads:
        """Deployments, StatefulSets and DaemonSets, with where their pods are."""
        found, verdict = self._seen(*WORKLOADS)
        pods, nodes = self._entries(), self._rows(kinds.NODES)

        def made() -> dict[str, KubeWorkload]:
            return derived.placed(found, (pod.row for pod in pods.values()), nodes)

        kept = self._kept("workloads", made, *WORKLOADS, kinds.PODS, kinds.NODES)
        return self._made(KubernetesWorkloads, verdict, workloads=kept)

    def scalers(self) -> KubernetesScalers:
        """HorizontalPodAutoscalers."""
        found, verdict = self._seen(kinds.SCALERS)
        return self._made(KubernetesScalers, verdict, scalers=found)

    def quotas(self) -> KubernetesQuotas:
        """ResourceQuotas."""
        found, verdict = self._seen(kinds.QUOTAS)
        return self._made(KubernetesQuotas, verdict, quotas=found)

    def budgets(self) -> KubernetesBudgets:
        """PodDisruptionBudgets, with whose pods they count."""
        found, verdict = self._seen(kinds.BUDGETS)
        pods, nodes = self._entries(), self._rows(kinds.NODES)

        def made() -> dict[str, KubeBudget]:
            return derived.held(found, pods.values(), nodes)

        kept = self._kept("budgets", made, kinds.BUDGETS, kinds.PODS, kinds.NODES)
        return self._made(KubernetesBudgets, verdict, budgets=kept)

    def warnings(self) -> KubernetesWarnings:
        """Warning events."""
        found, verdict = self._seen(kinds.WARNINGS)
        groups, more = rows.grouped(found.values())
        return self._made(KubernetesWarnings, verdict, warnings=groups, more=more)

    def images(self) -> KubernetesImages:
        """Images of what runs, with reports about them where there are any."""
        found, verdict = self._seen(kinds.PODS)
        scans, policies = self._rows(optional.SCANS), self._rows(optional.POLICIES)

        def made() -> dict[str, KubeImage]:
            return derived.images((pod.row for pod in found.values()), scans.values())

        return self._made(
            KubernetesImages,
            verdict,
            images=self._kept("images", made, kinds.PODS, optional.SCANS),
            policies={key: each for key, each in policies.items() if each.failed or each.errors},
            vulnerability_reports=self._state(optional.SCANS),
            policy_reports=self._state(optional.POLICIES),
        )

    def databases(self) -> KubernetesDatabases:
        """CloudNativePG's clusters and poolers."""
        here = (optional.CNPG_CLUSTERS, optional.POOLERS)
        self._believed()
        if all(mirror.state == "absent" for kind in here for mirror in self.mirrors[kind]):
            problem = "CloudNativePG is not installed in this cluster"
            return self._made(KubernetesDatabases, {"status": "not-configured", "problem": problem})
        _, verdict = self._seen(*here)
        clusters, poolers = self._rows(here[0]), self._rows(here[1])
        return self._made(KubernetesDatabases, verdict, clusters=clusters, poolers=poolers)

    async def usage(self, patience_s: float) -> KubernetesUsage:
        """CPU and memory in use, asked now: metrics cannot be watched. Raises SourceError."""
        await self.settled(patience_s)
        self._believed()
        return await measured(self.api, self.name, self.namespaces, patience_s)

    def every(self) -> list[Mirror[Any]]:
        """All mirrors."""
        return [mirror for found in self.mirrors.values() for mirror in found]

    def _made(self, cls: type[R], verdict: dict[str, Any], **content: Any) -> R:
        return cls(key=self.name, taken_at=datetime.now(UTC), **verdict, **content)

    def _kept(self, name: str, make: Callable[[], V], *stands_on: Kind) -> V:
        """What was made last, unless something changed that it stands on."""
        version = tuple(mirror.version for kind in stands_on for mirror in self.mirrors[kind])
        before = self._derived.get(name)
        if before is None or before[0] != version:
            before = self._derived[name] = (version, make())
        made: V = before[1]
        return made

    def _rows(self, kind: Kind) -> dict[str, Any]:
        """What can be seen of a kind, however little."""
        return {key: row for mirror in self.mirrors[kind] if mirror.readable for key, row in mirror.rows.items()}

    def _entries(self) -> dict[str, PodEntry]:
        return self._rows(kinds.PODS)

    def _state(self, kind: Kind) -> str:
        """How well a kind can be seen: the worst of its namespaces."""
        order = ("unreachable", "denied", "starting", "absent", "watching")
        return min((mirror.state for mirror in self.mirrors[kind]), key=order.index)

    def _believed(self) -> None:
        if self._silent:
            raise SourceError(self._silent, denied=self._denied)

    def _seen(self, *wanted: Kind) -> tuple[dict[str, Any], dict[str, Any]]:
        """What can be seen of these kinds, and how well."""
        self._believed()
        mirrors = [mirror for kind in wanted for mirror in self.mirrors[kind]]
        blind = [mirror for mirror in mirrors if not mirror.readable]
        problem = "; ".join(mirror.problem for mirror in blind)[:500]
        if len(blind) == len(mirrors):
            raise SourceError(problem, denied=all(mirror.state == "denied" for mirror in blind))
        found: dict[str, Any] = {}
        for mirror in mirrors:
            if mirror.readable:
                prefix = f"{mirror.kind.plural}/" if len(wanted) > 1 else ""
                found.update({prefix + key: row for key, row in mirror.rows.items()} if prefix else mirror.rows)
        return found, {"status": "partial" if blind else "ok", "problem": problem}

    def _lost(self, error: KubernetesError) -> None:
        """No pulse: open watches may be dead without knowing; each begins anew where it was."""
        self._silent, self._denied = error.problem, error.denied
        self.api.drop()


def label(mirror: Mirror[Any]) -> str:
    """``pods``, or ``pods in NAMESPACE``."""
    return f"{mirror.kind.plural} in {mirror.namespace}" if mirror.namespace else mirror.kind.plural
