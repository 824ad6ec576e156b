"""A tenant's users in a whole laboratory: browsers that come through Traefik over TLS, each with its session.

They come whether or not those before them have been served, up to a limit, as users do.
"""

from __future__ import annotations

import asyncio
import random
import socket
import ssl
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from console.lab.certificates import Authority
from console.lab.databases import size
from console.lab.tenants import Tenant
from console.lab.users.base import Crowd, WentWrongError

_VISITS_PER_S = 0.33
"""Of a tenant with share 1 at the busiest hour under load 1."""
_AT_ONCE = 12
"""Requests of one tenant that are under way at most; further users do without."""
_PAPERS = 20
_RETURN_S = 1.0
_FIRST = 3


class _Here(AbstractResolver):
    """Every name leads to this machine."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        where = {"hostname": host, "host": "127.0.0.1", "port": port, "family": socket.AF_INET, "proto": 0}
        return [ResolveResult(**where, flags=socket.AI_NUMERICHOST)]  # type: ignore[typeddict-item]

    async def close(self) -> None:
        """Nothing is kept."""


class Visitor:
    """One user with a browser."""

    def __init__(self, http: aiohttp.ClientSession, tenant: Tenant, port: int, login: str, password: str) -> None:
        self._http = http
        self._tenant = tenant
        self._address = f"https://{tenant.host}:{port}"
        self._login = login
        self._password = password
        self._dice = random.Random(f"{tenant.name} {login}")
        self._uid = 0
        self._sid = ""
        self._papers: list[int] = []
        self._entering = asyncio.Lock()

    async def _ask(self, path: str, params: dict[str, Any]) -> Any:
        """One JSON-RPC request in the session."""
        body = {"jsonrpc": "2.0", "method": "call", "id": 1, "params": params}
        cookies = {"Cookie": f"session_id={self._sid}"} if self._sid else {}
        async with self._http.post(self._address + path, json=body, headers=cookies) as answer:
            if answer.status != 200:
                raise WentWrongError(f"{answer.status} {answer.reason}")
            told = await answer.json()
            if sent := answer.cookies.get("session_id"):
                self._sid = sent.value
        if error := told.get("error"):
            if error.get("code") == 100:
                self._uid = 0  # to the log-in page
            raise WentWrongError(str(error.get("data", {}).get("message") or error.get("message")))
        return told.get("result")

    async def enter(self) -> None:
        """Log in, once."""
        async with self._entering:
            if self._uid:
                return
            self._sid = ""
            who = {"db": self._tenant.name, "login": self._login, "password": self._password}
            self._uid = int((await self._ask("/web/session/authenticate", who))["uid"])
            self._papers = await self._call("ir.attachment", "search", [[["id", ">", 0]]], {"limit": _PAPERS})

    async def _call(self, model: str, method: str, args: list[Any], more: dict[str, Any] | None = None) -> Any:
        params = {"model": model, "method": method, "args": args, "kwargs": more or {}}
        return await self._ask(f"/web/dataset/call_kw/{model}/{method}", params)

    async def project(self) -> None:
        """Look at a project."""
        await self.enter()
        found = await self._call("project.project", "search", [[]], {"limit": 20})
        await self._call("project.project", "read", [[self._dice.choice(found)], ["name", "user_id", "company_id"]])

    async def purchase(self) -> None:
        """Order something and confirm it; what is older than the newest some hundreds goes."""
        await self.enter()
        vendor = self._dice.choice(
            await self._call("res.partner", "search", [[["is_company", "=", True]]], {"limit": 20})
        )
        amount = self._dice.randrange(50, 9000)
        made = await self._call("purchase.order", "create", [{"partner_id": vendor, "amount_untaxed": amount}])
        await self._call("purchase.order", "button_confirm", [[made]])
        kept = size(self._tenant).orders
        old = await self._call("purchase.order", "search", [[]], {"offset": kept, "limit": 2})
        if old:
            await self._call("purchase.order", "button_cancel", [old])
            await self._call("purchase.order", "unlink", [old])

    async def document(self) -> None:
        """Open a document."""
        await self.enter()
        where = f"{self._address}/web/content/{self._dice.choice(self._papers)}"
        async with self._http.get(where, headers={"Cookie": f"session_id={self._sid}"}) as answer:
            await answer.read()
            if answer.status != 200:
                raise WentWrongError(f"{answer.status} {answer.reason} for a document")

    async def program(self) -> None:
        """A program of the user's counts what is to be approved, by JSON-RPC without a session."""
        await self.enter()
        args = [self._tenant.name, self._uid, self._password, "purchase.order", "search_count"]
        params = {"service": "object", "method": "execute_kw", "args": [*args, [[["state", "=", "to approve"]]]]}
        body = {"jsonrpc": "2.0", "method": "call", "id": 1, "params": params}
        async with self._http.post(f"{self._address}/jsonrpc", json=body) as answer:
            if answer.status != 200:
                raise WentWrongError(f"{answer.status} {answer.reason}")
            told = await answer.json()
        if "error" in told:
            raise WentWrongError(str(told["error"].get("data", {}).get("message")))

    def anything(self) -> Callable[[], Coroutine[Any, Any, None]]:
        """What this user does next."""
        often = (self.project, self.project, self.project, self.document, self.document, self.program, self.purchase)
        return self._dice.choice(often)


class WebUsers:
    """One tenant's."""

    def __init__(self, crowd: Crowd, tenant: Tenant) -> None:
        self._crowd = crowd
        self._tenant = tenant
        self._dice = random.Random(tenant.name)
        self._under_way: set[asyncio.Task[bool]] = set()

    async def run(self) -> None:
        """For ever."""
        trust = ssl.create_default_context(cafile=str(Authority(self._crowd.lab.path).certificate))
        connector = aiohttp.TCPConnector(ssl=trust, resolver=_Here(), limit=_AT_ONCE, keepalive_timeout=60)
        jar = aiohttp.DummyCookieJar()  # each visitor has its own cookie
        patience = aiohttp.ClientTimeout(total=60)
        async with aiohttp.ClientSession(connector=connector, cookie_jar=jar, timeout=patience) as http:
            visitors = self._visitors(http)
            while True:
                if len(self._under_way) < _AT_ONCE:
                    self._visit(self._dice.choice(visitors))
                await self._rest()

    async def _rest(self) -> None:
        """Whoever was not served comes again soon; and the first ones come at once."""
        felt = self._crowd.felt[self._tenant.name]
        if felt.problem or felt.done < _FIRST:
            await asyncio.sleep(_RETURN_S)
        else:
            await self._crowd.pace.rest(self._tenant.name, _VISITS_PER_S * self._tenant.share)

    def _visitors(self, http: aiohttp.ClientSession) -> list[Visitor]:
        """Some of the tenant's users."""
        password = self._crowd.lab.secret(self._tenant.users_secret)
        logins = ["admin", *(f"user{number}" for number in range(1, max(2, round(4 * self._tenant.share))))]
        port = self._crowd.lab.ports["websecure"]
        return [Visitor(http, self._tenant, port, login, password) for login in logins]

    def _visit(self, visitor: Visitor) -> None:
        task = asyncio.create_task(self._crowd.feel(self._tenant.name, partial(_do, visitor)))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)


async def _do(visitor: Visitor) -> None:
    try:
        await visitor.anything()()
    except aiohttp.ClientError as problem:
        raise WentWrongError(str(problem) or type(problem).__name__) from problem
