"""List and watch over HTTP, and all that goes wrong with it: each its own state, each mended by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from console.clients import kubernetes_mirror
from console.clients.kubernetes import Kubernetes, KubernetesError
from console.clients.kubernetes_kinds import BUDGETS, KINDS, NODES, PAGE, PODS
from console.clients.kubernetes_mirror import Mirror
from console.lab.kube import builtin
from console.readings.kubernetes import KubePod
from console.sources.base import SourceError
from console.sources.kubernetes_cluster import Cluster
from tests.lab.kube.rig import VIEWER
from tests.rigs_kubernetes import ApiServer, all_told, real_pod, until

pytestmark = pytest.mark.server

Begin = Callable[..., Cluster]


def mirror(cluster: Cluster) -> Mirror[KubePod]:
    return cluster.mirrors[PODS][0]


async def all_watching(cluster: Cluster) -> None:
    await until(lambda: all_told(cluster))


async def test_what_is_there_is_listed_and_what_changes_is_seen(api_server: ApiServer, watched: Begin) -> None:
    for number in range(3):
        api_server.put_pod(number)
    cluster = watched()
    await all_watching(cluster)
    await cluster.pulse(5)
    before = cluster.pods()
    assert before.status == "ok" and len(before.pods) == 3
    api_server.put_pod(3)
    api_server.put_pod(0, restarts=4)
    api_server.drop_pod(1)
    await until(lambda: mirror(cluster).changes == 3)
    after = cluster.pods()
    assert sorted(row.name[-1] for row in after.pods.values()) == ["0", "2", "3"]
    assert after.pods["default/odoo-7d9f-00000"].restarts == 8
    # Untouched rows are the same objects, so that a difference is found without comparing them.
    assert after.pods["default/odoo-7d9f-00002"] is before.pods["default/odoo-7d9f-00002"]
    assert mirror(cluster).lists == 1


async def test_five_thousand_pods_come_in_pages(api_server: ApiServer, watched: Begin) -> None:
    for number in range(5000):
        api_server.put_pod(number)
    cluster = watched()
    await until(lambda: mirror(cluster).readable)
    assert len(mirror(cluster).rows) == 5000 > PAGE
    api_server.drop_pod(4999)
    await until(lambda: len(mirror(cluster).rows) == 4999)
    assert mirror(cluster).lists == 1


async def test_a_watch_that_ends_goes_on_where_it_was(
    api_server: ApiServer, watched: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ended by the server in good order, as each is after some minutes, and cut."""
    monkeypatch.setattr(kubernetes_mirror, "_WATCH_S", (1, 1))
    opened = 0
    genuine = Kubernetes.lines

    def counted(self: Kubernetes, path: str, *arguments: Any, **query: str) -> Any:
        nonlocal opened
        opened += path.endswith("/pods")
        return genuine(self, path, *arguments, **query)

    monkeypatch.setattr(Kubernetes, "lines", counted)
    cluster = watched()
    await until(lambda: opened == 3)
    api_server.put_pod(0)
    await until(lambda: len(mirror(cluster).rows) == 1)
    cluster.api.drop()
    api_server.put_pod(1)
    await until(lambda: len(mirror(cluster).rows) == 2)
    assert mirror(cluster).lists == 1 and mirror(cluster).changes == 2


async def test_it_lists_again_when_the_server_no_longer_knows_where_it_was(
    api_server: ApiServer, watched: Begin
) -> None:
    api_server.put_pod(0)
    cluster = watched()
    await until(lambda: mirror(cluster).readable)
    await api_server.stop()
    await until(lambda: mirror(cluster).state == "unreachable")
    api_server.put_pod(1)
    api_server.drop_pod(0)
    api_server.cluster.store.compact()
    await api_server.start()
    await until(lambda: mirror(cluster).lists == 2 and mirror(cluster).readable)
    assert list(mirror(cluster).rows) == ["default/odoo-7d9f-00001"]


async def test_a_server_that_was_set_back_is_listed_again(api_server: ApiServer, watched: Begin) -> None:
    for number in range(5):
        api_server.put_pod(number)
    cluster = watched()
    await until(lambda: mirror(cluster).readable)
    await api_server.stop()
    await until(lambda: mirror(cluster).state == "unreachable")
    other = ApiServer()
    other.port = api_server.port
    await other.start()
    try:
        await until(lambda: mirror(cluster).readable and not mirror(cluster).rows)
        assert mirror(cluster).lists == 2
    finally:
        await other.stop()


async def test_an_api_that_is_gone_is_unreachable_and_comes_back(api_server: ApiServer, watched: Begin) -> None:
    api_server.put_pod(0)
    cluster = watched()
    await all_watching(cluster)
    await cluster.pulse(5)
    await api_server.stop()
    with pytest.raises(SourceError) as lost:
        await cluster.pulse(5)
    assert not lost.value.denied and "/readyz" in lost.value.problem
    with pytest.raises(SourceError):
        cluster.pods()
    await until(lambda: mirror(cluster).state == "unreachable" and "127.0.0.1" in mirror(cluster).problem)
    await api_server.start()
    api_server.put_pod(1)
    assert (await cluster.pulse(5)).ready
    await until(lambda: len(mirror(cluster).rows) == 2)
    assert mirror(cluster).lists == 1
    assert len(cluster.pods().pods) == 2


