"""What needs no wire: selectors, patches, quantities, fields, and the store's history."""

from __future__ import annotations

import asyncio
import copy
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.lab.kube import apply, fieldsets, merging, paging, patches, quantity, selectors, table, watch
from console.lab.kube.ages import duration
from console.lab.kube.cluster import Cluster
from console.lab.kube.custom import CUSTOM
from console.lab.kube.errors import ApiError
from console.lab.kube.fieldsets import Entry, Manager
from console.lab.kube.kinds import Kind, custom_kind
from console.lab.kube.store import Store

THINGS = custom_kind("lab.example", "v1", "Thing", "things")
PODS = Kind("", "v1", "Pod", "pods")
KEY = ("", "things")

names = st.text("abc", min_size=1, max_size=2)
scalars = st.none() | st.booleans() | st.integers(-3, 3) | names
documents = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=8
)
objects = st.dictionaries(names, documents, max_size=4)


def _without_nulls(value: Any) -> Any:
    return {k: _without_nulls(v) for k, v in value.items() if v is not None} if isinstance(value, dict) else value


def _difference(old: Any, new: Any) -> Any:
    """The merge patch from one document to another."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    gone = {name: None for name in old if name not in new}
    return gone | {
        name: _difference(old.get(name), value) for name, value in new.items() if name not in old or old[name] != value
    }


@given(objects, objects)
def test_a_merge_patch_leads_from_any_document_to_any_other(old: dict[str, Any], new: dict[str, Any]) -> None:
    old, new = _without_nulls(old), _without_nulls(new)
    before = copy.deepcopy(old)
    assert merging.merge(old, _difference(old, new)) == new
    assert old == before


@given(objects, objects)
def test_a_strategic_patch_of_a_custom_kind_is_a_merge_patch(old: dict[str, Any], new: dict[str, Any]) -> None:
    old, new = _without_nulls(old), _without_nulls(new)
    assert merging.strategic(THINGS, old, _difference(old, new)) == new


@given(objects, objects)
def test_a_json_patch_undoes_itself(old: dict[str, Any], new: dict[str, Any]) -> None:
    there = [{"op": "replace", "path": "", "value": new}, {"op": "test", "path": "", "value": new}]
    assert patches.patched(PODS, patches.JSON, old, there) == new


@pytest.mark.parametrize(
    ("operation", "result"),
    [
        ({"op": "add", "path": "/a/-", "value": 3}, {"a": [1, 2, 3], "b~/": 0}),
        ({"op": "add", "path": "/a/0", "value": 0}, {"a": [0, 1, 2], "b~/": 0}),
        ({"op": "remove", "path": "/a/1"}, {"a": [1], "b~/": 0}),
        ({"op": "replace", "path": "/b~0~1", "value": 5}, {"a": [1, 2], "b~/": 5}),
        ({"op": "move", "from": "/a", "path": "/c"}, {"c": [1, 2], "b~/": 0}),
        ({"op": "copy", "from": "/a/0", "path": "/c"}, {"a": [1, 2], "b~/": 0, "c": 1}),
    ],
)
def test_operations_of_json_patch(operation: dict[str, Any], result: dict[str, Any]) -> None:
    assert patches.patched(PODS, patches.JSON, {"a": [1, 2], "b~/": 0}, [operation]) == result


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "/no"},
        {"op": "replace", "path": "/no", "value": 1},
        {"op": "add", "path": "/a/9", "value": 1},
        {"op": "odd", "path": "/a"},
    ],
)
def test_a_json_patch_that_does_not_fit_is_refused(operation: dict[str, Any]) -> None:
    with pytest.raises(ApiError) as refused:
        patches.patched(PODS, patches.JSON, {"a": []}, [operation])
    assert refused.value.code == 422


def test_directives_of_strategic_patch() -> None:
    old = {
        "spec": {
            "containers": [{"name": "a", "image": "1"}, {"name": "b", "image": "1"}],
            "strategy": {"type": "x", "y": 1},
        },
        "finalizers": ["p", "q"],
    }
    order = {"$setElementOrder/containers": [{"name": "c"}, {"name": "a"}]}
    listed = [
        {"name": "b", "$patch": "delete"},
        {"name": "c", "image": "3"},
        {"name": "a", "env": [{"name": "E", "value": "v"}]},
    ]
    strategy = {"strategy": {"$retainKeys": ["type"], "type": "z"}}
    patch = {"spec": {"containers": listed, **order, **strategy}, "$deleteFromPrimitiveList/finalizers": ["p"]}
    assert merging.strategic(PODS, old, patch) == {
        "spec": {
            "containers": [
                {"name": "c", "image": "3"},
                {"name": "a", "image": "1", "env": [{"name": "E", "value": "v"}]},
            ],
            "strategy": {"type": "z"},
        },
        "finalizers": ["q"],
    }


LABELS = [{}, {"a": "1"}, {"a": "2"}, {"a": "1", "b": "x"}, {"b": "y"}, {"a": "30"}]


@pytest.mark.parametrize(
    ("selector", "chosen"),
    [
        ("", [0, 1, 2, 3, 4, 5]),
        ("a=1", [1, 3]),
        ("a!=1", [0, 2, 4, 5]),
        ("a in (1, 2),b notin (x)", [1, 2]),
        ("a,!b", [1, 2, 5]),
        ("a>1", [2, 5]),
        ("a<2", [1, 3]),
    ],
)
def test_label_selectors(selector: str, chosen: list[int]) -> None:
    test = selectors.labels(selector)
    assert [number for number, found in enumerate(LABELS) if test(found)] == chosen


@pytest.mark.parametrize(
    ("expression", "chosen"),
    [
        ({"matchLabels": {"a": "1"}}, [1, 3]),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["1"]}]}, [0, 2, 4, 5]),
        ({"matchExpressions": [{"key": "b", "operator": "Exists"}, {"key": "a", "operator": "DoesNotExist"}]}, [4]),
        ({}, [0, 1, 2, 3, 4, 5]),
        (None, []),
    ],
)
def test_selector_objects(expression: Any, chosen: list[int]) -> None:
    assert [number for number, found in enumerate(LABELS) if selectors.matches(expression, found)] == chosen


@given(st.integers(0, 10**15), st.booleans())
def test_quantities_come_back_as_they_were(number: int, binary: bool) -> None:
    assert quantity.parse(quantity.text(Decimal(number), binary)) == number
    assert quantity.parse(quantity.text(Decimal(number) / 1000)) == Decimal(number) / 1000


@given(objects)
def test_managed_fields_are_read_as_they_were_written(data: dict[str, Any]) -> None:
    data = {"spec": data}
    found = fieldsets.paths(THINGS, data)
    manager = Manager("me", "Apply", "", "lab.example/v1")
    written = json.loads(json.dumps(fieldsets.write({manager: Entry(found, "now")})))
    assert fieldsets.read({"managedFields": written}) == {manager: Entry(found, "now")}


@given(objects, objects)
def test_applying_again_changes_nothing_and_drops_what_is_no_longer_declared(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    by = Manager("me", "Apply", "", "lab.example/v1")
    live: dict[str, Any] = {"metadata": {"name": "t"}}
    one, two = ({"metadata": {"name": "t"}, "spec": _without_nulls(spec)} for spec in (first, second))
    once = apply.applied(THINGS, live, one, by, False, "t1")
    assert apply.applied(THINGS, once, one, by, False, "t2") == once
    twice = apply.applied(THINGS, once, two, by, False, "t2")
    left = {
        path
        for path in fieldsets.paths(THINGS, twice)
        if path[0] == "f:spec" and path not in fieldsets.paths(THINGS, two)
    }
    assert all(fieldsets.value_at(twice, path) == {} for path in left)  # at most empty shells of maps are left


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


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".spec.name", "x"),
        ('.status.conditions[?(@.type=="Ready")].status', "True"),
        (".spec.list[1].n", 2),
        (".metadata.labels.lab\\.test/tenant", "acme"),
        (".spec.none.at.all", None),
    ],
)
def test_paths_of_printer_columns(path: str, found: Any) -> None:
    data = {
        "metadata": {"labels": {"lab.test/tenant": "acme"}},
        "spec": {"name": "x", "list": [{"n": 1}, {"n": 2}]},
        "status": {"conditions": [{"type": "Other", "status": "False"}, {"type": "Ready", "status": "True"}]},
    }
    assert table.at_path(data, path) == found


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (185, "3m5s"),
        (3600, "60m"),
        (4 * 3600, "4h"),
        (4 * 3600 + 60, "4h1m"),
        (50 * 3600, "2d2h"),
        (20 * 86400, "20d"),
    ],
)
def test_ages(seconds: int, shown: str) -> None:
    assert duration(seconds) == shown


@pytest.mark.parametrize("kind", CUSTOM, ids=lambda kind: kind.resource)
def test_a_definition_says_all_of_its_kind(kind: Kind) -> None:
    assert Cluster().registry.find(kind.group, kind.version, kind.plural) == kind
