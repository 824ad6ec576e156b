"""What a source is: how one server is looked at. The scheduler adds deadline, cadence, back-off and failure readings."""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

from console.readings import Reading


class Check(msgspec.Struct, frozen=True):
    """One thing that ``banksman doctor`` looked at."""

    what: str
    answer: Literal["pass", "fail", "cannot tell"]
    detail: str = ""
    mend: str = ""
    """The exact grant, setting or line that is missing; empty where nothing is."""


class SourceError(Exception):
    """A look that failed for a reason worth a sentence. ``denied``: the server answered, and refused us."""

    def __init__(self, problem: str, *, denied: bool = False) -> None:
        super().__init__(problem)
        self.problem = problem
        self.denied = denied


class Source(Protocol):
    """One server, one topic.

    ``read`` may raise anything; the scheduler makes an unreachable (or denied) reading of it. It keeps its connection
    between looks and must not retry by itself. When a deadline passes the scheduler calls ``abandon``, which drops
    sockets at once, without waiting for the other end, so that the next look starts with a new connection.
    """

    reading: type[Reading]
    """Which topic it yields."""
    key: str
    """Under which key."""
    every_s: float
    deadline_s: float
    privilege: str
    """What it needs on the server, in one sentence."""

    async def read(self) -> Reading:
        """One look. ``taken_at``, ``took_ms`` and ``every_s`` are filled in by the scheduler."""
        ...

    def abandon(self) -> None:
        """Drop every connection now."""
        ...

    async def close(self) -> None:
        """Orderly end, within a second."""
        ...

    async def examine(self) -> list[Check]:
        """For the doctor: connection, privilege, clock."""
        ...
