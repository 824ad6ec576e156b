"""Faults of Kubernetes, Traefik and the tenants' Odoo, in a whole laboratory. The slow ones run under `make matrix`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from console.lab.faults.base import Fault
from console.lab.faults.registry import FAULTS
from tests.lab.fault_cases import cases, seen_for_what_it_is

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

QUICK = frozenset(
    {"node-pressure", "crash-loop", "image-unpullable", "node-not-ready", "middleware-missing", "mail-refused"}
)


@pytest.mark.parametrize(
    ("fault", "parameters"), cases((each for each in FAULTS.values() if each.needs_platform), QUICK)
)
async def test_a_fault_is_seen_for_what_it_is_and_goes_away(
    laboratory: Path, tmp_path: Path, fault: Fault, parameters: dict[str, Any]
) -> None:
    await seen_for_what_it_is(laboratory, tmp_path, fault, parameters)
