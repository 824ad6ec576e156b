"""Looks at one tenant's log: requests of the last minute, and what befell workers and scheduled jobs within the hour.

To 17 the log is all that tells of a failed scheduled job; of a worker killed over a request it is all in every version.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from console.clients.clean import clean
from console.clients.redact import redact
from console.readings import Reading
from console.readings.odoo import OdooEvent, OdooLog
from console.settings import Cadence, LogSource
from console.sources.base import Check, SourceError
from console.sources.logs import CommandTail
from console.sources.odoo_log_lines import MESSAGE, Access, More, Noted, Plain, Run, parse, reason
from console.sources.rates import three_digits
from console.sources.tail import FileTail
from console.threads import in_daemon

MINUTE = timedelta(seconds=60)
HOUR = timedelta(hours=1)
EVENTS = 50
_MOST = 60_000
_SAME_S = 60.0
"""The parent says of a worker that it will be ended until it has gone: within so long it is the same worker."""
_MOST_PIDS = 200
"""Workers that are remembered for that; beyond, those that it no longer concerns are let go."""
_INLINE = 64 * 1024
_WINDOW = 4 * 1024 * 1024
_PROBES = frozenset(["/web/health"])
"""Asked by the console and by kubelets, not by people."""


class _Kept:
    """Events of one kind about one subject."""

    def __init__(self, noted: Noted) -> None:
        self.first = noted
        self.at: deque[datetime] = deque(maxlen=1000)
        self.message = noted.message
        self.why = ""
        self.pids: dict[int, datetime] = {}

    def add(self, noted: Noted) -> None:
        before = self.pids.get(noted.pid) if noted.pid else None
        if before is not None and abs((noted.at - before).total_seconds()) < _SAME_S:
            return
        if noted.pid:
            self.pids[noted.pid] = noted.at
            if len(self.pids) > _MOST_PIDS:
                self.pids = {pid: at for pid, at in self.pids.items() if abs((noted.at - at).total_seconds()) < _SAME_S}
        self.at.append(noted.at)
        self.message, self.why = noted.message, ""


class History:
    """What the lines of one log told."""

    def __init__(self) -> None:
        self.last_at: datetime | None = None
        self._requests: deque[Access] = deque(maxlen=_MOST)
        self._events: dict[tuple[str, str, str], _Kept] = {}
        self._failed: set[tuple[str, str]] = set()
        """Scheduled jobs that have failed since they were started last."""
        self._good: dict[tuple[str, str], datetime] = {}
        self._open: _Kept | None = None
        """Whose traceback goes on."""

    def take(self, lines: Iterable[bytes]) -> int:
        """Take in lines, oldest first; how many were Odoo's."""
        known = 0
        for raw in lines:
            found = parse(raw)
            if isinstance(found, More):
                if self._open is not None and (why := reason(found.text)):
                    self._open.why = why
                continue
            known += 1
            self._open = None
            self.last_at = max(found.at, self.last_at or found.at)
            if isinstance(found, Access):
                if found.path not in _PROBES:
                    self._requests.append(found)
            elif isinstance(found, Noted):
                self._note(found)
            elif isinstance(found, Run):
                self._run(found)
            else:
                assert isinstance(found, Plain)
        return known

    def _note(self, noted: Noted) -> None:
        key = (noted.what, noted.subject, noted.database)
        if key not in self._events:
            self._events[key] = _Kept(noted)
        self._events[key].add(noted)
        self._open = self._events[key]
        if noted.what in ("job failed", "job timed out"):
            self._failed.add((noted.database, noted.subject))

    def _run(self, run: Run) -> None:
        key = (run.database, run.name)
        if not run.ended:
            self._failed.discard(key)
        elif key not in self._failed:  # "done" is said of failed ones, too
            self._good[key] = run.at

    def events(self, now: datetime) -> dict[str, OdooEvent]:
        """Those of the last hour, the newest fifty."""
        found: dict[str, OdooEvent] = {}
        for key, kept in list(self._events.items()):
            while kept.at and now - kept.at[0] > HOUR:
                kept.at.popleft()
            if not kept.at:
                del self._events[key]
                continue
            what, subject, database = key
            message = f"{kept.message}: {kept.why}" if kept.why and kept.why not in kept.message else kept.message
            found[" ".join(part for part in key if part)] = OdooEvent(
                what=what,
                subject=subject,
                database=database,
                count=len(kept.at),
                last_at=kept.at[-1],
                message=clean(message, MESSAGE),
                good_at=self._good.get((database, subject)) if what.startswith("job ") else None,
            )
        newest = sorted(found.items(), key=lambda each: each[1].last_at or now, reverse=True)[:EVENTS]
        return dict(sorted(newest))

    def rates(self, now: datetime) -> dict[str, float | None]:
        """Of the requests of the last minute; nothing where no line was ever Odoo's."""
        if self.last_at is None:
            return {}
        while self._requests and now - self._requests[0].at > MINUTE:
            self._requests.popleft()
        requests = [each for each in self._requests if each.at <= now + MINUTE]
        timed = sorted(each.total_s for each in requests if each.total_s is not None)
        sql = [each.sql_s for each in requests if each.sql_s is not None]
        seconds = MINUTE.total_seconds()
        return {
            "requests_per_s": three_digits(len(requests) / seconds),
            "errors_per_s": three_digits(sum(each.status >= 500 for each in requests) / seconds),
            "sql_ms": three_digits(1e3 * sum(sql) / len(sql)) if sql else None,
            "p95_ms": three_digits(1e3 * timed[min(len(timed) - 1, int(0.95 * len(timed)))]) if timed else None,
        }


