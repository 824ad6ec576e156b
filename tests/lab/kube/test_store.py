"""The store's history, and what lists and watches make of it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from console.lab.kube import paging, selectors, watch
from console.lab.kube.kinds import custom_kind
from console.lab.kube.store import Store

THINGS = custom_kind("lab.example", "v1", "Thing", "things")
KEY = ("", "things")

changes = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 9) | st.none()), max_size=20)


@given(changes, changes)
def test_an_earlier_state_is_had_by_undoing_and_a_later_one_by_following(before: list[Any], after: list[Any]) -> None:
    store = Store()

    def act(todo: list[Any]) -> None:
        for name, value in todo:
            if value is not None:
                store.put(KEY, {"metadata": {"name": name}, "value": value})
            elif store.get(KEY, "", name) is not None:
                store.remove(KEY, "", name)

    act(before)
    then, revision = store.objects(KEY), store.revision
    act(after)
    assert store.objects_at(KEY, "", revision) == then
    followed = {stored.place: stored for stored in then}
    for change in store.since(KEY, revision):
        stored = change.new or change.old
        assert stored is not None
        followed.pop(stored.place, None)
        if change.new is not None:
            followed[stored.place] = change.new
    assert [followed[place] for place in sorted(followed)] == store.objects(KEY)
    revisions = [change.revision for change in store.since(KEY, 0)]
    assert revisions == sorted(set(revisions))


labelled = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xy") | st.none()), max_size=15)


@given(labelled, labelled, st.sampled_from(["", "l=x", "l!=x"]))
def test_a_list_and_the_watch_that_goes_on_from_it_lead_to_what_is_there(
    before: list[Any], after: list[Any], selector: str
) -> None:
    store = Store()

    def act(todo: list[Any]) -> None:
        for name, label in todo:
            if label is not None:
                store.put(THINGS.key, {"metadata": {"name": name, "namespace": "n", "labels": {"l": label}}})
            elif store.get(THINGS.key, "n", name) is not None:
                store.remove(THINGS.key, "n", name)

    def listed() -> dict[str, str]:
        found = paging.page(store, THINGS, "n", {"labelSelector": selector}).items
        return {stored.metadata["name"]: stored.metadata["resourceVersion"] for stored in found}

    async def follow(asked: watch.Watch) -> None:
        last = 0
        async for line in watch.stream(store, asked, lambda stored: stored.raw):
            event = json.loads(line)
            metadata = event["object"]["metadata"]
            assert (event["type"] == "ADDED") == (metadata["name"] not in seen)
            assert int(metadata["resourceVersion"]) > last
            last = int(metadata["resourceVersion"])
            seen[metadata["name"]] = metadata["resourceVersion"]
            if event["type"] == "DELETED":
                del seen[metadata["name"]]

    act(before)
    seen, revision = listed(), store.revision
    act(after)
    test = selectors.selected(THINGS, selector, "")
    asyncio.run(follow(watch.Watch(THINGS, "n", test, revision, initial=False, bookmarks=False, timeout_s=0)))
    assert seen == listed()


def test_what_is_compacted_is_gone() -> None:
    store = Store()
    store.put(KEY, {"metadata": {"name": "a"}})
    old = store.revision
    store.put(KEY, {"metadata": {"name": "a"}})
    store.compact()
    assert store.objects_at(KEY, "", old) is None
    assert len(store.objects_at(KEY, "", store.revision) or []) == 1
