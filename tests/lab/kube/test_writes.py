"""Quotas, applying, dry runs, and bodies that make no sense."""

from __future__ import annotations

import json
from typing import Any

import httpx

from console.lab.kube.builtin import POD
from tests.lab.kube.rig import MAPS, MERGE, PODS, Kube, config_map, deployment, pod


async def test_a_quota_counts_what_pods_request(kube: Kube) -> None:
    quota = {"metadata": {"name": "q"}, "spec": {"hard": {"requests.cpu": "1", "pods": "3"}}}
    await kube.client.post("/api/v1/namespaces/default/resourcequotas", json=quota)

    def asking(name: str, cpu: str | None) -> dict[str, Any]:
        container: dict[str, Any] = {"name": "c", "image": "i:1"}
        return pod(name, containers=[{**container, "resources": {"requests": {"cpu": cpu}}} if cpu else container])

    silent = (await kube.client.post(PODS, json=asking("silent", None))).json()
    assert silent["message"].endswith("failed quota: q: must specify requests.cpu for: c")
    assert (await kube.client.post(PODS, json=asking("a", "750m"))).status_code == 201
    over = (await kube.client.post(PODS, json=asking("b", "500m"))).json()
    assert over["message"].endswith(
        "exceeded quota: q, requested: requests.cpu=500m, used: requests.cpu=750m, limited: requests.cpu=1"
    )
    used = (await kube.client.get("/api/v1/namespaces/default/resourcequotas/q")).json()["status"]["used"]
    assert used == {"pods": "1", "requests.cpu": "750m"}
    await kube.client.delete(f"{PODS}/a")
    assert (await kube.client.post(PODS, json=asking("b", "500m"))).status_code == 201


async def _apply(kube: Kube, manager: str, data: dict[str, Any], **query: str) -> httpx.Response:
    body = json.dumps({**config_map("m"), "data": data})
    headers = {"Content-Type": "application/apply-patch+yaml"}
    return await kube.client.patch(
        f"{MAPS}/m", content=body, headers=headers, params={"fieldManager": manager, **query}
    )


async def test_managers_share_an_object(kube: Kube) -> None:
    assert (await _apply(kube, "one", {"a": "1", "b": "1"})).status_code == 201
    assert (await _apply(kube, "two", {"b": "1", "c": "2"})).status_code == 200
    refused = (await _apply(kube, "two", {"b": "9", "c": "2"})).json()
    assert refused["details"]["causes"] == [
        {"reason": "FieldManagerConflict", "message": 'conflict with "one" using v1', "field": ".data.b"}
    ]
    assert (await _apply(kube, "one", {"a": "1"})).json()["data"] == {"a": "1", "b": "1", "c": "2"}
    assert (await _apply(kube, "two", {"c": "2"})).json()["data"] == {"a": "1", "c": "2"}
    assert (await _apply(kube, "two", {"a": "9"}, force="true")).json()["data"] == {"a": "9"}


async def test_a_dry_run_changes_nothing(kube: Kube) -> None:
    before = kube.cluster.store.revision
    place = "/apis/apps/v1/namespaces/default/deployments"
    assert (await kube.client.post(f"{place}?dryRun=All", json=deployment("web"))).status_code == 201
    assert kube.cluster.store.revision == before
    await kube.client.post(place, json=deployment("web"))
    before = kube.cluster.store.revision
    await kube.client.delete(f"{place}/web?dryRun=All")
    await kube.client.patch(f"{place}/web/scale?dryRun=All", json={"spec": {"replicas": 9}}, headers=MERGE)
    assert kube.cluster.store.revision == before


async def test_a_lease_is_not_replaced_blindly(kube: Kube) -> None:
    place = "/apis/coordination.k8s.io/v1/namespaces/default/leases"
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "l"}}
    await kube.client.post(place, json=lease)
    assert (await kube.client.put(f"{place}/l", json=lease)).status_code == 422


async def test_nonsense_is_refused_and_kept_out(kube: Kube) -> None:
    for body in (
        [],
        7,
        {"metadata": "x", "spec": []},
        {"metadata": {"name": "p"}, "spec": {"containers": "x"}},
        {"metadata": {"name": 7}},
    ):
        assert (await kube.client.post(PODS, json=body)).status_code in (400, 422), body
    assert kube.cluster.store.objects(POD.key) == []
    assert (
        await kube.client.post(MAPS, content=b"\xff", headers={"Content-Type": "application/vnd.kubernetes.protobuf"})
    ).status_code == 415
