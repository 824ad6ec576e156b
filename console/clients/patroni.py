"""Patroni's REST API, read only."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import ssl
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from console.clients.clean import clean
from console.clients.lookup import Lookup

_MAX_BODY = 4 * 1024 * 1024

# httpx loads this within its first request, and on a slow machine would make that one late.
importlib.import_module("anyio._backends._asyncio")

# Every request at INFO would fill the engine's log.
logging.getLogger("httpx").setLevel(logging.WARNING)
logging.getLogger("httpcore").setLevel(logging.WARNING)


class PatroniError(Exception):
    """No answer, or none that is one. ``denied``: it answered, and refused us."""

    def __init__(self, problem: str, *, denied: bool = False, silent: bool = False) -> None:
        super().__init__(problem)
        self.problem = problem
        self.denied = denied
        self.silent = silent
        """It did not answer in time."""


class Patroni:
    """One member's REST API. Connections are kept where the server lets us."""

    def __init__(self, base: str, *, ca_file: str = "", cert_file: str = "", key_file: str = "") -> None:
        parts = urlsplit(base if "://" in base else f"http://{base}")
        self._netloc = parts.netloc.rpartition("@")[2]
        self.base = f"{parts.scheme}://{self._netloc}{parts.path}".rstrip("/")
        """Address for people."""
        self._scheme = parts.scheme
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._path = parts.path.rstrip("/")
        self._files = (ca_file, cert_file, key_file)
        self._lookup = Lookup(self._host, self._port)
        self._client: httpx.AsyncClient | None = None
        self._running: set[asyncio.Task[Any]] = set()

    async def get(self, path: str, patience_s: float) -> Any:
        """The JSON behind ``path``, whatever the status code: Patroni answers 503 with a full body. Raises PatroniError."""
        task = asyncio.ensure_future(self._get(path))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        try:
            async with asyncio.timeout(patience_s):
                return await task
        except TimeoutError:
            raise PatroniError(f"GET {path}: no answer within {patience_s:.1f} s", silent=True) from None
        except asyncio.CancelledError:
            caller = asyncio.current_task()
            if caller is not None and caller.cancelling():
                raise
            raise PatroniError(f"GET {path}: the connection was dropped", silent=True) from None

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

    async def _get(self, path: str) -> Any:
        try:
            body, status = await self._fetch(path)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ssl.SSLError) as error:
            self._lookup.next()
            raise PatroniError(f"GET {path}: {clean(str(error) or type(error).__name__, 200)}") from None
        try:
            return msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            begin = clean(body[:200], 60)
            if status in (401, 403):
                raise PatroniError(f"GET {path}: HTTP {status}", denied=True) from None
            raise PatroniError(f"GET {path}: HTTP {status}, and not JSON: {begin or 'an empty body'}") from None

    async def _fetch(self, path: str) -> tuple[bytes, int]:
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
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > _MAX_BODY:
                    raise PatroniError(f"GET {path}: more than {_MAX_BODY // 1024 // 1024} MiB")
            return bytes(body), response.status_code
        finally:
            await response.aclose()

    def _open(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(
                verify=self._context(),
                trust_env=False,  # a proxy for the web is no way to a member
                follow_redirects=False,
                timeout=None,  # noqa: S113 - each look has its own patience
                limits=httpx.Limits(max_connections=8, max_keepalive_connections=2, keepalive_expiry=30),
                headers={"User-Agent": "banksman"},
            )
        return self._client

    def _context(self) -> ssl.SSLContext | bool:
        ca_file, cert_file, key_file = self._files
        if self._scheme != "https":
            return False  # nothing to verify; loading the certificates of the system takes 20 ms
        context = ssl.create_default_context(cafile=ca_file or None)
        if cert_file:
            context.load_cert_chain(cert_file, key_file or None)
        return context
