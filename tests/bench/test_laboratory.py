"""What the laboratory costs while its users go about their day, by program. Prints a table."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from console.lab.process import Identity, command_line, processes_of

pytestmark = [pytest.mark.lab, pytest.mark.bench, pytest.mark.timeout(600)]

_SECONDS = 60.0
_MOST_PERCENT = 15.0
_MOST_BYTES = 1.5 * 2**30
_PROGRAMS = ("lab.odoo", "lab.platform", "lab.load", "lab.supervisor", "lab.mailsink", "traefik", "patroni", "etcd")


def _program(title: str) -> str:
    if title.startswith("postgres") or "pginstall" in title:
        return "postgres"
    if "valkey" in title:
        return "sentinel" if "sentinel" in title else "valkey"
    return next((name for name in _PROGRAMS if name in title), title[:30])


def _used(directory: Path) -> dict[Identity, tuple[str, float]]:
    """Each process's program, and its processor seconds with those of children that have ended."""
    found = {}
    for process in processes_of(directory):
        try:
            times = psutil.Process(process.pid).cpu_times()
        except psutil.NoSuchProcess:
            continue
        spent = times.user + times.system + times.children_user + times.children_system
        found[process] = (_program(command_line(process)), spent)
    return found


def test_the_laboratory_is_light(laboratory: Path) -> None:
    """Processor time is counted, not waited for: others on the machine hardly change it."""
    before, begun = _used(laboratory), time.monotonic()
    time.sleep(_SECONDS)  # the window that is measured
    after, lasted = _used(laboratory), time.monotonic() - begun
    seconds, memory, count = Counter[str](), Counter[str](), Counter[str]()
    for process, (program, spent) in after.items():
        seconds[program] += max(spent - before.get(process, (program, 0.0))[1], 0.0)
        count[program] += 1
        try:
            memory[program] += psutil.Process(process.pid).memory_full_info().pss
        except psutil.NoSuchProcess:
            continue
    print("\n\n| program (processes) | of a core | memory |\n|---|--:|--:|")
    for program, spent in seconds.most_common():
        print(f"| {program} ({count[program]}) | {spent / lasted:.1%} | {memory[program] / 2**20:.0f} MB |")
    percent, total = seconds.total() / lasted * 100, memory.total()
    print(f"| all ({count.total()}) | {percent:.1f}% | {total / 2**20:.0f} MB |")
    assert percent < _MOST_PERCENT
    assert total < _MOST_BYTES
