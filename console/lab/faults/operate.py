"""Breaking a laboratory and healing it."""

from __future__ import annotations

import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from console.lab import health, state
from console.lab.control import Ask, ask
from console.lab.errors import LabError
from console.lab.faults.base import Active, Stroke, Value
from console.lab.faults.registry import find
from console.lab.lifecycle import running
from console.lab.platform import control as platform_control
from console.lab.process import processes_of, send, stopped
from console.lab.state import Lab

FILE = "faults.json"
_HEALTHY_WITHIN_S = 150.0


def active(directory: Path) -> dict[str, Active]:
    """Faults that have been struck and not been healed, in the order in which they were."""
    try:
        return msgspec.json.decode((directory / FILE).read_bytes(), type=dict[str, Active])
    except FileNotFoundError:
        return {}


def _record(directory: Path, faults: dict[str, Active]) -> None:
    state.write_file(directory / FILE, msgspec.json.encode(faults))


@contextmanager
def _alone(directory: Path) -> Iterator[Lab]:
    """The running laboratory, with nobody else breaking or healing it meanwhile."""
    lab = running(directory)
    if lab is None:
        raise LabError(f"no laboratory runs in {directory}")
    handle = os.open(directory / "faults.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield lab
    finally:
        os.close(handle)


def break_(directory: Path | str, name: str, **parameters: Value) -> Active:
    """Strike a fault and wait until its effect can be seen in the servers themselves.

    Raises:
        LabError: There is no such fault or parameter, it is struck already, or no effect came of it.
    """
    place = Path(directory).expanduser().resolve()
    fault, deed = find(name)
    with _alone(place) as lab:
        if fault.needs_platform and not lab.has_platform:
            raise LabError(f"{name} breaks what this laboratory does not have: bring it up whole, with its platform")
        if name in active(place):
            raise LabError(f"{name} is struck already: heal it first")
        stroke = Stroke(lab, fault.complete(parameters))
        one = Active(name=name, parameters=stroke.parameters, notes=stroke.notes, began_at=datetime.now(UTC))
        try:
            deed.strike(stroke)
        finally:  # whatever it did before it failed can be mended
            _record(place, active(place) | {name: one})
        health.wait_for(
            lambda: "" if deed.visible(stroke) else f"{name} shows no effect", deed.visible_within_s, every=0.05
        )
        one = msgspec.structs.replace(one, visible_at=datetime.now(UTC))
        _record(place, active(place) | {name: one})
    return one


def heal(directory: Path | str, *names: str) -> float:
    """Mend these faults, or all, and wait until the laboratory is healthy; returns how long that took, in seconds.

    Without names it also lets go of whatever is held or stopped, on record or not.

    Raises:
        LabError: It does not get healthy within 150 s.
    """
    place = Path(directory).expanduser().resolve()
    begun = time.monotonic()
    with _alone(place) as lab:
        struck = active(place)
        for name in reversed(names or tuple(struck)):
            _, deed = find(name)
            if one := struck.get(name):
                deed.mend(Stroke(lab, one.parameters, dict(one.notes)))
                _record(place, struck := {key: each for key, each in struck.items() if key != name})
        if not names:
            _let_go(place)
        if not struck:
            health.wait_for(lambda: _first_problem(place), _HEALTHY_WITHIN_S)
    return time.monotonic() - begun


def _let_go(place: Path) -> None:
    lab = state.read(place)
    for process in processes_of(place):
        if stopped(process):
            send(process, signal.SIGCONT)
    for server in lab.servers.values():
        if server.kind == "worker":
            ask(place, Ask("remove", server.name))
        elif server.condition == "held":
            ask(place, Ask("release", server.name))
    if lab.has_platform:
        platform_control.restore(place)


def _first_problem(place: Path) -> str:
    return next(iter(health.problems(state.read(place)).values()), "")
