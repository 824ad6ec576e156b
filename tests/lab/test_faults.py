"""Faults of databases and cache, in a laboratory of these alone; in a whole one they are under `make matrix`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from console.lab.faults.base import Fault
from console.lab.faults.operate import break_, heal
from console.lab.faults.registry import FAULTS
from console.readings import PostgresMember
from tests.lab.fault_cases import cases, environment_of, seen_for_what_it_is
from tests.tools.watch import watching

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]

QUICK = frozenset(
    {
        "kill-primary[with_patroni=True]", "hang-standby", "lag", "etcd-down", "lock-storm", "connection-flood",
        "cache-full", "cache-primary-killed",
    }
)  # fmt: skip


@pytest.mark.parametrize(
    ("fault", "parameters"),
    [case for case in cases((each for each in FAULTS.values() if not each.needs_platform), QUICK) if case.id in QUICK],
)
async def test_a_fault_is_seen_for_what_it_is_and_goes_away(
    database_laboratory: Path, tmp_path: Path, fault: Fault, parameters: dict[str, Any]
) -> None:
    await seen_for_what_it_is(database_laboratory, tmp_path, fault, parameters)


@pytest.mark.matrix
@pytest.mark.parametrize(("fault", "parameters"), cases(each for each in FAULTS.values() if not each.needs_platform))
async def test_a_fault_below_tenants_is_seen_for_what_it_is_and_goes_away(
    laboratory: Path, tmp_path: Path, fault: Fault, parameters: dict[str, Any]
) -> None:
    await seen_for_what_it_is(laboratory, tmp_path, fault, parameters)


async def test_frozen_patroni_names_both_members_out_of_recovery(database_laboratory: Path, tmp_path: Path) -> None:
    async with watching(environment_of(database_laboratory, tmp_path)) as watch:
        await watch.until(watch.calm, 180, "calm before the fault")
        try:
            await asyncio.to_thread(break_, database_laboratory, "freeze-patroni")
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
            await asyncio.to_thread(heal, database_laboratory, "freeze-patroni")
        await watch.until(watch.calm, 180, "calm after healing")
