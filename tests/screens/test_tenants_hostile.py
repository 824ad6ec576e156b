"""Text from tenants, as hostile as it comes: names of jobs, reasons of mail, lines of a log, rules of routers."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from console.board import Board
from console.clients.clean import clean
from console.readings import Environment, Findings
from console.readings.odoo import OdooDatabase, OdooFiles, OdooLog, OdooPages
from console.readings.traefik import TraefikConfig
from screens.tenant_detail import column, detail
from screens.tenant_group import tenants
from screens.view import View
from tests.screens.boards import NOW, SCENARIOS
from tests.screens.conftest import console_on
from tests.screens.test_hostile import WORST
from tests.tools.hostile import HOSTILE as THOUSAND
from tests.widgets.test_spans import HOSTILE
from widgets.spans import text_of, width


def hostile_tenants(text: str) -> Board:
    """The broken board, on which everything that comes from outside reads ``text``."""
    board = SCENARIOS["tenants-broken"](NOW)
    change = msgspec.structs.replace
    for reading in list(board):
        fields: dict[str, Any] = {}
        if isinstance(reading, Environment):
            fields["applications"] = {
                name: change(each, label=text, hosts=(text, *each.hosts)) for name, each in reading.applications.items()
            }
        elif isinstance(reading, Findings):
            fields["rows"] = {
                key: change(row, title=text, impact=text, action=text) for key, row in reading.rows.items()
            }
        elif isinstance(reading, OdooDatabase):
            fields |= {
                "crons": {key: change(row, name=text, every=text) for key, row in reading.crons.items()},
                "channels": {key: change(row, name=text) for key, row in reading.channels.items()},
                "failed_jobs": {key: change(row, function=text, error=text, message=text) for key, row in reading.failed_jobs.items()},
                "modules": {key: change(row, name=text, state=text) for key, row in reading.modules.items()},
                "untold": {text: text},
                "version": text,
            }  # fmt: skip
            if reading.mail is not None:
                reasons = {key: change(row, reason=text) for key, row in reading.mail.reasons.items()}
                fields["mail"] = change(reading.mail, reasons=reasons)
        elif isinstance(reading, OdooFiles):
            fields |= {"examples": {text: text}, "by_store": {text: 5}}
        elif isinstance(reading, OdooPages):
            fields |= {"steps": {**{key: change(row, problem=text) for key, row in reading.steps.items()}, text: next(iter(reading.steps.values()), None)} if reading.steps else {}, "url": text}  # fmt: skip
        elif isinstance(reading, OdooLog):
            fields["events"] = {
                key: change(row, what=text, subject=text, message=text) for key, row in reading.events.items()
            }
        elif isinstance(reading, TraefikConfig):
            fields["routers"] = {
                key: change(row, rule=text, problems=(text,), state=text) for key, row in reading.routers.items()
            }
        if fields:
            board.put(change(reading, **fields))
    return board


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(HOSTILE, st.sampled_from([(200, 30), (120, 20), (80, 11), (40, 6)]))
def test_a_tenant_keeps_within_its_room(text: str, size: tuple[int, int]) -> None:
    cells, room = size
    for tenant in tenants(View(hostile_tenants(text), NOW))[:3]:
        for drawn in (detail(tenant, None, NOW, cells, room), column(tenant, None, NOW, cells, room)):
            assert len(drawn) <= room
            for row in drawn:
                assert width(row) == cell_len(text_of(row)) <= cells
                assert text_of(row).isprintable() or not text_of(row)


@pytest.mark.parametrize("text", WORST[:4], ids=range(4))
async def test_nothing_acts(text: str) -> None:
    size = (100, 30)
    app = console_on(hostile_tenants(text))
    async with app.run_test(size=size) as pilot:
        await pilot.press("7")
        for keys in (["enter"], ["right", "right"], ["right", "right"], ["left"] * 6, ["d"], ["escape", "escape", "1"]):
            await pilot.press(*keys)
            await pilot.pause()
            assert [len(row) for row in app._painter._wanted] == [size[0]] * size[1]
            assert "".join(cell.text for row in app._painter._wanted for cell in row).isprintable()
            assert not app._exit


@pytest.mark.parametrize(
    "texts",
    [pytest.param(THOUSAND[::25], id="forty"), pytest.param(THOUSAND, id="a thousand", marks=pytest.mark.matrix)],
)
@pytest.mark.parametrize("keys", [["7"], ["7", "enter", "right", "right"]], ids="-".join)
async def test_all_of_them(keys: list[str], texts: list[str]) -> None:
    size = (100, 30)
    app = console_on(hostile_tenants("x"))
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await pilot.press(*keys)
        for text in texts:
            for reading in hostile_tenants(clean(text, 10_000)):
                app.feed.board.put(reading)
            app.tick()
            await pilot.pause()
            wanted = app._painter._wanted
            assert [len(row) for row in wanted] == [size[0]] * size[1], text
            assert "".join(cell.text for row in wanted for cell in row).isprintable(), text
        assert not app._exit
        assert app._exception is None
