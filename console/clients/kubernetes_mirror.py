"""One kind of object as the API server has it: listed in pages, then watched; gone over again where the server says so."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Callable
from typing import Any, Generic, Literal, NoReturn, TypeVar

import msgspec

from console.clients.clean import clean
from console.clients.kubernetes import Kubernetes, KubernetesError, event_error
from console.clients.kubernetes_kinds import Kind, Meta

_log = logging.getLogger("banksman.kubernetes")

_LIST_S = 20.0
"""Patience for one page."""
_SILENCE_S = 100.0
"""A watch that is silent for longer is begun anew: bookmarks come every minute, so the other end may be gone."""
_WATCH_S = (240, 360)
_FIRST_S, _LONGEST_S, _ABSENT_S = 0.5, 10.0, 30.0
"""Back-off: after the first failure, at most, and at most where there is nothing that must be there."""
_BRIEF_S = 1.0
"""A watch that ends sooner counts as a failure, so that a server which closes each at once is not hammered."""

MirrorState = Literal["starting", "watching", "unreachable", "denied", "absent"]
"""``absent``: the server does not have this kind."""

Row = TypeVar("Row")


class _ListMeta(msgspec.Struct, frozen=True, rename={"resource_version": "resourceVersion", "more": "continue"}):
    resource_version: str = ""
    more: str = ""


class _Change(msgspec.Struct, frozen=True):
    type: str
    object: msgspec.Raw


_changes = msgspec.json.Decoder(_Change)


class _Bookmark(msgspec.Struct, frozen=True):
    metadata: Meta = Meta()


_bookmarks = msgspec.json.Decoder(_Bookmark)


class Mirror(Generic[Row]):
    """The objects of a kind, in all namespaces or in one, each turned into a row once when it comes or changes.

    ``rows`` may be believed while ``state`` is ``watching``; else ``problem`` says in one sentence why not. Rows outlast
    an API that is unreachable only for going on from there.
    """

    def __init__(self, api: Kubernetes, kind: Kind, row: Callable[[Any], Row], namespace: str = "") -> None:
        self.kind = kind
        self.namespace = namespace
        self.rows: dict[str, Row] = {}
        """``namespace/name``, or the name where the kind has no namespaces → row."""
        self.state: MirrorState = "starting"
        self.problem = "not listed yet"
        self.told = asyncio.Event()
        """Set where ``state`` is no longer, or not again, ``starting``."""
        self.lists = 0
        """How often everything was listed."""
        self.changes = 0
        """Events taken in."""
        self._api = api
        self._row = row
        self._path = kind.path(namespace)
        self._page = msgspec.json.Decoder(page_type(kind))
        self._object = msgspec.json.Decoder(kind.shape)
        self._version = ""
        self._failures = 0
        self._awake = asyncio.Event()

    @property
    def readable(self) -> bool:
        """Whether ``rows`` is what the server has."""
        return self.state == "watching"

    @property
    def version(self) -> tuple[str, int, int]:
        """Another one whenever ``rows`` or ``state`` are others."""
        return self.state, self.lists, self.changes

    def wake(self) -> None:
        """Try again now: the server is known to be back."""
        self._awake.set()

    async def run(self) -> NoReturn:
        """Keep up with the server until cancelled."""
        while True:
            began = time.monotonic()
            try:
                if not self._version:
                    await self._list()
                await self._watch()
                # Servers end each watch after some minutes; that is no failure.
                self._failures = self._failures + 1 if time.monotonic() - began < _BRIEF_S else 0
            except KubernetesError as error:
                self._failed(await self._unserved(error) if error.status == 403 and self.kind.optional else error)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                self._lost(f"{self._path}: not of the shape expected: {clean(str(error), 160)}")
            except Exception as error:  # noqa: BLE001 - a watch that died of a mistake would show its last rows for good
                _log.exception("watching %s", self._path)
                self._lost(f"{self._path}: the console failed at it: {type(error).__name__}")
            if self._failures > 1 or self.state not in ("watching", "starting"):
                await self._pause()

    async def _unserved(self, refused: KubernetesError) -> KubernetesError:
        """``refused``, or that the server does not have the kind: it refuses before it looks whether there is one.

        What is served may be asked by whoever logs in, unless an administrator took that away.
        """
        return await unserved(self._api, self.kind.root, refused)

    async def _list(self) -> None:
        """All pages. What is shown changes when the last has come."""
        found: dict[str, Row] = {}
        more = ""
        while True:
            query = {"limit": str(self.kind.page)} | ({"continue": more} if more else {}) | self._selector()
            page = self._page.decode(await self._api.get(self._path, _LIST_S, **query))
            for item in page.items or ():
                found[_key(item.metadata)] = self._row(item)
            more = page.metadata.more
            if not more:
                break
        self.rows = found
        self.lists += 1
        self._version = page.metadata.resource_version

    async def _watch(self) -> None:
        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": self._version,
            "timeoutSeconds": str(random.randint(*_WATCH_S)),  # noqa: S311 - so that not all end at once
        } | self._selector()
        async with self._api.lines(self._path, _SILENCE_S, **query) as lines:
            self._is("watching", "")
            async for line in lines:
                self._take(_changes.decode(line))
                self._failures = 0

    def _take(self, change: _Change) -> None:
        if change.type == "ERROR":
            raise event_error(self._path, bytes(change.object))
        if change.type == "BOOKMARK":
            self._version = _bookmarks.decode(change.object).metadata.resource_version
            return
        item = self._object.decode(change.object)
        key = _key(item.metadata)
        if change.type == "DELETED":
            self.rows.pop(key, None)
        else:
            self.rows[key] = self._row(item)
        self._version = item.metadata.resource_version
        self.changes += 1

    def _failed(self, error: KubernetesError) -> None:
        self._failures += 1
        if error.outdated:
            self._version = ""
            self._is("starting", "listing again: the server no longer knows where we were")
            return
        if self._failures == 1 and self.state == "watching" and not error.status:
            return  # something on the way cut a connection that had been good; whether more is wrong, the next one tells
        self._is("denied" if error.denied else "absent" if error.status == 404 else "unreachable", error.problem)
        if self.state != "unreachable":
            self.rows, self._version = {}, ""

    def _lost(self, problem: str) -> None:
        """What came could not be taken in, so what is there is not what the server has: list again."""
        self._failures += 1
        self._version = ""
        self._is("unreachable", problem)

    def _is(self, state: MirrorState, problem: str) -> None:
        self.state, self.problem = state, problem
        if state == "starting":
            self.told.clear()
        else:
            self.told.set()

    async def _pause(self) -> None:
        most = _ABSENT_S if self.kind.optional and self.state in ("absent", "denied") else _LONGEST_S
        longest = min(most, _FIRST_S * 2 ** min(self._failures - 1, 8))
        self._awake.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(longest * random.uniform(0.5, 1.0)):  # noqa: S311
                await self._awake.wait()

    def _selector(self) -> dict[str, str]:
        return {"fieldSelector": self.kind.selector} if self.kind.selector else {}


async def unserved(api: Kubernetes, root: str, refused: KubernetesError) -> KubernetesError:
    """``refused``, or the 404 of a group of kinds (``/apis/GROUP/VERSION``) that the server does not have."""
    try:
        await api.get(root, _LIST_S)
    except KubernetesError as error:
        return error if error.status == 404 else refused
    return refused


def page_type(kind: Kind) -> Any:
    """The struct that a page of this kind is read into."""
    return msgspec.defstruct(
        "Page",
        [("metadata", _ListMeta, _ListMeta()), ("items", list[kind.shape] | None, None)],  # type: ignore[name-defined]
        frozen=True,
        gc=False,
    )


def _key(meta: Meta) -> str:
    return f"{meta.namespace}/{meta.name}" if meta.namespace else meta.name
