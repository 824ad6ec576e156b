"""What each verb does, from a request to an answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web

from console.lab.kube import answers, bodies, deletion, paging, patches, reviews, scale, selectors, watch
from console.lab.kube.api import Options
from console.lab.kube.builtin import REVIEWS
from console.lab.kube.cluster import Cluster
from console.lab.kube.errors import ApiError, bad_request, method_not_allowed
from console.lab.kube.kinds import Json
from console.lab.kube.providers import LogOptions
from console.lab.kube.rbac import User
from console.lab.kube.routes import Target


def _content_type(request: web.Request) -> str:
    return request.headers.get("Content-Type", "").partition(";")[0].strip()


def _options(request: web.Request, target: Target) -> Options:
    manager = request.query.get("fieldManager") or request.headers.get("User-Agent", "").partition("/")[0] or "unknown"
    return Options(manager[:128], "dryRun" in request.query, target.subresource, request.query.get("force") == "true")


class Handlers:
    """Carries out what is asked of resources."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._api = cluster.api

    async def handle(self, request: web.Request, target: Target, user: User) -> web.StreamResponse:
        """Answer a request that is allowed.

        Raises:
            ApiError: It fails.
        """
        if target.kind in REVIEWS:
            body = bodies.decode_object(await request.read(), _content_type(request), target.kind)
            return answers.encoded(reviews.answer(self._cluster.authorizer, user, target.kind.kind, body), 201)
        if target.subresource == "log":
            return await self._log(request, target)
        if target.verb == "list":
            return self._list(request, target)
        if target.verb == "watch":
            return await self._watch(request, target)
        return await self._change(request, target)

    async def _change(self, request: web.Request, target: Target) -> web.StreamResponse:
        code = 200
        if target.subresource == "scale":
            found = await self._scale(request, target)
        elif target.subresource == "eviction":
            self._cluster.evict(target.namespace, target.name)
            found, code = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}, 201
        elif target.verb == "get":
            found = self._api.find(target.kind, target.namespace, target.name).data
        elif target.verb == "create":
            found, code = await self._create(request, target), 201
        elif target.verb == "patch":
            found, code = await self._patch(request, target)
        elif target.verb == "update":
            found = await self._update(request, target)
        else:
            found = await self._delete(request, target)
        form = answers.wanted(request.headers.get("Accept", ""))
        return answers.encoded(answers.single(target.kind, found, form, request.query.get("includeObject", "")), code)

    async def _create(self, request: web.Request, target: Target) -> Json:
        body = bodies.decode_object(await request.read(), _content_type(request), target.kind)
        return self._api.create(target.kind, target.namespace, body, _options(request, target))

    async def _update(self, request: web.Request, target: Target) -> Json:
        body = bodies.decode_object(await request.read(), _content_type(request), target.kind)
        options = _options(request, target)
        if target.subresource == "finalize":
            options = options._replace(subresource="")
        return self._api.replace(target.kind, target.namespace, target.name, body, options)

    async def _patch(self, request: web.Request, target: Target) -> tuple[Json, int]:
        content_type = _content_type(request)
        patches.check_type(target.kind, content_type)
        body = bodies.decode(await request.read(), content_type)
        existed = self._cluster.store.get(target.kind.key, target.namespace, target.name) is not None
        options = _options(request, target)
        if content_type == patches.APPLY:
            options = options._replace(manager=request.query.get("fieldManager", ""))
        found = self._api.patch(target.kind, target.namespace, target.name, content_type, body, options)
        return found, 200 if existed else 201

    async def _scale(self, request: web.Request, target: Target) -> Json:
        kind, namespace, name = target.kind, target.namespace, target.name
        if target.verb == "get":
            return scale.get(self._api, kind, namespace, name)
        content_type, raw = _content_type(request), await request.read()
        if target.verb == "update":
            wanted = bodies.decode_object(raw, content_type, kind, "Scale")
        elif target.verb == "patch":
            wanted = patches.patched(
                kind, content_type, scale.get(self._api, kind, namespace, name), bodies.decode(raw, content_type)
            )
        else:
            raise method_not_allowed()
        return scale.change(self._api, kind, namespace, name, wanted, _options(request, target))

    async def _delete(self, request: web.Request, target: Target) -> Json:
        raw = await request.read()
        body = bodies.decode_object(raw, _content_type(request), target.kind, "DeleteOptions") if raw else {}
        how = deletion.options(body, dict(request.query))
        if target.verb == "delete":
            return self._cluster.deletions.delete(target.kind, target.namespace, target.name, how)
        test = selectors.selected(
            target.kind, request.query.get("labelSelector", ""), request.query.get("fieldSelector", "")
        )
        items = self._cluster.deletions.delete_all(target.kind, target.namespace, test, how)
        metadata = {"resourceVersion": str(self._cluster.store.revision)}
        return {
            "kind": target.kind.list_kind,
            "apiVersion": target.kind.api_version,
            "metadata": metadata,
            "items": items,
        }

    def _list(self, request: web.Request, target: Target) -> web.Response:
        form = answers.wanted(request.headers.get("Accept", ""))
        page = paging.page(self._cluster.store, target.kind, target.namespace, dict(request.query))
        return answers.encoded(answers.listing(target.kind, page, form, request.query.get("includeObject", "")))

    async def _watch(self, request: web.Request, target: Target) -> web.StreamResponse:
        form = answers.wanted(request.headers.get("Accept", ""))
        wanted = watch.parse(self._cluster.store, target.kind, target.namespace, dict(request.query))
        render = answers.renderer(target.kind, form, request.query.get("includeObject", ""))
        return await _send(request, watch.stream(self._cluster.store, wanted, render), "application/json")

    async def _log(self, request: web.Request, target: Target) -> web.StreamResponse:
        pod = self._api.find(target.kind, target.namespace, target.name)
        container = _container(pod.data, request.query.get("container", ""))
        logs, options = self._cluster.logs, log_options(dict(request.query))
        if logs is None:
            raise ApiError(500, "InternalError", "no logs are kept here", {})
        return await _send(request, logs.lines(target.namespace, target.name, container, options), "text/plain")


