"""The board: the latest reading per address, and what follows from it for a pane. The one place that looks up by string."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TypeVar, cast

import msgspec

from console import frames
from console.readings import Address, Environment, Finding, Findings, Pane, Reading, State, address

R = TypeVar("R", bound=Reading)


class PaneState(msgspec.Struct, frozen=True):
    """Verdict on one pane."""

    state: State
    age_s: float | None = None
    """Age of the oldest reading it stands on; None: nothing read yet."""
    why: str = ""
    """One sentence where the state is unknown or comes from an unreachable member."""


class Board:
    """Latest readings. Not thread-safe: one owner."""

    def __init__(self) -> None:
        self._readings: dict[Address, Reading] = {}

    def __iter__(self) -> Iterator[Reading]:
        return iter(self._readings.values())

    def __len__(self) -> int:
        return len(self._readings)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Board) and self._readings == other._readings

    __hash__ = None  # type: ignore[assignment]

    def copy(self) -> Board:
        """A board of its own with the same readings."""
        board = Board()
        board._readings = dict(self._readings)
        return board

    def put(self, reading: Reading) -> frames.Frame | None:
        """Take ``reading`` as the latest of its address; the frame that tells others, None where nothing changed."""
        frame = frames.diff(self._readings.get(reading.where), reading)
        if frame is not None:
            self._readings[reading.where] = reading
        return frame

    def remove(self, where: Address) -> frames.Frame | None:
        """Forget an address."""
        return frames.Gone(*where) if self._readings.pop(where, None) is not None else None

    def clear(self) -> None:
        """Forget everything."""
        self._readings.clear()

    def apply(self, frame: frames.Frame) -> Address:
        """Take a frame; raises ``frames.FrameError`` where it does not fit."""
        where = frames.frame_address(frame)
        reading = frames.apply(self._readings.get(where), frame)
        if reading is None:
            self._readings.pop(where, None)
        else:
            self._readings[where] = reading
        return where

    def at(self, where: Address) -> Reading | None:
        """The reading at an address."""
        return self._readings.get(where)

    def get(self, cls: type[R], key: str = "") -> R | None:
        """The latest reading of a topic under ``key``."""
        return cast("R | None", self._readings.get(address(cls, key)))

    def every(self, cls: type[R], prefix: str = "") -> list[R]:
        """All readings of a topic whose key begins with ``prefix``, by key."""
        return [
            cast("R", reading)
            for where, reading in sorted(self._readings.items())
            if where.topic == cls.topic and where.key.startswith(prefix)
        ]

    @property
    def environment(self) -> Environment | None:
        """What is watched; None before the first frame."""
        return self.get(Environment)

    @property
    def findings(self) -> list[Finding]:
        """Open findings: the loudest, then the worst, causes before consequences, the oldest first."""
        found = self.get(Findings)
        rows = found.rows.values() if found else ()
        return sorted(
            rows,
            key=lambda each: (not each.loudest, each.severity != "critical", bool(each.caused_by), each.since),
        )


_RANK: dict[State, int] = {"not-configured": 0, "ok": 1, "warning": 2, "unknown": 3, "critical": 4}


def worst(states: list[State]) -> State:
    """critical, unknown, warning, ok, in this order; panes that are not configured do not count."""
    return max(states, key=_RANK.__getitem__, default="not-configured")


def pane_state(board: Board, pane: Pane, now: datetime, lost: str = "") -> PaneState:
    """Verdict on a pane at ``now``: from readings, findings and ages, and nowhere else.

    Older than twice its cadence (at least 5 s), never read, or read fewer times than a finding needs to open: unknown.
    One unreachable member: at least warning; none reachable: unknown; unless a finding says worse. ``lost`` is the
    feed's own problem (``feed.problem``): what cannot be heard of now is unknown, whatever was heard before.
    """
    environment = board.environment
    if environment is None:
        return PaneState("unknown", why=lost or "no answer from the engine yet")
    configured = environment.panes.get(pane, ())
    if not configured:
        return PaneState("not-configured")
    return state_of(board, configured, [each for each in board.findings if each.pane == pane], now, lost)


def state_of(
    board: Board, configured: tuple[str, ...], found: Iterable[Finding], now: datetime, lost: str = ""
) -> PaneState:
    """Verdict on a part of the environment: the readings (``topic key``) that it stands on, and what was found of it."""
    looks = _Looks.of(board, configured, now)
    if lost:
        return PaneState("unknown", looks.age_s, lost)
    states = looks.states if looks.idle < len(configured) else []
    states += [finding.severity if finding.state == "open" else "unknown" for finding in found]
    return PaneState(worst(states), looks.age_s, "; ".join(looks.reasons[:3]) if states else "")


class _Looks(msgspec.Struct):
    """What the readings alone say of a pane."""

    states: list[State]
    reasons: list[str]
    age_s: float | None = None
    reachable: int = 0
    idle: int = 0
    """Readings of what is not there to be read (status not-configured)."""

    @classmethod
    def of(cls, board: Board, configured: tuple[str, ...], now: datetime) -> _Looks:
        found = board.get(Findings)
        looks = cls(["ok"], [])
        if found is not None and found.status != "ok":
            looks.add("unknown", f"nothing is judged: {found.problem or found.status}")
        waiting = 0
        for pair in configured:
            topic, _, key = pair.partition(" ")
            reading = board.at(Address(topic, key))
            if reading is None or found is None or found.looked.get(pair, 0) < found.needed:
                waiting += 1
                looks.reachable += reading is not None and reading.readable
            else:
                looks.take(pair, reading, now)
        if waiting:
            looks.add("unknown", f"{waiting} of {len(configured)} readings still to come")
        if not looks.reachable:
            looks.add("unknown")
        return looks

    def take(self, pair: str, reading: Reading, now: datetime) -> None:
        age = reading.age_s(now)
        self.age_s = max(age, self.age_s or 0.0)
        if reading.is_stale(now):
            self.add("unknown", f"{pair} not read for {age:.0f} s")
        elif reading.status == "not-configured":
            self.idle += 1
        elif not reading.readable:
            self.add("warning", f"{pair}: {reading.problem or reading.status}")
        else:
            self.reachable += 1
            if reading.status == "partial":
                self.add("warning", f"{pair}: {reading.problem}")

    def add(self, state: State, reason: str = "") -> None:
        self.states.append(state)
        if reason:
            self.reasons.append(reason)


def verdict(board: Board, now: datetime, lost: str = "") -> State:
    """Verdict on the environment: the worst of its panes; unknown where nothing is configured, or the feed is lost."""
    environment = board.environment
    if environment is None or not environment.panes:
        return "unknown"
    states = [pane_state(board, cast("Pane", pane), now, lost).state for pane in environment.panes]
    result = worst(states)
    return "unknown" if result == "not-configured" else result
