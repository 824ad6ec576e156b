"""The Kubernetes API, read only, as raw bodies.

The official client finds the way in (kubeconfig, service account, token) and carries the bytes; its typed objects are
never made. It is imported with the first request: half a second, in a thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import msgspec

from console.clients.clean import clean
from console.threads import in_daemon

_MAX_BODY = 64 * 1024 * 1024
_MAX_LINE = 8 * 1024 * 1024
_RELOAD_S = 5.0
"""Credentials are read anew at most so often: a plugin that makes them may be slow."""
_CONNECT_S = 5.0


class KubernetesError(Exception):
    """No answer, or a refusal. ``status`` is that of HTTP, 0 where nothing answered; ``reason`` as the API spells it."""

    def __init__(self, problem: str, status: int = 0, reason: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.status = status
        self.reason = reason

    @property
    def denied(self) -> bool:
        """It answered, and refused us."""
        return self.status in (401, 403)

    @property
    def outdated(self) -> bool:
        """What we go on from is no longer known there, or not yet (a server that was set back): list again."""
        return (
            self.status == 410
            or self.reason == "Expired"
            or (self.status == 504 and "resource version" in self.problem)
        )


@dataclass(frozen=True)
class Access:
    """How the API is reached: a kubeconfig, or a server with a token, or (with neither) as a pod of the cluster.

    Attributes:
        token: Gives the token; asked again when it is refused.
    """

    kubeconfig: str = ""
    context: str = ""
    server: str = ""
    ca_file: str = ""
    token: Callable[[], str] | None = field(default=None, repr=False)


class _Status(msgspec.Struct, frozen=True):
    message: str = ""
    reason: str = ""
    code: int = 0


class Kubernetes:
    """One cluster's API server. Connections are kept."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self._client: Any = None
        self._opening = asyncio.Lock()
        self._opened_at = 0.0
        self._closing: set[asyncio.Task[None]] = set()
        self._watched: set[Any] = set()

    async def get(self, path: str, patience_s: float, **query: str) -> bytes:
        """The body behind ``path``. Raises KubernetesError."""
        return await self._whole("GET", path, patience_s, query, None)

    async def review(self, path: str, patience_s: float, body: Any) -> bytes:
        """The answer to a question that is asked by posting it and not kept (an access review). Raises KubernetesError."""
        return await self._whole("POST", path, patience_s, {}, body)

    @asynccontextmanager
    async def lines(self, path: str, silence_s: float, **query: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """A watch, open: its lines as they come. Ends with the other end, or after so long a silence. Raises KubernetesError."""
        response = None
        try:
            with _told(path):
                async with asyncio.timeout(_CONNECT_S * 2):
                    response = await self._answer("GET", path, query, None, silence_s)
            self._watched.add(response)
            yield _lines(response, path)
        finally:
            if response is not None:
                self._watched.discard(response)
                response.close()

    def drop(self) -> None:
        """End every request and every watch now."""
        client, self._client = self._client, None
        for response in self._watched:
            # Closing a connection does not wake who reads from it.
            response.content.set_exception(ConnectionAbortedError("the connection was dropped"))
        if client is not None:
            task = asyncio.get_running_loop().create_task(client.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def close(self) -> None:
        """Drop what runs, and wait for its end, half a second at most."""
        self.drop()
        if self._closing:
            await asyncio.wait(set(self._closing), timeout=0.5)

    async def _whole(self, method: str, path: str, patience_s: float, query: dict[str, str], body: Any) -> bytes:
        with _told(path, patience_s):
            async with asyncio.timeout(patience_s):
                response = await self._answer(method, path, query, body, patience_s)
                try:
                    return await _bounded(response, path)
                finally:
                    response.release()

    async def _answer(self, method: str, path: str, query: dict[str, str], body: Any, silence_s: float) -> Any:
        """An answer that is none of failure. Refused credentials are read anew, once."""
        client = await self._open()
        response = await self._send(client, method, path, query, body, silence_s)
        if response.status == 401 and await self._renewed(client):
            response.release()
            response = await self._send(await self._open(), method, path, query, body, silence_s)
        if response.status >= 300:
            raise _refusal(path, response.status, await _bounded(response, path))
        return response

    async def _send(
        self, client: Any, method: str, path: str, query: dict[str, str], body: Any, silence_s: float
    ) -> Any:
        import aiohttp

        headers = {"Accept": "application/json", "User-Agent": "banksman"}
        await client.update_params_for_auth(headers, [], ["BearerToken"], path, method, body)
        url = f"{client.configuration.host.rstrip('/')}{path}{f'?{urlencode(query)}' if query else ''}"
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_S, sock_read=silence_s)
        answer = await client.rest_client.request(method, url, headers=headers, body=body, _request_timeout=timeout)
        return answer.response

    async def _open(self) -> Any:
        async with self._opening:
            if self._client is None:
                self._client = await self._made()
                self._opened_at = time.monotonic()
            return self._client

    async def _renewed(self, refused: Any) -> bool:
        """Whether there are other credentials to try than those of the client that was ``refused``."""
        async with self._opening:
            if self._client is refused:
                if time.monotonic() - self._opened_at < _RELOAD_S:
                    return False
                self.drop()
            return True

    async def _made(self) -> Any:
        client = await in_daemon(lambda: importlib.import_module("kubernetes.aio.client"), "import kubernetes")
        config = await in_daemon(lambda: importlib.import_module("kubernetes.aio.config"), "import kubernetes")
        configuration = client.Configuration()
        configuration.retries = None
        configuration.connection_pool_maxsize = (
            0  # no limit: each watch holds a connection, of each kind in each namespace
        )
        access = self.access
        if access.kubeconfig:
            await config.load_kube_config(
                access.kubeconfig, access.context or None, configuration, persist_config=False
            )
        elif access.server:
            configuration.host = access.server
            configuration.ssl_ca_cert = access.ca_file or None
            if access.token is not None:
                configuration.api_key["BearerToken"] = f"Bearer {access.token()}"
        else:
            config.load_incluster_config(configuration)
        return client.ApiClient(configuration)


def _refusal(path: str, status: int, body: bytes) -> KubernetesError:
    try:
        told = msgspec.json.decode(body, type=_Status)
    except (msgspec.DecodeError, UnicodeDecodeError):
        # /readyz answers in plain text, a line for each check; those that fail begin with [-].
        failing = [line.split()[0].decode("ascii", "replace") for line in body.splitlines() if line.startswith(b"[-]")]
        told = _Status(" ".join(failing) or clean(body[:400], 200))
    message = clean(told.message, 300)
    if status == 401:
        message = "the API server does not accept the credentials (401); new ones are taken up by themselves"
    return KubernetesError(f"{path}: {message or f'HTTP {status}'}", status, clean(told.reason, 60))


def event_error(path: str, body: bytes) -> KubernetesError:
    """What an ERROR event of a watch says."""
    code = 0
    with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError):
        code = msgspec.json.decode(body, type=_Status).code
    return _refusal(path, code, body)


