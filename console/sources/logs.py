"""The tail of a server's log: a file, the newest file of a directory, or what a command prints.

Made while a screen shows it. Lines are numbered from the first one that was read, so that a look that finds three new
lines changes three rows.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from console.clients.clean import clean
from console.clients.redact import redact
from console.readings import LogTail, Reading
from console.settings import Cadence, EnvironmentFile, LogSource
from console.sources.base import Check, SourceError
from console.sources.tail import FileTail

LINES = 500
LINE_LIMIT = 2000
"""Characters of a line that are kept."""
_WINDOW = 512 * 1024
"""Bytes from the end of a file, or of a command's output, that are looked at."""


def log_source(environment: EnvironmentFile, target: str, cadence: Cadence) -> LogTailSource | None:
    """The log of ``postgres CLUSTER/MEMBER``, ``redis CACHE/SERVER``, ``sentinel CACHE/SENTINEL``, ``traefik INGRESS/SERVER``,
    or ``odoo.log TENANT``.

    Of ``traefik INGRESS`` alone: the access log.

    None where the environment file names no log for it.
    """
    kind, _, key = target.partition(" ")
    group, _, name = key.partition("/")
    where: LogSource | None = None
    if kind.startswith(("postgres", "patroni")) and group in environment.postgres:
        postgres = environment.postgres[group].servers.get(name)
        where = postgres.log if postgres else None
    elif kind in ("redis", "sentinel") and group in environment.redis:
        cache = environment.redis[group]
        servers = cache.servers if kind == "redis" else cache.sentinel.servers if cache.sentinel else {}
        server = servers.get(name)
        where = server.log if server else None
    elif kind.startswith("traefik") and group in environment.traefik:
        ingress = environment.traefik[group]
        where = ingress.servers[name].log if name in ingress.servers else None if name else ingress.access_log
    elif kind.startswith("odoo") and group in environment.applications:
        where = environment.applications[group].log
    if where is None or not (where.path or where.command):
        return None
    return LogTailSource(where, target, cadence)


class LogTailSource:
    """Follows one log."""

    reading: type[Reading] = LogTail
    privilege = "the engine's user may read the file, or run the command"

    def __init__(self, where: LogSource, target: str, cadence: Cadence) -> None:
        self.key = target
        self.every_s = cadence.every_s
        self.deadline_s = cadence.deadline_s
        self.origin = clean(where.path or redact(clean(" ".join(where.command), 2000)), 300)
        self._follower: _File | CommandTail = _File(where.path) if where.path else CommandTail(where.command)
        self._lines: deque[tuple[int, str]] = deque(maxlen=LINES)

    async def read(self) -> LogTail:
        """What is there now. Raises SourceError."""
        origin = await self._follower.read(self._lines)
        return LogTail(
            key=self.key, taken_at=datetime.now(UTC), origin=clean(origin, 300) or self.origin, lines=dict(self._lines)
        )

    def abandon(self) -> None:
        """End a command that runs."""
        self._follower.abandon()

    async def close(self) -> None:
        """End a command that runs, and see it gone."""
        await self._follower.close()

    async def examine(self) -> list[Check]:
        """Whether it can be read."""
        what = f"{self.key}: log"
        try:
            reading = await self.read()
        except SourceError as error:
            mend = "check `log:` of this server in the environment file, and that the engine's user may read it"
            return [Check(what, "fail", error.problem, mend)]
        return [Check(what, "pass", reading.origin)]


def _cleaned(raw: bytes) -> Iterator[str]:
    """The newest lines of ``raw``."""
    for line in raw.splitlines()[-LINES:]:
        yield clean(redact(clean(line, 2 * LINE_LIMIT)), LINE_LIMIT)


def _append(lines: deque[tuple[int, str]], raw: bytes) -> None:
    number = lines[-1][0] if lines else 0
    for line in _cleaned(raw):
        number += 1
        lines.append((number, line))


class _File:
    """A file by its end."""

    def __init__(self, path: str) -> None:
        self._tail = FileTail(path, _WINDOW)

    async def read(self, lines: deque[tuple[int, str]]) -> str:
        """Append what is new; the file's name."""
        path, new = await self._tail.fresh()
        _append(lines, new)
        return str(path)

    def abandon(self) -> None:
        """Nothing is held open."""

    async def close(self) -> None:
        """Nothing is held open."""


class CommandTail:
    """A command that prints the tail. It is run anew for each look, and what it printed before is recognised."""

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._process: asyncio.subprocess.Process | None = None
        self._ended: asyncio.subprocess.Process | None = None

    async def read(self, lines: deque[tuple[int, str]]) -> str:
        """Run it and append what is new."""
        _merge(lines, list(_cleaned(await self.output())))
        return ""

    async def output(self) -> bytes:
        """The end of what it prints. Raises SourceError."""
        try:
            process = self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
                preexec_fn=_die_with(os.getpid()),
            )
        except OSError as error:
            raise SourceError(f"{self._command[0]}: {error.strerror or error}") from None
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            output, complaint = await asyncio.gather(_tail(process.stdout), _tail(process.stderr))
            code = await process.wait()
        finally:
            self.abandon()
        if code != 0:
            said = clean(redact(clean(complaint[-1000:], 1000)), 200)
            raise SourceError(f"{self._command[0]} ended with {code}: {said}")
        return output

    def abandon(self) -> None:
        """End it and what it started."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            self._ended = process
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)

    async def close(self) -> None:
        """End it, and let the loop see its end."""
        self.abandon()
        if self._ended is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ended.communicate(), 0.5)


_prctl = getattr(ctypes.CDLL(None), "prctl", None)
"""Found now: between fork and exec nothing may be looked up or allocated that needs a lock. Linux only."""
_PR_SET_PDEATHSIG = 1


def _die_with(parent: int) -> Callable[[], None]:
    """Makes the kernel end a command when the engine ends, be it by SIGKILL: it has a session of its own."""

    def prepare() -> None:
        if _prctl is not None:
            _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() != parent:  # it ended before that
                os._exit(1)

    return prepare


async def _tail(stream: asyncio.StreamReader) -> bytes:
    kept = bytearray()
    while chunk := await stream.read(65536):
        kept += chunk
        if len(kept) > 2 * _WINDOW:
            del kept[:-_WINDOW]
    return bytes(kept[-_WINDOW:])


def _merge(lines: deque[tuple[int, str]], fresh: list[str]) -> None:
    """Append to ``lines`` what of ``fresh`` is not their end already."""
    old = [line for _, line in lines]
    for start in range(max(0, len(old) - len(fresh)), len(old) + 1):
        overlap = old[start:]
        if fresh[: len(overlap)] == overlap:
            number = lines[-1][0] if lines else 0
            for offset, line in enumerate(fresh[len(overlap) :], 1):
                lines.append((number + offset, line))
            return
