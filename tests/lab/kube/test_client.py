"""The official Python client against the laboratory's API: typed calls, watches, leases and leader election."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from kubernetes import client, watch
from kubernetes.client.exceptions import ApiException
from kubernetes.leaderelection import electionconfig, leaderelection
from kubernetes.leaderelection.resourcelock.leaselock import LeaseLock

from tests.lab.kube.rig import ADMIN, Kube, deployment

pytestmark = pytest.mark.server


@pytest.fixture
def official(kube: Kube) -> client.ApiClient:
    configuration = client.Configuration()
    configuration.host = kube.address
    configuration.api_key = {"authorization": f"Bearer {ADMIN}"}
    return client.ApiClient(configuration)


async def test_typed_calls(official: client.ApiClient) -> None:
    def work() -> None:
        core, apps = client.CoreV1Api(official), client.AppsV1Api(official)
        made = apps.create_namespaced_deployment("default", deployment("web"))
        assert made.metadata.generation == 1
        scaled = apps.patch_namespaced_deployment_scale("web", "default", {"spec": {"replicas": 4}})
        assert scaled.spec.replicas == 4
        assert apps.read_namespaced_deployment("web", "default").metadata.generation == 2
        for number in range(5):
            core.create_namespaced_config_map(
                "default", client.V1ConfigMap(metadata=client.V1ObjectMeta(name=f"m{number}"), data={"n": str(number)})
            )
        page = core.list_namespaced_config_map("default", limit=2)
        names = [item.metadata.name for item in page.items]
        while page.metadata._continue:
            page = core.list_namespaced_config_map("default", limit=2, _continue=page.metadata._continue)
            names += [item.metadata.name for item in page.items]
        assert names == [f"m{number}" for number in range(5)]
        core.delete_collection_namespaced_config_map("default")
        assert core.list_namespaced_config_map("default").items == []
        with pytest.raises(ApiException) as refused:
            core.read_namespaced_pod("none", "default")
        assert refused.value.status == 404

    await asyncio.to_thread(work)


async def test_custom_objects(official: client.ApiClient) -> None:
    def work() -> None:
        custom = client.CustomObjectsApi(official)
        place = ("traefik.io", "v1alpha1", "default", "middlewares")
        manifest = {
            "apiVersion": "traefik.io/v1alpha1",
            "kind": "Middleware",
            "metadata": {"name": "m"},
            "spec": {"rateLimit": {"average": 5}},
        }
        custom.create_namespaced_custom_object(*place, manifest)
        found = custom.patch_namespaced_custom_object(*place, "m", {"spec": {"rateLimit": {"average": 9}}})
        assert found["spec"] == {"rateLimit": {"average": 9}}
        assert [item["kind"] for item in custom.list_namespaced_custom_object(*place)["items"]] == ["Middleware"]

    await asyncio.to_thread(work)


async def test_a_watch_sees_changes_and_ends_in_time(official: client.ApiClient) -> None:
    def work() -> list[tuple[str, str]]:
        core = client.CoreV1Api(official)
        since = core.list_namespaced_config_map("default").metadata.resource_version
        core.create_namespaced_config_map("default", client.V1ConfigMap(metadata=client.V1ObjectMeta(name="m")))
        core.patch_namespaced_config_map("m", "default", {"data": {"a": "b"}})
        core.delete_namespaced_config_map("m", "default")
        events = watch.Watch().stream(
            core.list_namespaced_config_map, "default", resource_version=since, timeout_seconds=1
        )
        return [(event["type"], event["object"].metadata.name) for event in events]

    assert await asyncio.to_thread(work) == [("ADDED", "m"), ("MODIFIED", "m"), ("DELETED", "m")]


async def test_a_watch_from_too_long_ago_is_told_so(kube: Kube, official: client.ApiClient) -> None:
    def change() -> str:
        core = client.CoreV1Api(official)
        since: str = core.list_namespaced_config_map("default").metadata.resource_version
        core.create_namespaced_config_map("default", client.V1ConfigMap(metadata=client.V1ObjectMeta(name="m")))
        return since

    def look(since: str) -> list[Any]:
        core = client.CoreV1Api(official)
        return list(
            watch.Watch().stream(core.list_namespaced_config_map, "default", resource_version=since, timeout_seconds=1)
        )

    since = await asyncio.to_thread(change)
    kube.cluster.store.compact()
    with pytest.raises(ApiException) as gone:
        await asyncio.to_thread(look, since)
    assert gone.value.status == 410


async def test_only_one_of_two_takes_a_lease(official: client.ApiClient) -> None:
    def work() -> None:
        leases = client.CoordinationV1Api(official)
        spec = client.V1LeaseSpec(holder_identity="nobody", lease_duration_seconds=15)
        leases.create_namespaced_lease("default", client.V1Lease(metadata=client.V1ObjectMeta(name="op"), spec=spec))
        mine, theirs = (leases.read_namespaced_lease("op", "default") for _ in range(2))
        mine.spec.holder_identity, theirs.spec.holder_identity = "me", "they"
        leases.replace_namespaced_lease("op", "default", mine)
        with pytest.raises(ApiException) as late:
            leases.replace_namespaced_lease("op", "default", theirs)
        assert late.value.status == 409
        assert leases.read_namespaced_lease("op", "default").spec.holder_identity == "me"

    await asyncio.to_thread(work)


async def test_leader_election(official: client.ApiClient) -> None:
    """The client's own election elects one; it gets on with a Lease as this server keeps it."""
    led = threading.Event()

    def lead() -> None:
        led.set()
        raise RuntimeError("enough")  # ends the election, which would otherwise go on for good

    def elect() -> None:
        lock = LeaseLock("election", "default", "one")
        lock.api_instance = client.CoordinationV1Api(official)
        times = {"lease_duration": 3, "renew_deadline": 2, "retry_period": 1}
        settings = electionconfig.Config(lock, **times, onstarted_leading=lead, onstopped_leading=lambda: None)
        leaderelection.LeaderElection(settings).run()

    await asyncio.wait_for(asyncio.to_thread(elect), 15)
    assert led.is_set()
    lease = await asyncio.to_thread(client.CoordinationV1Api(official).read_namespaced_lease, "election", "default")
    assert lease.spec.holder_identity == "one"
