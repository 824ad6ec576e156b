"""Measures what pods use: for metrics.k8s.io, for memory limits and for the nodes' own memory."""

from __future__ import annotations

import asyncio
import math
from datetime import UTC, datetime

from console.lab.kube import quantity
from console.lab.kube.kinds import Json
from console.lab.platform import usage
from console.lab.platform.container import Container, Usage
from console.lab.platform.kubelet import Kubelets
from console.lab.platform.nodes import Reporter
from console.lab.platform.podrun import PodRun

LIMITS_S = 2.0
"""How often memory limits are looked at; a kernel's cgroup would not wait."""
_CHANGED = 0.02
"""Share by which resident memory must change to be taken apart again."""
_EVERY = 6
"""Measurements after which it is, changed or not."""


def _moment() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Meter:
    """Samples process trees."""

    def __init__(self, kubelets: Kubelets, reporters: list[Reporter], every_s: float) -> None:
        self._kubelets = kubelets
        self._reporters = reporters
        self._every_s = every_s
        self._before: dict[int, tuple[float, float]] = {}
        self._known: dict[int, tuple[int, int, int]] = {}

    async def run(self) -> None:
        """For ever."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            if loop.time() >= due:
                due += self._every_s
                await self._measure()
            else:
                self._new_ones()
            self._limits()
            await asyncio.sleep(min(LIMITS_S, self._every_s))

    async def _measure(self) -> None:
        loop = asyncio.get_running_loop()
        seen: dict[int, tuple[float, float]] = {}
        for run in self._kubelets.runs():
            for container in run.containers:
                if container.child is not None and container.child.runs:
                    self._one(container, container.child.pid, loop.time(), seen)
            run.memory = sum(each.usage.memory if each.usage else 0 for each in run.containers)
            await asyncio.sleep(0)  # whoever asks the API meanwhile does not wait for all of it
        self._before = seen
        self._known = {pid: known for pid, known in self._known.items() if pid in seen}
        for each in self._reporters:
            each.memory_used = sum(run.memory for run in each.kubelet.runs.values())
            each.tell()
            each.relieve()

    def _new_ones(self) -> None:
        """What a container uses that has just started is told after two seconds, not after twenty."""
        moment = asyncio.get_running_loop().time()
        for run in self._kubelets.runs():
            for container in run.containers:
                child = container.child
                if child is not None and child.runs and (container.usage is None or container.usage.cores < 0):
                    self._one(container, child.pid, moment, self._before)

    def _one(self, container: Container, pid: int, moment: float, seen: dict[int, tuple[float, float]]) -> None:
        pids = usage.tree(pid)
        cpu, memory = usage.cpu_s(pids), self._memory(pid, pids)
        seen[pid] = (moment, cpu)
        if pid in self._before:
            then, was = self._before[pid]
            window = max(moment - then, 0.1)
            container.usage = Usage(max(cpu - was, 0.0) / window, memory, _moment(), window)
        elif container.usage is None:
            container.usage = Usage(-1.0, memory, _moment(), 0.0)  # its rate is not known yet

    def _memory(self, pid: int, pids: list[int]) -> int:
        """Proportional bytes: asked of the kernel, for which that is work, when the resident ones have changed, and now and then."""
        resident = usage.resident(pids)
        was, found, times = self._known.get(pid, (0, 0, _EVERY))
        if times >= _EVERY or abs(resident - was) > _CHANGED * was:
            self._known[pid] = (resident, usage.proportional(pids), 1)
        else:
            self._known[pid] = (was, found, times + 1)
        return self._known[pid][1]

    def _limits(self) -> None:
        for run in self._kubelets.runs():
            for container in run.containers:
                limit = _limit(container)
                if limit is None or container.child is None or not container.child.runs:
                    continue
                pids = usage.tree(container.child.pid)
                if usage.resident(pids) > limit and usage.proportional(pids) > limit:
                    container.kill_for_memory()


def _limit(container: Container) -> int | None:
    found = ((container.spec.get("resources") or {}).get("limits") or {}).get("memory")
    return None if found is None else int(quantity.parse(found))


class PodMetrics:
    """metrics.k8s.io: what was last measured; of pods whose rate is not known yet, nothing."""

    def __init__(self, kubelets: Kubelets) -> None:
        self._kubelets = kubelets

    def nodes(self) -> list[Json]:
        """Of every node that reports: the sum over its pods."""
        return [
            _node({"name": each.name}, list(each.runs.values()))
            for each in self._kubelets.by_name.values()
            if each.loss is None
        ]

    def pods(self, namespace: str) -> list[Json]:
        """Of one namespace, or of all if ""."""
        found = []
        for run in sorted(self._kubelets.runs(), key=lambda each: (each.namespace, each.name)):
            used = [(each.name, each.usage) for each in run.containers]
            if namespace not in ("", run.namespace) or not any(each and each.cores >= 0 for _, each in used):
                continue
            metadata: Json = {"name": run.name, "namespace": run.namespace}
            metadata["labels"] = run.pod["metadata"].get("labels") or {}
            known = [(name, each) for name, each in used if each is not None and each.cores >= 0]
            item = _head(metadata, known[0][1])
            item["containers"] = [{"name": name, "usage": _words(each.cores, each.memory)} for name, each in known]
            found.append(item)
        return found


def _node(metadata: Json, runs: list[PodRun]) -> Json:
    used = [each.usage for run in runs for each in run.containers if each.usage is not None]
    cores, memory = sum(max(each.cores, 0.0) for each in used), sum(each.memory for each in used)
    window = max((each.window_s for each in used), default=0.0)
    return {**_head(metadata, Usage(cores, memory, _moment(), window)), "usage": _words(cores, memory)}


def _words(cores: float, memory: int) -> Json:
    return {"cpu": f"{math.ceil(cores * 1e9)}n", "memory": f"{memory // 1024}Ki"}


def _head(metadata: Json, used: Usage) -> Json:
    window = f"{used.window_s:.3f}s"
    return {
        "metadata": {**metadata, "creationTimestamp": used.measured_at},
        "timestamp": used.measured_at,
        "window": window,
    }
