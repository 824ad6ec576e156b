"""Faults of the cluster's workloads: releases that do not start, and what limits how many pods there may be."""

from __future__ import annotations

from datetime import UTC, datetime

from console.lab.errors import LabError
from console.lab.faults import platform
from console.lab.faults.base import Deed, Fault, Parameter, Signs, Stroke, Truth
from console.lab.kube.kinds import Json
from console.lab.manifests import tenant as manifests
from console.lab.manifests.tenant import MOST_REPLICAS, SCALED
from console.lab.platform import objects
from console.lab.platform.admin import Admin, AdminError, condition
from console.lab.tenants import tenant
from console.lab.users.base import set_factor

_CONTAINER = ("spec", "template", "spec", "containers", 0)
_TEMPLATE = ("spec", "template", "metadata", "annotations")
_SETTLE_WITHIN_S = 60.0


def _deployment(stroke: Stroke) -> Json:
    return platform.look(stroke, "Deployment", manifests.NAME, platform.of(stroke).namespace)


def _roll_back(stroke: Stroke) -> None:
    """Put the old template back and wait until nothing of the new one is left."""
    platform.restore(stroke)
    with Admin.of(stroke.lab.path) as admin:
        admin.rolled_out(manifests.NAME, platform.of(stroke).namespace, _SETTLE_WITHIN_S)


# -- releases ------------------------------------------------------------------------------------------------------------


def _crash(stroke: Stroke) -> None:
    each = platform.of(stroke)
    missing = str(platform.volume(stroke.lab, each) / "odoo-new.json")
    steps = (*_CONTAINER, "args")
    platform.change(stroke, "Deployment", manifests.NAME, each.namespace, steps, [missing])


def _release(stroke: Stroke) -> None:
    each = platform.of(stroke)
    image = f"{manifests.image(each.version)}-hotfix"
    platform.change(stroke, "Deployment", manifests.NAME, each.namespace, (*_CONTAINER, "image"), image)


CRASH_LOOP = Fault(
    name="crash-loop",
    does="a release of the tenant names a configuration file that is not there: its new pod ends at once, is started again, and "
    "waits longer each time. The old pod serves on, as the rollout keeps it until the new one is ready",
    observable_from="the new pod waits in CrashLoopBackOff",
    needs_platform=True,
    parameters=(platform.whose("delta"),),
    signs=Signs(
        findings=("crash-loop",),
        allowed=("workload-short",),
        panes={"cluster": "warning"},
        latency_s=15,
        scope="tenant",
        tenants=("{tenant}",),
        truth=Truth(
            broken="the tenant's new release cannot start: its pod ends again and again",
            felt="nobody yet: the old release serves on",
            cause="crash-loop",
        ),
    ),
)

IMAGE_UNPULLABLE = Fault(
    name="image-unpullable",
    does="a release of the tenant names an image that the registry does not have; the old pod serves on",
    observable_from="the new pod waits in ErrImagePull or ImagePullBackOff",
    needs_platform=True,
    parameters=(platform.whose("ebene"),),
    signs=Signs(
        findings=("image-unpullable",),
        allowed=("workload-short",),
        panes={"cluster": "warning"},
        latency_s=15,
        scope="tenant",
        tenants=("{tenant}",),
        truth=Truth(
            broken="the image of the tenant's new release is not in the registry",
            felt="nobody yet: the old release serves on",
            cause="image-unpullable",
        ),
    ),
)


# -- limits --------------------------------------------------------------------------------------------------------------


def _exhaust(stroke: Stroke) -> None:
    """No room beside what runs, and a restart that needs some."""
    each = platform.of(stroke)
    used = len(platform.pods(stroke.lab, each.namespace))
    platform.change(stroke, "ResourceQuota", "tenant", each.namespace, ("spec", "hard", "pods"), str(used))
    restarted = {"kubectl.kubernetes.io/restartedAt": datetime.now(UTC).isoformat()}
    platform.change(stroke, "Deployment", manifests.NAME, each.namespace, _TEMPLATE, restarted)


def _refused(stroke: Stroke) -> bool:
    return condition(_deployment(stroke), "ReplicaFailure") == "True"


QUOTA_EXHAUSTED = Fault(
    name="quota-exhausted",
    does="the tenant's ResourceQuota is lowered to the pods that it has, and its Odoo is restarted (rollout restart): the pod that "
    "shall take over is refused, the old one serves on",
    observable_from="its Deployment has the condition ReplicaFailure",
    needs_platform=True,
    parameters=(platform.whose("fjord"),),
    signs=Signs(
        findings=("quota-exhausted",),
        allowed=("workload-short",),
        panes={"cluster": "warning"},
        latency_s=15,
        lingers_s=30,
        scope="tenant",
        tenants=("{tenant}",),
        truth=Truth(
            broken="the tenant's quota has no room for the pod that its rollout needs",
            felt="nobody yet: the old pod serves on; if it ends, nothing replaces it",
            cause="quota-exhausted",
        ),
    ),
)

_SCALER = ("HorizontalPodAutoscaler", manifests.NAME, tenant(SCALED).namespace)


