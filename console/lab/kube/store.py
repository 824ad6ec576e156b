"""One store for all objects, with one revision that grows with every change.

Objects in it are never changed in place: whoever changes one puts a new one. So a reader may hold what it got, what is
encoded once serves every list and watch, and an earlier state can be had by undoing what came after it.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import msgspec

from console.lab.kube.kinds import Json, Key

_KEEP = 4_000
"""Changes kept per kind (a pod takes some 10 kB of memory in each); a watch that wants to go on from before them is told that they are gone."""


def clone(value: Any) -> Any:
    """A copy of JSON that shares nothing."""
    if isinstance(value, dict):
        return {key: clone(item) for key, item in value.items()}
    if isinstance(value, list):
        return [clone(item) for item in value]
    return value


class Stored:
    """An object as it was at one revision; encoded when first asked for."""

    __slots__ = ("_raw", "data", "revision")

    def __init__(self, data: Json, revision: int) -> None:
        self.data = data
        self.revision = revision
        self._raw: msgspec.Raw | None = None

    @property
    def raw(self) -> msgspec.Raw:
        if self._raw is None:
            self._raw = msgspec.Raw(msgspec.json.encode(self.data))
        return self._raw

    @property
    def metadata(self) -> Json:
        found: Json = self.data["metadata"]
        return found

    @property
    def place(self) -> tuple[str, str]:
        """Namespace ("" without one) and name."""
        return self.metadata.get("namespace", ""), self.metadata["name"]


class Change(NamedTuple):
    """What happened at one revision; ``old`` and ``new`` are None where there was or is nothing."""

    revision: int
    key: Key
    old: Stored | None
    new: Stored | None


class Store:
    """All objects, and how they came to be."""

    def __init__(self) -> None:
        self.revision = 1
        self._objects: dict[Key, dict[tuple[str, str], Stored]] = {}
        self._history: dict[Key, list[Change]] = {}
        self._floor: dict[Key, int] = {}
        self._waiting: dict[Key, set[asyncio.Event]] = {}
        self.listeners: list[Callable[[Change], None]] = []

    def get(self, key: Key, namespace: str, name: str) -> Stored | None:
        return self._objects.get(key, {}).get((namespace, name))

    def objects(self, key: Key, namespace: str = "") -> list[Stored]:
        """Those of a kind, of one namespace or of all, sorted by namespace and name."""
        found = self._objects.get(key, {})
        return [found[place] for place in sorted(found) if not namespace or place[0] == namespace]

    def objects_at(self, key: Key, namespace: str, revision: int) -> list[Stored] | None:
        """The same as it was at an earlier revision; None if that is too long ago."""
        if revision < self.floor(key):
            return None
        found = dict(self._objects.get(key, {}))
        for change in reversed(self.since(key, revision)):
            stored = change.new or change.old
            assert stored is not None
            if change.old is None:
                found.pop(stored.place, None)
            else:
                found[stored.place] = change.old
        return [found[place] for place in sorted(found) if not namespace or place[0] == namespace]

    def everything(self) -> Iterator[tuple[Key, Stored]]:
        for key, found in list(self._objects.items()):
            for stored in list(found.values()):
                yield key, stored

    def put(self, key: Key, data: Json) -> Stored:
        """Keep an object, new or changed; it is given the next revision."""
        self.revision += 1
        data["metadata"]["resourceVersion"] = str(self.revision)
        stored = Stored(data, self.revision)
        found = self._objects.setdefault(key, {})
        old = found.get(stored.place)
        found[stored.place] = stored
        self._record(Change(self.revision, key, old, stored))
        return stored

    def remove(self, key: Key, namespace: str, name: str) -> None:
        self.revision += 1
        old = self._objects[key].pop((namespace, name))
        self._record(Change(self.revision, key, old, None))

    def _record(self, change: Change) -> None:
        history = self._history.setdefault(change.key, [])
        history.append(change)
        if len(history) > _KEEP + _KEEP // 4:
            self._floor[change.key] = history[-_KEEP - 1].revision
            del history[:-_KEEP]
        for waiting in self._waiting.get(change.key, ()):
            waiting.set()
        for listener in self.listeners:
            listener(change)

    def floor(self, key: Key) -> int:
        """The oldest revision from which the changes of a kind are all known."""
        return self._floor.get(key, 0)

    def compact(self) -> None:
        """Forget how everything came to be, as a real server does every few minutes."""
        for key, history in self._history.items():
            self._floor[key] = history[-1].revision
        self._history.clear()

    def since(self, key: Key, revision: int) -> list[Change]:
        """Changes of a kind after a revision."""
        history = self._history.get(key, [])
        return history[bisect_right(history, revision, key=lambda change: change.revision) :]

    @contextmanager
    def waiting(self, key: Key) -> Iterator[asyncio.Event]:
        """An event that is set by every change of a kind."""
        event = asyncio.Event()
        self._waiting.setdefault(key, set()).add(event)
        try:
            yield event
        finally:
            self._waiting[key].discard(event)
