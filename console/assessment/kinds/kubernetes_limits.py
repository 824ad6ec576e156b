"""Quotas that are used up, and autoscalers that cannot do their work."""

from __future__ import annotations

import re
from datetime import timedelta

from console.assessment.kubernetes import Kube, place
from console.assessment.look import Look, fact
from console.assessment.symptom import Said, Symptom, kind
from console.assessment.words import listing, short, size
from console.clients.quantity import quantity
from console.readings import Evidence, KubeQuota, KubeScaler

_EXCEEDED = re.compile(r"exceeded quota: ([a-z0-9.-]+)(?:, requested: ([^ ]+), used: )?")
"""As the API server's admission says it: ``exceeded quota: tenant, requested: pods=1,requests.cpu=1, used: …, limited: …``."""
_COMPUTE = re.compile(r"(requests|limits)\.(cpu|memory)|cpu|memory|pods")
"""What every pod needs. Of load balancers or volumes a quota may well be used up on purpose."""
_HAIR = 1.001
"""Numbers of readings are rounded."""


@kind("quota-exhausted", "cluster", "after_seconds", "full_share", "refused_seconds")
def quota_exhausted(look: Look) -> Said:
    """A quota has no room left for another pod, or something was refused for it."""
    recent = timedelta(seconds=look.threshold("quota-exhausted", "refused_seconds"))
    for kube in look.kubes.values():
        reading = kube.quotas
        if reading is None:
            continue
        refused = _refused(kube, recent)
        for row in reading.quotas.values():
            full = {
                name: (row.used.get(name, 0.0), hard)
                for name, hard in row.hard.items()
                if hard > 0  # of nothing at all nothing is used up: it is how somebody forbids it
                and _COMPUTE.fullmatch(name)
                and row.used.get(name, 0.0) >= hard * look.threshold("quota-exhausted", "full_share")
            }  # fmt: skip
            said = refused.get((row.namespace, row.name), "")
            if said or full:
                yield _exhausted(look, kube, row, full, said)


def _exhausted(look: Look, kube: Kube, row: KubeQuota, full: dict[str, tuple[float, float]], said: str) -> Symptom:
    assert kube.quotas is not None
    users = kube.users([row.namespace])
    names = sorted(full) or sorted(row.hard, key=lambda name: -row.used.get(name, 0.0) / (row.hard[name] or 1.0))[:2]
    evidence: tuple[Evidence, ...] = tuple(
        fact(kube.quotas, short(name, 40), _amount(name, row.used.get(name, 0.0)), _amount(name, row.hard[name]))
        for name in names[:6]
    )
    if said:
        evidence = (*evidence, fact(kube.warnings or kube.workloads, "refused", "pods cannot be created", text=said))
    what = listing(names, 2)
    return Symptom(
        subject=f"{kube.name}/{row.namespace}/{row.name}",
        severity="warning",
        title=f"Quota {place(row.namespace, row.name)} is used up: {what}",
        impact=f"{users.words}: pods are refused; no rollout, no scaling up, and what stops is not started again."
        if said
        else f"{users.words}: what runs goes on; one more pod is refused, so that rollouts and scaling up will fail.",
        action="See what uses it (Enter); end what is not needed, or raise the quota if the nodes have the room.",
        stands_on=(kube.quotas,),
        scope="tenant" if users.known else "platform",
        affects=users.tenants,
        tenants=users.tenants,
        evidence=evidence,
        after_s=0.0 if said else look.threshold("quota-exhausted", "after_seconds"),
    )


