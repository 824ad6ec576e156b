"""What process trees use, as the kernel counts it."""

from __future__ import annotations

import os
from pathlib import Path

_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def tree(pid: int) -> list[int]:
    """A process and all its descendants."""
    found, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        found.append(one)
        try:
            for task in os.listdir(_PROC / str(one) / "task"):  # noqa: PTH208 - names only, and often
                waiting += map(int, (_PROC / str(one) / "task" / task / "children").read_text().split())
        except OSError:
            continue  # it has just ended
    return found


def cpu_s(pids: list[int]) -> float:
    """Seconds of processor time that processes have used, with their children that ended."""
    total = 0
    for pid in pids:
        try:
            text = (_PROC / str(pid) / "stat").read_text()
        except OSError:
            continue
        fields = text.rpartition(")")[2].split()
        total += sum(map(int, fields[11:15]))
    return total / _TICKS


def resident(pids: list[int]) -> int:
    """Bytes, with what is shared counted for each: never less than ``proportional``, and cheap."""
    total = 0
    for pid in pids:
        try:
            total += int((_PROC / str(pid) / "statm").read_text().split()[1])
        except OSError:
            continue
    return total * _PAGE


def proportional(pids: list[int]) -> int:
    """Bytes, with what is shared divided among those who share it (PSS)."""
    total = 0
    for pid in pids:
        try:
            lines = (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
    return total * 1024
