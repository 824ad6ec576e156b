"""Kubelets: one for each node, which turns the pods that are given to it into processes."""

from __future__ import annotations

import asyncio
from typing import Literal

from console.lab.kube.cluster import Cluster
from console.lab.kube.deletion import How
from console.lab.kube.kinds import Json, Kind
from console.lab.kube.store import Change
from console.lab.platform import objects
from console.lab.platform.events import Recorder
from console.lab.platform.images import Images
from console.lab.platform.kinds import POD
from console.lab.platform.podrun import HOST, PodRun
from console.lab.platform.settings import Files, Node, Settings

Loss = Literal["power", "freeze"]
_FIRST, _LAST = 10, 254
_FULL_S = 1.0


class Addresses:
    """The pods' addresses; one that was given back comes up again as late as possible."""

    def __init__(self, subnet: str) -> None:
        self._free = [f"{subnet}.{number}" for number in range(_FIRST, _LAST + 1)]

    def take(self) -> str:
        """One that nobody has; "" if none is left."""
        return self._free.pop(0) if self._free else ""

    def give(self, address: str) -> None:
        """Have it back."""
        self._free.append(address)


class Kubelet:
    """One node's.

    Attributes:
        awake: Not set while the node is lost.
        loss: How it is lost; None while it is not.
    """

    def __init__(self, kubelets: Kubelets, node: Node, address: str) -> None:
        self.node = node
        self.name = node.name
        self.address = address
        self.cluster = kubelets.cluster
        self.files = kubelets.files
        self.images = kubelets.images
        self.addresses = kubelets.addresses
        self.port = kubelets.port
        self.awake = asyncio.Event()
        self.awake.set()
        self.loss: Loss | None = None
        self.runs: dict[str, PodRun] = {}
        self._recorder = kubelets.recorder
        self._loop = asyncio.get_running_loop()

    def note(
        self, kind: Kind, data: Json, reason: str, message: str, *, warning: bool = False, field: str = ""
    ) -> None:
        """Something happened here; a lost node cannot tell."""
        if self.loss is None:
            self._recorder.note(
                kind, data, reason, message, source="kubelet", warning=warning, host=self.name, field=field
            )

    def sync(self, pod: Json) -> None:
        """Have one pod be as its object says."""
        run = self.runs.get(pod["metadata"]["uid"])
        if run is not None:
            run.follow(pod)
        elif objects.leaving(pod):
            self._loop.call_soon(self._let_go, pod)
        elif not objects.done(pod):
            self._begin(pod)

    def _begin(self, pod: Json) -> None:
        address = HOST if pod["spec"].get("hostNetwork") else self.addresses.take()
        if address:
            self.runs[pod["metadata"]["uid"]] = PodRun(self, pod, address)
        else:
            text = "failed to set up sandbox container: no address is free"
            self.note(POD, pod, "FailedCreatePodSandBox", text, warning=True)
            self._loop.call_later(_FULL_S, self._retry, pod)

    def _retry(self, pod: Json) -> None:
        """Try again with a pod for which there was no address."""
        stored = self.cluster.store.get(POD.key, pod["metadata"]["namespace"], pod["metadata"]["name"])
        if self.loss is None and stored is not None and stored.metadata["uid"] == pod["metadata"]["uid"]:
            self.sync(stored.data)

    def gone(self, uid: str) -> None:
        """A pod's object was removed: by force, unless it had ended here."""
        run = self.runs.pop(uid, None)
        if run is not None:
            run.abandon()
            run.forget()

    def sync_all(self) -> None:
        """Look at all pods of this node, as when it comes up."""
        found = {
            stored.metadata["uid"]: stored.data
            for stored in self.cluster.store.objects(POD.key)
            if stored.data["spec"].get("nodeName") == self.name
        }
        for uid in [each for each in self.runs if each not in found]:
            self.gone(uid)
        for pod in found.values():
            self.sync(pod)
        for run in self.runs.values():
            run.report()

    def ended(self, run: PodRun) -> None:
        """A pod that was asked to end has ended."""
        self.runs.pop(run.uid, None)
        run.report()
        run.release()
        run.forget()
        self._let_go(run.pod)

    def _let_go(self, pod: Json) -> None:
        """Remove the object of a pod that does not run here any more."""
        metadata = pod["metadata"]
        stored = self.cluster.store.get(POD.key, metadata["namespace"], metadata["name"])
        if self.loss is None and stored is not None and stored.metadata["uid"] == metadata["uid"]:
            self.cluster.deletions.delete(POD, *stored.place, How(grace_s=0))

    def lose(self, loss: Loss) -> None:
        """Stop reporting; the pods' processes end (``power``), or stand still (``freeze``)."""
        if self.loss is not None:
            return
        self.loss = loss
        self.awake.clear()
        for run in list(self.runs.values()):
            if loss == "power":
                run.abandon()
            else:
                run.freeze()
        if loss == "power":
            self.runs.clear()

    def restore(self) -> None:
        """Come back: processes go on, or are started anew; what was deleted meanwhile ends."""
        if self.loss is None:
            return
        self.loss = None
        for run in self.runs.values():
            run.thaw()
        self.awake.set()
        self.sync_all()

    def stop(self) -> None:
        """End every process."""
        for run in self.runs.values():
            run.abandon()


class Kubelets:
    """All of them."""

    def __init__(self, cluster: Cluster, recorder: Recorder, settings: Settings, files: Files, images: Images) -> None:
        self.cluster = cluster
        self.recorder = recorder
        self.files = files
        self.images = images
        self.port = settings.port
        self.addresses = Addresses(settings.subnet)
        self.by_name = {
            node.name: Kubelet(self, node, f"{settings.subnet}.{number}")
            for number, node in enumerate(settings.nodes, 1)
        }
        cluster.store.listeners.append(self._follow)
        for each in self.by_name.values():
            each.sync_all()

    def _follow(self, change: Change) -> None:
        if change.key != POD.key:
            return
        stored = change.new or change.old
        assert stored is not None
        kubelet = self.by_name.get(stored.data["spec"].get("nodeName") or "")
        if kubelet is None or kubelet.loss is not None:
            return
        if change.new is None:
            kubelet.gone(stored.metadata["uid"])
        else:
            kubelet.sync(stored.data)

    def reports(self, node: str) -> bool:
        """Whether a node is not lost."""
        kubelet = self.by_name.get(node)
        return kubelet is not None and kubelet.loss is None

    def runs(self) -> list[PodRun]:
        """Every pod that is on a node that reports."""
        return [run for each in self.by_name.values() if each.loss is None for run in each.runs.values()]

    def stop(self) -> None:
        """End every process."""
        for each in self.by_name.values():
            each.stop()
