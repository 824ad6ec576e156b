"""Events: what happened to objects, counted where it happens again, forgotten after an hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from console.lab.kube import ages
from console.lab.kube.api import now
from console.lab.kube.cluster import Cluster
from console.lab.kube.errors import ApiError
from console.lab.kube.kinds import Json, Kind
from console.lab.kube.store import Stored, clone
from console.lab.platform.kinds import EVENT

_KEEP = timedelta(hours=1)
_MOST = 1_500
"""Events kept at all; the oldest go first."""


class Recorder:
    """Writes Events."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._known: dict[tuple[str, ...], tuple[str, str]] = {}
        self._number = 0

    def note(
        self,
        kind: Kind,
        data: Json,
        reason: str,
        message: str,
        *,
        source: str,
        warning: bool = False,
        host: str = "",
        field: str = "",
    ) -> None:
        """Something happened to an object. Where it cannot be kept (its namespace is going), it is not."""
        metadata = data["metadata"]
        sort = "Warning" if warning else "Normal"
        namespace = metadata.get("namespace", "default")
        key = (metadata["uid"], sort, reason, message, source, host)
        place = self._known.get(key)
        old = self._cluster.store.get(EVENT.key, *place) if place else None
        if old is not None:
            self._count(old)
            return
        about = {"kind": kind.kind, "apiVersion": kind.api_version, "name": metadata["name"], "uid": metadata["uid"]}
        if kind.namespaced:
            about |= {"namespace": namespace, "resourceVersion": metadata.get("resourceVersion", "")}
        if field:
            about["fieldPath"] = field
        self._number += 1
        name = f"{metadata['name']}.{int(datetime.now(UTC).timestamp()):x}{self._number:06x}"
        moment = now()
        event: Json = {
            "metadata": {"name": name},
            "involvedObject": about,
            "reason": reason,
            "message": message,
            "type": sort,
            "count": 1,
            "firstTimestamp": moment,
            "lastTimestamp": moment,
            "source": {"component": source, **({"host": host} if host else {})},
            "reportingComponent": source,
            "reportingInstance": host,
        }
        try:
            self._cluster.api.create(EVENT, namespace, event)
        except ApiError as error:
            if error.code not in (403, 404):
                raise
            return
        self._known[key] = (namespace, name)

    def _count(self, old: Stored) -> None:
        data = clone(old.data)
        data["count"] += 1
        data["lastTimestamp"] = now()
        self._cluster.store.put(EVENT.key, data)

    def expire(self) -> None:
        """Forget what is old, and the oldest of too many."""
        found = sorted(self._cluster.store.objects(EVENT.key), key=_seen)
        limit = datetime.now(UTC) - _KEEP
        for number, stored in enumerate(found):
            if _seen(stored) < limit or len(found) - number > _MOST:
                self._cluster.store.remove(EVENT.key, *stored.place)
        there = {stored.place for stored in self._cluster.store.objects(EVENT.key)}
        self._known = {key: place for key, place in self._known.items() if place in there}


def _seen(stored: Stored) -> datetime:
    return ages.parse(stored.data.get("lastTimestamp")) or ages.parse(stored.metadata["creationTimestamp"]) or _LONG_AGO


_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
