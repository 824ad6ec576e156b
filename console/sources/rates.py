"""Counters become rates: never negative, never a spike.

A counter is compared with the look before it only where both belong to the same life of the same thing: same server
start, same reset. Otherwise there is no rate for that interval, rather than a wrong one.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Generic, TypeVar

import msgspec

K = TypeVar("K", bound=Hashable)


def three_digits(value: float) -> float:
    """Rounded to three significant digits: more is noise, and noise is bytes on the wire."""
    return float(f"{value:.3g}")


def rate(delta: float | None, window_s: float) -> float | None:
    """``delta`` per second, rounded; None where there is no delta or no window."""
    return None if delta is None or window_s <= 0 else three_digits(delta / window_s)


def ratio(part: float | None, rest: float | None) -> float | None:
    """part / (part + rest), rounded; None where both are 0 or unknown."""
    if part is None or rest is None or part + rest <= 0:
        return None
    return three_digits(part / (part + rest))


class Counted(msgspec.Struct, frozen=True):
    """The counters of one thing at one moment."""

    life: Hashable
    """Changes when the counters start anew: start of the server, moment of the last reset."""
    values: tuple[float, ...]


class Step(msgspec.Struct, Generic[K], frozen=True):
    """What was counted between two looks."""

    window_s: float = 0.0
    """Length of the interval; 0: there is no look before to compare with."""
    deltas: dict[K, tuple[float, ...]] = {}
    """Only of what can be compared."""


class Meter(Generic[K]):
    """Remembers counters from look to look."""

    def __init__(self, *, longest_s: float, new_counts: bool = False) -> None:
        """
        Args:
            longest_s: An interval longer than this (the source was away) is no basis for a rate "now".
            new_counts: A thing that was not there before has counted all it shows since then.
        """
        self._longest_s = longest_s
        self._new_counts = new_counts
        self._at: float | None = None
        self._before: Mapping[K, Counted] = {}

    def step(self, at: float, now: Mapping[K, Counted]) -> Step[K]:
        """The interval that ends ``at`` (monotonic seconds) with these counters."""
        before, since = self._before, self._at
        self._before, self._at = now, at
        if since is None or not 0 < at - since <= self._longest_s:
            return Step()
        deltas: dict[K, tuple[float, ...]] = {}
        for key, counted in now.items():
            old = before.get(key)
            if old is None:
                if self._new_counts:
                    deltas[key] = counted.values
            elif old.life == counted.life:
                change = tuple(b - a for a, b in zip(old.values, counted.values, strict=True))
                if min(change, default=0) >= 0:
                    deltas[key] = change
        return Step(at - since, deltas)

    def forget(self) -> None:
        """The next look starts anew."""
        self._at, self._before = None, {}
