"""Watches: what is, then what changes, as a stream of events."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

import msgspec

from console.lab.kube import selectors
from console.lab.kube.errors import Cause, Json, expired, invalid
from console.lab.kube.kinds import Kind
from console.lab.kube.paging import number, too_large
from console.lab.kube.selectors import Test
from console.lab.kube.store import Change, Store, Stored

_LONGEST_S = 1800.0
_BOOKMARK_EVERY_S = 60.0

Render = Callable[[Stored], msgspec.Raw]
"""How an object is sent: whole, as a row of a table, or its metadata only."""


class Watch(NamedTuple):
    """What a watch asks for.

    Attributes:
        since: The revision to go on from; None for what is there now, then what changes.
        initial: A streaming list: a bookmark tells when what is there has all been sent.
    """

    kind: Kind
    namespace: str
    test: Test | None
    since: int | None
    initial: bool
    bookmarks: bool
    timeout_s: float


def parse(store: Store, kind: Kind, namespace: str, query: dict[str, str]) -> Watch:
    """A watch from its query.

    Raises:
        ApiError: 400, 422 or 504.
    """
    initial = query.get("sendInitialEvents") == "true"
    match = query.get("resourceVersionMatch", "")
    if initial and match != "NotOlderThan":
        raise _wrong("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan")
    if match and not initial:
        raise _wrong("resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided")
    test = selectors.selected(kind, query.get("labelSelector", ""), query.get("fieldSelector", ""))
    revision = number(query.get("resourceVersion", ""), "resourceVersion")
    if revision > store.revision:
        raise too_large(revision, store.revision)
    seconds = number(query.get("timeoutSeconds", ""), "timeoutSeconds") or _LONGEST_S
    bookmarks = query.get("allowWatchBookmarks") == "true"
    return Watch(
        kind, namespace, test, None if initial or not revision else revision, initial, bookmarks, float(seconds)
    )


def _wrong(why: str) -> Exception:
    cause = Cause("FieldValueForbidden", f"Forbidden: {why}", "resourceVersionMatch")
    return invalid("meta.k8s.io", "ListOptions", "", [cause])


def _line(event: str, item: msgspec.Raw) -> bytes:
    return b'{"type":"%s","object":%s}\n' % (event.encode(), bytes(item))


def _bookmark(kind: Kind, revision: int, end: bool) -> bytes:
    metadata: Json = {"resourceVersion": str(revision)}
    if end:
        metadata["annotations"] = {"k8s.io/initial-events-end": "true"}
    found = {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": metadata}
    return _line("BOOKMARK", msgspec.Raw(msgspec.json.encode(found)))


def _gone(stored: Stored, revision: int) -> Stored:
    """An object as it was last, with the revision at which it went."""
    metadata = {**stored.metadata, "resourceVersion": str(revision)}
    return Stored({**stored.data, "metadata": metadata}, revision)


def _event(watch: Watch, change: Change, render: Render) -> bytes | None:
    stored = change.new or change.old
    assert stored is not None
    if watch.namespace and stored.place[0] != watch.namespace:
        return None
    was = change.old is not None and (watch.test is None or watch.test(change.old.data))
    now = change.new is not None and (watch.test is None or watch.test(change.new.data))
    if now and change.new is not None:
        return _line("MODIFIED" if was else "ADDED", render(change.new))
    if was and change.old is not None:
        return _line("DELETED", render(_gone(change.old, change.revision)))
    return None


async def stream(store: Store, watch: Watch, render: Render) -> AsyncIterator[bytes]:
    """Lines of events until the watch's time is over, or until what it asks for is gone."""
    loop = asyncio.get_running_loop()
    end = loop.time() + watch.timeout_s
    next_bookmark = loop.time() + _BOOKMARK_EVERY_S
    position = store.revision if watch.since is None else watch.since
    with store.waiting(watch.kind.key) as changed:
        if watch.since is None:
            for stored in store.objects(watch.kind.key, watch.namespace):
                if watch.test is None or watch.test(stored.data):
                    yield _line("ADDED", render(stored))
            if watch.initial and watch.bookmarks:
                yield _bookmark(watch.kind, position, end=True)
        while True:
            changed.clear()
            if position < store.floor(watch.kind.key):
                yield _line("ERROR", _too_old(position, store.floor(watch.kind.key)))
                return
            upto = store.revision
            for change in store.since(watch.kind.key, position):
                if (line := _event(watch, change, render)) is not None:
                    yield line
            position = upto
            if watch.bookmarks and loop.time() >= next_bookmark:
                next_bookmark = loop.time() + _BOOKMARK_EVERY_S
                yield _bookmark(watch.kind, position, end=False)
            if (left := end - loop.time()) <= 0:
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(
                    changed.wait(), min(left, max(0.0, next_bookmark - loop.time()) if watch.bookmarks else left)
                )


def _too_old(position: int, floor: int) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(expired(f"too old resource version: {position} ({floor})").status()))
