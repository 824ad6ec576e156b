"""The server: paths, tokens, permissions and errors, over HTTP or HTTPS."""

from __future__ import annotations

import logging
import ssl

from aiohttp import web

from console.lab.kube import answers, discovery, openapi
from console.lab.kube.cluster import Cluster
from console.lab.kube.errors import ApiError, NotServedError
from console.lab.kube.handlers import Handlers
from console.lab.kube.metrics import METRICS_PATH, metrics
from console.lab.kube.rbac import Action, User
from console.lab.kube.routes import target

_log = logging.getLogger("banksman.lab.kube")
_HEALTH = {"healthz", "livez", "readyz"}
_LARGEST = 3 * 2**20


class Server:
    """Serves a cluster on one or more addresses."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._handlers = Handlers(cluster)
        self._runner: web.AppRunner | None = None

    async def start(self, port: int, context: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> int:
        """Listen on a port (0 for any that is free); returns which. ``kubectl`` sends its token over TLS only."""
        if self._runner is None:
            app = web.Application(client_max_size=_LARGEST)
            app.router.add_route("*", "/{path:.*}", self._answer)
            self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5, handler_cancellation=True)
            await self._runner.setup()
        site = web.TCPSite(self._runner, host, port, ssl_context=context)
        await site.start()
        found: int = self._runner.addresses[-1][1]
        return found

    async def stop(self) -> None:
        """Close every connection, watches too."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        try:
            user = self._user(request)
            return await self._dispatch(request, user)
        except ApiError as error:
            return answers.failure(error)
        except NotServedError:
            return web.Response(text="404 page not found\n", status=404)
        except web.HTTPRequestEntityTooLarge:
            return answers.failure(ApiError(413, "RequestEntityTooLarge", f"limit is {_LARGEST}", {}))
        except (LookupError, TypeError, ValueError, AttributeError):
            # A manifest of an unheard-of shape; a real server's typed decoder would have refused it.
            _log.exception("could not make sense of %s %s", request.method, request.path)
            return answers.failure(
                ApiError(400, "BadRequest", "the object provided is not of the shape that its kind has")
            )

    def _user(self, request: web.Request) -> User:
        """Who asks, or who they may ask as."""
        user = self.cluster.tokens.user(request.headers.get("Authorization", ""))
        name = request.headers.get("Impersonate-User", "")
        if not name:
            return user
        groups = request.headers.getall("Impersonate-Group", [])
        for resource, wanted in (("users", name), *(("groups", group) for group in groups)):
            self.cluster.authorizer.check(user, Action("impersonate", resource=resource, name=wanted))
        return User(name, (*groups, "system:authenticated"))

    async def _dispatch(self, request: web.Request, user: User) -> web.StreamResponse:
        parts = [part for part in request.path.split("/") if part]
        if (parts[:1] == ["api"] and len(parts) > 2) or (parts[:1] == ["apis"] and len(parts) > 3):
            if request.path.startswith(METRICS_PATH):
                return metrics(self.cluster, request, user)
            query = dict(request.query)
            found = target(self.cluster.registry, request.method, request.path, query)
            self.cluster.authorizer.check(user, found.action(query))
            return await self._handlers.handle(request, found, user)
        self.cluster.authorizer.check(user, Action("get", path=request.path))
        return self._tell(request, parts)

    def _tell(self, request: web.Request, parts: list[str]) -> web.Response:
        """Answer what is about the server itself."""
        registry = self.cluster.registry
        accept = request.headers.get("Accept", "")
        if parts and parts[0] in _HEALTH:
            return web.Response(text="ok")
        if parts in (["api"], ["apis"]) and answers.wants_aggregated(accept):
            found = discovery.aggregated(registry, legacy=parts == ["api"])
            return answers.encoded(found, content_type=answers.DISCOVERY)
        match parts:
            case ["version"]:
                return answers.encoded(discovery.version())
            case ["api"]:
                return answers.encoded(discovery.core(request.host))
            case ["api", version]:
                return answers.encoded(discovery.resource_list(registry, "", version))
            case ["apis"]:
                return answers.encoded(discovery.groups(registry))
            case ["apis", group]:
                return answers.encoded(discovery.group(registry, group))
            case ["apis", group, version]:
                return answers.encoded(discovery.resource_list(registry, group, version))
            case ["openapi", "v2"]:
                answers.wanted(accept)
                return answers.encoded(openapi.swagger(registry))
            case ["openapi", "v3"]:
                return answers.encoded(openapi.index(registry))
            case ["openapi", "v3", "api", version]:
                return answers.encoded(openapi.document(registry, "", version))
            case ["openapi", "v3", "apis", group, version]:
                return answers.encoded(openapi.document(registry, group, version))
        raise NotServedError
