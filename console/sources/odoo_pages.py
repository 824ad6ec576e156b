"""Looks at one tenant's Odoo as its users meet it: is a worker free, is the session good, how long does a record take.

Looking changes nothing but what one user's session changes: one session and one row of the log-in table for as long as the
session holds. Log-ins that are timed, and purchase requests, are asked for in the environment file or not made.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from console.clients.clean import clean
from console.clients.odoo import OdooError, OdooWeb
from console.readings import Reading
from console.readings.odoo import OdooPages
from console.settings import Application
from console.settings.environment import OdooUser
from console.settings.secrets import SecretError, resolve
from console.sources.base import Check, SourceError
from console.sources.odoo_steps import LogIns, Timings
from console.sources.postgres_base import judged

PATIENCE_S = 3.0
DEADLINE_S = 9.0
_SPARE_S = 0.5
_LEAST_S = 1.0
"""With less time than this nothing is asked any more: that no answer came would say nothing."""
_NO_TIME = "not asked: what came before took too long"
_SELDOM_S = 60.0
"""Timed log-ins and transactions that write are made no more often."""
_VERSION_S = 600.0
_CANDIDATES = 10
_SMALL = 1_000_000
_ORIGIN = "banksman"

STEPS = ("health", "log in", "project", "document", "purchase")


class OdooPagesSource:
    """One tenant's pages, through whatever its users come through."""

    reading: type[Reading] = OdooPages
    privilege = (
        "the tenant's address; for records and documents a user of that Odoo who may read projects and attachments"
    )

    def __init__(
        self,
        tenant: str,
        application: Application,
        database: Callable[[], str],
        turns: asyncio.Semaphore,
        *,
        every_s: float,
    ) -> None:
        """
        Args:
            tenant: Its name in the environment file.
            application: How it is reached.
            database: Name of the database to log in to; empty: not known (yet).
            turns: How many tenants are asked at a time.
            every_s: Cadence.
        """
        self.key = tenant
        self.every_s = every_s
        self.deadline_s = DEADLINE_S
        self._application = application
        self._database = database
        self._turns = turns
        self._web = self._connection()
        self._probe = self._connection()
        """For timed log-ins: their session is another one."""
        self._writer = self._connection()
        self._log_ins, self._writer_log_ins = LogIns(), LogIns()
        self._timings = {name: Timings() for name in STEPS if name not in self.untold}
        self._session_since: datetime | None = None
        self._version = ""
        self._version_at = -_VERSION_S
        self._seldom_at = -_SELDOM_S
        self._document = 0
        self._leftover = 0
        """A purchase request that could not be removed again."""
        self._until = 0.0

    def _connection(self) -> OdooWeb:
        application = self._application
        return OdooWeb(application.url, connect=application.connect, ca_file=application.ca_file)

    @property
    def untold(self) -> dict[str, str]:
        """Step → why it is not asked at all."""
        application, found = self._application, {}
        if application.user is None:
            found = dict.fromkeys(("project", "document"), "no `user` in the environment file")
        if application.user is None or not application.timed_log_in:
            found["log in"] = "`timed_log_in` is off in the environment file"
        if application.writer is None:
            found["purchase"] = "no `writer` in the environment file: nothing is written"
        return found

    async def read(self) -> OdooPages:
        """One look. Raises SourceError where nobody answers."""
        asked_at = datetime.now(UTC)
        self._until = time.monotonic() + DEADLINE_S - _SPARE_S
        if await self._turn():
            try:
                await self._health()
                problems = await self._steps()
            finally:
                self._turns.release()
        else:
            problems = ["not asked: others were asked all the while"]
            for timings in self._timings.values():
                timings.skipped(problems[0])
        return OdooPages(
            key=self.key,
            taken_at=asked_at,
            tenant=self.key,
            url=self._web.url,
            database=clean(self._database(), 63),
            server_version=self._version,
            steps={name: self._timings[name].last for name in STEPS if name in self._timings},
            session_since=self._session_since if self._web.sid else None,
            untold=self.untold,
            **judged(problems),
        )

    async def _turn(self) -> bool:
        """Whether its turn came in time for a whole answer: who had to wait for others is not silent."""
        try:
            async with asyncio.timeout(self._until - PATIENCE_S - time.monotonic()):
                await self._turns.acquire()
        except TimeoutError:
            return False
        return True

    async def _health(self) -> None:
        timings = self._timings["health"]
        try:
            answer = await self._web.page("/web/health", self._patience())
        except OdooError as error:
            if error.unreachable or error.denied:
                raise SourceError(f"{self._web.url}: {error.problem}", denied=error.denied) from None
            timings.bad(error.problem, silent=error.silent)
            return
        if answer.status == 404 and b"odoo" in answer.body[:4000].lower():
            timings.good(answer.ms)  # 14 has no such page; that a worker says so is enough
        elif answer.status != 200:
            timings.bad(f"HTTP {answer.status}", ms=answer.ms)
        elif b'"pass"' not in answer.body[:200]:
            timings.bad("not the answer of an Odoo", ms=answer.ms)
        else:
            timings.good(answer.ms)

    async def _steps(self) -> list[str]:
        """Everything behind the first page; why the reading is partial."""
        health = self._timings["health"].last
        if not health.ok:
            for name in self._timings:
                if name != "health":
                    self._timings[name].skipped("not asked: no worker answers")
            return []
        problems = [await self._learn_version()]
        user = self._application.user
        if user is not None:
            problems.append(await self._read_as(user))
            if time.monotonic() - self._seldom_at >= _SELDOM_S:
                self._seldom_at = time.monotonic()
                if self._application.timed_log_in and self._web.sid:
                    await self._timed_log_in(user)
                elif (
                    self._application.timed_log_in
                ):  # tried every minute with a wrong password it would keep others out
                    self._timings["log in"].skipped("not asked: there is no session")
                if self._application.writer is not None:
                    problems.append(await self._purchase(self._application.writer))
        elif self._application.writer is not None and time.monotonic() - self._seldom_at >= _SELDOM_S:
            self._seldom_at = time.monotonic()
            problems.append(await self._purchase(self._application.writer))
        return [problem for problem in problems if problem]

    async def _learn_version(self) -> str:
        if time.monotonic() - self._version_at < _VERSION_S:
            return ""
        params = {"service": "common", "method": "version", "args": []}
        try:
            result, _ = await self._web.call("/jsonrpc", params, self._patience(), session=False)
        except OdooError as error:
            return f"version: {error.problem}"
        found = result.get("server_version") if isinstance(result, dict) else None
        self._version, self._version_at = clean(str(found or ""), 30), time.monotonic()
        return ""

    async def _read_as(self, user: OdooUser) -> str:
        """A project's record and a document in the one session that is kept."""
        problem = "" if self._web.sid else await self._begin_session(self._web, user, self._log_ins)
        if problem:
            for name in ("project", "document"):
                self._timings[name].skipped(f"not asked: {problem}")
            return problem
        if await self._step("project", self._project) == "expired":
            problem = await self._begin_session(self._web, user, self._log_ins)
            if problem:
                self._timings["document"].skipped(f"not asked: {problem}")
                return problem
            await self._step("project", self._project)
        await self._step("document", self._fetch_document)
        return ""

    async def _begin_session(self, web: OdooWeb, user: OdooUser, log_ins: LogIns) -> str:
        """Log in, where it is time to; why there is no session."""
        database = self._database()
        if not database:
            return "its database is not known"
        if not log_ins.due:
            return log_ins.problem or "the session was lost soon after the log-in: the next one is made later"
        if self._left_s < _LEAST_S:
            return _NO_TIME
        try:
            password = resolve(user.password).reveal()
        except SecretError as error:
            return f"password: {error}"
        login = clean(user.login, 60)
        try:
            told, _ms = await web.log_in(database, user.login, password, self._patience())
        except OdooError as error:
            said = (
                f"log-in of {login} refused: {error.problem}" if error.denied else f"log-in of {login}: {error.problem}"
            )
            return log_ins.refused(said) if error.denied else log_ins.failed(said)
        log_ins.made()
        if web is self._web:
            self._session_since = datetime.now(UTC).replace(microsecond=0)
            version = told.get("server_version")
            self._version = clean(str(version), 30) if version else self._version
        return ""

    async def _step(self, name: str, work: Callable[[], Awaitable[float]]) -> str:
        """Make one transaction: ``""`` good, ``expired`` where the session is not known any more, ``bad``."""
        left_s = self._left_s
        if left_s < _LEAST_S:
            self._timings[name].skipped(_NO_TIME)
            return "bad"
        try:
            ms = await work()
        except OdooError as error:
            if error.silent and left_s < PATIENCE_S:
                self._timings[name].skipped(_NO_TIME)
            else:
                self._timings[name].bad(clean(error.problem, 200), silent=error.silent)
            return "expired" if error.expired else "bad"
        self._timings[name].good(ms)
        return ""

    async def _project(self) -> float:
        found, ms = await self._web.method(
            "project.project", "search_read", [[], ["name", "write_date"]], self._patience(), limit=1
        )
        if not isinstance(found, list):
            raise OdooError("not the answer of an Odoo")
        return ms

    async def _fetch_document(self) -> float:
        """The document that was fetched before; the first time, or when it is gone, the newest one that can be had."""
        if self._document and (ms := await self._content(self._document)) is not None:
            return ms
        domain = [
            ["res_model", "!=", False],
            ["type", "=", "binary"],
            ["file_size", ">", 0],
            ["file_size", "<", _SMALL],
        ]
        found, _ = await self._web.method("ir.attachment", "search", [domain], self._patience(), limit=_CANDIDATES)
        candidates = [each for each in found if isinstance(each, int)] if isinstance(found, list) else []
        if not candidates:
            raise OdooError("this user may read no document")
        if self._document in candidates:
            raise OdooError(f"document {self._document} is listed and cannot be fetched")
        for each in candidates[:3]:
            if (ms := await self._content(each)) is not None:
                self._document = each
                return ms
        raise OdooError(f"none of the newest documents can be fetched: {', '.join(map(str, candidates[:3]))}")

    async def _content(self, ident: int) -> float | None:
        answer = await self._web.page(f"/web/content/{ident}?download=true", self._patience(), session=True)
        return answer.ms if answer.status == 200 else None

    async def _timed_log_in(self, user: OdooUser) -> None:
        """A log-in in a session of its own, which is ended again."""
        timings = self._timings["log in"]
        if self._left_s < PATIENCE_S:
            timings.skipped(_NO_TIME)
            return
        try:
            password = resolve(user.password).reveal()
            _told, ms = await self._probe.log_in(self._database(), user.login, password, self._patience())
        except SecretError as error:
            timings.skipped(f"password: {error}")
            return
        except OdooError as error:
            timings.bad(clean(error.problem, 200), silent=error.silent)
            return
        timings.good(ms)
        try:
            await self._probe.call("/web/session/destroy", {}, self._patience())
        except OdooError:
            pass  # it ends by its age
        finally:
            self._probe.sid = ""

    async def _purchase(self, writer: OdooUser) -> str:
        """A purchase request is made, cancelled (a draft cannot be deleted) and deleted."""
        web = self._writer
        problem = "" if web.sid else await self._begin_session(web, writer, self._writer_log_ins)
        if problem:
            self._timings["purchase"].skipped(f"not asked: {problem}")
            return problem
        if await self._step("purchase", self._write) == "expired":
            web.sid = ""
        return ""

    async def _write(self) -> float:
        if self._leftover:
            await self._clear_away(self._leftover)
        partners, _ = await self._writer.method(
            "res.partner", "search", [[["is_company", "=", True]]], self._patience(), limit=1
        )
        if not isinstance(partners, list) or not partners:
            raise OdooError("this user sees no company to order from")
        values = {"partner_id": partners[0], "origin": _ORIGIN}
        made, ms = await self._writer.method("purchase.order", "create", [values], self._patience())
        made = made[0] if isinstance(made, list) and made else made
        if not isinstance(made, int):
            raise OdooError("not the answer of an Odoo")
        self._leftover = made
        return ms + await self._remove(made)

    async def _clear_away(self, ident: int) -> None:
        """What an earlier round could not remove; somebody may have done it meanwhile."""
        try:
            await self._remove(ident)
        except OdooError as error:
            if "MissingError" not in error.problem:
                raise
            self._leftover = 0

    async def _remove(self, ident: int) -> float:
        _, cancelling = await self._writer.method("purchase.order", "button_cancel", [[ident]], self._patience())
        _, deleting = await self._writer.method("purchase.order", "unlink", [[ident]], self._patience())
        self._leftover = 0
        return cancelling + deleting

    def _patience(self) -> float:
        return max(0.05, min(PATIENCE_S, self._left_s))

    @property
    def _left_s(self) -> float:
        return self._until - time.monotonic()

    def abandon(self) -> None:
        """Drop what runs now."""
        for web in (self._web, self._probe, self._writer):
            web.drop()

    async def close(self) -> None:
        """Close the connections."""
        for web in (self._web, self._probe, self._writer):
            await web.close()

    async def examine(self) -> list[Check]:
        """For the doctor: the address, the clock, the users."""
        from console.sources.odoo_examine import examine_pages

        self._until = time.monotonic() + DEADLINE_S
        return await examine_pages(self._application, self._web, self._database())