@contextlib.contextmanager
def _told(path: str, patience_s: float = 0) -> Iterator[None]:
    """Turns whatever can go wrong on the way into a KubernetesError."""
    try:
        yield
    except KubernetesError:
        raise
    except TimeoutError:
        within = f" within {patience_s:.1f} s" if patience_s else ""
        raise KubernetesError(f"{path}: no answer{within}") from None
    except (AssertionError, RuntimeError):
        # What aiohttp raises, asserts even, to a request whose session was closed under it.
        raise KubernetesError(f"{path}: the connection was dropped") from None
    except (ImportError, OSError, ValueError, KeyError, TypeError) as error:
        raise KubernetesError(f"{path}: {clean(str(error) or type(error).__name__, 200)}") from None
    except Exception as error:
        # The client's errors cannot be named before it is imported.
        if type(error).__module__.partition(".")[0] not in ("aiohttp", "kubernetes", "yaml"):
            raise
        raise KubernetesError(f"{path}: {clean(str(error) or type(error).__name__, 200)}") from None


async def _bounded(response: Any, path: str) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > _MAX_BODY:
            raise KubernetesError(f"{path}: more than {_MAX_BODY // 2**20} MiB")
    return bytes(body)


async def _lines(response: Any, path: str) -> AsyncIterator[bytes]:
    rest = b""
    with _told(path):
        async for chunk in response.content.iter_any():
            *found, rest = (rest + chunk).split(b"\n")
            for line in found:
                if line:
                    yield line
            if len(rest) > _MAX_LINE:
                raise KubernetesError(f"{path}: an event of more than {_MAX_LINE // 2**20} MiB")
