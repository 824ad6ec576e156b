"""The parts of one look: which are due, what they told last, and what each costs.

A statement that takes a hundredth of a second may be asked at every look; one that takes a second may not. So each part
keeps its own pause: at least as long as it is meant to, and at least two hundred times what it took.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import psycopg
from psycopg import sql

from console.clients.postgres import Look, Row
from console.sources.odoo_schema import Schema
from console.sources.postgres_base import sentence

SHARE = 200.0
LONGEST_S = 1800.0
AGAIN_S = 60.0
"""A part that failed is not asked for meanwhile: each failure is a line in the server's log."""
SLOW_S = 0.5
"""Parts that are not asked at each look are left for the next one after so many seconds of this one."""
_LOCKED = "55P03"


class Part(msgspec.Struct, frozen=True):
    """One statement of the look."""

    name: str
    make: Callable[[Schema], sql.Composable | None]
    """None: it cannot be asked there."""
    every_s: float = 0.0
    """0: at each look."""


class _Known(msgspec.Struct):
    due: float = 0.0
    rows: list[Row] | None = None
    problem: str = ""


class Parts:
    """Of one database."""

    def __init__(self, parts: Sequence[Part], clock: Callable[[], float] = time.monotonic) -> None:
        self._parts = tuple(parts)
        self._clock = clock
        self._known = {part.name: _Known() for part in parts}

    async def ask(self, look: Look, schema: Schema) -> None:
        """Ask what is due. Raises psycopg.Error where the connection, and not a part, is at fault."""
        locked, spent_s = 0, 0.0
        for part in sorted(self._parts, key=self._order):
            known, now = self._known[part.name], self._clock()
            statement = part.make(schema)
            if statement is None:
                self._known[part.name] = _Known()
                continue
            if now < known.due or locked >= 2 or (part.every_s and spent_s >= SLOW_S):
                if part.every_s == 0 and now >= known.due:
                    known.rows, known.problem = None, "its tables are locked"
                continue
            try:
                answer = await look.ask(statement)
                spent_s += answer.round_trip_s
            except psycopg.Error as error:
                if not _of_statement(error):
                    raise
                spent_s += self._clock() - now
                locked += error.sqlstate == _LOCKED
                pause = 0.0 if error.sqlstate == _LOCKED else AGAIN_S
                self._known[part.name] = _Known(now + pause, None, f"{part.name}: {sentence(error)}")
                continue
            pause = max(part.every_s, min(answer.round_trip_s * SHARE, LONGEST_S))
            self._known[part.name] = _Known(now + pause if pause > 1.0 else 0.0, answer.rows[0])

    def rows(self, name: str) -> list[Row] | None:
        """What a part told last; None: it has told nothing, or could not be asked when it was last tried."""
        return self._known[name].rows

    def one(self, name: str) -> Row:
        """The only row of a part; empty where there is none."""
        rows = self._known[name].rows
        return rows[0] if rows else {}

    @property
    def problems(self) -> list[str]:
        """One sentence for each part that failed."""
        return [known.problem for known in self._known.values() if known.problem]

    def _order(self, part: Part) -> tuple[float, float]:
        """Those of each look first, as they are listed; then whichever has waited longest."""
        return (1.0, self._known[part.name].due) if part.every_s else (0.0, 0.0)


def _of_statement(error: psycopg.Error) -> bool:
    """Whether the server answered, and goes on answering: not the end of the connection, and no shutdown."""
    state: Any = error.sqlstate
    return bool(state) and not str(state).startswith(("08", "57P", "XX"))
