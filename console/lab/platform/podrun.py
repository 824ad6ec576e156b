"""A pod on its node: its containers' tasks, its address, and its status as the node reports it."""

from __future__ import annotations

import asyncio
import logging
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from console.lab.kube.api import now
from console.lab.kube.kinds import Json
from console.lab.platform import objects
from console.lab.platform.container import Container
from console.lab.platform.controller import put_status
from console.lab.platform.images import Program
from console.lab.platform.kinds import POD

if TYPE_CHECKING:
    from console.lab.platform.kubelet import Kubelet

HOST = "127.0.0.1"

_log = logging.getLogger("banksman.lab.platform")


class PodRun:
    """What a kubelet does for one pod."""

    def __init__(self, kubelet: Kubelet, pod: Json, address: str) -> None:
        self.kubelet = kubelet
        self.cluster = kubelet.cluster
        self.directory = kubelet.files.directory
        self.port = kubelet.port
        self.pod = pod
        metadata = pod["metadata"]
        self.uid: str = metadata["uid"]
        self.namespace: str = metadata["namespace"]
        self.name: str = metadata["name"]
        self.policy: str = pod["spec"]["restartPolicy"]
        self.grace_s = float(pod["spec"].get("terminationGracePeriodSeconds", 30))
        self.address = address
        self.folder = kubelet.files.pods / f"{self.namespace}_{self.name}"
        old = {each["name"]: each for each in (pod.get("status") or {}).get("containerStatuses") or []}
        self.containers = [Container(self, each, old.get(each["name"])) for each in pod["spec"]["containers"]]
        self.memory = 0
        """Bytes that its processes take, as last measured."""
        self._failed: Json = {}
        self._ending: asyncio.Task[None] | None = None
        self._began = (pod.get("status") or {}).get("startTime") or now()
        self.pod = self._with_address()
        self._task = asyncio.create_task(self._live())
        self._task.add_done_callback(self._told)

    def _with_address(self) -> Json:
        status = {**self.pod["status"], "podIP": self.address, "hostIP": self.kubelet.address}
        return {**self.pod, "status": status}

    async def _live(self) -> None:
        self.report()
        await asyncio.gather(*(each.live() for each in self.containers))
        self.report()

    def _told(self, task: asyncio.Task[None]) -> None:
        """What nobody foresaw is in the log of the platform, and the pod stays as it is."""
        if not task.cancelled() and (problem := task.exception()) is not None:
            _log.error("pod %s/%s is not looked after any more", self.namespace, self.name, exc_info=problem)

    async def pull(self, image: str) -> Program | None:
        """An image from the registry."""
        return await asyncio.to_thread(self.kubelet.images.pull, image)

    async def awake(self) -> None:
        """Wait while the node stands still."""
        await self.kubelet.awake.wait()

    @property
    def is_awake(self) -> bool:
        return self.kubelet.awake.is_set()

    def fresh_log(self, container: str) -> Path:
        """A container's log for a new run; what was said before is kept once.

        Raises:
            OSError: There is no place for it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.kubelet.files.log(self.namespace, self.name, container)
        if path.exists():
            path.replace(self.kubelet.files.log(self.namespace, self.name, container, previous=True))
        return path

    def note(self, reason: str, message: str, *, warning: bool = False, field: str = "") -> None:
        """Something happened to the pod."""
        self.kubelet.note(POD, self.pod, reason, message, warning=warning, field=field)

    def follow(self, pod: Json) -> None:
        """The object has changed."""
        self.pod = pod
        if objects.leaving(pod):
            self.end(float(pod["metadata"].get("deletionGracePeriodSeconds", self.grace_s)))

    def end(self, grace_s: float) -> None:
        """End it, and let its object go; asked again with no grace, at once."""
        if self._ending is None:
            self._ending = asyncio.create_task(self._end(grace_s))
        elif grace_s <= 1:
            self.kill()

    async def _end(self, grace_s: float) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])
        await asyncio.gather(*(each.stop(grace_s) for each in self.containers))
        self.kubelet.ended(self)

    def evict(self, message: str) -> None:
        """End it for the node's sake; its object stays, as failed."""
        if self._ending is None and not self._failed:
            self._failed = {"reason": "Evicted", "message": message}
            self.note("Evicted", message, warning=True)
            self._ending = asyncio.create_task(self._evict())

    async def _evict(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])
        await asyncio.gather(*(each.stop(1.0) for each in self.containers))
        self.report()
        self._ending = None

    def kill(self) -> None:
        """End its processes at once."""
        for each in self.containers:
            if each.child is not None:
                each.child.kill()

    def abandon(self) -> None:
        """The node has lost its power."""
        for task in (self._task, self._ending):
            if task is not None:
                task.cancel()
        self.kill()
        self.release()

    def release(self) -> None:
        """Give back its address."""
        if self.address != HOST:
            self.kubelet.addresses.give(self.address)

    def forget(self) -> None:
        """Its object is gone: so are its files."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def freeze(self) -> None:
        """Have its processes stand still."""
        for each in self.containers:
            if each.child is not None:
                each.child.freeze()

    def thaw(self) -> None:
        """Have them go on."""
        for each in self.containers:
            if each.child is not None:
                each.child.thaw()

    def report(self) -> None:
        """Write its status, unless the node cannot."""
        if not self.is_awake:
            return
        stored = self.cluster.store.get(POD.key, self.namespace, self.name)
        if stored is not None and stored.metadata["uid"] == self.uid:
            put_status(self.cluster, POD, stored, self._status(stored.data))

    def _phase(self) -> str:
        if self._failed:
            return "Failed"
        codes = [(each.state.get("terminated") or {}).get("exitCode") for each in self.containers]
        if None not in codes and (self.policy == "Never" or (self.policy == "OnFailure" and not any(codes))):
            return "Failed" if any(codes) else "Succeeded"
        begun = all(each.child is not None or "terminated" in each.last for each in self.containers)
        return "Running" if begun else "Pending"

    def _status(self, pod: Json) -> Json:
        phase = self._phase()
        listed = objects.conditions(pod)
        lacking = [each.name for each in self.containers if not each.ready]
        done = phase in ("Failed", "Succeeded")
        serves = not lacking and not done
        reason = "" if serves else "PodCompleted" if phase == "Succeeded" else "ContainersNotReady"
        why = "" if serves or phase == "Succeeded" else f"containers with unready status: [{' '.join(lacking)}]"
        for name in ("PodReadyToStartContainers", "Initialized"):
            listed = objects.with_condition(listed, name, "True", "", "")
        for name in ("Ready", "ContainersReady"):
            listed = objects.with_condition(listed, name, "True" if serves else "False", reason, why)
        status = {**pod["status"], "phase": phase, "conditions": listed, "startTime": self._began}
        status |= {"hostIP": self.kubelet.address, "hostIPs": [{"ip": self.kubelet.address}]}
        status |= {"podIP": self.address, "podIPs": [{"ip": self.address}]}
        status["containerStatuses"] = [each.status() for each in self.containers]
        return status | self._failed
