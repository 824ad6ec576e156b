"""Deleting: owners, grace, finalizers, namespaces, definitions."""

from __future__ import annotations

from typing import Any

from tests.lab.kube.rig import MAPS, MERGE, PODS, Kube, config_map, pod


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


async def test_what_is_owned_goes_with_its_last_owner(kube: Kube) -> None:
    one, two = [(await kube.client.post(MAPS, json=config_map(name))).json() for name in ("one", "two")]
    await kube.client.post(MAPS, json=config_map("child", ownerReferences=_owned_by(one) + _owned_by(two)))
    await kube.client.delete(f"{MAPS}/one")
    assert (await kube.client.get(f"{MAPS}/child")).status_code == 200
    await kube.client.delete(f"{MAPS}/two")
    assert (await kube.client.get(f"{MAPS}/child")).status_code == 404


async def test_orphans_stay(kube: Kube) -> None:
    owner = (await kube.client.post(MAPS, json=config_map("owner"))).json()
    await kube.client.post(MAPS, json=config_map("child", ownerReferences=_owned_by(owner)))
    await kube.client.delete(f"{MAPS}/owner?propagationPolicy=Orphan")
    assert "ownerReferences" not in {
        k: v for k, v in (await kube.client.get(f"{MAPS}/child")).json()["metadata"].items() if v
    }


async def test_in_the_foreground_an_owner_waits_for_what_it_owns(kube: Kube) -> None:
    owner = (await kube.client.post(MAPS, json=config_map("owner"))).json()
    await kube.client.post(
        MAPS, json=config_map("child", ownerReferences=_owned_by(owner, True), finalizers=["lab.example/hold"])
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
    await kube.client.post(place, json=config_map("m", finalizers=["lab.example/hold"]))
    await kube.client.delete("/api/v1/namespaces/tenant")
    assert (await kube.client.get("/api/v1/namespaces/tenant")).json()["status"] == {"phase": "Terminating"}
    refused = (await kube.client.post(place, json=config_map("late"))).json()
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
