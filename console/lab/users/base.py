"""What all users of the laboratory have: a pace, a patience, and what they felt."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import msgspec
import psycopg
import redis.exceptions

from console.lab import state
from console.lab.errors import LabError
from console.lab.rhythm import busyness
from console.lab.state import Lab
from console.lab.tenants import TENANTS

FILE = "load.json"
FACTORS = "load-factors.json"
_LEAST, _MOST = 0.1, 1000.0
_LONGEST_PAUSE_S = 20.0
_PATIENCE_S = 15.0
"""After so long without an answer a user gives up."""


class Felt(msgspec.Struct):
    """What one tenant's users, or the cache's, have felt."""

    done: int = 0
    failed: int = 0
    last_done: datetime | None = None
    last_ms: float = 0.0
    problem: str = ""
    """Why the last round failed; empty when it did not."""


class WentWrongError(Exception):
    """An answer that no user wants to see."""


_FAILURES = (psycopg.Error, redis.exceptions.RedisError, WentWrongError, OSError, TimeoutError)


class Users(Protocol):
    """One tenant's users."""

    async def run(self) -> None:
        """Work for ever."""


class Pace:
    """How often: the laboratory's load, the time of day, and a factor for each tenant that may change at any time."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._dice = random.Random()
        self._factors = read_factors(lab.path)
        self._changed = asyncio.Event()

    def look(self) -> None:
        """Read the factors again; whoever rests begins anew when they are others."""
        factors = read_factors(self._lab.path)
        if factors != self._factors:
            self._factors = factors
            self._changed.set()
            self._changed = asyncio.Event()

    async def rest(self, name: str, per_second: float) -> None:
        """Until the next of what comes so often at the busiest hour under load 1."""
        rate = per_second * self._lab.load * self._factors.get(name, 1.0) * busyness(datetime.now().astimezone())
        pause = min(self._dice.uniform(0.6, 1.4) / max(rate, 0.001), _LONGEST_PAUSE_S)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), pause)


class Crowd:
    """All users: their pace and what they felt."""

    def __init__(self, lab: Lab, names: list[str]) -> None:
        self.lab = lab
        self.pace = Pace(lab)
        self.felt: dict[str, Felt] = {name: Felt() for name in names}

    async def feel(self, name: str, round_: Callable[[], Awaitable[None]]) -> bool:
        """Do one round; whether it went well."""
        felt, begun = self.felt[name], time.monotonic()
        try:
            await asyncio.wait_for(round_(), _PATIENCE_S)
        except _FAILURES as problem:
            said = str(problem).strip()
            felt.failed += 1
            felt.problem = said.splitlines()[0][:200] if said else type(problem).__name__
            return False
        felt.done += 1
        felt.last_done, felt.last_ms = datetime.now(UTC), (time.monotonic() - begun) * 1000
        felt.problem = ""
        return True

    def write(self) -> None:
        """Tell others."""
        state.write_file(self.lab.path / FILE, msgspec.json.encode(self.felt))


def read_felt(directory: Path) -> dict[str, Felt]:
    """What users have felt by now; empty before the load has begun."""
    try:
        return msgspec.json.decode((directory / FILE).read_bytes(), type=dict[str, Felt])
    except FileNotFoundError:
        return {}


def read_factors(directory: Path) -> dict[str, float]:
    """Tenant → how much busier than usual its users are; those not named are as usual."""
    try:
        return msgspec.json.decode((directory / FACTORS).read_bytes(), type=dict[str, float])
    except FileNotFoundError:
        return {}


def set_factor(directory: Path, name: str, factor: float) -> None:
    """Have a tenant's users be so much busier than usual, from within two seconds on; 1 is as usual.

    Raises:
        LabError: There is no such tenant, or the factor is not between 0.1 and 1000.
    """
    names = [tenant.name for tenant in TENANTS]
    if name not in names:
        raise LabError(f"there is no tenant {name}: one of {', '.join(names)}")
    if not _LEAST <= factor <= _MOST:
        raise LabError(f"a factor is a number from {_LEAST:g} to {_MOST:g}, not {factor:g}")
    factors = {key: value for key, value in (read_factors(directory) | {name: factor}).items() if value != 1.0}
    state.write_file(directory / FACTORS, msgspec.json.encode(factors))
