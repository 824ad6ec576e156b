"""Bringing a laboratory up, taking it down, and saying how it is."""

from __future__ import annotations

from pathlib import Path

from console.lab import control, environment, health, state
from console.lab.control import Ask
from console.lab.errors import LabError
from console.lab.layout import clear, lay_out
from console.lab.ports import Reservation
from console.lab.process import identify, processes_of
from console.lab.rise import Report, Rise, await_databases, fill_databases, running, start_databases, start_load
from console.lab.rise_platform import await_platform, deploy, start_platform
from console.lab.state import Lab
from console.lab.sweep import sweep

__all__ = ["down", "running", "status", "up"]


def _quiet(_: str) -> None:
    """Report nothing."""


def _raise(rise: Rise) -> None:
    platform = rise.lab.has_platform
    rise.supervise()
    if platform:
        start_platform(rise)
    start_databases(rise)
    fill_databases(rise)
    if platform:
        deploy(rise)
    await_databases(rise)
    if platform:
        await_platform(rise)
    start_load(rise)


def up(
    directory: Path | str,
    *,
    load: float = 1.0,
    report: Report = _quiet,
    owner: int | None = None,
    platform: bool = True,
) -> Lab:
    """Bring a laboratory up, or return the one that runs there; ready when this returns.

    ``load`` scales how busy its users are (1: eight tenants, some ten requests a second at the busiest hour).
    ``owner``: pid of a process with which the laboratory is to end, however that ends; without one it stays until `down`.
    ``platform``: with Kubernetes, Traefik and the tenants' Odoo, or only databases and cache, whose users are sessions.
    What an earlier one left in the directory, run down or not, is cleared away first.

    Raises:
        LabError: It did not come up; nothing of it runs on, its files stay to be looked at.
    """
    place = Path(directory).expanduser().resolve()
    if (lab := running(place)) is not None and lab.ready_at is not None:
        report(f"the laboratory in {place} is up already")
        return lab
    if (place / state.FILE).exists():
        down(place)
    ports = Reservation()
    rise: Rise | None = None
    try:
        lab = lay_out(place, ports, load, identify(owner) if owner else None, platform=platform)
        rise = Rise(lab, ports, report)
        _raise(rise)
        environment.write(rise.lab)
        lab = control.ask(place, Ask("ready"))
        rise.line("environment", str(place / environment.FILE))
    except BaseException as problem:  # a person's ctrl+c too must leave nothing running
        if rise is not None:
            sweep(place)
        if isinstance(problem, LabError):
            raise LabError(f"{problem} (its logs are in {place})") from problem
        raise
    finally:
        ports.release()
    return lab


def down(directory: Path | str) -> bool:
    """Take a laboratory down and remove its files; False when there was none.

    Works whether or not its supervisor lives, and on a laboratory whose files are gone.
    """
    place = Path(directory).expanduser().resolve()
    ended = sweep(place)
    if (place / state.FILE).exists():
        clear(place)
        return True
    return ended > 0


def status(directory: Path | str) -> tuple[Lab, dict[str, str]]:
    """The laboratory, and part → why it is not healthy.

    Raises:
        LabError: There is none, or only what one left behind.
    """
    place = Path(directory).expanduser().resolve()
    lab = running(place)
    if lab is None:
        left = len(processes_of(place))
        state.read(place)
        raise LabError(f"the laboratory in {place} has lost its supervisor ({left} processes left): take it down")
    return lab, health.problems(lab)
