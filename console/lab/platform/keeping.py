"""Keeps the cluster's objects in a file, as etcd would: what was applied is there again when the process starts anew.

Events and Leases are not kept. Revisions go on where they were, and earlier ones are gone: a watch is told 410.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from console.lab.kube.cluster import Cluster
from console.lab.kube.kinds import Json
from console.lab.kube.store import Change
from console.lab.platform.kinds import EVENT, LEASE
from console.lab.state import write_file

_EVERY_S = 2.0
_PASSING = {EVENT.key, LEASE.key}


class _Kept(msgspec.Struct):
    revision: int
    objects: list[tuple[str, str, msgspec.Raw]]


class Keeper:
    """Writes the file some time after a change."""

    def __init__(self, cluster: Cluster, path: Path) -> None:
        self._cluster = cluster
        self._path = path
        self._changed = asyncio.Event()

    def restore(self) -> bool:
        """Bring back what was kept; whether there was anything."""
        try:
            kept = msgspec.json.decode(self._path.read_bytes(), type=_Kept)
        except FileNotFoundError:
            return False
        store = self._cluster.store
        for group, plural, raw in sorted(kept.objects, key=lambda each: each[1] != "customresourcedefinitions"):
            store.put((group, plural), msgspec.json.decode(raw, type=Json))
        store.revision = max(store.revision, kept.revision + 1_000)
        store.compact()
        return True

    def follow(self) -> None:
        """Begin to keep."""
        self._cluster.store.listeners.append(self._note)
        self._changed.set()

    def _note(self, change: Change) -> None:
        if change.key not in _PASSING:
            self._changed.set()

    async def run(self) -> None:
        """For ever."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            self.write()
            await asyncio.sleep(_EVERY_S)

    def write(self) -> None:
        """Write now."""
        found = [(*key, stored.raw) for key, stored in self._cluster.store.everything() if key not in _PASSING]
        write_file(self._path, msgspec.json.encode(_Kept(self._cluster.store.revision, found)))
