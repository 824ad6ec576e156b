"""Answers: in the form that a request accepts."""

from __future__ import annotations

import functools
from typing import Any

import msgspec
from aiohttp import web

from console.lab.kube import table
from console.lab.kube.errors import ApiError
from console.lab.kube.kinds import Json, Kind
from console.lab.kube.paging import Page
from console.lab.kube.store import Stored
from console.lab.kube.watch import Render

DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def wanted(accept: str) -> str:
    """The form that comes first among those that this server has: ``Table``, ``PartialObjectMetadata`` (also of a list) or "", the objects.

    Raises:
        ApiError: 406.
    """
    known = False
    for part in accept.split(","):
        media, *parameters = [each.strip() for each in part.split(";")]
        if media not in ("", "*/*", "application/*", "application/json"):
            continue
        known = True
        form = next((each.removeprefix("as=") for each in parameters if each.startswith("as=")), "")
        if form == "":
            return ""
        if form in ("Table", "PartialObjectMetadata", "PartialObjectMetadataList"):
            return form.removesuffix("List")
    if known:
        return ""
    raise ApiError(406, "NotAcceptable", "only the following media types are accepted: application/json", {})


def wants_aggregated(accept: str) -> bool:
    """Whether discovery is wanted all at once."""
    return "g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList" in accept.replace(" ", "")


def encoded(found: Any, code: int = 200, content_type: str = "application/json") -> web.Response:
    """JSON."""
    return web.Response(body=msgspec.json.encode(found), status=code, headers={"Content-Type": content_type})


def failure(error: ApiError) -> web.Response:
    """A Status."""
    answer = encoded(error.status(), error.code)
    if error.retry_after_s is not None:
        answer.headers["Retry-After"] = str(error.retry_after_s)
    return answer


def _bare(kind: Kind, stored: Stored) -> Any:
    """An item of a list: those of built-in kinds do not repeat their kind."""
    if kind.custom:
        return stored.raw
    return {name: value for name, value in stored.data.items() if name not in ("kind", "apiVersion")}


def listing(kind: Kind, page: Page, form: str, include: str) -> Any:
    """A list in some form."""
    if form == "Table":
        return table.table(kind, page.items, page.metadata, include)
    if form == "PartialObjectMetadata":
        partial = [table.partial(stored) for stored in page.items]
        return {
            "kind": "PartialObjectMetadataList",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": page.metadata,
            "items": partial,
        }
    items = [_bare(kind, stored) for stored in page.items]
    return {"kind": kind.list_kind, "apiVersion": kind.api_version, "metadata": page.metadata, "items": items}


def single(kind: Kind, data: Json, form: str, include: str) -> Any:
    """An object in some form."""
    if form and data.get("kind") == kind.kind and "uid" in data.get("metadata", {}):
        stored = Stored(data, 0)
        if form == "Table":
            return table.table(
                kind, [stored], {"resourceVersion": data["metadata"].get("resourceVersion", "")}, include
            )
        return table.partial(stored)
    return data


def renderer(kind: Kind, form: str, include: str) -> Render:
    """How a watch sends objects in some form."""
    if form == "Table":
        return functools.partial(table.row, kind, include=include)
    if form == "PartialObjectMetadata":
        return lambda stored: msgspec.Raw(msgspec.json.encode(table.partial(stored)))
    return lambda stored: stored.raw
