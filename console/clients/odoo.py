"""Odoo's web interface as a browser meets it: pages, one session, calls of methods. One request at a time.

JSON-RPC tells every error as HTTP 200, so an answer is good only when it holds no ``error``. A session of a server with
several databases that has been forgotten is told as HTTP 404: the database went with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import re
import ssl
import time
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from console.clients.clean import clean
from console.clients.lookup import Lookup

MAX_BODY = 4 * 1024 * 1024
"""Bytes of an answer that are taken; of a document it proves enough."""
_SID = re.compile(r"[A-Za-z0-9_-]{20,128}")
_EXPIRED = 100
_KEEP_S = 30.0

# httpx loads this within its first request, and on a slow machine would make that one late.
importlib.import_module("anyio._backends._asyncio")


class OdooError(Exception):
    """No answer, or none that is good. The text holds no secret."""

    def __init__(
        self,
        problem: str,
        *,
        silent: bool = False,
        unreachable: bool = False,
        expired: bool = False,
        denied: bool = False,
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.silent = silent
        """It did not answer in time."""
        self.unreachable = unreachable
        """No connection came about."""
        self.expired = expired
        """The session is not known any more."""
        self.denied = denied
        """Wrong user or password."""


class Timed(msgspec.Struct, frozen=True):
    """An answer."""

    status: int
    body: bytes
    ms: float
    truncated: bool = False
    date: str = ""
    """What the server says the time is, as the header has it."""


class OdooWeb:
    """One tenant's Odoo. The session is a name that the server gave us, sent along where a call asks for it."""

    def __init__(self, url: str, *, connect: str = "", ca_file: str = "") -> None:
        """
        Args:
            url: What users open; its host is asked for by name, in TLS and in HTTP.
            connect: ``host:port`` to connect to instead.
            ca_file: Authorities for its certificate; empty: the system's.
        """
        parts = urlsplit(url)
        self.url = url.rstrip("/")
        self._scheme = parts.scheme
        self._netloc = parts.netloc.rpartition("@")[2]
        self._name = parts.hostname or ""
        self._path = parts.path.rstrip("/")
        there = urlsplit(f"//{connect}") if connect else parts
        self._port = there.port or (443 if parts.scheme == "https" else 80)
        self._lookup = Lookup(there.hostname or "", self._port)
        self._ca_file = ca_file
        self._client: httpx.AsyncClient | None = None
        self._turn = asyncio.Lock()
        self._running: asyncio.Task[Timed] | None = None
        self.sid = ""
        """Name of the last session that the server gave us, as long as it holds."""

    async def page(self, path: str, patience_s: float, *, session: bool = False) -> Timed:
        """GET. Raises OdooError where there is no answer."""
        return await self._send("GET", path, None, patience_s, session=session)

    async def call(
        self, path: str, params: dict[str, Any], patience_s: float, *, session: bool = True
    ) -> tuple[Any, float]:
        """A JSON-RPC call's result (None where there is none) and its milliseconds. Raises OdooError."""
        body = msgspec.json.encode({"jsonrpc": "2.0", "method": "call", "id": 1, "params": params})
        answer = await self._send("POST", path, body, patience_s, session=session)
        return _result(answer, session=session), answer.ms

    async def method(
        self, model: str, method: str, args: list[Any], patience_s: float, **kwargs: Any
    ) -> tuple[Any, float]:
        """A model's method in the session."""
        params = {"model": model, "method": method, "args": args, "kwargs": kwargs}
        return await self.call(f"/web/dataset/call_kw/{model}/{method}", params, patience_s)

    async def log_in(self, database: str, login: str, password: str, patience_s: float) -> tuple[dict[str, Any], float]:
        """Begin a session: what the server tells of it, and its milliseconds. Raises OdooError.

        One that was there before stays where no new one comes about: it may hold again once a database is back.
        """
        before, self.sid = self.sid, ""
        params = {"db": database, "login": login, "password": password}
        try:
            result, ms = await self.call("/web/session/authenticate", params, patience_s, session=False)
        except OdooError as error:
            self.sid = before
            if password and password in error.problem:
                raise OdooError("the log-in failed, and the answer repeats the password", denied=error.denied) from None
            raise
        if not isinstance(result, dict) or not result.get("uid"):
            self.sid = before
            raise OdooError("the log-in is not complete: a second factor is asked for", denied=True)
        if not self.sid:
            raise OdooError("logged in, and was given no session")
        return result, ms

    def drop(self) -> None:
        """End the request that runs, now."""
        if self._running is not None:
            self._running.cancel()

    async def close(self) -> None:
        """Drop what runs, close what is idle. The session stays: the server ends it by its age."""
        self.drop()
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    await client.aclose()

    async def _send(self, how: str, path: str, body: bytes | None, patience_s: float, *, session: bool) -> Timed:
        async with self._turn:
            task = self._running = asyncio.ensure_future(self._fetch(how, path, body, session=session))
            try:
                async with asyncio.timeout(max(patience_s, 0.05)):
                    return await task
            except TimeoutError:
                raise OdooError(f"no answer within {patience_s:.1f} s", silent=True) from None
            except asyncio.CancelledError:
                caller = asyncio.current_task()
                if caller is not None and caller.cancelling():
                    raise
                raise OdooError("the connection was dropped", silent=True) from None
            finally:
                self._running = None

    async def _fetch(self, how: str, path: str, body: bytes | None, *, session: bool) -> Timed:
        try:
            return await self._answer(how, path, body, session=session)
        except (httpx.ConnectError, httpx.ConnectTimeout, OSError, ssl.SSLError) as error:
            self._lookup.next()
            raise OdooError(_reason(error), unreachable=True) from None
        except httpx.RemoteProtocolError as error:
            # A worker that is killed over a request closes its connection without a word.
            raise OdooError(f"the connection ended without an answer: {_reason(error)}") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise OdooError(_reason(error)) from None

    async def _answer(self, how: str, path: str, body: bytes | None, *, session: bool) -> Timed:
        client = self._open()
        address = await self._lookup.address()
        netloc = f"[{address}]" if ":" in address else address
        headers = {"Host": self._netloc}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if session and self.sid:
            headers["Cookie"] = f"session_id={self.sid}"
        request = client.build_request(
            how,
            f"{self._scheme}://{netloc}:{self._port}{self._path}{path}",
            content=body,
            headers=headers,
            extensions={"sni_hostname": self._name},
        )
        began = time.perf_counter()
        response = await client.send(request, stream=True)
        try:
            content = bytearray()
            truncated = False
            async for chunk in response.aiter_bytes():
                content += chunk
                if len(content) > MAX_BODY:
                    truncated = True
                    break
        finally:
            await response.aclose()
            client.cookies.clear()  # sessions are ours to send
        self._keep(response, session=session or path == "/web/session/authenticate")
        return Timed(
            response.status_code,
            bytes(content),
            (time.perf_counter() - began) * 1e3,
            truncated,
            response.headers.get("date", ""),
        )

    def _keep(self, response: httpx.Response, *, session: bool) -> None:
        """The session's new name, where the server gave it one. A page that was asked without one gets none of ours."""
        if not session:
            return
        for value in response.headers.get_list("set-cookie"):
            cookies: SimpleCookie = SimpleCookie()
            with contextlib.suppress(CookieError):
                cookies.load(value[:4096])
            found = cookies.get("session_id")
            if found is not None and _SID.fullmatch(found.value):
                self.sid = found.value

    def _open(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(
                verify=self._context(),
                trust_env=False,
                follow_redirects=False,
                timeout=None,  # noqa: S113 - each call has its own patience
                limits=httpx.Limits(max_connections=2, max_keepalive_connections=1, keepalive_expiry=_KEEP_S),
                headers={"User-Agent": "banksman"},
            )
        return self._client

    def _context(self) -> ssl.SSLContext | bool:
        if self._scheme != "https":
            return False
        try:
            return ssl.create_default_context(cafile=self._ca_file or None)
        except OSError as error:  # of ours, and no fault of the server's; ssl.SSLError is one, too
            raise OdooError(f"{self._ca_file}: {clean(error.strerror or str(error), 100)}", denied=True) from None


def _result(answer: Timed, *, session: bool) -> Any:
    if answer.status != 200:
        forgotten = session and answer.status in (404, 303, 302)
        raise OdooError(f"HTTP {answer.status}", expired=forgotten)
    try:
        told = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        begin = clean(answer.body[:200], 60)
        raise OdooError(f"not the answer of an Odoo: {begin or 'an empty body'}") from None
    if not isinstance(told, dict):
        raise OdooError("not the answer of an Odoo")
    error = told.get("error")
    if error is None:
        return told.get("result")
    raise _error(error)


def _error(error: Any) -> OdooError:
    """Name and message of Odoo's exception; never its traceback."""
    fields = error if isinstance(error, dict) else {}
    data = fields.get("data")
    data = data if isinstance(data, dict) else {}
    name = clean(str(data.get("name") or ""), 100)
    said = clean(str(data.get("message") or fields.get("message") or "an error without a message"), 200)
    short = name.rpartition(".")[2]
    expired = fields.get("code") == _EXPIRED or short == "SessionExpiredException"
    return OdooError(
        f"{short}: {said}" if short and short not in said else said, expired=expired, denied=short == "AccessDenied"
    )


def _reason(error: BaseException) -> str:
    """Why no answer came, in a few words."""
    for cause in _chain(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"TLS: {clean(cause.verify_message, 120)}"
        if isinstance(cause, ConnectionRefusedError):
            return "connection refused"
    text = clean(str(error), 160) or type(error).__name__
    return "connection refused" if "refused" in text else text


def _chain(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and len(found) < 8:
        found.append(at)
        at = at.__cause__ or at.__context__
    return found
