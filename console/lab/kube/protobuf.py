"""Bodies in Kubernetes' binary form, for the few types that ``kubectl`` sends so.

Its typed commands (``auth can-i``, ``create namespace``, ``drain``) do; everything else is JSON. Answers are always JSON, which
clients take.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from console.lab.kube.errors import unsupported_media
from console.lab.kube.kinds import Json

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\0"

_META = {
    1: ("name", "text"),
    2: ("generateName", "text"),
    3: ("namespace", "text"),
    5: ("uid", "text"),
    6: ("resourceVersion", "text"),
    11: ("labels", "map"),
    12: ("annotations", "map"),
    14: ("finalizers", "text*"),
}
_RESOURCE = {
    number: (name, "text")
    for number, name in enumerate(("namespace", "verb", "group", "version", "resource", "subresource", "name"), 1)
}
_ACCESS = {
    1: ("resourceAttributes", _RESOURCE),
    2: ("nonResourceAttributes", {1: ("path", "text"), 2: ("verb", "text")}),
}
_DELETE = {
    1: ("gracePeriodSeconds", "number"),
    2: ("preconditions", {1: ("uid", "text"), 2: ("resourceVersion", "text")}),
    3: ("orphanDependents", "flag"),
    4: ("propagationPolicy", "text"),
    5: ("dryRun", "text*"),
}
_LEASE = {
    1: ("holderIdentity", "text"),
    2: ("leaseDurationSeconds", "number"),
    3: ("acquireTime", "time"),
    4: ("renewTime", "time"),
    5: ("leaseTransitions", "number"),
}

_RULE = {
    1: ("verbs", "text*"),
    2: ("apiGroups", "text*"),
    3: ("resources", "text*"),
    4: ("resourceNames", "text*"),
    5: ("nonResourceURLs", "text*"),
}
_SUBJECT = {number: (name, "text") for number, name in enumerate(("kind", "apiGroup", "name", "namespace"), 1)}
_ROLE_REF = {number: (name, "text") for number, name in enumerate(("apiGroup", "kind", "name"), 1)}
_ROLE = {1: ("metadata", _META), 2: ("rules", [_RULE])}
_BINDING = {1: ("metadata", _META), 2: ("subjects", [_SUBJECT]), 3: ("roleRef", _ROLE_REF)}

_TYPES: dict[str, dict[int, tuple[str, Any]]] = {
    "ClusterRole": _ROLE,
    "ClusterRoleBinding": _BINDING,
    "ConfigMap": {1: ("metadata", _META), 2: ("data", "map"), 3: ("binaryData", "bytes map"), 4: ("immutable", "flag")},
    "DeleteOptions": _DELETE,
    "Eviction": {1: ("metadata", _META), 2: ("deleteOptions", _DELETE)},
    "Lease": {1: ("metadata", _META), 2: ("spec", _LEASE)},
    "Namespace": {1: ("metadata", _META), 2: ("spec", {1: ("finalizers", "text*")})},
    "Secret": {
        1: ("metadata", _META),
        2: ("data", "bytes map"),
        3: ("type", "text"),
        4: ("stringData", "map"),
        5: ("immutable", "flag"),
    },
    "SelfSubjectAccessReview": {1: ("metadata", _META), 2: ("spec", _ACCESS)},
    "SelfSubjectReview": {1: ("metadata", _META)},
    "SelfSubjectRulesReview": {1: ("metadata", _META), 2: ("spec", {1: ("namespace", "text")})},
    "ServiceAccount": {1: ("metadata", _META)},
}


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    found = shift = 0
    while True:
        byte = raw[at]
        found |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return found, at


def _fields(raw: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Each field's number and value: a number, or bytes.

    Raises:
        ValueError: This is no message.
    """
    at = 0
    while at < len(raw):
        tag, at = _varint(raw, at)
        if tag & 7 == 0:
            number, at = _varint(raw, at)
            yield tag >> 3, number
        elif tag & 7 == 2:
            size, at = _varint(raw, at)
            yield tag >> 3, raw[at : at + size]
            at += size
        else:
            raise ValueError("a field of an unknown form")


def _message(raw: bytes, types: dict[int, tuple[str, Any]]) -> Json:
    found: Json = {}
    for number, value in _fields(raw):
        name, form = types.get(number, ("", ""))
        if isinstance(value, int):
            if form in ("number", "flag"):
                found[name] = value if form == "number" else bool(value)
        elif isinstance(form, dict):
            found[name] = _message(value, form)
        elif isinstance(form, list):
            found.setdefault(name, []).append(_message(value, form[0]))
        elif form == "text" and value:
            found[name] = value.decode()
        elif form == "text*":
            found.setdefault(name, []).append(value.decode())
        elif form == "time":
            found[name] = _time(value)
        elif form.endswith("map"):
            entry = dict(_fields(value))
            content = bytes(entry.get(2, b""))
            text = base64.b64encode(content).decode() if form == "bytes map" else content.decode()
            found.setdefault(name, {})[bytes(entry[1]).decode()] = text
    return found


def _time(raw: bytes) -> str:
    parts = {number: value for number, value in _fields(raw) if isinstance(value, int)}
    moment = datetime.fromtimestamp(parts.get(1, 0), UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{parts.get(2, 0) // 1000:06d}Z"


def decode(raw: bytes) -> Json:
    """An object.

    Raises:
        ApiError: 415: it is of a type that is read as JSON only.
    """
    try:
        envelope = dict(_fields(raw.removeprefix(_MAGIC)))
        about = _message(bytes(envelope[1]), {1: ("apiVersion", "text"), 2: ("kind", "text")})
        return {**about, **_message(bytes(envelope.get(2, b"")), _TYPES[about["kind"]])}
    except (LookupError, ValueError, TypeError) as error:
        known = "application/json, application/yaml"
        raise unsupported_media(
            f"the body of the request was in an unknown format - accepted media types include: {known}", None
        ) from error
