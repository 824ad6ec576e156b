"""A Kubernetes cluster as it changes second by second: what is told, for whom, of what cause; and what is no news at all."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from console.readings import (
    KubeQuota,
    KubernetesBudgets,
    KubernetesNodes,
    KubernetesPods,
    KubernetesQuotas,
    KubernetesWorkloads,
)
from tests.assessment.cases import Act
from tests.assessment.cases_kubernetes import (
    ACME_ODOO,
    BACK_OFF,
    BAUHOF,
    BAUHOF_ODOO,
    both,
    nodes,
    pods,
    rows,
    short,
    well,
)
from tests.assessment.scene import Scene
from tests.assessment.scene_kubernetes import BUDGETS, GIB, NODES, PODS, QUOTAS, WORKLOADS, but, kube, pod


def healthy() -> Scene:
    scene = Scene(kube())
    scene.step(times=5)
    assert scene.ids == set()
    return scene


def calm(scene: Scene) -> None:
    well(scene)
    scene.until(lambda: not scene.ids)
    scene.step(times=30)
    assert scene.ids == set()


def test_rollouts_restarts_and_scaling_are_no_news() -> None:
    scene = healthy()
    # The only pod of a tenant is replaced: nothing serves for half a minute.
    both(short(BAUHOF_ODOO, 0), pods(BAUHOF, ready=0, phase="Pending", reason="ContainerCreating"))(scene)
    scene.step(times=15)
    well(scene)
    scene.step(times=5)
    # A rollout: the new pods come one by one, and crash once since the database is being migrated.
    short(ACME_ODOO, 1, updated=1, behind=True)(scene)
    pods("tenant-acme/odoo-1", **BACK_OFF | {"restarts": 1})(scene)
    scene.step(times=6)
    pods("tenant-acme/odoo-1", restarts=1, ended_reason="Error", ended_code=1, ended_at=scene.now)(scene)
    scene.step(times=40)
    well(scene)
    scene.step(times=5)
    # Scaled up: the third takes a minute and a half.
    short(ACME_ODOO, 2, desired=3)(scene)
    scene.step(times=45)
    well(scene)
    # Drained in good order: cordoned, its pods gone within seconds.
    nodes("node-1", cordoned=True)(scene)
    rows(KubernetesBudgets, but(BUDGETS, "tenant-acme/odoo", allowed=0, drained=("node-1",)))(scene)
    scene.step(times=3)
    well(scene)
    scene.step(times=60)
    assert scene.seen == set()


def daemons(ready: int, updated: int) -> Act:
    """Of a DaemonSet with a pod on each node."""
    row = msgspec.structs.replace(
        WORKLOADS[ACME_ODOO], kind="DaemonSet", namespace="kube-system", name="proxy", desired=6, ready=ready, updated=updated
    )  # fmt: skip
    return rows(KubernetesWorkloads, WORKLOADS | {"daemonsets/kube-system/proxy": row})


def test_a_rollout_node_by_node_is_no_news_while_it_moves_on() -> None:
    scene = healthy()
    for updated in range(1, 7):
        daemons(5, updated)(scene)
        scene.step(times=30)  # a minute each
    assert scene.seen == set()
    # The last one does not come, and later another one is lost.
    scene.step(times=40)
    assert scene.ids == {"workload-short:lab/kube-system/proxy"}
    daemons(4, 6)(scene)
    scene.step(times=5)
    assert scene.ids == {"workload-short:lab/kube-system/proxy"}
    calm(scene)


def test_nobody_left_is_told_however_a_rollout_moves() -> None:
    scene = healthy()
    for updated in range(1, 7):
        daemons(0, updated)(scene)
        scene.step(times=6)
    assert scene.ids == {"workload-short:lab/kube-system/proxy"}


def test_a_start_in_the_middle_of_a_rollout_is_no_news() -> None:
    """What was so at the first look is told at once: but not of pods that came a moment ago."""
    scene = Scene(kube())
    young = but(PODS, BAUHOF, ready=0, created_at=scene.now - timedelta(seconds=10))
    rows(KubernetesPods, young)(scene)
    short(BAUHOF_ODOO, 0)(scene)
    scene.step(times=10)
    assert scene.ids == set()
    scene.step(times=20)
    assert scene.ids == {"workload-short:lab/tenant-bauhof/odoo"}


def test_a_lost_zone_is_one_story_for_those_whose_pods_were_there() -> None:
    scene = healthy()
    nodes("node-1", "node-2", ready="Unknown", reason="NodeStatusUnknown")(scene)
    both(short(ACME_ODOO, 1), lambda scene: None)(scene)
    scene.step(times=6)
    # Its pods are moved before anybody could ask.
    rows(KubernetesPods, but(PODS, BAUHOF, "tenant-acme/odoo-1", node="node-6"))(scene)
    scene.until(lambda: "zone-lost:lab/a" in scene.ids, 10)
    found = scene.finding("zone-lost:lab/a")
    assert set(found.tenants) == {"acme", "bauhof"} and found.severity == "critical"
    assert "Acme" in found.impact and "zone" in found.title.lower()
    assert scene.kinds_seen == {"zone-lost"}, "its nodes are not told one by one"
    rows(KubernetesWorkloads, but(WORKLOADS, BAUHOF_ODOO, ready=0))(scene)
    rows(KubernetesPods, but(PODS, BAUHOF, ready=0, reason="Unschedulable", phase="Pending", node=""))(scene)
    scene.until(lambda: "workload-short:lab/tenant-bauhof/odoo" in scene.ids, 40)
    chain = scene.finding("workload-short:lab/tenant-bauhof/odoo")
    assert chain.caused_by == "pod-unschedulable:lab/tenant-bauhof/odoo" and chain.tenants == ("bauhof",)
    assert scene.finding(chain.caused_by).caused_by == "zone-lost:lab/a"
    assert chain.scope == "tenant" and found.scope == "platform"
    calm(scene)


def test_one_lost_node_is_the_cause_of_what_it_took_along() -> None:
    scene = healthy()
    nodes("node-2", ready="False", reason="KubeletNotReady")(scene)
    short(BAUHOF_ODOO, 0, nodes=("node-2",))(scene)
    scene.until(lambda: "workload-short:lab/tenant-bauhof/odoo" in scene.ids, 40)
    assert scene.finding("workload-short:lab/tenant-bauhof/odoo").caused_by == "node-not-ready:lab/node-2"
    assert scene.finding("node-not-ready:lab/node-2").tenants == ("bauhof",)
    # Removed from the cluster: it is no problem any more.
    rows(KubernetesNodes, {name: node for name, node in NODES.items() if name != "node-2"})(scene)
    scene.mend(KubernetesWorkloads, "lab")
    scene.until(lambda: not scene.ids, 10)


def test_crashes_explain_what_is_short_and_what_may_not_be_evicted() -> None:
    scene = healthy()
    pods("tenant-acme/odoo-1", **BACK_OFF)(scene)
    short(ACME_ODOO, 1)(scene)
    rows(KubernetesBudgets, but(BUDGETS, "tenant-acme/odoo", allowed=0, healthy=1))(scene)
    scene.until(lambda: len(scene.ids) == 3, 90)
    assert scene.finding("workload-short:lab/tenant-acme/odoo").caused_by == "crash-loop:lab/tenant-acme/odoo"
    assert scene.finding("pdb-blocks:lab/tenant-acme/odoo").caused_by == "crash-loop:lab/tenant-acme/odoo"
    found = scene.finding("crash-loop:lab/tenant-acme/odoo")
    assert found.severity == "warning" and "1 pod" in found.impact and found.tenants == ("acme",)
    calm(scene)


def test_pods_that_nothing_keeps_and_those_of_no_tenant() -> None:
    scene = healthy()
    lonely = {"tools/shell": msgspec.structs.replace(pod("tools", "shell", "node-1", "Job/x"), owner="", **BACK_OFF)}
    rows(KubernetesPods, PODS | lonely)(scene)
    scene.until(lambda: bool(scene.ids), 20)
    found = scene.finding("crash-loop:lab/tools/shell")
    assert found.tenants == () and found.scope == "platform" and "namespace tools" in found.impact
    calm(scene)


def test_a_job_that_crashes_is_no_outage() -> None:
    scene = healthy()
    backup = msgspec.structs.replace(
        pod("tenant-acme", "backup-1-x", "node-1", "Job/backup-1"), **BACK_OFF | {"ready": 0}
    )
    rows(KubernetesPods, PODS | {"tenant-acme/backup-1-x": backup})(scene)
    scene.until(lambda: bool(scene.ids), 20)
    found = scene.finding("crash-loop:lab/tenant-acme/backup-1")
    assert found.severity == "warning"
    assert "is not done" in found.impact and "serves" not in found.impact
    calm(scene)


def test_a_rollout_refused_for_a_quota_is_told_although_the_old_pods_serve() -> None:
    scene = healthy()
    message = 'pods "odoo-x" is forbidden: exceeded quota: tenant, requested: requests.memory=5Gi, used: requests.memory=2Gi, limited: requests.memory=6Gi'
    short(ACME_ODOO, 2, updated=0, reason="FailedCreate", message=message)(scene)
    scene.until(lambda: bool(scene.ids), 10)
    found = scene.finding("quota-exhausted:lab/tenant-acme/tenant")
    assert "pods are refused" in found.impact
    assert any(message == each.text for each in found.evidence), "what was said is there, as private text"
    assert all("exceeded" not in each.value for each in found.evidence)
    # There is room now; the controller will notice when it tries again.
    rows(KubernetesQuotas, but(QUOTAS, "tenant-acme/tenant", hard={"pods": 6.0, "requests.memory": 8.0 * GIB}))(scene)
    scene.until(lambda: not scene.ids, 10)
    calm(scene)


def test_a_quota_of_nothing_is_how_something_is_forbidden() -> None:
    scene = healthy()
    none = KubeQuota("tenant-acme", "no-best-effort", {"pods": 0.0}, {"pods": 0.0})
    rows(KubernetesQuotas, QUOTAS | {"tenant-acme/no-best-effort": none})(scene)
    scene.step(times=60)
    assert scene.seen == set()


def test_an_api_that_is_gone_tells_one_story() -> None:
    scene = healthy()
    pods(BAUHOF, **BACK_OFF)(scene)
    scene.until(lambda: scene.ids == {"crash-loop:lab/tenant-bauhof/odoo"}, 20)
    for reading in list(scene.readings()):
        scene.fail(type(reading), "lab", "/readyz: Cannot connect to host 10.0.0.9:6443")
    scene.until(lambda: scene.ids == {"api-server-unreachable:lab"}, 30)
    for reading in list(scene.readings()):
        scene.mend(type(reading), "lab")
    pods(BAUHOF, **BACK_OFF)(scene)
    scene.until(lambda: scene.ids == {"crash-loop:lab/tenant-bauhof/odoo"}, 20)
    calm(scene)


def test_a_cluster_of_one_zone_loses_nodes_and_no_zone() -> None:
    scene = healthy()
    rows(
        KubernetesNodes,
        {name: msgspec.structs.replace(node, zone="a", ready="Unknown") for name, node in NODES.items()},
    )(scene)
    scene.until(lambda: len(scene.ids) == len(NODES), 30)
    assert scene.kinds == {"node-not-ready"}
    assert all(found.severity == "critical" for found in scene.found.rows.values())


def test_a_daemonset_on_a_lost_node_is_part_of_its_story() -> None:
    scene = healthy()
    daemons = msgspec.structs.replace(
        WORKLOADS[ACME_ODOO], kind="DaemonSet", namespace="kube-system", name="proxy", desired=6, ready=5
    )
    rows(KubernetesWorkloads, WORKLOADS | {"daemonsets/kube-system/proxy": daemons})(scene)
    nodes("node-4", ready="Unknown")(scene)
    scene.step(times=90)
    assert scene.kinds_seen == {"node-not-ready"}


def test_five_thousand_pods_are_judged_quickly() -> None:
    """Not a benchmark: a guard against something quadratic."""
    from time import process_time

    scene = healthy()
    many = {f"t/{n}": pod("t", str(n), f"node-{n % 6 + 1}", f"Deployment/d{n % 50}") for n in range(5000)}
    rows(KubernetesPods, many)(scene)
    scene.step()
    began = process_time()
    for _ in range(10):
        scene.look()
    assert (process_time() - began) / 10 < 0.05
