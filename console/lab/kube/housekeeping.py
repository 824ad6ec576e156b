"""What a real cluster's own controllers do for the objects themselves: namespaces, quotas, definitions.

Each follows the store and acts in the moment that something changes, after the answer to the change is settled.
"""

from __future__ import annotations

from console.lab.kube import builtin, quota
from console.lab.kube.api import Api, Options, now
from console.lab.kube.deletion import Deletions
from console.lab.kube.kinds import Column, Json, Kind, custom_kind
from console.lab.kube.store import Change, Stored, clone

_STATUS = Options(subresource="status")


class Namespaces:
    """Empties namespaces that are being deleted, and lets them go when they are empty."""

    def __init__(self, api: Api, deletions: Deletions) -> None:
        self._api = api
        self._deletions = deletions
        self._emptying: set[str] = set()
        api.store.listeners.append(self._follow)

    def _follow(self, change: Change) -> None:
        stored = change.new or change.old
        assert stored is not None
        namespace, name = stored.place
        if change.key == builtin.NAMESPACE.key and change.new is not None and "deletionTimestamp" in stored.metadata:
            self._empty(name)
        elif change.new is None and namespace:
            self._finish(namespace)

    def _content(self, namespace: str) -> list[tuple[Kind, Stored]]:
        kinds = [kind for kind in self._api.registry if kind.namespaced]
        return [(kind, stored) for kind in kinds for stored in self._api.store.objects(kind.key, namespace)]

    def _empty(self, namespace: str) -> None:
        if namespace in self._emptying:
            return
        self._emptying.add(namespace)
        for kind, stored in self._content(namespace):
            if self._api.store.get(kind.key, *stored.place) is not None:
                self._deletions.delete(kind, *stored.place)
        self._emptying.discard(namespace)
        self._finish(namespace)

    def _finish(self, namespace: str) -> None:
        stored = self._api.store.get(builtin.NAMESPACE.key, "", namespace)
        gone = stored is None or "deletionTimestamp" not in stored.metadata
        if gone or namespace in self._emptying or self._content(namespace):
            return
        assert stored is not None
        if not stored.metadata.get("finalizers"):
            self._api.store.remove(builtin.NAMESPACE.key, "", namespace)


class Quotas:
    """Keeps what quotas show as used true."""

    def __init__(self, api: Api) -> None:
        self._api = api
        api.store.listeners.append(self._follow)

    def _follow(self, change: Change) -> None:
        stored = change.new or change.old
        assert stored is not None
        namespace = stored.place[0]
        for found in self._api.store.objects(builtin.QUOTA.key, namespace) if namespace else ():
            status = quota.status(self._api.store, list(self._api.registry), found)
            if found.data.get("status") != status:
                self._api.replace(
                    builtin.QUOTA, namespace, found.metadata["name"], {**found.data, "status": status}, _STATUS
                )


class Definitions:
    """Serves the kinds that CustomResourceDefinitions define."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._served: dict[str, Kind] = {}
        api.store.listeners.append(self._follow)

    def _follow(self, change: Change) -> None:
        if change.key != builtin.DEFINITION.key:
            return
        stored = change.new or change.old
        assert stored is not None
        name = stored.metadata["name"]
        if change.new is None:
            self._end(name)
            return
        kind = _defined(stored.data)
        if kind is not None and self._served.get(name) != kind:
            self._end(name, keep=True)
            self._served[name] = kind
            self._api.registry.add(kind)
        self._establish(stored)

    def _end(self, name: str, keep: bool = False) -> None:
        kind = self._served.pop(name, None)
        if kind is None:
            return
        for stored in [] if keep else self._api.store.objects(kind.key):
            self._api.store.remove(kind.key, *stored.place)
        self._api.registry.remove(kind)

    def _establish(self, stored: Stored) -> None:
        if stored.data["status"].get("conditions"):
            return
        told = {
            "NamesAccepted": ("NoConflicts", "no conflicts found"),
            "Established": ("InitialNamesAccepted", "the initial names have been accepted"),
        }
        conditions = [
            {"type": name, "status": "True", "reason": reason, "message": message, "lastTransitionTime": now()}
            for name, (reason, message) in told.items()
        ]
        status = {
            **stored.data["status"],
            "conditions": conditions,
            "acceptedNames": clone(stored.data["spec"]["names"]),
        }
        self._api.replace(builtin.DEFINITION, "", stored.metadata["name"], {**stored.data, "status": status}, _STATUS)


def _defined(data: Json) -> Kind | None:
    """The kind of a definition, in the version that is stored."""
    spec = data["spec"]
    version = next((each for each in spec.get("versions") or [] if each.get("storage") and each.get("served")), None)
    if version is None:
        return None
    names, subresources = spec["names"], version.get("subresources") or {}
    scale = str((subresources.get("scale") or {}).get("specReplicasPath", "")).removeprefix(".spec.")
    columns = [
        Column(each["name"], each["jsonPath"], each.get("type", "string"), each.get("priority", 0))
        for each in version.get("additionalPrinterColumns") or []
    ]
    return custom_kind(
        spec["group"],
        version["name"],
        names["kind"],
        names["plural"],
        namespaced=spec.get("scope", "Namespaced") == "Namespaced",
        short=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        status="status" in subresources,
        scale=scale,
        columns=tuple(columns),
        schema=(version.get("schema") or {}).get("openAPIV3Schema") or {},
    )
