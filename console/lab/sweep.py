"""Ending everything that belongs to a laboratory, whether or not its supervisor still lives."""

from __future__ import annotations

import ctypes
import signal
from pathlib import Path

from console.lab.process import Identity, command_line, postmaster, processes_of, send, wait_gone

_GENTLE_S = 3.0
_IPC_RMID = 0
_STARTERS = ("console.lab.supervisor", "console.lab.platform", "patroni")


def shared_memory_ids(directory: Path) -> list[int]:
    """System V segments that PostgreSQL servers below this directory made: a killed postmaster leaves its own behind."""
    found = []
    for file in directory.glob("*/data/postmaster.pid"):
        lines = file.read_text().splitlines()
        if len(lines) > 6 and len(words := lines[6].split()) == 2:
            found.append(int(words[1]))
    return found


def _remove_shared_memory(segments: list[int]) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    for segment in segments:
        libc.shmctl(segment, _IPC_RMID, None)  # gone already is as good


def sweep(directory: Path, but: set[Identity] | None = None) -> int:
    """End every process of the laboratory in this directory; returns how many there were.

    First those that would start others again, then PostgreSQL by its immediate shutdown, the rest by SIGTERM, and after
    three seconds SIGKILL.
    """
    but = but or set()
    found = [process for process in processes_of(directory) if process not in but]
    segments = shared_memory_ids(directory)
    titles = {process: command_line(process) for process in found}
    for process, title in titles.items():
        if any(each in title for each in _STARTERS):
            send(process, signal.SIGKILL)
    masters = [main for data in directory.glob("*/data") if (main := postmaster(data))]
    for process in found:
        send(process, signal.SIGCONT)
    for process in found:
        if process in masters:
            send(process, signal.SIGQUIT)
        elif not titles[process].startswith("postgres:"):
            send(process, signal.SIGTERM)
    wait_gone(found, _GENTLE_S)
    for _ in range(50):  # what was being started meanwhile, too
        left = [process for process in processes_of(directory) if process not in but]
        if not left:
            break
        for process in left:
            send(process, signal.SIGKILL)
        wait_gone(left, 1.0)
    _remove_shared_memory(segments)
    return len(found)
