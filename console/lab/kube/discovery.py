"""What is served, told in the ways that clients ask: lists of groups and resources, and all at once."""

from __future__ import annotations

import base64
import hashlib

from console.lab.kube import builtin
from console.lab.kube.errors import NotServedError
from console.lab.kube.kinds import Json, Kind, Registry

_VERSION = {
    "major": "1",
    "minor": "36",
    "emulationMajor": "1",
    "emulationMinor": "36",
    "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "35",
    "gitVersion": "v1.36.2+laboratory",
    "gitCommit": "none",
    "gitTreeState": "clean",
    "buildDate": "2026-11-22T00:00:00Z",
    "goVersion": "",
    "compiler": "",
    "platform": "linux/amd64",
}


def version() -> Json:
    """The answer of ``/version``; it says that this is the laboratory."""
    return dict(_VERSION)


def _hash(kind: Kind) -> str:
    """What tells a client that the form in which a kind is stored has changed."""
    digest = hashlib.sha256(f"{kind.group}/{kind.version}/{kind.kind}".encode()).digest()
    return base64.b64encode(digest[:8]).decode()


def _resources(kind: Kind) -> list[Json]:
    found: Json = {
        "name": kind.plural,
        "singularName": kind.singular,
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": list(kind.verbs),
    }
    if kind.short:
        found["shortNames"] = list(kind.short)
    if kind.categories:
        found["categories"] = list(kind.categories)
    if kind not in (*builtin.REVIEWS, *builtin.METRICS):
        found["storageVersionHash"] = _hash(kind)
    listed = [found]
    for each in kind.subresources():
        below: Json = {"name": f"{kind.plural}/{each.name}", "singularName": "", "namespaced": kind.namespaced}
        if each.group:
            below |= {"group": each.group, "version": each.version}
        listed.append({**below, "kind": each.kind, "verbs": list(each.verbs)})
    return listed


def resource_list(registry: Registry, group: str, version: str) -> Json:
    """An APIResourceList.

    Raises:
        NotServedError: There is no such group and version.
    """
    kinds = registry.of_version(group, version)
    if not kinds:
        raise NotServedError
    resources = [each for kind in kinds for each in _resources(kind)]
    head: Json = {"kind": "APIResourceList"}
    if group:
        head |= {"apiVersion": "v1", "groupVersion": f"{group}/{version}"}
    else:
        head |= {"groupVersion": version}
    return {**head, "resources": resources}


def _group(group: str, versions: list[str]) -> Json:
    listed = [{"groupVersion": f"{group}/{version}", "version": version} for version in versions]
    return {"name": group, "versions": listed, "preferredVersion": listed[0]}


def group(registry: Registry, name: str) -> Json:
    """An APIGroup.

    Raises:
        NotServedError: There is no such group.
    """
    versions = registry.versions().get(name)
    if not name or versions is None:
        raise NotServedError
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, versions)}


def groups(registry: Registry) -> Json:
    """An APIGroupList."""
    listed = [_group(name, versions) for name, versions in registry.versions().items() if name]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": listed}


def core(address: str) -> Json:
    """The answer of ``/api``."""
    return {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
    }


def aggregated(registry: Registry, legacy: bool) -> Json:
    """An APIGroupDiscoveryList: of the group without a name, or of all others."""
    items = [
        {
            "metadata": {"name": name, "creationTimestamp": None} if name else {"creationTimestamp": None},
            "versions": [
                {"version": each, "resources": _discovered(registry, name, each), "freshness": "Current"}
                for each in versions
            ],
        }
        for name, versions in registry.versions().items()
        if bool(name) is not legacy
    ]
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}


def _discovered(registry: Registry, group: str, version: str) -> list[Json]:
    return [_discovery(kind) for kind in registry.of_version(group, version)]


def _discovery(kind: Kind) -> Json:
    found: Json = {
        "resource": kind.plural,
        "responseKind": {"group": kind.group, "version": kind.version, "kind": kind.kind},
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": kind.singular,
        "verbs": list(kind.verbs),
    }
    if kind.short:
        found["shortNames"] = list(kind.short)
    if kind.categories:
        found["categories"] = list(kind.categories)
    below = [
        {
            "subresource": each.name,
            "responseKind": {
                "group": each.group or kind.group,
                "version": each.version or kind.version,
                "kind": each.kind,
            },
            "verbs": list(each.verbs),
        }
        for each in kind.subresources()
    ]
    return {**found, "subresources": below} if below else found
