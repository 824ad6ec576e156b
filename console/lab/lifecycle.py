"""Bringing a laboratory up, taking it down, and saying how it is."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from console.lab import control, environment, health, state, tenants
from console.lab.control import Ask
from console.lab.errors import LabError
from console.lab.layout import clear, lay_out
from console.lab.ports import Reservation
from console.lab.process import MARK, alive, boot_id, identify, processes_of
from console.lab.state import Lab, Server
from console.lab.sweep import sweep

Report = Callable[[str], None]


def _quiet(_: str) -> None:
    """Report nothing."""


def running(directory: Path) -> Lab | None:
    """The laboratory in this directory, if its supervisor lives."""
    try:
        lab = state.read(directory)
    except LabError:
        return None
    supervised = lab.supervisor is not None and lab.boot_id == boot_id() and alive(lab.supervisor)
    return lab if supervised else None


class _Rise:
    """One bringing up: starts servers in their order and reports a line as each is ready."""

    def __init__(self, lab: Lab, ports: Reservation, report: Report) -> None:
        self.lab = lab
        self._ports = ports
        self._report = report
        self._begun = time.monotonic()

    def supervise(self) -> None:
        """Start the supervisor, detached from this terminal."""
        with (self.lab.path / "supervisor.log").open("ab") as log:
            subprocess.Popen(
                [sys.executable, "-m", "console.lab.supervisor", self.lab.directory],
                cwd=self.lab.directory,
                env=os.environ | {MARK: self.lab.directory},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        health.wait_for(lambda: "" if running(self.lab.path) else "the supervisor has not started", 20, every=0.02)

    def start(self, *servers: Server) -> None:
        """Start these."""
        for server in servers:
            self._ports.release(*server.ports.values())
            self.lab = control.ask(self.lab.path, Ask("start", server.name))

    def line(self, name: str, text: str) -> None:
        """Report that something is ready."""
        self._report(f"{name:<12} {text:<52} {time.monotonic() - self._begun:5.1f} s")

    def ready(self, name: str, problem: Callable[[Lab], str], seconds: float, text: str) -> None:
        """Wait for a part and report it."""
        health.wait_for(lambda: problem(self.lab), seconds)
        self.line(name, text)


def _cluster(rise: _Rise) -> None:
    rise.ready("main", _leader_missing, 60, "a primary is elected")
    lab = rise.lab
    leader = health.named(lab, "leader")
    passwords = {name: lab.secret(name) for name in (tenants.MONITOR, *(tenant.name for tenant in tenants.TENANTS))}
    tenants.create(lab.servers[leader].ports["postgres"], lab.secret("postgres"), passwords)
    rise.line("databases", ", ".join(tenant.name for tenant in tenants.TENANTS))
    rise.ready("main", health.postgres_problem, 90, "two standbys stream, one of them synchronous")
    for name, row in sorted(health.members(lab).items()):
        rise.line(name, f"{row['role'].replace('_', ' ')}, port {row['port']}, timeline {row.get('timeline')}")


def _leader_missing(lab: Lab) -> str:
    rows = health.members(lab)
    leaders = [row for row in rows.values() if row["role"] == "leader" and row["state"] == "running"]
    return "" if leaders else "no primary has been elected"


def _raise(rise: _Rise) -> None:
    lab = rise.lab
    rise.supervise()
    rise.start(lab.servers["etcd"])
    rise.ready("etcd", health.etcd_problem, 20, f"port {lab.servers['etcd'].ports['client']}")
    rise.start(*lab.of_kind("patroni"), *lab.of_kind("cache"))
    # Sentinel asks a primary for its replicas every ten seconds: it must find the replica at its first look.
    rise.ready("cache", health.cache_problem, 20, "the replica follows the primary")
    rise.start(*lab.of_kind("sentinel"))
    _cluster(rise)
    rise.ready("sentinel", health.sentinel_problem, 40, "three, agreed on the primary")
    rise.start(lab.servers["load"])
    rise.ready("load", health.load_problem, 40, f"{len(tenants.TENANTS)} tenants and the cache, load {lab.load:g}")


def up(directory: Path | str, *, load: float = 1.0, report: Report = _quiet, owner: int | None = None) -> Lab:
    """Bring a laboratory up, or return the one that runs there; ready when this returns.

    ``load`` scales how busy its users are (1: six tenants, some ten transactions a second at the busiest hour).
    ``owner``: pid of a process with which the laboratory is to end, however that ends; without one it stays until `down`.
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
    rise: _Rise | None = None
    try:
        rise = _Rise(lay_out(place, ports, load, identify(owner) if owner else None), ports, report)
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
