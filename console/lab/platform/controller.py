"""What controllers have in common: they look at an object when something about it changed, and again when they want to.

All work on the store directly, in one thread: between reading and writing nothing else happens, so no write conflicts.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable

from console.lab.kube.api import Options
from console.lab.kube.cluster import Cluster
from console.lab.kube.errors import ApiError
from console.lab.kube.kinds import Json, Kind
from console.lab.kube.store import Change, Stored
from console.lab.platform.events import Recorder

Place = tuple[str, str]
"""Namespace ("" without one) and name."""

_STATUS = Options(subresource="status")
_REFUSED_S = 1.0
_PUZZLED_S = 10.0

_log = logging.getLogger("banksman.lab.platform")


def put_status(cluster: Cluster, kind: Kind, stored: Stored, status: Json) -> None:
    """Write an object's status, if it is another."""
    if stored.data.get("status") != status:
        cluster.api.replace(kind, *stored.place, {**stored.data, "status": status}, _STATUS)


class Controller(ABC):
    """Brings what is in line with what is wanted, object by object."""

    kind: Kind

    def __init__(self, cluster: Cluster, recorder: Recorder) -> None:
        self.cluster = cluster
        self.api = cluster.api
        self.store = cluster.store
        self.recorder = recorder
        self._loop = asyncio.get_running_loop()
        self._dirty: dict[Place, None] = {}
        self._later: dict[Place, asyncio.TimerHandle] = {}
        self.store.listeners.append(self._follow)
        for stored in self.store.objects(self.kind.key):
            self.look(stored.place)

    @abstractmethod
    def concerned(self, change: Change) -> Iterable[Place]:
        """The objects of this controller that a change concerns."""

    @abstractmethod
    def reconcile(self, stored: Stored) -> None:
        """Look at one object and do what is to be done now.

        Raises:
            ApiError: Something was refused; it is tried again.
        """

    def _follow(self, change: Change) -> None:
        for place in self.concerned(change):
            self.look(place)

    def look(self, place: Place) -> None:
        """Look at an object soon."""
        if not self._dirty:
            self._loop.call_soon(self._run)
        self._dirty[place] = None

    def again(self, place: Place, seconds: float) -> None:
        """Look at an object after some time, unless that is arranged already for an earlier moment."""
        when = self._loop.time() + seconds
        old = self._later.get(place)
        if old is not None and not old.cancelled():
            if old.when() <= when:
                return
            old.cancel()
        self._later[place] = self._loop.call_at(when, self._awake, place)

    def _awake(self, place: Place) -> None:
        self._later.pop(place, None)
        self.look(place)

    def _run(self) -> None:
        places, self._dirty = self._dirty, {}
        for place in places:
            stored = self.store.get(self.kind.key, *place)
            if stored is None:
                continue
            try:
                self.reconcile(stored)
            except ApiError as error:
                _log.info("%s %s: %s", self.kind.kind, "/".join(place), error.message)
                self.again(place, _REFUSED_S)
            except (LookupError, TypeError, ValueError, AttributeError):
                _log.exception("could not make sense of %s %s", self.kind.kind, "/".join(place))
                self.again(place, _PUZZLED_S)


def own(change: Change, kind: Kind) -> Iterable[Place]:
    """The place of what changed, if it is of a kind and still there."""
    return (change.new.place,) if change.key == kind.key and change.new is not None else ()
