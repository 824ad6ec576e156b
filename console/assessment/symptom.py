"""What a finding's function says after one look, and the register of kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from console.readings import Address, Evidence, Pane, Reading
from console.readings.finding import Scope, Severity

if TYPE_CHECKING:
    from console.assessment.look import Look


class Symptom(msgspec.Struct, frozen=True, kw_only=True):
    """It is bad, as far as this look tells. The keeper decides when that becomes a finding."""

    subject: str
    severity: Severity
    title: str
    impact: str
    action: str
    stands_on: tuple[Reading, ...]
    """The readings it was concluded from: it opens when each of them was bad often enough."""
    loudest: bool = False
    """Comes before every other critical one, whatever explains it."""
    since: datetime | None = None
    """The problem's own beginning where the system tells it."""
    affects: tuple[str, ...] = ()
    scope: Scope = "platform"
    """``tenant``: it is about what belongs to tenants, and others do not feel it."""
    tenants: tuple[str, ...] = ()
    """Names of the tenants that feel it, worst first (see ``people``); empty: those that ``affects`` names."""
    evidence: tuple[Evidence, ...] = ()
    causes: tuple[str, ...] = ()
    """Ids of findings that would explain it, the most probable first."""
    hidden_by: tuple[str, ...] = ()
    """Ids of findings beside which it says nothing new."""
    covers: tuple[Address, ...] = ()
    """Addresses that cannot be read because of this: what stood on them is explained by it."""
    after_s: float = 0.0
    """Opens only when it has lasted so long, by its own beginning: shorter is a switchover or a restart."""
    settle_s: float = 0.0
    """Kept back so long after what hid it has gone: what is left of a bigger problem goes with it a little later."""


class Clear(msgspec.Struct, frozen=True, kw_only=True):
    """It is good, and these readings say so, whatever it stood on before (a role that moved to another server).

    Without any reading: it cannot be told this time, though what it stands on can be read.
    """

    subject: str
    stands_on: tuple[Reading, ...]


Said = Iterable[Symptom | Clear]
Judge = Callable[["Look"], Said]


class Kind(NamedTuple):
    """One kind of finding: its name is also that of its thresholds and of its runbook."""

    name: str
    pane: Pane
    thresholds: tuple[str, ...]
    judge: Judge


_KINDS: dict[str, Kind] = {}


def kind(name: str, pane: Pane, *thresholds: str) -> Callable[[Judge], Judge]:
    """Register a function as the judge of a kind, with the thresholds that it asks for."""

    def register(judge: Judge) -> Judge:
        if name in _KINDS:
            raise ValueError(f"finding kind {name} declared twice")
        _KINDS[name] = Kind(name, pane, thresholds, judge)
        return judge

    return register


def registered() -> dict[str, Kind]:
    """Every kind that was registered so far, by name."""
    return dict(_KINDS)