async def test_without_a_pulse_nothing_is_believed(api_server: ApiServer, watched: Begin) -> None:
    cluster = watched()
    await all_watching(cluster)
    with pytest.raises(SourceError, match="not been asked"):
        cluster.nodes()


async def test_one_kind_that_is_forbidden_says_so_and_the_rest_is_seen(api_server: ApiServer, watched: Begin) -> None:
    api_server.as_viewer()
    api_server.allow("nodes", "pods", "deployments", "statefulsets")
    cluster = watched()
    await until(lambda: mirror(cluster).readable and cluster.mirrors[BUDGETS][0].state == "denied")
    await cluster.pulse(5)
    assert cluster.pods().status == "ok"
    with pytest.raises(SourceError) as refused:
        cluster.budgets()
    assert refused.value.denied and 'cannot list resource "poddisruptionbudgets"' in refused.value.problem
    # Of three kinds of workload, one is missing: partial.
    await until(lambda: sum(each.readable for kind in cluster.mirrors for each in cluster.mirrors[kind]) == 4)
    assert cluster.workloads().status == "partial" and "daemonsets" in cluster.workloads().problem
    api_server.allow("poddisruptionbudgets", "daemonsets")
    await until(lambda: cluster.mirrors[BUDGETS][0].readable)
    assert cluster.budgets().status == "ok"


async def test_one_namespace_that_is_forbidden_makes_it_partial(api_server: ApiServer, watched: Begin) -> None:
    api_server.as_viewer()
    api_server.put_pod(0)
    api_server.put_pod(0, namespace="kube-public")
    api_server.allow("pods", namespace="default")
    cluster = watched("default", "kube-public")
    here, there = cluster.mirrors[PODS]
    await until(lambda: here.readable and there.state == "denied")
    pulse = await cluster.pulse(5)
    assert pulse.kinds["pods in default"].state == "watching" and pulse.kinds["pods in kube-public"].state == "denied"
    reading = cluster.pods()
    assert reading.status == "partial" and 'namespace "kube-public"' in reading.problem
    assert list(reading.pods) == ["default/odoo-7d9f-00000"]
    api_server.allow("pods", namespace="kube-public")
    await until(lambda: there.readable)
    assert cluster.pods().status == "ok" and len(cluster.pods().pods) == 2


async def test_a_kind_that_the_server_does_not_have_is_absent(api_server: ApiServer, watched: Begin) -> None:
    registry = api_server.cluster.registry
    registry.remove(builtin.BUDGET)
    cluster = watched()
    await until(lambda: cluster.mirrors[BUDGETS][0].state == "absent")
    registry.add(builtin.BUDGET)
    await until(lambda: cluster.mirrors[BUDGETS][0].readable)


async def test_a_token_that_expired_is_denied_until_there_is_a_new_one(api_server: ApiServer, watched: Begin) -> None:
    api_server.as_viewer()
    api_server.allow("pods", "nodes")
    api_server.put_pod(0)
    cluster = watched()
    await until(lambda: mirror(cluster).readable)
    await cluster.pulse(5)
    api_server.cluster.tokens.revoke(VIEWER)
    with pytest.raises(SourceError) as refused:
        await cluster.pulse(5)
    assert refused.value.denied and "(401)" in refused.value.problem
    await until(lambda: mirror(cluster).state == "denied" and cluster.mirrors[NODES][0].state == "denied")
    assert not mirror(cluster).rows
    api_server.token = "renewed"
    api_server.cluster.tokens.add("renewed", "viewer")
    await until(lambda: mirror(cluster).readable)
    assert (await cluster.pulse(5)).ready
    assert len(cluster.pods().pods) == 1


def test_nothing_secret_is_among_what_is_watched() -> None:
    assert not {kind.plural for kind in KINDS} & {"secrets", "configmaps"}


async def test_a_token_is_not_in_errors_or_reprs(api_server: ApiServer) -> None:
    api_server.token = "hunter2-secret"
    client = api_server.client()
    try:
        with pytest.raises(KubernetesError) as refused:
            await client.get("/api/v1/pods", 5)
        assert "hunter2" not in str(refused.value) + repr(client.access)
    finally:
        await client.close()


async def test_an_object_that_cannot_be_taken_in_is_no_reason_to_show_old_ones(
    api_server: ApiServer, watched: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither one of a wrong shape nor a mistake of the console's own."""
    cluster = watched()
    await until(lambda: mirror(cluster).readable)
    genuine = mirror(cluster)._row

    def fails(_: Any) -> KubePod:
        raise ZeroDivisionError

    monkeypatch.setattr(mirror(cluster), "_row", fails)
    api_server.put_pod(0)
    await until(lambda: mirror(cluster).state == "unreachable")
    assert "ZeroDivisionError" in mirror(cluster).problem
    monkeypatch.setattr(mirror(cluster), "_row", genuine)
    await until(lambda: mirror(cluster).readable)
    odd = real_pod(1)
    odd["status"]["containerStatuses"] = "odd"
    api_server.cluster.store.put(builtin.POD.key, odd)
    await until(lambda: mirror(cluster).state == "unreachable")
    assert "not of the shape" in mirror(cluster).problem
    api_server.put_pod(1)
    await until(lambda: len(mirror(cluster).rows) == 2 and mirror(cluster).readable)
