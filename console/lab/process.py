"""Processes of a laboratory: their identity, and signals that cannot hit somebody else's.

A pid alone is no identity, because the kernel gives it out again. Here a process is a pid with the clock tick at which it
started. Every process that the supervisor starts carries the laboratory's directory in its environment; the processes of
PostgreSQL and Valkey overwrite it with their title, so they are known by their binary and their working directory.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

MARK = "BANKSMAN_LAB"
"""Environment variable that names the laboratory's directory in each of its processes."""

_PROC = Path("/proc")
_TITLED = frozenset({"postgres", "valkey-server"})
"""Programs that write their title over their environment."""


class Identity(msgspec.Struct, frozen=True):
    """One process, for as long as this machine runs."""

    pid: int
    started: int
    """Clock ticks after boot at which it started."""


def boot_id() -> str:
    """Changes when the machine is started anew: pids from before mean nothing after."""
    return (_PROC / "sys/kernel/random/boot_id").read_text().strip()


def _stat(pid: int) -> list[str] | None:
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    return text.rpartition(")")[2].split()  # the name before it may hold blanks and brackets


def identify(pid: int) -> Identity | None:
    """The process that has this pid now; None when there is none, or a zombie."""
    fields = _stat(pid)
    if fields is None or fields[0] in "ZX":
        return None
    return Identity(pid, int(fields[19]))


def alive(process: Identity) -> bool:
    """Whether this very process still runs (stopped counts as running)."""
    return identify(process.pid) == process


def stopped(process: Identity) -> bool:
    """Whether it stands still after SIGSTOP."""
    fields = _stat(process.pid)
    return fields is not None and fields[0] in "Tt"


def send(process: Identity, number: signal.Signals) -> bool:
    """Send a signal to this very process; False when it is gone."""
    try:
        handle = os.pidfd_open(process.pid)
    except (ProcessLookupError, OSError):
        return False
    try:
        if identify(process.pid) != process:
            return False
        signal.pidfd_send_signal(handle, number)
    except ProcessLookupError:
        return False
    finally:
        os.close(handle)
    return True


def wait_gone(processes: Iterable[Identity], seconds: float) -> list[Identity]:
    """Wait until all are gone; return those that still run after so many seconds."""
    left = list(processes)
    end = time.monotonic() + seconds
    while left and time.monotonic() < end:
        left = [process for process in left if alive(process)]
        if left:
            time.sleep(0.02)
    return [process for process in left if alive(process)]


def _pids() -> Iterator[int]:
    for entry in os.scandir(_PROC):
        if entry.name.isdigit():
            yield int(entry.name)


def _is_titled_under(pid: int, directory: Path) -> bool:
    with contextlib.suppress(OSError):
        binary = (_PROC / str(pid) / "exe").readlink()
        if binary.name.removesuffix(" (deleted)") in _TITLED:
            home = str((_PROC / str(pid) / "cwd").readlink()).removesuffix(" (deleted)")
            return Path(home).is_relative_to(directory)
    return False


def _is_marked(pid: int, mark: bytes) -> bool:
    with contextlib.suppress(OSError):
        return mark in (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    return False


def command_line(process: Identity) -> str:
    """Its command line; for PostgreSQL's processes the title that says what each is for."""
    with contextlib.suppress(OSError):
        return (_PROC / str(process.pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    return ""


def postgres_processes(data_directory: Path) -> list[Identity]:
    """All processes of the PostgreSQL server on this data directory: postmaster, backends, helpers."""
    return [found for pid in _pids() if _is_titled_under(pid, data_directory) and (found := identify(pid))]


def postmaster(data_directory: Path) -> Identity | None:
    """The server's first process, from ``postmaster.pid``; None when it does not run."""
    try:
        pid = int((data_directory / "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None
    return identify(pid) if _is_titled_under(pid, data_directory) else None


def processes_of(directory: Path) -> list[Identity]:
    """Every process that belongs to the laboratory in this directory, whoever its parent is now."""
    mark = f"{MARK}={directory}".encode()
    own = os.getpid()
    return [
        found
        for pid in _pids()
        if pid != own
        and (_is_marked(pid, mark) or _is_titled_under(pid, directory))
        and (found := identify(pid)) is not None
    ]