def _lower(stroke: Stroke) -> None:
    set_factor(stroke.lab.path, SCALED, float(stroke.number("load")))
    # Its pods shall go as soon as they are not wanted any more.
    platform.change(stroke, *_SCALER, ("spec", "behavior"), {"scaleDown": {"stabilizationWindowSeconds": 0}})
    steps = ("spec", "metrics", 0, "resource", "target", "averageUtilization")
    platform.change(stroke, *_SCALER, steps, stroke.number("percent"))


def _limited(stroke: Stroke) -> bool:
    scaler = platform.look(stroke, *_SCALER)
    return objects.condition(scaler, "ScalingLimited").get("reason") == "TooManyReplicas"


def _raise_again(stroke: Stroke) -> None:
    """Put the target back; the window comes back when the pods have gone."""
    set_factor(stroke.lab.path, SCALED, 1.0)
    behaviour = [key for key in stroke.notes if key.endswith("behavior")]
    kept = {key: stroke.notes.pop(key) for key in behaviour}
    platform.restore(stroke)
    with Admin.of(stroke.lab.path) as admin:
        admin.wait_for(
            *_SCALER, lambda data: data["status"].get("currentReplicas") == 1, _SETTLE_WITHIN_S, "still scaled up"
        )
    stroke.notes.clear()
    stroke.notes.update(kept)
    platform.restore(stroke)


HPA_AT_LIMIT = Fault(
    name="hpa-at-limit",
    does=f"{SCALED}'s users get busier, and the target of its autoscaler is lowered to a share of its requested processor time that it exceeds many times: the "
    f"autoscaler starts pods up to its maximum of {MOST_REPLICAS} and would start more",
    observable_from="its condition ScalingLimited says TooManyReplicas",
    needs_platform=True,
    parameters=(
        Parameter("load", 4, "how many times as busy as usual"),
        Parameter("percent", 1, "the target's averageUtilization"),
    ),
    signs=Signs(
        findings=("hpa-at-limit",),
        panes={"cluster": "warning"},
        latency_s=65,
        scope="tenant",
        tenants=(SCALED,),
        truth=Truth(
            broken="the autoscaler wants more pods than its maximum allows",
            felt="nobody yet: there is no reserve left for more load",
            cause="hpa-at-limit",
        ),
    ),
)

_BUDGET = ("PodDisruptionBudget", manifests.NAME, tenant(SCALED).namespace)


def _forbid(stroke: Stroke) -> None:
    """Nobody may go, and a node with one of them is to be emptied."""
    platform.change(stroke, *_BUDGET, ("spec", "maxUnavailable"), 0)
    pod = platform.serving(stroke.lab, tenant(SCALED))
    stroke.notes |= {"pod": pod["metadata"]["name"], "node": pod["spec"]["nodeName"]}
    platform.change(stroke, "Node", stroke.notes["node"], "", ("spec", "unschedulable"), True)


def _blocked(stroke: Stroke) -> bool:
    """Whether the pod's eviction is refused; tried only once the budget says that it allows none."""
    status = platform.look(stroke, *_BUDGET).get("status") or {}
    if status.get("disruptionsAllowed") != 0 or status.get("expectedPods", 0) < 1:
        return False
    with Admin.of(stroke.lab.path) as admin:
        try:
            admin.evict(stroke.notes["pod"], _BUDGET[2])
        except AdminError as refused:
            return refused.code == 429
    raise LabError(f"pod {stroke.notes['pod']} could be evicted")


PDB_BLOCKS = Fault(
    name="pdb-blocks",
    does=f"{SCALED}'s disruption budget is set to allow none of its pods to be unavailable, the node with its pod is cordoned, and the "
    "pod's eviction asked for, as a drain does: it is refused",
    observable_from="the eviction is refused with 429",
    needs_platform=True,
    signs=Signs(
        findings=("pdb-blocks",),
        panes={"cluster": "warning"},
        latency_s=80,
        scope="tenant",
        tenants=(SCALED,),
        truth=Truth(
            broken="a disruption budget allows no pod to go: the node cannot be drained",
            felt="nobody: it holds up maintenance",
            cause="pdb-blocks",
        ),
    ),
)

DEEDS = {
    CRASH_LOOP.name: (
        CRASH_LOOP,
        Deed(
            _crash,
            lambda stroke: platform.waits(stroke.lab, platform.of(stroke).namespace, "CrashLoopBackOff"),
            _roll_back,
        ),
    ),
    IMAGE_UNPULLABLE.name: (
        IMAGE_UNPULLABLE,
        Deed(
            _release,
            lambda stroke: platform.waits(
                stroke.lab, platform.of(stroke).namespace, "ErrImagePull", "ImagePullBackOff"
            ),
            _roll_back,
        ),
    ),
    QUOTA_EXHAUSTED.name: (QUOTA_EXHAUSTED, Deed(_exhaust, _refused, _roll_back)),
    HPA_AT_LIMIT.name: (HPA_AT_LIMIT, Deed(_lower, _limited, _raise_again, visible_within_s=60)),
    PDB_BLOCKS.name: (PDB_BLOCKS, Deed(_forbid, _blocked, platform.restore)),
}
