"""Deleting: grace, finalizers, owners, and what goes with an object that goes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from console.lab.kube import builtin
from console.lab.kube.api import Api, check_preconditions
from console.lab.kube.errors import bad_request, details
from console.lab.kube.kinds import Json, Key, Kind
from console.lab.kube.selectors import Test
from console.lab.kube.store import Change, Stored, clone

_FOREGROUND = "foregroundDeletion"
_POLICIES = {"Foreground", "Background", "Orphan"}


class How(NamedTuple):
    """How to delete: what DeleteOptions say."""

    policy: str = "Background"
    grace_s: int | None = None
    preconditions: Json = {}
    dry_run: bool = False


def options(body: Json, query: dict[str, str]) -> How:
    """DeleteOptions from a body and the query.

    Raises:
        ApiError: 400.
    """
    policy = body.get("propagationPolicy") or query.get("propagationPolicy") or ""
    if not policy:
        policy = "Orphan" if body.get("orphanDependents") else "Background"
    if policy not in _POLICIES:
        raise bad_request(f"invalid propagationPolicy: {policy}")
    grace = body.get("gracePeriodSeconds", query.get("gracePeriodSeconds"))
    try:
        seconds = None if grace is None else int(grace)
    except (TypeError, ValueError) as error:
        raise bad_request(f"invalid gracePeriodSeconds: {grace}") from error
    return How(policy, seconds, body.get("preconditions") or {}, bool(body.get("dryRun") or query.get("dryRun")))


class Deletions:
    """Deletes, and collects what has lost its owners."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._owned: dict[str, set[tuple[Key, str, str]]] = {}
        api.store.listeners.append(self._follow)

    def delete(self, kind: Kind, namespace: str, name: str, how: How | None = None) -> Json:
        """Delete an object, or mark it until whatever holds it lets go. The answer is what a real server answers.

        Raises:
            ApiError: 404 or 409.
        """
        how = how or How()
        stored = self._api.find(kind, namespace, name)
        check_preconditions(kind, stored, how.preconditions)
        grace = _grace_s(kind, stored, how)
        finalizers = self._finalizers(stored, how.policy)
        held = bool(finalizers or grace or (kind == builtin.NAMESPACE and stored.data["spec"].get("finalizers")))
        if how.dry_run:
            return stored.data
        if held:
            return self._mark(kind, stored, finalizers, grace)
        self._api.store.remove(kind.key, namespace, name)
        if kind == builtin.POD:
            return stored.data
        found = details(name, kind.group, kind.plural, uid=stored.metadata["uid"])
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": found}

    def delete_all(self, kind: Kind, namespace: str, test: Test | None, how: How) -> list[Json]:
        """Delete all of a kind in a namespace that a test selects."""
        found = [stored for stored in self._api.store.objects(kind.key, namespace) if test is None or test(stored.data)]
        for stored in found:
            if self._api.store.get(kind.key, *stored.place) is not None:
                self.delete(kind, *stored.place, how)
        return [stored.data for stored in found]

    def _finalizers(self, stored: Stored, policy: str) -> list[str]:
        found = list(stored.metadata.get("finalizers") or [])
        owned = self._owned.get(stored.metadata["uid"])
        if policy == "Orphan" and owned:
            self._orphan(stored.metadata["uid"])
        elif policy == "Foreground" and owned and _FOREGROUND not in found:
            found.append(_FOREGROUND)
        return found

    def _mark(self, kind: Kind, stored: Stored, finalizers: list[str], grace: int) -> Json:
        data: Json = clone(stored.data)
        metadata = data["metadata"]
        if "deletionTimestamp" not in metadata:
            metadata["deletionTimestamp"] = (datetime.now(UTC) + timedelta(seconds=grace)).strftime(
                "%Y-%m-%dT%H:%M:%SZ"
            )
            if kind == builtin.NAMESPACE:
                data["status"]["phase"] = "Terminating"
            else:
                metadata["deletionGracePeriodSeconds"] = grace
        elif grace < metadata.get("deletionGracePeriodSeconds", 0):
            metadata["deletionGracePeriodSeconds"] = grace
        if finalizers:
            metadata["finalizers"] = finalizers
        if data == stored.data:
            return data
        marked = self._api.store.put(kind.key, data)
        if _FOREGROUND in finalizers:
            self._delete_owned(metadata["uid"])
            self._release(kind, *marked.place)
        return marked.data

    def _owners(self, stored: Stored | None) -> set[str]:
        return {owner["uid"] for owner in stored.metadata.get("ownerReferences") or []} if stored else set()

    def _follow(self, change: Change) -> None:
        """Keep the index of owners, and collect what a removed object owned."""
        stored = change.new or change.old
        assert stored is not None
        here = (change.key, *stored.place)
        before, after = self._owners(change.old), self._owners(change.new)
        for uid in before - after:
            self._owned.get(uid, set()).discard(here)
        for uid in after - before:
            self._owned.setdefault(uid, set()).add(here)
        if change.new is None:
            self._delete_owned(stored.metadata["uid"])
            self._owned.pop(stored.metadata["uid"], None)
            for owner in stored.metadata.get("ownerReferences") or []:
                self._release_owner(owner, stored)

    def _release_owner(self, owner: Json, stored: Stored) -> None:
        group = owner.get("apiVersion", "").rpartition("/")[0]
        kind = self._api.registry.of_kind(group, owner.get("kind", ""))
        if kind is not None:
            self._release(kind, stored.place[0] if kind.namespaced else "", owner.get("name", ""))

    def _release(self, kind: Kind, namespace: str, name: str) -> None:
        """Let an object go that waited in the foreground for what it owned."""
        stored = self._api.store.get(kind.key, namespace, name)
        if (
            stored is None
            or _FOREGROUND not in (stored.metadata.get("finalizers") or [])
            or self._owned.get(stored.metadata["uid"])
        ):
            return
        data = clone(stored.data)
        data["metadata"]["finalizers"] = [each for each in data["metadata"]["finalizers"] if each != _FOREGROUND]
        self._api.replace(kind, namespace, name, data)

    def _delete_owned(self, uid: str) -> None:
        """Delete in the background what has no other owner left."""
        for key, namespace, name in sorted(self._owned.get(uid, ())):
            stored = self._api.store.get(key, namespace, name)
            kind = self._api.registry.of_key(key)
            if stored is None or kind is None or "deletionTimestamp" in stored.metadata:
                continue
            if not any(
                self._exists(other, namespace)
                for other in stored.metadata.get("ownerReferences") or []
                if other["uid"] != uid
            ):
                self.delete(kind, namespace, name)

    def _exists(self, owner: Json, namespace: str) -> bool:
        kind = self._api.registry.of_kind(owner.get("apiVersion", "").rpartition("/")[0], owner.get("kind", ""))
        if kind is None:
            return False
        stored = self._api.store.get(kind.key, namespace if kind.namespaced else "", owner.get("name", ""))
        return stored is not None and stored.metadata["uid"] == owner["uid"]

    def _orphan(self, uid: str) -> None:
        for key, namespace, name in sorted(self._owned.get(uid, ())):
            stored = self._api.store.get(key, namespace, name)
            if stored is not None:
                data = clone(stored.data)
                data["metadata"]["ownerReferences"] = [
                    each for each in data["metadata"]["ownerReferences"] if each["uid"] != uid
                ]
                self._api.store.put(key, data)


def _grace_s(kind: Kind, stored: Stored, how: How) -> int:
    """Seconds that a pod has left; 0 for everything else, and for a pod that runs nowhere or is done."""
    spec, status = stored.data.get("spec") or {}, stored.data.get("status") or {}
    if kind != builtin.POD or not spec.get("nodeName") or status.get("phase") in ("Succeeded", "Failed"):
        return 0
    wanted = int(spec.get("terminationGracePeriodSeconds", 30)) if how.grace_s is None else how.grace_s
    return min(wanted, int(stored.metadata.get("deletionGracePeriodSeconds", wanted)))
