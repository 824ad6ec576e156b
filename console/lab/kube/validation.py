"""What a manifest may not say. Few rules: those that a console and its tests can run into."""

from __future__ import annotations

import json
import re

from console.lab.kube.errors import Cause, invalid
from console.lab.kube.kinds import Json, Kind
from console.lab.kube.selectors import matches

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_SUBDOMAIN_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_LABEL_RULE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric "
    "character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_TEMPLATES = {"Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"}


def required(field: str, why: str = "") -> Cause:
    return Cause("FieldValueRequired", f"Required value: {why}" if why else "Required value", field)


def wrong(field: str, value: object, why: str) -> Cause:
    shown = json.dumps(value) if isinstance(value, (str, dict, list)) else str(value)
    return Cause("FieldValueInvalid", f"Invalid value: {shown}: {why}", field)


def _name(kind: Kind, name: str) -> list[Cause]:
    if not name:
        return [required("metadata.name", "name or generateName is required")]
    if kind.group == "rbac.authorization.k8s.io":
        return [wrong("metadata.name", name, "may not contain '/' or '%'")] if re.search("[/%]", name) else []
    label = kind.kind in ("Namespace", "Service")
    if len(name) > (63 if label else 253):
        return [wrong("metadata.name", name, f"must be no more than {63 if label else 253} bytes")]
    if not (_LABEL if label else _SUBDOMAIN).fullmatch(name):
        return [wrong("metadata.name", name, _LABEL_RULE if label else _SUBDOMAIN_RULE)]
    return []


def _containers(spec: Json, path: str) -> list[Cause]:
    listed = spec.get("containers") or []
    if not listed:
        return [required(f"{path}.containers")]
    causes: list[Cause] = []
    for number, container in enumerate(listed):
        where = f"{path}.containers[{number}]"
        if not container.get("name"):
            causes.append(required(f"{where}.name"))
        if not container.get("image"):
            causes.append(required(f"{where}.image"))
    return causes


def _workload(spec: Json) -> list[Cause]:
    causes: list[Cause] = []
    selector, template = spec.get("selector"), spec.get("template") or {}
    found = (template.get("metadata") or {}).get("labels") or {}
    if not selector:
        causes.append(required("spec.selector"))
    elif not matches(selector, found):
        causes.append(wrong("spec.template.metadata.labels", found, "`selector` does not match template `labels`"))
    replicas = spec.get("replicas", 0)
    if not isinstance(replicas, int) or replicas < 0:
        causes.append(wrong("spec.replicas", replicas, "must be greater than or equal to 0"))
    return [*causes, *_containers(template.get("spec") or {}, "spec.template.spec")]


def _of_kind(kind: Kind, data: Json) -> list[Cause]:
    if kind.custom:
        return []
    if kind.kind == "Pod":
        return _containers(data["spec"], "spec")
    if kind.kind in _TEMPLATES:
        return _workload(data["spec"])
    if kind.kind == "CustomResourceDefinition":
        spec = data["spec"]
        wanted = f"{spec['names'].get('plural', '')}.{spec.get('group', '')}"
        if data["metadata"]["name"] != wanted:
            return [wrong("metadata.name", data["metadata"]["name"], 'must be spec.names.plural+"."+spec.group')]
    return []


def _immutable(kind: Kind, old: Json, new: Json) -> list[Cause]:
    fields = {
        "Deployment": ("selector",),
        "ReplicaSet": ("selector",),
        "DaemonSet": ("selector",),
        "StatefulSet": ("selector", "serviceName"),
    }
    was, now = old.get("spec") or {}, new.get("spec") or {}
    listed = () if kind.custom else fields.get(kind.kind, ())
    return [
        wrong(f"spec.{name}", now.get(name), "field is immutable") for name in listed if was.get(name) != now.get(name)
    ]


def check(kind: Kind, data: Json, old: Json | None = None) -> None:
    """Refuse an object that is not valid.

    Raises:
        ApiError: 422.
    """
    name = data["metadata"].get("name", "")
    causes = _name(kind, name) if old is None else _immutable(kind, old, data)
    causes += _of_kind(kind, data)
    if causes:
        raise invalid(kind.group, kind.kind, name, causes)
