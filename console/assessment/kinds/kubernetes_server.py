"""The cluster's own API: gone, not ready, or without its metrics."""

from __future__ import annotations

from console.assessment.look import Look, fact
from console.assessment.symptom import Clear, Said, Symptom, kind
from console.assessment.views import down
from console.assessment.words import clock, listing


@kind("api-server-unreachable", "cluster", "after_seconds")
def api_server_unreachable(look: Look) -> Said:
    """Nobody answers for the cluster."""
    for kube in look.kubes.values():
        last = kube.api_last
        if last is None or not down(last):
            continue
        yield Symptom(
            subject=kube.name,
            severity="critical",
            title=f"The API server of {kube.name} cannot be reached",
            impact="Users feel nothing yet: what runs goes on, but nothing that stops is started again, and nothing can be seen here.",
            action="See whether the control plane runs and whether it can be reached from here (network, certificate, load balancer).",
            stands_on=(last,),
            since=last.good_at,
            evidence=(
                fact(last, "/readyz", last.problem or "no answer"),
                fact(last, "answered last", clock(last.good_at) if last.good_at else "never"),
            ),
            covers=kube.watched,
            after_s=look.threshold("api-server-unreachable", "after_seconds"),
        )


@kind("api-server-unready", "cluster", "after_seconds")
def api_server_unready(look: Look) -> Said:
    """The API server answers, and says that it is not ready."""
    for kube in look.kubes.values():
        api = kube.api
        if api is None or api.ready is not False:
            continue
        yield Symptom(
            subject=kube.name,
            severity="warning",
            title=f"The API server of {kube.name} is not ready: {listing(api.failing, 2)}",
            impact="Users feel nothing yet: what runs goes on; changes, restarts and scaling may hang or fail.",
            action="Look at what fails: etcd is disk and network of the control plane, other checks tell more in the server's log.",
            stands_on=(api,),
            evidence=tuple(fact(api, f"check {name}", "fails", "ok") for name in api.failing[:8]),
            after_s=look.threshold("api-server-unready", "after_seconds"),
        )


@kind("metrics-missing", "cluster", "after_seconds")
def metrics_missing(look: Look) -> Said:
    """The metrics API was there, and is no more. A cluster that never had one is left in peace."""
    for kube in look.kubes.values():
        last = kube.usage_last
        if last is None or kube.api is None:
            continue
        if kube.usage is not None:
            yield Clear(subject=kube.name, stands_on=(last,))
        elif kube.memory.metrics_at is not None and last.status in ("unreachable", "not-configured"):
            yield Symptom(
                subject=kube.name,
                severity="warning",
                title=f"The metrics of {kube.name} are gone",
                impact="Users feel nothing yet: what runs goes on, but nothing is scaled by load, and use is not seen here.",
                action="Look at the pods of the metrics server and at its APIService (kubectl get apiservice v1beta1.metrics.k8s.io).",
                stands_on=(last,),
                since=last.good_at or kube.memory.metrics_at,
                evidence=(
                    fact(last, "metrics.k8s.io", last.problem or last.status),
                    fact(last, "read last", clock(kube.memory.metrics_at)),
                ),
                after_s=look.threshold("metrics-missing", "after_seconds"),
            )
