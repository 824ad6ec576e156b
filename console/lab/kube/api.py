"""What may be done with objects: create, read, replace, patch, delete; for the wire and for controllers alike."""

from __future__ import annotations

import random
import uuid
from datetime import UTC, datetime
from typing import Any, NamedTuple

from console.lab.kube import apply, builtin, defaults, fieldsets, patches, quota, validation
from console.lab.kube.errors import (
    already_exists,
    bad_request,
    forbidden,
    invalid,
    modified,
    not_found,
    precondition_failed,
)
from console.lab.kube.fieldsets import Manager
from console.lab.kube.kinds import Json, Kind, Registry
from console.lab.kube.store import Store, Stored, clone

_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_SYSTEM = (
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "managedFields",
    "selfLink",
)


class Options(NamedTuple):
    """How a write is meant.

    Attributes:
        manager: Who owns the fields that it sets; "" leaves owners as they are, as controllers in this process do.
        dry_run: Answer as if, and change nothing.
        force: Take fields from other managers when applying.
    """

    manager: str = ""
    dry_run: bool = False
    subresource: str = ""
    force: bool = False


PLAIN = Options()


def now() -> str:
    """The time, in whole seconds, as Kubernetes writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def new_status(data: Json, old: Json) -> Json:
    """An object with the status of another; without one if that has none."""
    data.pop("status", None)
    return {**data, "status": clone(old["status"])} if "status" in old else data


class Api:
    """The objects of a cluster."""

    def __init__(self, store: Store, registry: Registry) -> None:
        self.store = store
        self.registry = registry

    def find(self, kind: Kind, namespace: str, name: str) -> Stored:
        """An object.

        Raises:
            ApiError: 404.
        """
        found = self.store.get(kind.key, namespace, name)
        if found is None:
            raise not_found(kind, name)
        return found

    def create(self, kind: Kind, namespace: str, data: Json, options: Options = PLAIN) -> Json:
        """Keep a new object; the answer is the object as kept.

        Raises:
            ApiError: 400, 403, 404, 409 or 422.
        """
        data = self._named(kind, namespace, clone(data))
        metadata = data["metadata"]
        self._check_namespace(kind, namespace, metadata["name"])
        data["apiVersion"], data["kind"] = kind.api_version, kind.kind
        applied = metadata.get("managedFields") if options.force else None
        for name in _SYSTEM:
            metadata.pop(name, None)
        defaults.fill(kind, data)
        if kind.status:
            data.pop("status", None)
        validation.check(kind, data)
        if (status := defaults.initial_status(kind, data)) is not None:
            data["status"] = status
        if kind.namespaced:
            quota.admit(self.store, list(self.registry), kind, data, namespace)
        if self.store.get(kind.key, namespace, metadata["name"]) is not None:
            raise already_exists(kind, metadata["name"])
        metadata |= {"uid": str(uuid.uuid4()), "creationTimestamp": now()}
        if kind.generation:
            metadata["generation"] = 1
        if applied:
            metadata["managedFields"] = applied
        elif options.manager:
            self._own(kind, {"metadata": {}}, data, options)
        return data if options.dry_run else self.store.put(kind.key, data).data

    def _named(self, kind: Kind, namespace: str, data: Json) -> Json:
        metadata = data.get("metadata")
        metadata = data["metadata"] = dict(metadata) if isinstance(metadata, dict) else {}
        self._check_place(kind, namespace, metadata)
        if kind.namespaced:
            metadata["namespace"] = namespace
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = metadata["generateName"] + "".join(random.choices(_LETTERS, k=5))
        metadata.setdefault("name", "")
        return {name: value for name, value in data.items() if value is not None}

    @staticmethod
    def _check_place(kind: Kind, namespace: str, metadata: Json) -> None:
        if kind.namespaced and metadata.get("namespace", namespace) not in (namespace, ""):
            raise bad_request("the namespace of the provided object does not match the namespace sent on the request")

    def _check_namespace(self, kind: Kind, namespace: str, name: str) -> None:
        if not kind.namespaced:
            return
        found = self.find(builtin.NAMESPACE, "", namespace)
        if "deletionTimestamp" in found.metadata:
            why = f"unable to create new content in namespace {namespace} because it is being terminated"
            cause = {
                "reason": "NamespaceTerminating",
                "message": f"namespace {namespace} is being terminated",
                "field": "metadata.namespace",
            }
            raise forbidden(kind, name, why, [cause])

    def _own(self, kind: Kind, old: Json, data: Json, options: Options) -> None:
        by = Manager(options.manager, "Update", options.subresource, kind.api_version)
        managers = fieldsets.updated(kind, fieldsets.read(old["metadata"]), by, old, data, now())
        data["metadata"]["managedFields"] = fieldsets.write(managers)

    def replace(self, kind: Kind, namespace: str, name: str, data: Json, options: Options = PLAIN) -> Json:
        """Put an object, or its status, in the place of the one that is there.

        Raises:
            ApiError: 400, 404, 409 or 422.
        """
        metadata = data.get("metadata")
        metadata = metadata if isinstance(metadata, dict) else {}
        if metadata.get("name", name) != name:
            raise bad_request(
                f"the name of the object ({metadata['name']}) does not match the name on the URL ({name})"
            )
        self._check_place(kind, namespace, metadata)
        old = self.find(kind, namespace, name)
        version = metadata.get("resourceVersion", "")
        if not version and not kind.unconditional:
            cause = validation.wrong("metadata.resourceVersion", "0x0", "must be specified for an update")
            raise invalid(kind.group, kind.kind, name, [cause._replace(message=cause.message.replace('"', ""))])
        return self.change(kind, old, clone({**data, "metadata": metadata}), options)

    def patch(
        self, kind: Kind, namespace: str, name: str, content_type: str, patch: Any, options: Options = PLAIN
    ) -> Json:
        """Patch an object or its status. Applying may create it.

        Raises:
            ApiError: 400, 404, 409, 415 or 422.
        """
        patches.check_type(kind, content_type)
        if content_type == patches.APPLY:
            return self._apply(kind, namespace, name, patch, options)
        old = self.find(kind, namespace, name)
        found = patches.patched(kind, content_type, old.data, patch)
        if not isinstance(found.get("metadata"), dict) or found["metadata"].get("name") != name:
            raise invalid(kind.group, kind.kind, name, [validation.wrong("metadata.name", "", "field is immutable")])
        return self.change(kind, old, found, options)

    def _apply(self, kind: Kind, namespace: str, name: str, config: Any, options: Options) -> Json:
        if not isinstance(config, dict) or not options.manager:
            raise bad_request(
                "PatchOptions.meta.k8s.io is invalid: fieldManager: Required value: is required for apply patch"
            )
        by = Manager(options.manager, "Apply", options.subresource, kind.api_version)
        old = self.store.get(kind.key, namespace, name)
        if old is None:
            empty: Json = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": name}}
            made = apply.applied(kind, empty, config, by, True, now())
            return self.create(kind, namespace, made, options._replace(force=True))
        found = apply.applied(kind, old.data, config, by, options.force, now())
        version = (config.get("metadata") or {}).get("resourceVersion")
        found["metadata"]["resourceVersion"] = version or old.metadata["resourceVersion"]
        return self.change(kind, old, found, options._replace(manager=""), found["metadata"]["managedFields"])

    def change(self, kind: Kind, old: Stored, data: Json, options: Options, managed: list[Json] | None = None) -> Json:
        """Put an object in the place of another that was just read.

        Raises:
            ApiError: 409 or 422.
        """
        metadata, was = data["metadata"], old.metadata
        name = was["name"]
        if metadata.get("uid", was["uid"]) != was["uid"]:
            raise precondition_failed(kind, name, _other_uid(metadata["uid"], was["uid"]))
        if metadata.get("resourceVersion") not in (None, "", was["resourceVersion"]):
            raise modified(kind, name)
        if options.subresource == "status":
            status = data.get("status")
            data = {**clone(old.data), "status": status} if status is not None else clone(old.data)
        elif kind.status:
            data = new_status(data, old.data)
        data["apiVersion"], data["kind"] = kind.api_version, kind.kind
        data["metadata"] = metadata = _kept(data["metadata"], was)
        data = {name: value for name, value in data.items() if value is not None}
        defaults.fill(kind, data)
        validation.check(kind, data, old.data)
        if kind.generation and _declared(data) != _declared(old.data):
            metadata["generation"] = was.get("generation", 0) + 1
        same = data == old.data
        if managed is not None:
            metadata["managedFields"] = managed
        elif options.manager and not same:
            self._own(kind, old.data, data, options)
        return self._keep(kind, old, data, options)

    def _keep(self, kind: Kind, old: Stored, data: Json, options: Options) -> Json:
        metadata = data["metadata"]
        if data == old.data or options.dry_run:
            return data
        if "deletionTimestamp" in metadata and not metadata.get("finalizers") and not _lingers(kind, data):
            self.store.remove(kind.key, *old.place)
            return data
        return self.store.put(kind.key, data).data


def _other_uid(given: str, there: str) -> str:
    found = f"the UID in the precondition ({given}) does not match the UID in record ({there})"
    return f"{found}. The object might have been deleted and then recreated"


def check_preconditions(kind: Kind, stored: Stored, wanted: Json) -> None:
    """Refuse a delete that is meant for another object, or for another state of it.

    Raises:
        ApiError: 409.
    """
    there = stored.metadata
    if wanted.get("uid") not in (None, there["uid"]):
        raise precondition_failed(kind, there["name"], _other_uid(wanted["uid"], there["uid"]))
    if (version := wanted.get("resourceVersion")) not in (None, there["resourceVersion"]):
        found = f"the ResourceVersion in the precondition ({version}) does not match the ResourceVersion in record ({there['resourceVersion']})"
        raise precondition_failed(kind, there["name"], f"{found}. The object might have been modified")


def _kept(metadata: Json, was: Json) -> Json:
    """New metadata with what only the server sets, and without what is empty."""
    found = {name: value for name, value in metadata.items() if value not in (None, {}, []) and name not in _SYSTEM}
    return found | {name: was[name] for name in (*_SYSTEM, "name", "namespace", "generateName") if name in was}


def _declared(data: Json) -> Json:
    return {name: value for name, value in data.items() if name not in ("metadata", "status", "apiVersion", "kind")}


def _lingers(kind: Kind, data: Json) -> bool:
    """Whether something beside finalizers keeps an object that is being deleted: a kubelet, a namespace's content."""
    if kind == builtin.NAMESPACE:
        return bool(data["spec"].get("finalizers"))
    return kind == builtin.POD and data["metadata"].get("deletionGracePeriodSeconds", 0) > 0