def _refused(kube: Kube, recent: timedelta) -> dict[tuple[str, str], str]:
    """(namespace, quota) → what was said when something was refused for it that would be refused still."""
    said = []
    if kube.workloads is not None:
        # A rollout may be refused its new pod while the old ones serve.
        said += [(row.namespace, row.message) for row in kube.workloads.workloads.values() if row.reason]
    if kube.warnings is not None:
        said += [
            (row.namespace, row.message)
            for row in kube.warnings.warnings.values()
            if row.last_at is not None and kube.warnings.taken_at - row.last_at <= recent
        ]
    rows = {(row.namespace, row.name): row for row in (kube.quotas.quotas.values() if kube.quotas else ())}
    found = {}
    for namespace, text in said:
        hit = _EXCEEDED.search(text)
        row = rows.get((namespace, hit[1])) if hit else None
        if hit and row is not None and not _fits(row, hit[2] or ""):
            found[namespace, row.name] = text
    return found


def _fits(row: KubeQuota, requested: str) -> bool:
    """Whether what was refused would be taken now; where it is not known what that was, it would not."""
    wanted = {
        name: quantity(value) for name, _, value in (each.partition("=") for each in requested.split(",")) if name
    }
    return bool(wanted) and all(
        amount is not None and row.used.get(name, 0.0) + amount <= row.hard.get(name, 0.0) * _HAIR
        for name, amount in wanted.items()
    )


def _amount(name: str, value: float) -> str:
    if "memory" in name or "storage" in name:
        return size(value)
    return f"{value:g} cores" if "cpu" in name else f"{value:g}"


@kind("hpa-at-limit", "cluster", "after_seconds")
def hpa_at_limit(look: Look) -> Said:
    """An autoscaler would start more pods than it may."""
    for kube in look.kubes.values():
        reading = kube.scalers
        if reading is None:
            continue
        for row in reading.scalers.values():
            if row.at_limit != "TooManyReplicas" or row.current < row.maximum:
                continue
            users = kube.users([row.namespace])
            yield Symptom(
                subject=f"{kube.name}/{row.namespace}/{row.name}",
                severity="warning",
                title=f"{place(row.namespace, row.name)} wants more than its {row.maximum} pods",
                impact=f"{users.words}: under more load than what may be started for it can carry; it gets slow.",
                action="See where the load comes from (ingress, scheduled jobs); raise the maximum if nodes, quota and database have room.",
                stands_on=(reading,),
                scope="tenant" if users.known else "platform",
                affects=users.tenants,
                tenants=users.tenants,
                evidence=(
                    fact(reading, "pods", str(row.current), str(row.maximum)),
                    fact(reading, "scales", short(row.target, 60)),
                ),
                after_s=look.threshold("hpa-at-limit", "after_seconds"),
            )


@kind("hpa-blind", "cluster", "after_seconds")
def hpa_blind(look: Look) -> Said:
    """An autoscaler cannot tell how many pods are needed."""
    for kube in look.kubes.values():
        reading = kube.scalers
        if reading is None:
            continue
        for row in reading.scalers.values():
            if row.reason in ("", "ScalingDisabled"):  # scaled to nothing: it is meant to rest
                continue
            yield _blind(look, kube, row)


def _blind(look: Look, kube: Kube, row: KubeScaler) -> Symptom:
    assert kube.scalers is not None
    users = kube.users([row.namespace])
    return Symptom(
        subject=f"{kube.name}/{row.namespace}/{row.name}",
        severity="warning",
        title=f"Autoscaler {place(row.namespace, row.name)} does not scale: {short(row.reason, 40)}",
        impact=f"Users of {users.words} feel nothing yet; under load nothing is started for them.",
        action="See whether the metrics API answers and the pods of its target run and declare what they request.",
        stands_on=(kube.scalers,),
        scope="tenant" if users.known else "platform",
        affects=users.tenants,
        tenants=users.tenants,
        evidence=(
            fact(kube.scalers, "reason", row.reason, text=row.message),
            fact(kube.scalers, "pods", str(row.current), f"{row.minimum} to {row.maximum}"),
        ),
        causes=(f"metrics-missing:{kube.name}", f"workload-short:{kube.subject(row.namespace, row.target)}"),
        after_s=look.threshold("hpa-blind", "after_seconds"),
    )
