"""HorizontalPodAutoscalers: as many pods as their processor time asks for.

The rule is Kubernetes' own: pods × (measured share of what they request ÷ the share wanted), rounded up; nothing within a
tenth of the share wanted; fewer only after the stabilisation window. Looked at every five seconds instead of fifteen.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

from console.lab.kube import quantity, scale
from console.lab.kube.api import now
from console.lab.kube.cluster import Cluster
from console.lab.kube.kinds import Json
from console.lab.kube.selectors import matches
from console.lab.kube.store import Change, Stored
from console.lab.platform import objects
from console.lab.platform.controller import Controller, Place, own, put_status
from console.lab.platform.events import Recorder
from console.lab.platform.kinds import DEPLOYMENT, HPA, POD, REPLICA_SET

NAME = "horizontal-pod-autoscaler"
_TOLERANCE = 0.1
_SETTLE_S = 300
_SCALED = {kind.kind: kind for kind in (DEPLOYMENT, REPLICA_SET)}
_CPU = "cpu resource utilization (percentage of request)"
_FAILED = "failed to get cpu utilization: "
_NO_METRICS = "unable to get metrics for resource cpu: "


class NoMetricError(Exception):
    """The share cannot be told; the text says why, as a real autoscaler words it."""


class Measured(NamedTuple):
    """What the pods use together."""

    percent: int
    average: Decimal
    pods: int
    """Pods measured."""
    ratio: float
    """Used share ÷ wanted share."""


def proposal(current: int, measured: Measured) -> int:
    """How many pods the rule asks for."""
    if abs(measured.ratio - 1) <= _TOLERANCE:
        return current
    return math.ceil(measured.ratio * measured.pods - 1e-9)


class Autoscalers(Controller):
    """Measures and scales."""

    kind = HPA

    def __init__(self, cluster: Cluster, recorder: Recorder, every_s: float) -> None:
        super().__init__(cluster, recorder)
        self._every_s = every_s
        self._proposed: dict[Place, list[tuple[float, int]]] = {}

    def concerned(self, change: Change) -> Iterable[Place]:
        if change.new is not None and change.old is not None and change.key == HPA.key:
            return own(change, HPA) if change.new.data["spec"] != change.old.data["spec"] else ()
        return own(change, HPA)

    def reconcile(self, stored: Stored) -> None:
        self.again(stored.place, self._every_s)
        spec, namespace = stored.data["spec"], stored.place[0]
        reference = spec["scaleTargetRef"]
        kind = _SCALED.get(reference["kind"])
        target = self.store.get(kind.key, namespace, reference["name"]) if kind else None
        listed = objects.conditions(stored.data)
        if kind is None or target is None:
            why = f'{reference["kind"]} "{reference["name"]}" not found'
            text = f"the HPA controller was unable to get the target's current scale: {why}"
            listed = objects.with_condition(listed, "AbleToScale", "False", "FailedGetScale", text)
            put_status(self.cluster, HPA, stored, {**(stored.data.get("status") or {}), "conditions": listed})
            return
        current = int(target.data["spec"]["replicas"])
        status = {**(stored.data.get("status") or {}), "currentReplicas": current, "desiredReplicas": current}
        if not current:
            text = "scaling is disabled since the replica count of the target is zero"
            status["conditions"] = objects.with_condition(listed, "ScalingActive", "False", "ScalingDisabled", text)
            put_status(self.cluster, HPA, stored, status)
            return
        try:
            measured = self._measure(spec, namespace, target)
        except NoMetricError as problem:
            self._cannot_tell(stored, status, str(problem))
            return
        wanted, listed = self._decide(stored, current, measured)
        status |= {"desiredReplicas": wanted, "currentMetrics": [_metric(measured)]}
        if wanted != current:
            scale.change(self.api, kind, *target.place, {"spec": {"replicas": wanted}})
            status["lastScaleTime"] = now()
            why = "above target" if wanted > current else "below target"
            text = f"New size: {wanted}; reason: {_CPU if wanted > current else 'All metrics'} {why}"
            self.recorder.note(HPA, stored.data, "SuccessfulRescale", text, source=NAME)
        put_status(self.cluster, HPA, stored, {**status, "conditions": listed})

    def _cannot_tell(self, stored: Stored, status: Json, why: str) -> None:
        text = f"the HPA was unable to compute the replica count: {_FAILED}{why}"
        listed = objects.with_condition(
            objects.conditions(stored.data), "AbleToScale", "True", "SucceededGetScale", _GOT_SCALE
        )
        listed = objects.with_condition(listed, "ScalingActive", "False", "FailedGetResourceMetric", text)
        self.recorder.note(HPA, stored.data, "FailedGetResourceMetric", _FAILED + why, source=NAME, warning=True)
        status.pop("currentMetrics", None)
        put_status(self.cluster, HPA, stored, {**status, "conditions": listed})

    def _measure(self, spec: Json, namespace: str, target: Stored) -> Measured:
        """What its pods use of what they request.

        Raises:
            NoMetricError: It cannot be told.
        """
        metric: Json = next(
            (each["resource"] for each in spec.get("metrics") or [] if each.get("type") == "Resource"), {}
        )
        percent = (metric.get("target") or {}).get("averageUtilization")
        if metric.get("name") != "cpu" or not percent:
            raise NoMetricError("only the utilization of cpu is measured in the laboratory")
        if self.cluster.metrics is None:
            raise NoMetricError(
                f"{_NO_METRICS}unable to fetch metrics from resource metrics API: the server could not find the requested "
                "resource (get pods.metrics.k8s.io)"
            )
        selector = target.data["spec"]["selector"]
        pods = [
            each.data
            for each in self.store.objects(POD.key, namespace)
            if matches(selector, each.metadata.get("labels") or {}) and objects.active(each.data)
        ]
        used = {each["metadata"]["name"]: _cpu(each) for each in self.cluster.metrics.pods(namespace)}
        found = [(pod, used[pod["metadata"]["name"]]) for pod in pods if pod["metadata"]["name"] in used]
        found = [(pod, cpu) for pod, cpu in found if objects.ready(pod)]
        if not found:
            raise NoMetricError(f"{_NO_METRICS}no metrics returned from resource metrics API")
        asked = [objects.requested(pod, "cpu") for pod, _ in found]
        if not all(asked):
            name = next(pod["metadata"]["name"] for (pod, _), each in zip(found, asked, strict=True) if not each)
            raise NoMetricError(f"missing request for cpu in Pod {name}")
        total = sum((cpu for _, cpu in found), Decimal())
        share = float(total / sum(asked, Decimal())) * 100
        return Measured(int(share), total / len(found), len(found), share / percent)

    def _decide(self, stored: Stored, current: int, measured: Measured) -> tuple[int, list[Json]]:
        spec, place = stored.data["spec"], stored.place
        lowest, highest = int(spec.get("minReplicas", 1)), int(spec["maxReplicas"])
        proposed = proposal(current, measured)
        moment = datetime.now(UTC).timestamp()
        window = (((spec.get("behavior") or {}).get("scaleDown") or {}).get("stabilizationWindowSeconds")) or 0
        if ((spec.get("behavior") or {}).get("scaleDown") or {}).get("stabilizationWindowSeconds") is None:
            window = _SETTLE_S
        earlier = [(when, size) for when, size in self._proposed.get(place, []) if when > moment - window]
        self._proposed[place] = [*earlier, (moment, proposed)]
        settled = max([proposed, *(size for _, size in earlier)]) if proposed < current else proposed
        stable = min(settled, current) if proposed < current else settled
        wanted = min(max(stable, lowest), highest, max(2 * current, current + 4))
        listed = objects.conditions(stored.data)
        if wanted != current:
            text = f"the HPA controller was able to update the target scale to {wanted}"
            listed = objects.with_condition(listed, "AbleToScale", "True", "SucceededRescale", text)
        elif stable != proposed:
            text = "recent recommendations were higher than current one, applying the highest recent recommendation"
            listed = objects.with_condition(listed, "AbleToScale", "True", "ScaleDownStabilized", text)
        else:
            text = "recommended size matches current size"
            listed = objects.with_condition(listed, "AbleToScale", "True", "ReadyForNewScale", text)
        text = f"the HPA was able to successfully calculate a replica count from {_CPU}"
        listed = objects.with_condition(listed, "ScalingActive", "True", "ValidMetricFound", text)
        return wanted, objects.with_condition(listed, "ScalingLimited", *_limited(stable, lowest, highest))


_GOT_SCALE = "the HPA controller was able to get the target's current scale"


def _limited(stable: int, lowest: int, highest: int) -> tuple[str, str, str]:
    if stable > highest:
        return "True", "TooManyReplicas", "the desired replica count is more than the maximum replica count"
    if stable < lowest:
        return "True", "TooFewReplicas", "the desired replica count is less than the minimum replica count"
    return "False", "DesiredWithinRange", "the desired count is within the acceptable range"


def _cpu(item: Json) -> Decimal:
    return sum((quantity.parse(each["usage"]["cpu"]) for each in item["containers"]), Decimal())


def _metric(measured: Measured) -> Json:
    average = f"{math.ceil(measured.average * 1000)}m"
    current = {"averageUtilization": measured.percent, "averageValue": average}
    return {"type": "Resource", "resource": {"name": "cpu", "current": current}}
