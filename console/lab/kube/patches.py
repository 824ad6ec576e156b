"""JSON patch, and which kinds of patch a kind takes."""

from __future__ import annotations

from typing import Any

from console.lab.kube.errors import bad_request, unprocessable, unsupported_media
from console.lab.kube.kinds import Json, Kind
from console.lab.kube.merging import merge, strategic
from console.lab.kube.store import clone

JSON = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"

_KNOWN = (JSON, MERGE, APPLY, STRATEGIC)


def check_type(kind: Kind, content_type: str) -> None:
    """Refuse a patch of a type that the kind does not take.

    Raises:
        ApiError: 415.
    """
    if content_type not in _KNOWN:
        raise unsupported_media("415: Unsupported Media Type", {})
    if kind.custom and content_type == STRATEGIC:
        accepted = ", ".join((JSON, MERGE, APPLY))
        raise unsupported_media(
            f"the body of the request was in an unknown format - accepted media types include: {accepted}", None
        )


def patched(kind: Kind, content_type: str, original: Json, patch: Any) -> Json:
    """The object with a patch of one of the three plain types.

    Raises:
        ApiError: 400 or 422: the patch is malformed or does not apply.
    """
    if content_type == JSON:
        return _json_patched(original, patch)
    if not isinstance(patch, dict):
        raise bad_request("error decoding patch: json: cannot unmarshal into Go value of type map[string]interface {}")
    if content_type == STRATEGIC:
        return strategic(kind, clone(original), patch)
    found: Json = merge(clone(original), patch)
    return found


def _json_patched(original: Json, operations: Any) -> Json:
    if not isinstance(operations, list) or not all(isinstance(each, dict) for each in operations):
        raise bad_request("error decoding patch: json: cannot unmarshal into Go value of type jsonpatch.Patch")
    found: Json = {"": clone(original)}
    for each in operations:
        try:
            _operate(found, each)
        except (LookupError, ValueError, TypeError) as error:
            raise unprocessable() from error
    result: Json = found[""]
    return result


def _operate(root: Json, operation: Json) -> None:
    name, path = operation["op"], _path(operation["path"])
    if name == "test":
        if _at(root, path) != operation.get("value"):
            raise ValueError("test failed")
    elif name == "remove":
        _take(root, path)
    elif name == "replace":
        _at(root, path)
        _take(root, path)
        _add(root, path, clone(operation["value"]))
    elif name == "add":
        _add(root, path, clone(operation["value"]))
    elif name == "move":
        _add(root, path, _take(root, _path(operation["from"])))
    elif name == "copy":
        _add(root, path, clone(_at(root, _path(operation["from"]))))
    else:
        raise ValueError(f"no such operation: {name}")


def _path(pointer: str) -> list[str]:
    """The steps of a JSON pointer, from a root that holds the document under ""."""
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")]


def _step(found: Any, step: str) -> Any:
    return found[int(step)] if isinstance(found, list) else found[step]


def _at(root: Any, path: list[str]) -> Any:
    for step in path:
        root = _step(root, step)
    return root


def _take(root: Any, path: list[str]) -> Any:
    parent = _at(root, path[:-1])
    return parent.pop(int(path[-1])) if isinstance(parent, list) else parent.pop(path[-1])


def _add(root: Any, path: list[str], value: Any) -> None:
    parent = _at(root, path[:-1])
    if not isinstance(parent, list):
        parent[path[-1]] = value
        return
    place = len(parent) if path[-1] == "-" else int(path[-1])
    if not 0 <= place <= len(parent):
        raise IndexError(place)
    parent.insert(place, value)
