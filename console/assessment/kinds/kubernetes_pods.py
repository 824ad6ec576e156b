"""Pods that do not come to run: they crash, their image cannot be had, no node takes them. Told by workload."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from datetime import timedelta

from console.assessment.kubernetes import Kube, place
from console.assessment.look import Look, fact
from console.assessment.symptom import Said, Symptom, kind
from console.assessment.words import clock, count, listing, short
from console.readings import Evidence, KubePod, Reading
from console.readings.finding import Severity

_UNPULLABLE = frozenset(
    {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable", "ImageInspectError"}
)  # fmt: skip


class _Bad:
    """A workload some of whose pods are bad in the same way."""

    def __init__(self, kube: Kube, namespace: str, owner: str, pods: list[KubePod]) -> None:
        self.kube, self.namespace, self.owner, self.pods = kube, namespace, owner, pods
        self.subject = kube.subject(namespace, owner)
        self.name = place(namespace, owner.partition("/")[2])
        self.users = kube.users([namespace])
        workload = kube.workload_of.get((namespace, owner))
        others = kube.pods_by_owner.get((namespace, owner), ())
        self.serves = workload.ready if workload else sum(0 < pod.containers <= pod.ready for pod in others)
        self.is_job = owner.startswith("Job/")
        self.desired = workload.desired if workload else 1
        self.image = listing(sorted({image for pod in pods for image in pod.images}), 2)

    @property
    def severity(self) -> Severity:
        return "warning" if self.serves or not self.desired or self.is_job else "critical"

    @property
    def impact(self) -> str:
        if self.serves:
            return f"{self.users.words}: still served by {count(self.serves, 'pod')}; what is new there, or more of it, does not come."
        if self.is_job:
            return f"{self.users.words}: what job {self.name} should do is not done."
        return f"{self.users.words}: nothing of {self.name} serves anybody."

    @property
    def message(self) -> str:
        return next((pod.message for pod in self.pods if pod.message), "")

    def symptom(
        self, look: Look, name: str, title: str, action: str, evidence: tuple[Evidence, ...], causes: tuple[str, ...]
    ) -> Symptom:
        reading: Reading | None = self.kube.pods
        assert reading is not None
        return Symptom(
            subject=self.subject,
            severity=self.severity,
            title=title,
            impact=self.impact,
            action=action,
            stands_on=(reading,),
            scope="tenant" if self.users.known else "platform",
            affects=self.users.tenants,
            tenants=self.users.tenants,
            evidence=(
                *evidence,
                fact(reading, "pods that are ready", str(self.serves), str(self.desired)),
                fact(reading, "node", listing(sorted({pod.node for pod in self.pods if pod.node})) or "none"),
            ),
            causes=causes,
            after_s=look.threshold(name, "after_seconds"),
        )


def _bad(kube: Kube, test: Callable[[str, KubePod], bool]) -> Iterator[_Bad]:
    for (namespace, owner), pods in kube.suspects.items():
        found = [pod for pod in pods if test(f"{namespace}/{pod.name}", pod)]
        if found:
            yield _Bad(kube, namespace, owner, found)


@kind("crash-loop", "cluster", "after_seconds", "restarts", "window_seconds", "calm_seconds")
def crash_loop(look: Look) -> Said:
    """Containers end and are started anew, again and again."""
    least = look.threshold("crash-loop", "restarts")
    for kube in look.kubes.values():
        for bad in _bad(kube, functools.partial(_crashes, look, kube)):
            worst = max(bad.pods, key=lambda pod: pod.restarts)
            ended = worst.ended_reason or "?"
            code = f" ({worst.ended_code})" if worst.ended_code is not None else ""
            memory = f", limit {worst.memory_limit / 2**20:.0f} MiB" if worst.ended_reason == "OOMKilled" else ""
            databases = tuple(
                f"{name}:{cluster}" for cluster in look.clusters for name in ("no-primary", "primary-unreachable")
            )
            yield bad.symptom(
                look,
                "crash-loop",
                f"{bad.name} crashes again and again: {short(ended, 30)}{code}",
                "Read the log of the run before (l, then previous); compare with what was changed last; roll back if it is a new release.",
                (
                    fact(kube.pods, "restarts", f"{worst.restarts} of {short(worst.name, 60)}", f"{least:.0f}"),
                    fact(kube.pods, "ended last", f"{ended}{code} at {clock(worst.ended_at)}{memory}", text=bad.message),
                    fact(kube.pods, "image", bad.image or "?"),
                ),
                (*kube.node_causes(pod.node for pod in bad.pods), *databases),
            )  # fmt: skip


def _crashes(look: Look, kube: Kube, key: str, pod: KubePod) -> bool:
    """It waits to be started anew; or runs for the moment, and has ended too often or too lately to be believed."""
    least = look.threshold("crash-loop", "restarts")
    if pod.reason == "CrashLoopBackOff":
        # After the first crash or two it is only waited for something that comes up beside it.
        return pod.restarts >= least
    at = kube.pods.taken_at if kube.pods else look.now
    calm = timedelta(seconds=look.threshold("crash-loop", "calm_seconds"))
    if not pod.ended_at or pod.ended_code == 0 or at - pod.ended_at > calm:
        return False
    if look.is_open("crash-loop", kube.subject(pod.namespace, pod.owner or f"Pod/{pod.name}")):
        return True
    window = timedelta(seconds=look.threshold("crash-loop", "window_seconds"))
    return kube.memory.restarts(key, window, at) > least


@kind("image-unpullable", "cluster", "after_seconds")
def image_unpullable(look: Look) -> Said:
    """An image is not there, or may not be had."""
    for kube in look.kubes.values():
        for bad in _bad(kube, lambda _key, pod: pod.reason in _UNPULLABLE):
            yield bad.symptom(
                look,
                "image-unpullable",
                f"The image of {bad.name} cannot be pulled",
                "Compare name and tag with the registry, and see whether it answers and takes the pull secret; roll back if it is a new release.",
                (
                    fact(kube.pods, "image", bad.image or "?"),
                    fact(kube.pods, "state", listing(sorted({pod.reason for pod in bad.pods})), text=bad.message),
                    fact(kube.pods, "pods that wait for it", str(len(bad.pods)), "0"),
                ),
                (),
            )  # fmt: skip


@kind("pod-unschedulable", "cluster", "after_seconds")
def pod_unschedulable(look: Look) -> Said:
    """Pods that no node takes."""
    for kube in look.kubes.values():
        for bad in _bad(kube, lambda _key, pod: pod.phase == "Pending" and pod.reason == "Unschedulable"):
            nodes = kube.nodes.nodes if kube.nodes else {}
            yield bad.symptom(
                look,
                "pod-unschedulable",
                f"No node takes {count(len(bad.pods), 'pod')} of {bad.name}",
                "Read what the scheduler says (Enter): room, taints, zones, volumes. Add a node, or ask for less.",
                (
                    fact(kube.pods, "the scheduler", bad.pods[0].reason, text=bad.message),
                    fact(kube.pods, "each asks for", f"{bad.pods[0].cpu_request:g} cores, {bad.pods[0].memory_request / 2**20:.0f} MiB"),
                    fact(kube.nodes, "nodes that are ready and open", str(sum(n.ready == "True" and not n.cordoned for n in nodes.values())), str(len(nodes))),
                ),
                kube.node_causes(nodes),
            )  # fmt: skip
