"""A cluster that is watched: the mirrors of all kinds, and the pulse that says whether they may be believed."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from console.clients import kubernetes_kinds as kinds
from console.clients.clean import clean
from console.clients.kubernetes import Kubernetes, KubernetesError
from console.clients.kubernetes_kinds import Kind
from console.clients.kubernetes_mirror import Mirror
from console.readings.base import Reading
from console.readings.kubernetes import (
    KindState,
    KubernetesApi,
    KubernetesBudgets,
    KubernetesNodes,
    KubernetesPods,
    KubernetesQuotas,
    KubernetesScalers,
    KubernetesWarnings,
    KubernetesWorkloads,
)
from console.sources import kubernetes_rows as rows
from console.sources.base import SourceError

_WORKLOADS = {
    kinds.DEPLOYMENTS: "Deployment",
    kinds.STATEFULSETS: "StatefulSet",
    kinds.DAEMONSETS: "DaemonSet",
}
_ROWS: dict[Kind, Callable[[Any], Any]] = {
    kinds.NODES: rows.node,
    kinds.PODS: rows.pod,
    **{kind: functools.partial(rows.workload, name) for kind, name in _WORKLOADS.items()},
    kinds.SCALERS: rows.scaler,
    kinds.QUOTAS: rows.quota,
    kinds.BUDGETS: rows.budget,
    kinds.WARNINGS: rows.warning,
}

R = TypeVar("R", bound=Reading)


class Cluster:
    """One cluster: watches from ``start`` to ``close``. Readings are put together from what is known, without asking.

    ``namespaces``: only these, each by itself; for a role that holds in namespaces and not in the whole cluster. Nodes
    are asked for all the same. Empty: all.
    """

    def __init__(self, api: Kubernetes, name: str, namespaces: tuple[str, ...] = ()) -> None:
        self.api = api
        self.name = name
        self.mirrors: dict[Kind, list[Mirror[Any]]] = {
            kind: [
                Mirror(api, kind, _ROWS[kind], namespace)
                for namespace in (namespaces if kind.namespaced and namespaces else ("",))
            ]
            for kind in kinds.KINDS
        }
        self._tasks: list[asyncio.Task[Any]] = []
        self._silent = "the API server has not been asked yet"
        """Why nothing may be believed; empty: the pulse is there."""
        self._denied = False

    def start(self) -> None:
        """Begin to watch, all kinds at once."""
        for found in self.mirrors.values():
            for mirror in found:
                name = f"watch {mirror.kind.plural} {mirror.namespace}"
                self._tasks.append(asyncio.get_running_loop().create_task(mirror.run(), name=name))

    async def close(self) -> None:
        """Stop watching and end the connections."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._tasks.clear()
        await self.api.close()

    async def pulse(self, patience_s: float) -> KubernetesApi:
        """Ask ``/readyz``. Raises SourceError where nobody answers, or refuses; then no other reading is given either."""
        taken_at = datetime.now(UTC)
        verdict: dict[str, Any] = {"ready": True}
        try:
            await self.api.get("/readyz", patience_s)
        except KubernetesError as error:
            # 403 is the answer to a role that may not ask; 500 that of a server that is there and not ready.
            if error.status not in (403, 500, 503):
                self._lost(error)
                raise SourceError(error.problem, denied=error.denied) from None
            verdict = _unready(error)
        if self._silent:
            self._silent = ""
            for mirror in self._every():
                mirror.wake()
        return KubernetesApi(
            key=self.name,
            taken_at=taken_at,
            cluster=self.name,
            **verdict,
            kinds={
                _label(mirror): KindState(mirror.state, mirror.problem, len(mirror.rows)) for mirror in self._every()
            },
        )

    def nodes(self) -> KubernetesNodes:
        """Nodes. Raises SourceError where they cannot be seen; so do all below."""
        return self._reading(KubernetesNodes, "nodes", kinds.NODES)

    def pods(self) -> KubernetesPods:
        """Pods."""
        return self._reading(KubernetesPods, "pods", kinds.PODS)

    def workloads(self) -> KubernetesWorkloads:
        """Deployments, StatefulSets and DaemonSets."""
        return self._reading(KubernetesWorkloads, "workloads", *_WORKLOADS)

    def scalers(self) -> KubernetesScalers:
        """HorizontalPodAutoscalers."""
        return self._reading(KubernetesScalers, "scalers", kinds.SCALERS)

    def quotas(self) -> KubernetesQuotas:
        """ResourceQuotas."""
        return self._reading(KubernetesQuotas, "quotas", kinds.QUOTAS)

    def budgets(self) -> KubernetesBudgets:
        """PodDisruptionBudgets."""
        return self._reading(KubernetesBudgets, "budgets", kinds.BUDGETS)

    def warnings(self) -> KubernetesWarnings:
        """Warning events."""
        found, verdict = self._seen(kinds.WARNINGS)
        groups, more = rows.grouped(found.values())
        return KubernetesWarnings(key=self.name, taken_at=datetime.now(UTC), warnings=groups, more=more, **verdict)

    def _reading(self, cls: type[R], field: str, *wanted: Kind) -> R:
        found, verdict = self._seen(*wanted)
        return cls(key=self.name, taken_at=datetime.now(UTC), **{field: found, **verdict})

    def _seen(self, *wanted: Kind) -> tuple[dict[str, Any], dict[str, Any]]:
        """What can be seen of these kinds, and how well."""
        if self._silent:
            raise SourceError(self._silent, denied=self._denied)
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

    def _every(self) -> list[Mirror[Any]]:
        return [mirror for found in self.mirrors.values() for mirror in found]


def _label(mirror: Mirror[Any]) -> str:
    return f"{mirror.kind.plural} in {mirror.namespace}" if mirror.namespace else mirror.kind.plural


def _unready(error: KubernetesError) -> dict[str, Any]:
    if error.status == 403:
        return {"status": "partial", "problem": error.problem}
    checks = tuple(word[3:] for word in error.problem.split() if word.startswith("[-]"))
    return {"ready": False, "failing": checks or (clean(error.problem, 200),)}
