"""Label and field selectors."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from console.lab.kube.errors import bad_request
from console.lab.kube.kinds import Json, Kind

Test = Callable[[Json], bool]
"""Tells of an object whether it is selected."""

_SET = re.compile(r"^(?P<key>[^\s!=,()]+)\s+(?P<how>in|notin)\s*\((?P<values>[^()]*)\)$")
_COMPARE = re.compile(r"^(?P<key>[^\s!=<>,()]+)\s*(?P<how>==|=|!=|<|>)\s*(?P<value>[^\s!=<>,()]*)$")
_EXISTS = re.compile(r"^(?P<no>!?)\s*(?P<key>[^\s!=<>,()]+)$")
_SPLIT = re.compile(r",(?![^(]*\))")

_NODE_FIELDS = {"spec.unschedulable"}
_FIELDS: dict[tuple[str, str], set[str]] = {
    ("", "Pod"): {
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    },
    ("", "Event"): {
        *(
            f"involvedObject.{name}"
            for name in ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
        ),
        *("reason", "reportingComponent", "source", "type"),
    },
    ("", "Node"): _NODE_FIELDS,
    ("", "Namespace"): {"status.phase"},
    ("", "Secret"): {"type"},
    ("", "Service"): {"spec.clusterIP", "spec.type"},
    ("apps", "ReplicaSet"): {"status.replicas"},
    ("batch", "Job"): {"status.successful"},
}


def labels(text: str) -> Callable[[Mapping[str, str]], bool]:
    """Parse a label selector.

    Raises:
        ApiError: 400, worded as a real server does.
    """
    tests = [_requirement(part.strip()) for part in _SPLIT.split(text) if part.strip()]
    return lambda found: all(test(found) for test in tests)


def _requirement(part: str) -> Callable[[Mapping[str, str]], bool]:
    if match := _SET.match(part):
        key, values = match["key"], {value.strip() for value in match["values"].split(",")}
        if match["how"] == "in":
            return lambda found: found.get(key) in values
        return lambda found: found.get(key) not in values
    if match := _COMPARE.match(part):
        return _comparison(match["key"], match["how"], match["value"])
    if match := _EXISTS.match(part):
        key, absent = match["key"], bool(match["no"])
        return lambda found: (key in found) is not absent
    words = part.split()
    strange = words[1] if len(words) > 1 else part
    raise bad_request(f"unable to parse requirement: found '{strange}', expected: in, notin, =, ==, !=, gt, lt")


def _comparison(key: str, how: str, value: str) -> Callable[[Mapping[str, str]], bool]:
    if how in ("=", "=="):
        return lambda found: found.get(key) == value
    if how == "!=":
        return lambda found: found.get(key) != value
    if not value.lstrip("-").isdigit():
        raise bad_request(
            f"unable to parse requirement: values[0][{key}]: Invalid value: \"{value}\": for 'Gt', 'Lt' operators, the value must be an integer"
        )
    limit = int(value)

    def beyond(found: Mapping[str, str]) -> bool:
        text = found.get(key, "")
        return text.lstrip("-").isdigit() and (int(text) > limit if how == ">" else int(text) < limit)

    return beyond


def look_up(data: Json, path: str) -> Any:
    """What is at a dotted path; None if nothing is."""
    found: Any = data
    for part in path.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _as_text(data: Json, path: str) -> str:
    if path == "source":
        path = "source.component"
    found = look_up(data, path)
    if isinstance(found, bool) or found is None:
        return "true" if found else "false" if path == "spec.unschedulable" or found is False else ""
    return str(found)


def fields(kind: Kind, text: str) -> Test:
    """Parse a field selector of a kind.

    Raises:
        ApiError: 400, naming the fields that this kind can be selected by.
    """
    known = {"metadata.name", "metadata.namespace"} if kind.namespaced else {"metadata.name"}
    known |= _FIELDS.get((kind.group, kind.kind), set())
    tests: list[tuple[str, bool, str]] = []
    for part in filter(None, text.split(",")):
        path, how, value = re.split(r"(==|!=|=)", part, maxsplit=1) if "=" in part else (part, "", "")
        if not how:
            raise bad_request(f"invalid selector: '{part}'; can't understand '{part}'")
        if path not in known:
            listed = ", ".join(f'"{name}"' for name in sorted(known))
            raise bad_request(f'"{path}" is not a known field selector: only {listed}')
        tests.append((path, how != "!=", value))
    return lambda data: all((_as_text(data, path) == value) is wanted for path, wanted, value in tests)


def selected(kind: Kind, label_selector: str, field_selector: str) -> Test | None:
    """Both as one test; None if everything is selected."""
    if not label_selector and not field_selector:
        return None
    by_label = labels(label_selector)
    by_field = fields(kind, field_selector)
    return lambda data: by_label(data["metadata"].get("labels") or {}) and by_field(data)


def matches(selector: Json | None, found: Mapping[str, str]) -> bool:
    """Whether labels match a LabelSelector object (``matchLabels`` and ``matchExpressions``); an empty one matches all."""
    if selector is None:
        return False
    if any(found.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    for each in selector.get("matchExpressions") or []:
        key, values = each["key"], each.get("values") or []
        present = key in found
        holds = {
            "In": present and found.get(key) in values,
            "NotIn": found.get(key) not in values,
            "Exists": present,
            "DoesNotExist": not present,
        }
        if not holds.get(each["operator"], False):
            return False
    return True


def as_text(selector: Json | None) -> str:
    """A LabelSelector object in words, as scale and tables show it."""
    if not selector:
        return "<none>"
    parts = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    for each in selector.get("matchExpressions") or []:
        key, values = each["key"], ",".join(sorted(each.get("values") or []))
        words = {
            "In": f"{key} in ({values})",
            "NotIn": f"{key} notin ({values})",
            "Exists": key,
            "DoesNotExist": f"!{key}",
        }
        parts.append(words.get(each["operator"], key))
    return ",".join(parts)
