"""Every fault of the laboratory, struck and healed, as a viewer of the engine sees it (real servers, real engine)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import yaml

from console.lab.faults.base import Fault, Signs
from console.lab.faults.operate import break_, heal
from console.lab.faults.registry import FAULTS
from console.readings import PostgresMember
from tests.tools.watch import Watch, watching

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]

AS_BAD = {
    "warning": ("warning", "unknown", "critical"),
    "critical": ("critical",),
}


SOONER = {"primary-restarted": {"shown_seconds": 25}, "cache-failover": {"shown_seconds": 25}}
"""What is shown for two minutes after the platform healed itself is shown for less here: nothing else is sooner."""


@pytest.fixture
def environment(laboratory: Path, tmp_path: Path) -> Path:
    """The laboratory's environment, in which findings of the past go sooner."""
    content = yaml.safe_load((laboratory / "environment.yaml").read_text())
    file = tmp_path / "environment.yaml"
    file.write_text(yaml.safe_dump(content | {"thresholds": SOONER}))
    return file


def cases() -> list[Any]:
    """Every fault with its defaults, and every variant of it."""
    found = []
    for fault in FAULTS.values():
        found.append(pytest.param(fault, {}, id=fault.name))
        for variant in fault.variants:
            words = ",".join(f"{name}={value}" for name, value in variant.when.items())
            found.append(pytest.param(fault, variant.when, id=f"{fault.name}[{words}]"))
    return found


@pytest.mark.parametrize(("fault", "parameters"), cases())
async def test_a_fault_is_seen_for_what_it_is_and_goes_away(
    laboratory: Path, environment: Path, fault: Fault, parameters: dict[str, Any]
) -> None:
    signs = fault.expect(parameters)
    async with watching(environment) as watch:
        await watch.until(watch.calm, 180, "calm before the fault")
        watch.forget()
        try:
            struck = await asyncio.to_thread(break_, laboratory, fault.name, **parameters)
            assert struck.visible_at is not None
            await watch.until(lambda: shows(watch, signs), signs.latency_s * 4 + 30, f"{signs.findings} {signs.panes}")
            late = {
                kind: (watch.first_seen[kind] - struck.visible_at).total_seconds()
                for kind in signs.findings
                if (watch.first_seen[kind] - struck.visible_at).total_seconds() > signs.latency_s
            }
            assert not late, f"declared {signs.latency_s} s after the first effect, took {late}"
        finally:
            await asyncio.to_thread(heal, laboratory, fault.name)
        await watch.until(watch.calm, signs.lingers_s + 90, "calm after healing")
        undeclared = set(watch.first_seen) - set(signs.findings) - set(signs.allowed)
        assert not undeclared, f"undeclared: {[each.title for each in watch.seen.values() if each.kind in undeclared]}"
        for finding in watch.seen.values():
            assert finding.impact, f"{finding.id} does not say what users feel"
            assert finding.action, f"{finding.id} does not say what to do"
            assert finding.evidence, f"{finding.id} has no evidence"


def shows(watch: Watch, signs: Signs) -> bool:
    """Whether everything declared has been shown since the fault."""
    return set(signs.findings) <= set(watch.first_seen) and all(
        any((pane, state) in watch.reached for state in AS_BAD[bad]) for pane, bad in signs.panes.items()
    )


async def test_frozen_patroni_names_both_members_out_of_recovery(laboratory: Path, environment: Path) -> None:
    async with watching(environment) as watch:
        await watch.until(watch.calm, 180, "calm before the fault")
        try:
            await asyncio.to_thread(break_, laboratory, "freeze-patroni")
            await watch.until(lambda: "two-primaries" in watch.kinds(), 60, "two-primaries")
            found = next(each for each in watch.board.findings if each.kind == "two-primaries")
            writable = {reading.member for reading in watch.board.every(PostgresMember) if reading.in_recovery is False}
            assert len(writable) == 2
            said = " ".join(
                [found.title, *(item.value for item in found.evidence), *(item.what for item in found.evidence)]
            )
            assert all(member in said for member in writable), said
            assert watch.board.findings[0].kind == "two-primaries", "the loudest comes first"
        finally:
            await asyncio.to_thread(heal, laboratory, "freeze-patroni")
        await watch.until(watch.calm, 180, "calm after healing")
