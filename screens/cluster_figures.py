"""Amounts of a cluster as people write them: cores, shares of a limit, what is used of what was asked for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from screens.cluster_facts import Seen
from screens.section import MISSING, Section, unknown
from widgets.columns import Cell, Column
from widgets.format import UNKNOWN, bar, count, percent, size
from widgets.gauge import level
from widgets.spans import Line, line

NEARLY, FULL = 0.9, 1.0
"""Share of a limit from which it is shown as warning and as critical; findings have their own thresholds."""


def seconds_since(moment: datetime | None, now: datetime) -> float | None:
    """By which a column of moments is sorted; below zero where it is still to come."""
    return None if moment is None else (now - moment).total_seconds()


def cores(amount: float | None) -> str:
    """CPU in cores: ``0``, ``0.05``, ``0.42``, ``1.5``, ``12``. At most five cells below 10,000."""
    if amount is None:
        return UNKNOWN
    if amount < 0.005:
        return "0" if amount <= 0 else "<0.01"
    if amount < 0.995:
        return f"{amount:.2f}".rstrip("0").rstrip(".")
    return f"{amount:.1f}".removesuffix(".0") if amount < 99.95 else f"{amount:.0f}"


def amount_of(resource: str, value: float) -> str:
    """An amount of a resource as a quota names it: cores, bytes or a count."""
    what = resource.rpartition(".")[2] if resource.startswith(("requests.", "limits.")) else resource
    if what == "cpu":
        return cores(value)
    if what in ("memory", "storage", "ephemeral-storage"):
        return size(value)
    return count(int(value)) if value == int(value) else f"{value:.1f}"


def share_of(part: float | None, whole: float | None) -> float | None:
    """A share, where both are known and there is something to share."""
    return part / whole if part is not None and whole else None


def share_cell(share: float | None, cells: int, *, nearly: float = NEARLY, full: float = FULL) -> Cell:
    """``████▌   71 %``: a bar of ``cells`` and the figure, coloured and with a sign where it is nearly full."""
    if share is None:
        return Cell(UNKNOWN, "muted", MISSING)
    look = level(share, nearly, full)
    look = "" if look == "ok" else look
    return Cell(line((bar(share, cells), look or "series"), (f" {percent(share):>5}", look)), "", share)


def used_cell(used: float | None, asked: float, write: Callable[[float | None], str], near: bool = False) -> Cell:
    """``0.42 of 0.5``: what is used of what was asked for; ``near``: of its limit, beyond which it would be killed."""
    if used is None and not asked:
        return Cell("", "", MISSING)
    look = "warning" if near else "muted" if used is None else ""
    of = f" of {write(asked)}" if asked else ""
    return Cell(
        line((write(used), look), (of, "muted"), (" ▲" if near else "", look)), "", MISSING if used is None else used
    )


def blind(columns: tuple[Column, ...], seen: Seen[Any], what: str) -> Section:
    """A section of a kind that cannot be seen: it says so, and never shows an empty table."""
    if seen.raw is not None and seen.raw.status == "denied":
        notice = f"{what} are denied to us; banksman doctor prints the rule that the role lacks"
        return Section(columns, (), (line((seen.raw.problem, "unknown")),), notice, state="unknown")
    if seen.absent:
        return Section(columns, (), (), f"{what}: {seen.raw.problem if seen.raw else seen.why}", "muted")
    return unknown(columns, f"{what}: {seen.why}")


def partly(why: str) -> Line:
    """What of a kind is missing, where some of it is seen."""
    return line(("? in part: ", "unknown"), (why, "unknown")) if why else ()
