"""Bringing a laboratory up, part by part, with a line for each as it is ready."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from console.lab import control, databases, health, state, tenants
from console.lab.control import Ask
from console.lab.errors import LabError
from console.lab.ports import Reservation
from console.lab.process import MARK, alive, boot_id
from console.lab.state import Lab, Server

Report = Callable[[str], None]


def running(directory: Path) -> Lab | None:
    """The laboratory in this directory, if its supervisor lives."""
    try:
        lab = state.read(directory)
    except LabError:
        return None
    supervised = lab.supervisor is not None and lab.boot_id == boot_id() and alive(lab.supervisor)
    return lab if supervised else None


class Rise:
    """One bringing up: starts servers in their order and reports a line as each is ready."""

    def __init__(self, lab: Lab, ports: Reservation, report: Report) -> None:
        self.lab = lab
        self.ports = ports
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
            self.ports.release(*server.ports.values())
            self.lab = control.ask(self.lab.path, Ask("start", server.name))

    def line(self, name: str, text: str) -> None:
        """Report that something is ready."""
        self._report(f"{name:<12} {text:<56} {time.monotonic() - self._begun:5.1f} s")

    def ready(self, name: str, problem: Callable[[Lab], str], seconds: float, text: str) -> None:
        """Wait for a part and report it."""
        health.wait_for(lambda: problem(self.lab), seconds)
        self.line(name, text)


def _leader_missing(lab: Lab) -> str:
    rows = health.members(lab)
    leaders = [row for row in rows.values() if row["role"] == "leader" and row["state"] == "running"]
    return "" if leaders else "no primary has been elected"


def start_databases(rise: Rise) -> None:
    """Consensus, the cluster's members and the cache: until the cache has its Sentinels and the cluster a primary."""
    lab = rise.lab
    rise.start(lab.servers["etcd"])
    rise.ready("etcd", health.etcd_problem, 20, f"port {lab.servers['etcd'].ports['client']}")
    rise.start(*lab.of_kind("patroni"), *lab.of_kind("cache"))
    # Sentinel asks a primary for its replicas every ten seconds: it must find the replica at its first look.
    rise.ready("cache", health.cache_problem, 20, "the replica follows the primary")
    rise.start(*lab.of_kind("sentinel"))
    rise.ready("main", _leader_missing, 60, "a primary is elected")


def fill_databases(rise: Rise) -> None:
    """The tenants' databases, on the primary."""
    leader = health.named(rise.lab, "leader")
    databases.create(rise.lab, rise.lab.servers[leader].ports["postgres"])
    rise.line("databases", ", ".join(tenant.name for tenant in tenants.TENANTS))


def await_databases(rise: Rise) -> None:
    """Until the cluster is whole and the Sentinels agree."""
    rise.ready("main", health.postgres_problem, 90, "two standbys stream, one of them synchronous")
    for name, row in sorted(health.members(rise.lab).items()):
        rise.line(name, f"{row['role'].replace('_', ' ')}, port {row['port']}, timeline {row.get('timeline')}")
    rise.ready("sentinel", health.sentinel_problem, 40, "three, agreed on the primary")


def start_load(rise: Rise) -> None:
    """The users, until each has been served."""
    lab = rise.lab
    rise.start(lab.servers["load"])
    rise.ready("load", health.load_problem, 60, f"{len(tenants.TENANTS)} tenants and the cache, load {lab.load:g}")
