"""One test for every fault: struck and healed in a laboratory, as a viewer of the engine sees it (real servers, real engine)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from console.lab.faults.base import Active, Fault, Signs
from console.lab.faults.operate import break_, heal
from console.lab.faults.registry import FAULTS
from console.lab.tenants import TENANTS
from tests.tools.watch import Watch, watching

EVERYBODY = [tenant.name for tenant in TENANTS]
AS_BAD = {
    "warning": ("warning", "unknown", "critical"),
    "critical": ("critical",),
}
SOONER = {
    "primary-restarted": {"shown_seconds": 25},
    "cache-failover": {"shown_seconds": 25},
    "worker-killed": {"shown_seconds": 25},
}
"""What is shown for minutes after the platform healed itself is shown for less here: nothing else is sooner."""


def environment_of(laboratory: Path, folder: Path) -> Path:
    """The laboratory's environment, in which findings of the past go sooner."""
    content = yaml.safe_load((laboratory / "environment.yaml").read_text())
    file = folder / "environment.yaml"
    file.write_text(yaml.safe_dump(content | {"thresholds": SOONER}))
    return file


def cases(faults: Iterable[Fault], quick: frozenset[str] = frozenset(FAULTS)) -> list[Any]:
    """Every fault with its defaults, and every variant of it; all but the ``quick`` ones run under `make matrix`."""
    found = []
    for fault in faults:
        each: list[dict[str, Any]] = [{}, *(variant.when for variant in fault.variants)]
        for parameters in each:
            words = ",".join(f"{name}={value}" for name, value in parameters.items())
            ident = f"{fault.name}[{words}]" if words else fault.name
            marks = [] if ident in quick else [pytest.mark.matrix]
            found.append(pytest.param(fault, parameters, id=ident, marks=marks))
    return found


async def seen_for_what_it_is(laboratory: Path, folder: Path, fault: Fault, parameters: dict[str, Any]) -> None:
    """Strike a fault, see all that it declares, and nothing else; heal it, and see that all of it goes."""
    signs = fault.expect(parameters)
    async with watching(environment_of(laboratory, folder)) as watch:
        await watch.until(watch.calm, 180, "calm before the fault")
        watch.forget()
        try:
            struck = await asyncio.to_thread(break_, laboratory, fault.name, **parameters)
            assert struck.visible_at is not None
            felt = signs.felt_by(struck, EVERYBODY)
            await watch.until(
                lambda: shows(watch, signs, felt),
                signs.latency_s * 4 + 30,
                f"{signs.findings} {signs.panes} felt by {sorted(felt)}, shown as felt by {sorted(named(watch, signs))}",
            )
            assert not (late := _late(watch, signs, struck.visible_at)), f"declared {signs.latency_s} s, took {late}"
        finally:
            await asyncio.to_thread(heal, laboratory, fault.name)
        await watch.until(watch.calm, signs.lingers_s + 90, "calm after healing")
        _compare(watch, signs, struck)


def _compare(watch: Watch, signs: Signs, struck: Active) -> None:
    """Nothing undeclared was found, nobody was named who feels nothing, and each finding is complete."""
    undeclared = set(watch.first_seen) - set(signs.findings) - set(signs.allowed)
    assert not undeclared, f"undeclared: {[each.title for each in watch.seen.values() if each.kind in undeclared]}"
    felt = signs.felt_by(struck, EVERYBODY)
    for finding in watch.seen.values():
        assert finding.impact, f"{finding.id} does not say what users feel"
        assert finding.action, f"{finding.id} does not say what to do"
        assert finding.evidence, f"{finding.id} has no evidence"
        if finding.kind in signs.findings:
            assert set(finding.tenants) <= felt, f"{finding.id} names {finding.tenants}; it is felt by {sorted(felt)}"
    for kind in signs.findings:
        scopes = {finding.scope for finding in watch.seen.values() if finding.kind == kind}
        right = scopes == {"tenant"} if signs.scope == "tenant" else "platform" in scopes
        assert right, f"{kind} is about {scopes}, not {signs.scope}"


def shows(watch: Watch, signs: Signs, felt: set[str]) -> bool:
    """Whether everything declared has been shown since the fault."""
    return (
        set(signs.findings) <= set(watch.first_seen)
        and all(any((pane, state) in watch.reached for state in AS_BAD[bad]) for pane, bad in signs.panes.items())
        and felt <= named(watch, signs)
        # What tenants share may be told of each before it is told of all.
        and (signs.scope == "tenant" or set(signs.findings) <= _of_the_platform(watch))
    )


def _of_the_platform(watch: Watch) -> set[str]:
    """Kinds of the findings about the platform."""
    return {finding.kind for finding in watch.seen.values() if finding.scope == "platform"}


def named(watch: Watch, signs: Signs) -> set[str]:
    """Tenants that the fault's findings name together."""
    return {tenant for finding in watch.seen.values() if finding.kind in signs.findings for tenant in finding.tenants}


def _late(watch: Watch, signs: Signs, visible_at: datetime) -> dict[str, float]:
    """Findings that took longer than declared, with their seconds."""
    took = {kind: (watch.first_seen[kind] - visible_at).total_seconds() for kind in signs.findings}
    return {kind: seconds for kind, seconds in took.items() if seconds > signs.latency_s}
