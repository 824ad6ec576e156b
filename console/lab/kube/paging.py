"""Lists: which objects, from which moment, page by page."""

from __future__ import annotations

import base64
import binascii
import json
from bisect import bisect_right
from typing import NamedTuple

from console.lab.kube import selectors
from console.lab.kube.errors import ApiError, bad_request, expired
from console.lab.kube.kinds import Json, Kind
from console.lab.kube.store import Store, Stored

_TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use "
    "the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent "
    "list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list."
)


class Page(NamedTuple):
    """Objects, and the list's own metadata."""

    items: list[Stored]
    metadata: Json


class _Token(NamedTuple):
    revision: int
    after: str


def _encode(token: _Token) -> str:
    found = {"v": "meta.k8s.io/v1", "rv": token.revision, "start": token.after + "\0"}
    return base64.urlsafe_b64encode(json.dumps(found, separators=(",", ":")).encode()).decode().rstrip("=")


def _decode(text: str) -> _Token:
    raw = b""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        found = json.loads(raw)
        return _Token(int(found["rv"]), str(found["start"]).rstrip("\0"))
    except binascii.Error as error:
        raise bad_request(
            "invalid continue token: continue key is not valid: illegal base64 data at input byte 0"
        ) from error
    except (ValueError, LookupError, TypeError) as error:
        byte = raw[:1]
        shown = byte.decode() if byte.isascii() else f"\\x{byte.hex()}"
        why = f"invalid character '{shown}' looking for beginning of value"
        raise bad_request(f"invalid continue token: continue key is not valid: {why}") from error


def number(text: str, name: str) -> int:
    """A whole number of a query; 0 if there is none.

    Raises:
        ApiError: 400.
    """
    if not text:
        return 0
    try:
        return int(text)
    except ValueError as error:
        raise bad_request(f'{name}: Invalid value: "{text}": must be a number') from error


def too_large(asked: int, current: int) -> ApiError:
    """504: a revision that is still to come."""
    cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    found = {"causes": [cause], "retryAfterSeconds": 1}
    return ApiError(504, "Timeout", f"Too large resource version: {asked}, current: {current}", found, retry_after_s=1)


def page(store: Store, kind: Kind, namespace: str, query: dict[str, str]) -> Page:
    """What a list asks for.

    Raises:
        ApiError: 400, 410 or 504.
    """
    test = selectors.selected(kind, query.get("labelSelector", ""), query.get("fieldSelector", ""))
    limit = number(query.get("limit", ""), "limit")
    items, revision, after = _start(store, kind, namespace, query)
    if test is not None:
        items = [stored for stored in items if test(stored.data)]

    def path(stored: Stored) -> str:
        return f"/{stored.place[1]}" if namespace or not kind.namespaced else "/".join(("", *stored.place))

    if after:
        items = items[
            bisect_right(
                items, tuple(after.strip("/").split("/")), key=lambda stored: tuple(path(stored).strip("/").split("/"))
            ) :
        ]
    metadata: Json = {"resourceVersion": str(revision)}
    if limit and len(items) > limit:
        metadata["continue"] = _encode(_Token(revision, path(items[limit - 1])))
        if test is None:
            metadata["remainingItemCount"] = len(items) - limit
        items = items[:limit]
    return Page(items, metadata)


def _start(store: Store, kind: Kind, namespace: str, query: dict[str, str]) -> tuple[list[Stored], int, str]:
    """All objects, the revision that they are of, and after which of them to begin."""
    if text := query.get("continue", ""):
        token = _decode(text)
        if token.revision <= 0:
            return store.objects(kind.key, namespace), store.revision, token.after
        items = store.objects_at(kind.key, namespace, token.revision)
        if items is None:
            raise expired(_TOO_OLD, {"continue": _encode(_Token(-1, token.after))})
        return items, token.revision, token.after
    asked = number(query.get("resourceVersion", ""), "resourceVersion")
    if asked > store.revision:
        raise too_large(asked, store.revision)
    if asked and query.get("resourceVersionMatch") == "Exact":
        items = store.objects_at(kind.key, namespace, asked)
        if items is None:
            raise expired(f"The resourceVersion for the provided list is too old: {asked}")
        return items, asked, ""
    return store.objects(kind.key, namespace), store.revision, ""
