"""HTTP GET for sources: one server, bounded bodies, patience, and nothing from the surroundings (no proxy, no redirect)."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import ssl
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx

from console.clients.clean import clean
from console.clients.lookup import Lookup

MIB = 1024 * 1024

# httpx loads this within its first request, and on a slow machine would make that one late.
importlib.import_module("anyio._backends._asyncio")

# Every request at INFO would fill the engine's log.
logging.getLogger("httpx").setLevel(logging.WARNING)
logging.getLogger("httpcore").setLevel(logging.WARNING)


class WebError(Exception):
    """No answer, or none that is one."""

    def __init__(self, problem: str, *, silent: bool = False) -> None:
        super().__init__(problem)
        self.problem = problem
        self.silent = silent
        """It did not answer in time."""


class Answer(NamedTuple):
    """Status code and whole body."""

    status: int
    body: bytes


class Web:
    """One server. Connections are kept where it lets us."""

    def __init__(
        self, base: str, *, ca_file: str = "", cert_file: str = "", key_file: str = "", most: int = 16 * MIB
    ) -> None:
        """``base``: scheme, host, port and the path that every request begins with. ``most``: bytes of a body."""
        parts = urlsplit(base)
        self._netloc = parts.netloc.rpartition("@")[2]
        self.base = f"{parts.scheme}://{self._netloc}{parts.path}".rstrip("/")
        """Address for people."""
        self._scheme = parts.scheme
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._path = parts.path.rstrip("/")
        self._files = (ca_file, cert_file, key_file)
        self._most = most
        self._lookup = Lookup(self._host, self._port)
        self._client: httpx.AsyncClient | None = None
        self._running: set[asyncio.Task[Answer]] = set()

    async def get(self, path: str, patience_s: float) -> Answer:
        """What is behind ``base`` and ``path``, whatever the status code. Raises WebError."""
        task = asyncio.ensure_future(self._get(path))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        what = f"GET {self._path}{path}"
        try:
            async with asyncio.timeout(patience_s):
                return await task
        except TimeoutError:
            raise WebError(f"{what}: no answer within {patience_s:.1f} s", silent=True) from None
        except asyncio.CancelledError:
            caller = asyncio.current_task()
            if caller is not None and caller.cancelling():
                raise
            raise WebError(f"{what}: the connection was dropped", silent=True) from None

    def drop(self) -> None:
        """End every request now."""
        for task in list(self._running):
            task.cancel()

    async def close(self) -> None:
        """Drop what runs, close what is idle."""
        self.drop()
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    await client.aclose()

    async def _get(self, path: str) -> Answer:
        try:
            return await self._fetch(path)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ssl.SSLError, ValueError) as error:
            self._lookup.next()
            why = clean(str(error) or type(error).__name__, 200)
            raise WebError(f"GET {self._path}{path}: {why}") from None

    async def _fetch(self, path: str) -> Answer:
        address = await self._lookup.address()
        client = self._open()
        netloc = f"[{address}]" if ":" in address else address
        # Looked up by ourselves (httpx would do it in the loop's few shared threads), so the name goes along apart.
        request = client.build_request(
            "GET",
            f"{self._scheme}://{netloc}:{self._port}{self._path}{path}",
            headers={"Host": self._netloc},
            extensions={"sni_hostname": self._host},
        )
        response = await client.send(request, stream=True)
        try:
            pieces: list[bytes] = []
            size = 0
            async for piece in response.aiter_bytes():
                pieces.append(piece)
                size += len(piece)
                if size > self._most:
                    raise WebError(f"GET {self._path}{path}: more than {self._most // MIB} MiB")
            return Answer(response.status_code, b"".join(pieces))
        finally:
            await response.aclose()

    def _open(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(
                verify=self._context(),
                trust_env=False,  # a proxy for the web is no way to a server of ours
                follow_redirects=False,
                timeout=None,  # noqa: S113 - each look has its own patience
                limits=httpx.Limits(max_connections=8, max_keepalive_connections=2, keepalive_expiry=30),
                # Packing it would cost the server more than sending it costs the network beside it.
                headers={"User-Agent": "banksman", "Accept-Encoding": "identity"},
            )
        return self._client

    def _context(self) -> ssl.SSLContext | bool:
        if self._scheme != "https":
            return False  # nothing to verify; loading the certificates of the system takes 20 ms
        ca_file, cert_file, key_file = self._files
        context = ssl.create_default_context(cafile=ca_file or None)
        if cert_file:
            context.load_cert_chain(cert_file, key_file or None)
        return context
