"""Patches and applying, without the wire."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.lab.kube import apply, fieldsets, merging, patches
from console.lab.kube.errors import ApiError
from console.lab.kube.fieldsets import Entry, Manager
from console.lab.kube.kinds import Kind, custom_kind

THINGS = custom_kind("lab.example", "v1", "Thing", "things")
PODS = Kind("", "v1", "Pod", "pods")

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
