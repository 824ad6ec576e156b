"""Watching and paging."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from console.lab.kube import watch
from tests.lab.kube.rig import MAPS, MERGE, PODS, Kube, config_map, pod


async def _events(response: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    async for line in response.aiter_lines():
        yield json.loads(line)


async def _next(events: AsyncIterator[dict[str, Any]]) -> tuple[str, str]:
    event = await asyncio.wait_for(anext(events), 10)
    return event["type"], event["object"]["metadata"].get("name", "")


async def test_a_watch_with_a_selector_sees_objects_come_and_go(kube: Kube) -> None:
    since = kube.cluster.store.revision
    query = {"watch": "true", "labelSelector": "app=a", "resourceVersion": str(since), "timeoutSeconds": "20"}
    async with kube.client.stream("GET", MAPS, params=query) as response:
        events = _events(response)
        await kube.client.post(MAPS, json=config_map("m", labels={"app": "b"}))
        await kube.client.patch(f"{MAPS}/m", json={"metadata": {"labels": {"app": "a"}}}, headers=MERGE)
        assert await _next(events) == ("ADDED", "m")
        await kube.client.patch(f"{MAPS}/m", json={"data": {"x": "y"}}, headers=MERGE)
        assert await _next(events) == ("MODIFIED", "m")
        await kube.client.patch(f"{MAPS}/m", json={"metadata": {"labels": {"app": "b"}}}, headers=MERGE)
        assert await _next(events) == ("DELETED", "m")
        await kube.client.post(
            "/api/v1/namespaces/kube-system/configmaps", json=config_map("elsewhere", labels={"app": "a"})
        )
        await kube.client.post(MAPS, json=config_map("here", labels={"app": "a"}))
        assert await _next(events) == ("ADDED", "here")


async def test_a_running_watch_outlives_a_compaction(kube: Kube) -> None:
    query = {"watch": "true", "resourceVersion": "0", "timeoutSeconds": "20"}
    async with kube.client.stream("GET", MAPS, params=query) as response:
        events = _events(response)
        await kube.client.post(MAPS, json=config_map("one"))
        assert await _next(events) == ("ADDED", "one")
        kube.cluster.store.compact()
        await kube.client.post(MAPS, json=config_map("two"))
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
    await kube.client.post(MAPS, json={**config_map("m"), "data": {"secret": "word"}})
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
        await kube.client.post(MAPS, json=config_map(name))
    page = (await kube.client.get(MAPS, params={"limit": 2})).json()
    await kube.client.delete(f"{MAPS}/d")
    await kube.client.post(MAPS, json=config_map("bb"))
    rest = (await kube.client.get(MAPS, params={"continue": page["metadata"]["continue"]})).json()
    assert [item["metadata"]["name"] for item in rest["items"]] == ["c", "d", "e"]
    assert rest["metadata"]["resourceVersion"] == page["metadata"]["resourceVersion"]


async def test_the_server_goes_and_comes_back_with_what_it_had(kube: Kube) -> None:
    await kube.client.post(MAPS, json=config_map("m"))
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