class OdooLogSource:
    """One tenant's log: a file by its end, or what a command prints of it."""

    reading: type[Reading] = OdooLog
    privilege = "the engine's user may read the tenant's log, or run the command"

    def __init__(self, tenant: str, where: LogSource, cadence: Cadence) -> None:
        self.key = tenant
        self.every_s = cadence.every_s
        self.deadline_s = cadence.deadline_s
        self._origin = clean(where.path or redact(clean(" ".join(where.command), 2000)), 300)
        self._file = FileTail(where.path, _WINDOW) if where.path else None
        self._command = None if where.path else CommandTail(where.command)
        self._history = History()

    async def read(self) -> OdooLog:
        """One look. Raises SourceError."""
        taken_at = datetime.now(UTC)
        raw = await self._fresh()
        lines = raw.splitlines()
        take = self._history.take
        known = take(lines) if len(raw) < _INLINE else await in_daemon(lambda: take(lines), f"log of {self.key}")
        rates = self._history.rates(taken_at)
        strange = bool(lines) and not known and self._history.last_at is None
        return OdooLog(
            key=self.key,
            taken_at=taken_at,
            status="partial" if strange else "ok",
            problem="this is not the log of an Odoo, as far as its lines tell" if strange else "",
            tenant=self.key,
            origin=self._origin,
            last_line_at=self._history.last_at,
            events=self._history.events(taken_at),
            requests_per_s=rates.get("requests_per_s"),
            errors_per_s=rates.get("errors_per_s"),
            sql_ms=rates.get("sql_ms"),
            p95_ms=rates.get("p95_ms"),
        )

    async def _fresh(self) -> bytes:
        if self._file is not None:
            return (await self._file.fresh())[1]
        assert self._command is not None
        # It prints what it printed before, too: begun anew each time.
        output = await self._command.output()
        self._history = History()
        return output

    def abandon(self) -> None:
        """End a command that runs."""
        if self._command is not None:
            self._command.abandon()

    async def close(self) -> None:
        """End a command that runs, and see it gone."""
        if self._command is not None:
            await self._command.close()

    async def examine(self) -> list[Check]:
        """Whether it can be read, and is Odoo's."""
        mend = "check `log:` of this application in the environment file, and that the engine's user may read it"
        try:
            reading = await self.read()
        except SourceError as error:
            return [Check("log", "fail", error.problem, mend)]
        if reading.problem:
            return [Check("log", "fail", reading.problem, mend)]
        if reading.last_line_at is None:
            return [Check("log", "cannot tell", f"{self._origin}: no line yet")]
        return [Check("log", "pass", f"{self._origin}, last line at {reading.last_line_at:%Y-%m-%d %H:%M:%S}Z")]
