"""An hour of ordinary load: no finding, nothing stale, nothing that grows. ``BANKSMAN_SOAK_S`` shortens a trial."""

from __future__ import annotations

import asyncio
import os
import statistics
from pathlib import Path

import psutil
import pytest

from tests.tools.watch import Watch, watching

pytestmark = [pytest.mark.lab, pytest.mark.soak]

SECONDS = float(os.environ.get("BANKSMAN_SOAK_S", "3600"))
SETTLE_S = min(300.0, SECONDS / 4)
"""Rings fill, caches warm: growth is judged from here on."""


async def test_an_hour_of_ordinary_load_raises_nothing(laboratory: Path) -> None:
    async with watching(laboratory / "environment.yaml") as watch:
        await watch.until(watch.calm, 180, "calm at the start")
        watch.forget()
        about = watch.board.environment
        assert about is not None
        engine = psutil.Process(about.engine_pid)
        cpu_before = engine.cpu_times()
        samples: list[tuple[float, int, int]] = []
        not_ok: list[str] = []
        loop = asyncio.get_running_loop()
        begun = loop.time()
        while (spent := loop.time() - begun) < SECONDS:
            await asyncio.sleep(5)
            note_trouble(watch, spent, not_ok)
            if spent > SETTLE_S:
                samples.append((engine.memory_info().rss / 1e6, engine.num_threads(), engine.num_fds()))
        cpu = engine.cpu_times()
        percent = (cpu.user + cpu.system - cpu_before.user - cpu_before.system) / SECONDS * 100
        third = max(1, len(samples) // 3)
        first, last = samples[:third], samples[-third:]
        report = [
            f"{name}: {statistics.median(s[index] for s in first):.1f} → {statistics.median(s[index] for s in last):.1f}"
            for index, name in enumerate(("RSS, MB", "threads", "descriptors"))
        ]
        print(f"\n{SECONDS:.0f} s of watching; engine {percent:.1f} % of a core; {'; '.join(report)}")
        assert engine.is_running(), "the same engine to the end"
        assert not watch.seen, [f"{each.title}: {each.evidence}" for each in watch.seen.values()]
        assert not not_ok, not_ok
        assert statistics.median(s[0] for s in last) < statistics.median(s[0] for s in first) * 1.1 + 2, "memory grows"
        assert statistics.median(s[1] for s in last) <= statistics.median(s[1] for s in first) + 1, "threads grow"
        assert statistics.median(s[2] for s in last) <= statistics.median(s[2] for s in first) + 3, "descriptors grow"


def note_trouble(watch: Watch, spent: float, not_ok: list[str]) -> None:
    """A pane that is not ok at this moment."""
    not_ok += [
        f"after {spent:.0f} s: {name} {pane.state}: {pane.why}"
        for name, pane in watch.panes().items()
        if pane.state != "ok"
    ]
