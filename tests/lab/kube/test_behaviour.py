"""What the replay does not reach: roles, deletion, quotas, apply, metrics, watches that go on."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from console.lab.kube import watch
from console.lab.kube.builtin import POD
from console.lab.kube.cluster import Cluster
from console.lab.kube.kinds import Kind
from tests.lab.kube.rig import VIEWER, Kube, Measured, deployment, pod

PODS = "/api/v1/namespaces/default/pods"
MAPS = "/api/v1/namespaces/default/configmaps"
AS_VIEWER = {"Authorization": f"Bearer {VIEWER}"}
MERGE = {"Content-Type": "application/merge-patch+json"}


def _kind(cluster: Cluster, group: str, version: str, plural: str) -> Kind:
    found = cluster.registry.find(group, version, plural)
    assert found is not None
    return found


def _config_map(name: str, **metadata: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **metadata}}


def _owned_by(owner: dict[str, Any], block: bool = False) -> list[dict[str, Any]]:
    metadata = owner["metadata"]
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "name": metadata["name"],
            "uid": metadata["uid"],
            "blockOwnerDeletion": block,
        }
    ]


async def _events(response: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    async for line in response.aiter_lines():
        yield json.loads(line)


async def _next(events: AsyncIterator[dict[str, Any]]) -> tuple[str, str]:
    event = await asyncio.wait_for(anext(events), 10)
    return event["type"], event["object"]["metadata"].get("name", "")


# Who may do what


def _grant(cluster: Cluster, namespace: str, rules: list[dict[str, Any]]) -> None:
    api = "rbac.authorization.k8s.io"
    cluster.api.create(_kind(cluster, api, "v1", "roles"), namespace, {"metadata": {"name": "r"}, "rules": rules})
    binding = {
        "metadata": {"name": "b"},
        "roleRef": {"kind": "Role", "name": "r"},
        "subjects": [{"kind": "User", "name": "viewer"}],
    }
    cluster.api.create(_kind(cluster, api, "v1", "rolebindings"), namespace, binding)


async def test_a_role_holds_in_its_namespace_for_what_it_names(kube: Kube) -> None:
    _grant(
        kube.cluster,
        "default",
        [{"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["mine"], "verbs": ["get"]}],
    )
    for name in ("mine", "other"):
        await kube.client.post(MAPS, json=_config_map(name))
    codes = [
        (await kube.client.get(path, headers=AS_VIEWER)).status_code
        for path in (f"{MAPS}/mine", f"{MAPS}/other", MAPS, "/api/v1/configmaps")
    ]
    assert codes == [200, 403, 403, 403]
    binding = _kind(kube.cluster, "rbac.authorization.k8s.io", "v1", "rolebindings")
    kube.cluster.deletions.delete(binding, "default", "b")
    assert (await kube.client.get(f"{MAPS}/mine", headers=AS_VIEWER)).status_code == 403


async def test_subresources_are_granted_apart(kube: Kube) -> None:
    _grant(kube.cluster, "default", [{"apiGroups": [""], "resources": ["pods"], "verbs": ["*"]}])
    await kube.client.post(PODS, json=pod("p"))
    assert (await kube.client.get(f"{PODS}/p", headers=AS_VIEWER)).status_code == 200
    refused = (await kube.client.get(f"{PODS}/p/log", headers=AS_VIEWER)).json()
    assert (
        refused["message"]
        == 'pods "p" is forbidden: User "viewer" cannot get resource "pods/log" in API group "" in the namespace "default"'
    )


async def test_a_token_that_ran_out_or_was_revoked_is_unknown(kube: Kube) -> None:
    kube.cluster.tokens.add("short", "viewer", until=datetime.now(UTC) - timedelta(seconds=1))
    for token in ("short", "never"):
        assert (await kube.client.get("/api", headers={"Authorization": f"Bearer {token}"})).status_code == 401
    assert (await kube.client.get("/api", headers=AS_VIEWER)).status_code == 200
    kube.cluster.tokens.revoke(VIEWER)
    assert (await kube.client.get("/api", headers=AS_VIEWER)).status_code == 401


async def test_only_who_may_impersonate_does(kube: Kube) -> None:
    who = {"Impersonate-User": "viewer"}
    assert (await kube.client.get(MAPS, headers=who)).status_code == 403
    assert (
        (await kube.client.get(MAPS, headers={**who, **AS_VIEWER}))
        .json()["message"]
        .startswith('users "viewer" is forbidden')
    )


# Deleting


async def test_what_is_owned_goes_with_its_last_owner(kube: Kube) -> None:
    one, two = [(await kube.client.post(MAPS, json=_config_map(name))).json() for name in ("one", "two")]
    await kube.client.post(MAPS, json=_config_map("child", ownerReferences=_owned_by(one) + _owned_by(two)))
    await kube.client.delete(f"{MAPS}/one")
    assert (await kube.client.get(f"{MAPS}/child")).status_code == 200
    await kube.client.delete(f"{MAPS}/two")
    assert (await kube.client.get(f"{MAPS}/child")).status_code == 404


async def test_orphans_stay(kube: Kube) -> None:
    owner = (await kube.client.post(MAPS, json=_config_map("owner"))).json()
    await kube.client.post(MAPS, json=_config_map("child", ownerReferences=_owned_by(owner)))
    await kube.client.delete(f"{MAPS}/owner?propagationPolicy=Orphan")
    assert "ownerReferences" not in {
        k: v for k, v in (await kube.client.get(f"{MAPS}/child")).json()["metadata"].items() if v
    }


async def test_in_the_foreground_an_owner_waits_for_what_it_owns(kube: Kube) -> None:
    owner = (await kube.client.post(MAPS, json=_config_map("owner"))).json()
    await kube.client.post(
        MAPS, json=_config_map("child", ownerReferences=_owned_by(owner, True), finalizers=["lab.example/hold"])
    )
    await kube.client.delete(f"{MAPS}/owner?propagationPolicy=Foreground")
    waiting = (await kube.client.get(f"{MAPS}/owner")).json()["metadata"]
    assert waiting["finalizers"] == ["foregroundDeletion"] and "deletionTimestamp" in waiting
    await kube.client.patch(f"{MAPS}/child", json={"metadata": {"finalizers": None}}, headers=MERGE)
    assert [(await kube.client.get(f"{MAPS}/{name}")).status_code for name in ("child", "owner")] == [404, 404]


async def test_a_pod_on_a_node_has_its_grace(kube: Kube) -> None:
    await kube.client.post(PODS, json=pod("p", nodeName="node-a"))
    marked = (await kube.client.delete(f"{PODS}/p")).json()["metadata"]
    assert marked["deletionGracePeriodSeconds"] == 30
    assert (await kube.client.get(f"{PODS}/p")).status_code == 200
    await kube.client.delete(f"{PODS}/p?gracePeriodSeconds=0")
    assert (await kube.client.get(f"{PODS}/p")).status_code == 404


async def test_a_namespace_ends_when_its_last_object_lets_go(kube: Kube) -> None:
    await kube.client.post("/api/v1/namespaces", json={"metadata": {"name": "tenant"}})
    place = "/api/v1/namespaces/tenant/configmaps"
    await kube.client.post(place, json=_config_map("m", finalizers=["lab.example/hold"]))
    await kube.client.delete("/api/v1/namespaces/tenant")
    assert (await kube.client.get("/api/v1/namespaces/tenant")).json()["status"] == {"phase": "Terminating"}
    refused = (await kube.client.post(place, json=_config_map("late"))).json()
    assert refused["code"] == 403 and refused["details"]["causes"][0]["reason"] == "NamespaceTerminating"
    await kube.client.patch(f"{place}/m", json={"metadata": {"finalizers": []}}, headers=MERGE)
    assert (await kube.client.get("/api/v1/namespaces/tenant")).status_code == 404


async def test_a_definition_takes_its_objects_along(kube: Kube) -> None:
    names = {"plural": "things", "kind": "Thing"}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "additionalPrinterColumns": [{"name": "A", "type": "integer", "jsonPath": ".spec.a"}],
    }
    definition = {
        "metadata": {"name": "things.lab.example"},
        "spec": {"group": "lab.example", "names": names, "scope": "Namespaced", "versions": [version]},
    }
    path, things = (
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        "/apis/lab.example/v1/namespaces/default/things",
    )
    assert (await kube.client.get(things)).status_code == 404
    await kube.client.post(path, json=definition)
    assert (await kube.client.get(f"{path}/things.lab.example")).json()["status"]["conditions"][1][
        "type"
    ] == "Established"
    thing = {"apiVersion": "lab.example/v1", "kind": "Thing", "metadata": {"name": "t"}, "spec": {"a": 7}}
    assert (await kube.client.post(things, json=thing)).status_code == 201
    shown = (await kube.client.get(things, headers={"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io"})).json()
    assert [row["cells"] for row in shown["rows"]] == [["t", 7]]
    await kube.client.delete(f"{path}/things.lab.example")
    assert (await kube.client.get(things)).status_code == 404
    await kube.client.post(path, json=definition)
    assert (await kube.client.get(things)).json()["items"] == []


# Quotas, applying, dry runs


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
    body = json.dumps({**_config_map("m"), "data": data})
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


# Watching


async def test_a_watch_with_a_selector_sees_objects_come_and_go(kube: Kube) -> None:
    since = kube.cluster.store.revision
    query = {"watch": "true", "labelSelector": "app=a", "resourceVersion": str(since), "timeoutSeconds": "20"}
    async with kube.client.stream("GET", MAPS, params=query) as response:
        events = _events(response)
        await kube.client.post(MAPS, json=_config_map("m", labels={"app": "b"}))
        await kube.client.patch(f"{MAPS}/m", json={"metadata": {"labels": {"app": "a"}}}, headers=MERGE)
        assert await _next(events) == ("ADDED", "m")
        await kube.client.patch(f"{MAPS}/m", json={"data": {"x": "y"}}, headers=MERGE)
        assert await _next(events) == ("MODIFIED", "m")
        await kube.client.patch(f"{MAPS}/m", json={"metadata": {"labels": {"app": "b"}}}, headers=MERGE)
        assert await _next(events) == ("DELETED", "m")
        await kube.client.post(
            "/api/v1/namespaces/kube-system/configmaps", json=_config_map("elsewhere", labels={"app": "a"})
        )
        await kube.client.post(MAPS, json=_config_map("here", labels={"app": "a"}))
        assert await _next(events) == ("ADDED", "here")


async def test_a_running_watch_outlives_a_compaction(kube: Kube) -> None:
    query = {"watch": "true", "resourceVersion": "0", "timeoutSeconds": "20"}
    async with kube.client.stream("GET", MAPS, params=query) as response:
        events = _events(response)
        await kube.client.post(MAPS, json=_config_map("one"))
        assert await _next(events) == ("ADDED", "one")
        kube.cluster.store.compact()
        await kube.client.post(MAPS, json=_config_map("two"))
        assert await _next(events) == ("ADDED", "two")


async def test_bookmarks_tell_how_far_a_quiet_watch_is(kube: Kube, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "_BOOKMARK_EVERY_S", 0.1)
    query = {
        "watch": "true",
        "allowWatchBookmarks": "true",
        "resourceVersion": str(kube.cluster.store.revision),
        "timeoutSeconds": "20",
    }
    async with kube.client.stream("GET", MAPS, params=query) as response:
        await kube.client.post(PODS, json=pod("p"))  # of another kind: the watch has nothing else to tell
        async for event in _events(response):
            assert event["type"] == "BOOKMARK" and event["object"]["kind"] == "ConfigMap"
            if event["object"]["metadata"]["resourceVersion"] == str(kube.cluster.store.revision):
                break


async def test_a_watch_of_tables_and_of_metadata(kube: Kube) -> None:
    await kube.client.post(MAPS, json={**_config_map("m"), "data": {"secret": "word"}})
    for form, field in (("Table", "rows"), ("PartialObjectMetadata", "metadata")):
        accept = {"Accept": f"application/json;as={form};v=v1;g=meta.k8s.io"}
        query = {"watch": "true", "timeoutSeconds": "1"}
        raw = (await kube.client.get(MAPS, params=query, headers=accept)).text
        first = json.loads(raw.splitlines()[0])
        assert first["object"]["kind"] == form and field in first["object"]
        assert "word" not in raw


async def test_a_revision_to_come_is_asked_for_later(kube: Kube) -> None:
    for query in ({}, {"watch": "true"}):
        answer = await kube.client.get(MAPS, params={**query, "resourceVersion": "999999"})
        assert (answer.status_code, answer.json()["details"]["causes"][0]["reason"]) == (504, "ResourceVersionTooLarge")


async def test_pages_hold_to_their_moment(kube: Kube) -> None:
    for name in "abcde":
        await kube.client.post(MAPS, json=_config_map(name))
    page = (await kube.client.get(MAPS, params={"limit": 2})).json()
    await kube.client.delete(f"{MAPS}/d")
    await kube.client.post(MAPS, json=_config_map("bb"))
    rest = (await kube.client.get(MAPS, params={"continue": page["metadata"]["continue"]})).json()
    assert [item["metadata"]["name"] for item in rest["items"]] == ["c", "d", "e"]
    assert rest["metadata"]["resourceVersion"] == page["metadata"]["resourceVersion"]


async def test_the_server_goes_and_comes_back_with_what_it_had(kube: Kube) -> None:
    await kube.client.post(MAPS, json=_config_map("m"))
    port = int(kube.address.rpartition(":")[2])
    since = kube.cluster.store.revision
    await kube.server.stop()
    with pytest.raises(httpx.TransportError):
        await kube.client.get(MAPS)
    assert await kube.server.start(port) == port
    await kube.client.patch(f"{MAPS}/m", json={"data": {"a": "b"}}, headers=MERGE)
    query = {"watch": "true", "resourceVersion": str(since), "timeoutSeconds": "20"}
    async with kube.client.stream("GET", MAPS, params=query) as response:
        assert await _next(_events(response)) == ("MODIFIED", "m")


# Plugged in


async def test_metrics_are_there_while_somebody_provides_them(kube: Kube) -> None:
    root = "/apis/metrics.k8s.io/v1beta1"
    assert [(await kube.client.get(path)).status_code for path in (root, f"{root}/nodes")] == [404, 404]
    kube.cluster.metrics = Measured()
    assert [each["name"] for each in (await kube.client.get(root)).json()["resources"]] == ["nodes", "pods"]
    assert (await kube.client.get(f"{root}/nodes/node-a")).json()["usage"]["cpu"] == "500m"
    assert len((await kube.client.get(f"{root}/pods", params={"labelSelector": "app=p"})).json()["items"]) == 1
    assert (await kube.client.get(f"{root}/namespaces/kube-system/pods")).json()["items"] == []
    assert (await kube.client.get(f"{root}/nodes", headers=AS_VIEWER)).status_code == 403
    kube.cluster.metrics = None
    assert (await kube.client.get(f"{root}/nodes")).status_code == 404


async def test_a_log_of_a_pod_with_two_containers_names_one(kube: Kube) -> None:
    both = [{"name": name, "image": "i:1"} for name in ("a", "b")]
    await kube.client.post(PODS, json=pod("p", containers=both))
    answer = (await kube.client.get(f"{PODS}/p/log")).json()
    assert answer["message"] == "a container name must be specified for pod p, choose one of: [a b]"
    assert (await kube.client.get(f"{PODS}/none/log")).status_code == 404


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