async def _send(request: web.Request, pieces: AsyncIterator[Any], content_type: str) -> web.StreamResponse:
    """Stream, until the stream ends or the reader goes."""
    answer = web.StreamResponse(headers={"Content-Type": content_type, "Cache-Control": "no-cache, private"})
    answer.enable_chunked_encoding()
    await answer.prepare(request)
    try:
        async for piece in pieces:
            await answer.write(piece)
        await answer.write_eof()
    except ConnectionError:
        pass  # the reader went; a server has nothing to say about that
    finally:
        close = getattr(pieces, "aclose", None)
        if close is not None:
            await close()
    return answer


def _container(pod: Json, wanted: str) -> str:
    names = [
        each["name"] for each in (*(pod["spec"].get("containers") or []), *(pod["spec"].get("initContainers") or []))
    ]
    if wanted and wanted not in names:
        raise bad_request(f"container {wanted} is not valid for pod {pod['metadata']['name']}")
    main = [each["name"] for each in pod["spec"]["containers"]]
    if not wanted and len(main) > 1:
        choice = " ".join(main)
        raise bad_request(
            f"a container name must be specified for pod {pod['metadata']['name']}, choose one of: [{choice}]"
        )
    return wanted or main[0]


def log_options(query: dict[str, str]) -> LogOptions:
    """Which part of a log a query asks for.

    Raises:
        ApiError: 400.
    """

    def count(name: str) -> int | None:
        return paging.number(query[name], name) if query.get(name) else None

    def flag(name: str) -> bool:
        return query.get(name) in ("true", "1")

    return LogOptions(
        flag("follow"),
        flag("previous"),
        flag("timestamps"),
        count("tailLines"),
        count("sinceSeconds"),
        count("limitBytes"),
    )
