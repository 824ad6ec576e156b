"""OpenAPI, as little as clients need: which kinds there are, and that the server itself checks fields and patches.

No schemas of the built-in kinds: ``kubectl explain`` shows nothing of them, and unknown fields are not found.
"""

from __future__ import annotations

import hashlib

from console.lab.kube.errors import NotServedError
from console.lab.kube.kinds import Json, Kind, Registry

_PARAMETERS = [
    {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}}
    for name in ("dryRun", "fieldManager", "fieldValidation")
]
_INFO = {"title": "Banksman laboratory", "version": "v1.36.2"}


def _gvk(kind: Kind) -> Json:
    return {"group": kind.group, "version": kind.version, "kind": kind.kind}


def _path(kind: Kind) -> str:
    root = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
    return f"{root}/namespaces/{{namespace}}/{kind.plural}" if kind.namespaced else f"{root}/{kind.plural}"


def _name(kind: Kind) -> str:
    """A schema's name: the group backwards, the version and the kind."""
    return ".".join([*reversed((kind.group or "core.api.k8s.io").split(".")), kind.version, kind.kind])


def _operation(kind: Kind, action: str, parameters: list[Json]) -> Json:
    return {
        "operationId": f"{action}{kind.version.capitalize()}{kind.kind}",
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": _gvk(kind),
        "parameters": parameters,
        "responses": {"200": {"description": "OK"}},
    }


def _paths(kind: Kind, parameters: list[Json]) -> Json:
    above = {"get": _operation(kind, "list", []), "post": _operation(kind, "post", parameters)}
    below = {
        "get": _operation(kind, "get", []),
        "put": _operation(kind, "put", parameters),
        "patch": _operation(kind, "patch", parameters),
        "delete": _operation(kind, "delete", []),
    }
    return {_path(kind): above, f"{_path(kind)}/{{name}}": below}


def _schema(kind: Kind) -> Json:
    return {"type": "object", **kind.schema, "x-kubernetes-group-version-kind": [_gvk(kind)]}


def index(registry: Registry) -> Json:
    """The answer of ``/openapi/v3``: where each version's document is."""
    found: Json = {}
    for group, versions in registry.versions().items():
        for version in versions:
            place = f"apis/{group}/{version}" if group else f"api/{version}"
            names = ",".join(kind.kind for kind in registry.of_version(group, version))
            digest = hashlib.sha256(f"{names} {registry.changes}".encode()).hexdigest()[:32].upper()
            found[place] = {"serverRelativeURL": f"/openapi/v3/{place}?hash={digest}"}
    return {"paths": found}


def document(registry: Registry, group: str, version: str) -> Json:
    """One version's document.

    Raises:
        NotServedError: There is no such group and version.
    """
    kinds = registry.of_version(group, version)
    if not kinds:
        raise NotServedError
    paths: Json = {}
    for kind in kinds:
        paths |= _paths(kind, _PARAMETERS)
    schemas = {_name(kind): _schema(kind) for kind in kinds}
    return {"openapi": "3.0.0", "info": _INFO, "paths": paths, "components": {"schemas": schemas}}


def swagger(registry: Registry) -> Json:
    """The answer of ``/openapi/v2``."""
    parameters = [{"name": each["name"], "in": "query", "type": "string", "uniqueItems": True} for each in _PARAMETERS]
    paths: Json = {}
    for kind in registry:
        paths |= _paths(kind, parameters)
    definitions = {_name(kind): _schema(kind) for kind in registry}
    return {"swagger": "2.0", "info": _INFO, "paths": paths, "definitions": definitions}
