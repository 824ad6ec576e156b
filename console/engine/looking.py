"""One look at one source: within its deadline, whatever the source does; always a reading in the end."""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from console.clients.clean import clean
from console.engine.lateness import Lateness
from console.engine.settle import LyingError, moment, rounded, settle
from console.readings import Reading, Status
from console.sources.base import Source, SourceError

PROBLEM_LIMIT = 300
"""Characters of a problem sentence."""
_IDENTITY = {"cluster": 0, "cache": 0, "tenant": 0, "member": 1, "server": 1, "sentinel": 1, "database": 1}
"""Fields that only repeat a part of the key: a failure reading has them too."""

_log = logging.getLogger(__name__)

Redact = Callable[[str], str]
Hide = Callable[[Reading], Reading]
"""Takes secrets out of the queries and log lines of a reading."""


class Looker:
    """Asks one source, and remembers what must outlive a look."""

    def __init__(self, source: Source, redact: Redact, hide: Hide, lateness: Lateness) -> None:
        self.source = source
        self._lateness = lateness
        self.pair = f"{source.reading.topic} {source.key}".strip()
        """``topic key``."""
        self.failures = 0
        """Looks in a row that failed."""
        self._redact = redact
        self._hide = hide
        self._good_at: datetime | None = None
        self._reading: asyncio.Task[Reading] | None = None

    async def look(self) -> Reading:
        """Ask once; at the latest after the deadline there is a reading. A source still busy is not asked again.

        Time in which the engine itself did not get to run is not counted against the source, up to the deadline once more.
        """
        began, started = moment(datetime.now(UTC)), time.monotonic()
        if self._reading is not None:
            # The look before was abandoned: its source must have let go of it first.
            await asyncio.wait({self._reading}, timeout=self.source.deadline_s)
            if not self._reading.done():
                return self._failed(began, _since(started), "no answer, and still busy with an earlier look")
            _retrieve(self._reading)
        self._reading = asyncio.create_task(self.source.read(), name=self.pair)
        late_s = self._lateness.total_s
        done, _ = await asyncio.wait({self._reading}, timeout=self.source.deadline_s)
        if not done and (owed_s := min(self._lateness.total_s - late_s, self.source.deadline_s)) > 0:
            done, _ = await asyncio.wait({self._reading}, timeout=owed_s)
        took_ms = _since(started)
        if not done:
            self._abandon()
            return self._failed(began, took_ms, f"no answer within {self.source.deadline_s:g} s")
        return self._finished(began, took_ms)

    async def end(self) -> None:
        """Drop what is under way and close the source, within a second."""
        if self._reading is not None and not self._reading.done():
            self._abandon()
        try:
            async with asyncio.timeout(1.0):
                await self.source.close()
        except Exception as error:  # noqa: BLE001 - nothing that a source does may keep the engine from ending
            _log.info("%s: closing: %s", self.pair, self._redact(f"{type(error).__name__}: {error}"))

    def _abandon(self) -> None:
        assert self._reading is not None
        try:
            self.source.abandon()
        except Exception as error:  # noqa: BLE001 - a source that cannot even let go must not stop the others
            self._note("abandon", error)
        self._reading.cancel()

    def _finished(self, began: datetime, took_ms: float) -> Reading:
        task, self._reading = self._reading, None
        assert task is not None
        try:
            reading = task.result()
            if type(reading) is not self.source.reading:
                raise LyingError(f"it yields {type(reading).__name__}")
            return self._good(reading, began, took_ms)
        except asyncio.CancelledError:
            return self._failed(began, took_ms, "the look was broken off")
        except SourceError as error:
            return self._failed(began, took_ms, error.problem, "denied" if error.denied else "unreachable")
        except LyingError as error:
            return self._failed(began, took_ms, str(error))
        except Exception as error:  # noqa: BLE001 - whatever a source raises becomes a reading with its reason
            self._note("read", error)
            return self._failed(began, took_ms, _sentence(error))

    def _good(self, reading: Reading, began: datetime, took_ms: float) -> Reading:
        self.failures = 0 if reading.readable or reading.status == "not-configured" else self.failures + 1
        if reading.readable:
            self._good_at = began
        stamped = msgspec.structs.replace(
            reading,
            key=self.source.key,
            taken_at=began,
            took_ms=took_ms,
            every_s=self.source.every_s,
            problem=clean(self._redact(reading.problem), PROBLEM_LIMIT),
            good_at=self._good_at,
        )
        return self._hide(settle(stamped))

    def _failed(self, began: datetime, took_ms: float, problem: str, status: Status = "unreachable") -> Reading:
        self.failures += 1
        cls = self.source.reading
        parts = self.source.key.split("/", 1)
        identity: dict[str, Any] = {
            name: parts[place]
            for name, place in _IDENTITY.items()
            if name in cls.__struct_fields__ and place < len(parts)
        }
        return cls(
            key=self.source.key,
            taken_at=began,
            took_ms=took_ms,
            every_s=self.source.every_s,
            status=status,
            problem=clean(self._redact(problem), PROBLEM_LIMIT) or "no reason given",
            good_at=self._good_at,
            **identity,
        )

    def _note(self, doing: str, error: BaseException) -> None:
        """A traceback in the log: lines of code, no values of variables."""
        if self.failures == 0:
            lines = "".join(traceback.format_exception(error))
            _log.error("%s: %s failed\n%s", self.pair, doing, self._redact(lines))


def _since(started: float) -> float:
    """Milliseconds since then, to two digits: nobody reads more, and the recording is spared the rest."""
    return rounded((time.monotonic() - started) * 1000, 6)


def _sentence(error: BaseException) -> str:
    text = str(error).strip()
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _retrieve(task: asyncio.Task[Reading]) -> None:
    """Take note of how an abandoned look ended, so that asyncio does not complain that nobody did."""
    if not task.cancelled():
        task.exception()
