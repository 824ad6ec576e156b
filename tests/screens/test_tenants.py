"""The tenants screen by its keys, on scripted boards: who hurts, why, and never a number that is not known."""

from __future__ import annotations

import msgspec
import pytest

from console.readings import Findings
from console.readings.odoo import OdooDatabase, OdooFiles, OdooPages, OdooStep
from screens.tenant import TABS, TenantScreen
from screens.tenants import TenantsScreen
from tests.screens.board_ground import change, finding, findings
from tests.screens.board_tenants import NAMES
from tests.screens.boards import NOW, SCENARIOS
from tests.screens.conftest import Console, Opened

SIZES = [(200, 50), (120, 35), (80, 24)]
SMALL = (80, 24)


def screen_of(app: Console) -> TenantsScreen:
    assert isinstance(app.screen, TenantsScreen)
    return app.screen


def row_of(app: Console, tenant: str) -> str:
    """The row of a tenant in the table."""
    return next(row for row in app.text() if row[5:].startswith(tenant + " "))


@pytest.mark.parametrize("size", SIZES)
async def test_who_hurts_and_why_at_every_size(opened: Opened, size: tuple[int, int]) -> None:
    async with opened("tenants-broken", size=size) as (app, pilot):
        await pilot.press("7")
        await pilot.pause()
        assert screen_of(app).table.keys[:4] == ["acme", "fjord", "bauhof", "cobalt"], "the worst first"
        for tenant, sign, words in (
            ("acme", "■", "All 8 workers are busy"),
            ("fjord", "■", "95 % of requests are answered"),
            ("bauhof", "▲", "sale_stock is to upgrade"),
            ("cobalt", "▲", "3 attachments are gone"),
            ("delta", "✓", "ok"),
        ):
            row = row_of(app, tenant)
            assert sign in row[:6] and words in row, row
        assert "fails" in row_of(app, "acme") and "95 %" in row_of(app, "fjord")
        assert " 3 " in row_of(app, "bauhof") and "142" in row_of(app, "bauhof")
        assert "■ 2 critical" in app.whole and "▲ 2 warning" in app.whole and "✓ 4 ok" in app.whole


async def test_header_says_how_many_tenants_feel_it(opened: Opened) -> None:
    async with opened("tenants-broken", size=(120, 35)) as (app, _):
        assert "4 of 8 tenants feel it" in app.text()[0]
    async with opened("tenants-without-primary", size=(200, 50)) as (app, _):
        assert "8 of 8 tenants feel it: acme, bauhof, cobalt, delta +4" in app.text()[0]
    board = SCENARIOS["tenants-broken"](NOW)
    worse = finding(NOW, "no-quorum", "cache", "critical", "Sentinels of cache have no quorum", 9)
    rows = [msgspec.structs.replace(row, severity="warning") for row in board.findings]
    board.put(findings(NOW, board, [*rows, worse]))
    async with opened(board, size=(120, 35)) as (app, _):
        assert "CRITICAL" in app.text()[0] and "4 of 8 tenants hurt" in app.text()[0], "not of what is critical"
    async with opened("tenants-broken", size=SMALL) as (app, _):
        assert "4 of 8 feel it" in app.text()[0] or "4 of 8 tenants feel it" in app.text()[0]


async def test_below_is_the_tenant_under_the_cursor(opened: Opened) -> None:
    async with opened("tenants-broken", size=SMALL) as (app, pilot):
        await pilot.press("7")
        await pilot.pause()
        assert "── acme  Acme Hochbau" in app.whole and "restart its pod" in app.whole
        assert "document fails (no answer within 10 s)" in app.whole
        await pilot.press("down", "down")
        await pilot.pause()
        assert "── bauhof" in app.whole and "late 3 ▲ of 24" in app.whole and "waiting 142" in app.whole
        assert "111 Connection refused" in app.whole and "odoo -u sale_stock" in app.whole


@pytest.mark.parametrize("size", SIZES)
async def test_what_cannot_be_read_is_no_number(opened: Opened, size: tuple[int, int]) -> None:
    async with opened("tenants-silent", size=size) as (app, pilot):
        await pilot.press("7")
        await pilot.pause()
        granit = row_of(app, "granit").split("silent")[1]
        assert "1m30s" in granit and not any(letter.isdigit() for letter in granit.replace("1m30s", "")), granit
        assert "database silent 1m10s" in row_of(app, "delta") and "pages silent 25 s" in row_of(app, "ebene")
        assert "%" not in row_of(app, "acme"), "nobody knows its errors while the ingress is silent"
        assert "? 1 unknown" in app.whole and "✓ 5 ok" in app.whole


async def test_half_of_two_databases_is_no_sum(opened: Opened) -> None:
    """A tenant of two databases, of which one is silent: its jobs and queue are unknown, not those of the other one."""
    from screens.tenant_group import tenant_at
    from screens.tenant_words import figures
    from screens.view import View
    from tests.screens.board_ground import environment, failed
    from tests.screens.board_tenants import database, with_tenants

    board = with_tenants(NOW)
    second = database(NOW, "acme", 0)
    second = type(second)(**{name: getattr(second, name) for name in second.__struct_fields__} | {"key": "acme/acme2"})
    board.put(second)
    old = board.environment
    assert old is not None
    board.put(
        environment(NOW, [reading for reading in board if reading.pane is not None], applications=old.applications)
    )
    both = tenant_at(View(board, NOW), "acme")
    assert both is not None and figures(both).waiting == 6 and figures(both).connections == 12
    failed(board, OdooDatabase, "acme/acme2", NOW, "no answer", 8)
    half = tenant_at(View(board, NOW), "acme")
    assert half is not None and not figures(half).known and figures(half).waiting is None


async def test_sixty_tenants(opened: Opened) -> None:
    async with opened("tenants-many", size=SMALL) as (app, pilot):
        await pilot.press("7")
        await pilot.pause()
        table = screen_of(app).table
        assert table.row_count == 60 and table.keys[0] == "delta-4"
        assert "■ 1 critical" in app.whole and "✓ 59 ok" in app.whole
        await pilot.press("G")
        await pilot.pause()
        assert table.cursor == table.keys[-1] and f"── {table.cursor}" in app.whole
        await pilot.press("slash", *"fjord-3", "enter")
        await pilot.pause()
        assert table.keys == ["fjord-3"]
        await pilot.press("escape", "P")
        await pilot.pause()
        assert table.sorted_by == ("page", True) and table.keys[0] == "delta-4"
        await pilot.press("P")
        await pilot.pause()
        assert table.keys[0] == "acme" and len(table.keys) == 60


async def test_marks_and_copy(opened: Opened) -> None:
    async with opened("tenants-broken", size=SMALL) as (app, pilot):
        await pilot.press("7", "space", "space", "c")
        await pilot.pause()
        assert "copied 2 rows" in app.whole
        assert "acme\tAll 8 workers are busy" in app.clipboard and "fjord" in app.clipboard


async def test_enter_opens_all_of_a_tenant_and_esc_goes_back(opened: Opened) -> None:
    async with opened("tenants-broken", size=(120, 35)) as (app, pilot):
        await pilot.press("7", "down", "down", "enter")
        await pilot.pause()
        assert isinstance(app.screen, TenantScreen) and app.screen.subject == "bauhof"
        words = {
            "findings": "7 mails of bauhof", "pages": "not asked: no writer", "jobs": "Payroll: compute slips",
            "queue": "purchase.order._comp", "mail": "550 no such user", "files": "no file that was looked for is gone",
            "modules": "to upgrade", "events": "Skipping database bauhof", "routes": "Host(`bauhof.example.com`)",
            "untold": "17.0 keeps no trace",
        }  # fmt: skip
        offered = [tab.key for tab in app.screen.offered(app.view)]
        assert set(offered) == set(words), "pods are not watched here: no tab"
        for key in offered:
            assert app.screen.tab == key and words[key] in app.whole, key
            await pilot.press("right")
            await pilot.pause()
        await pilot.press("escape")
        await pilot.pause()
        assert screen_of(app).table.cursor == "bauhof"


@pytest.mark.parametrize("size", SIZES)
async def test_every_tab_at_every_size(opened: Opened, size: tuple[int, int]) -> None:
    async with opened("tenants-broken", size=size) as (app, pilot):
        await pilot.press("7", "enter")
        await pilot.pause()
        for _ in TABS:
            assert [len(row) for row in app._painter._wanted] == [size[0]] * size[1]
            if size == SMALL:  # once is enough
                await pilot.press("d")
                await pilot.pause()
                assert app.screen.name_of_pane == "describe", app.whole  # type: ignore[attr-defined]
                await pilot.press("escape")
            await pilot.press("right")
            await pilot.pause()


async def test_other_tenants_by_brackets_and_sections_by_the_palette(opened: Opened) -> None:
    async with opened("tenants-broken", size=(120, 35)) as (app, pilot):
        await pilot.press("7", "enter", "right_square_bracket", "right_square_bracket")
        await pilot.pause()
        assert isinstance(app.screen, TenantScreen) and app.screen.subject == "bauhof"
        await pilot.press("escape", "colon", *"scheduled jobs", "enter")
        await pilot.pause()
        await pilot.pause()
        assert isinstance(app.screen, TenantScreen) and app.screen.subject == "acme" and app.screen.tab == "jobs"


async def test_log_and_description_belong_to_the_tenant(opened: Opened) -> None:
    async with opened("tenants-broken", size=(120, 35)) as (app, pilot):
        await pilot.press("7", "down", "l")
        await pilot.pause()
        assert app.fake.asked[-1] == ("log", "odoo.log fjord")
        await pilot.press("escape", "d")
        await pilot.pause()
        assert "tenant fjord" in app.whole and "502 Bad Gateway" in app.whole
        await pilot.press("escape", "1", "l")
        await pilot.pause()
        assert app.fake.asked[-1] == ("log", "odoo.log acme"), "the log of the finding's tenant, from the overview"


async def test_a_failed_step_is_unknown_where_it_was_not_asked(opened: Opened) -> None:
    board = SCENARIOS["tenants"](NOW)
    steps = {"health": OdooStep(True, 4.0, 4.0), "project": OdooStep(None, problem="the session has ended")}
    change(board, OdooPages, "acme", steps=steps)
    async with opened(board, size=(120, 35)) as (app, pilot):
        await pilot.press("7")
        await pilot.pause()
        row = row_of(app, "acme")
        assert "?" in row.split("ok")[1] and "ms" not in row, row
        assert "the session has ended" in app.whole


async def test_what_a_database_did_not_tell_this_time_is_unknown(opened: Opened) -> None:
    board = SCENARIOS["tenants"](NOW)
    change(
        board, OdooDatabase, "acme/acme", status="partial", problem="permission denied for table ir_cron",
        unread=("crons", "queue"), crons={}, crons_active=0, channels={}, queue_job=False,
    )  # fmt: skip
    async with opened(board, size=(120, 35)) as (app, pilot):
        await pilot.press("7")
        await pilot.pause()
        columns = [column.key for column in screen_of(app).table.columns]
        row = screen_of(app).table._set.rows["acme"]
        assert [row.text(columns.index(key)) for key in ("late", "queue", "failed")] == ["?", "?", "?"]
        assert row.text(columns.index("mail")) == "2", "what it did tell"
        await pilot.press("enter", "right", "right")
        await pilot.pause()
        assert "not read this time: permission denied for table ir_cron" in app.whole
        assert isinstance(app.screen, TenantScreen) and app.screen.table.row_count == 0


async def test_files_that_nobody_looked_for_are_not_known_to_be_there(opened: Opened) -> None:
    board = SCENARIOS["tenants"](NOW)
    change(board, OdooFiles, "acme/acme", checked=None, missing=None, differing=None)
    async with opened(board, size=(200, 50)) as (app, pilot):
        await pilot.press("7")
        await pilot.pause()
        assert "whether its files are there is not known" in app.whole
        gone = [column.key for column in screen_of(app).table.columns].index("files")
        assert screen_of(app).table._set.rows["acme"].text(gone) == "?"


@pytest.mark.parametrize("scenario", ["tenants", "tenants-broken", "tenants-silent"])
@pytest.mark.parametrize("keys", [["7"], ["7", "enter", "right"]], ids="-".join)
async def test_an_equal_look_writes_nothing(opened: Opened, scenario: str, keys: list[str]) -> None:
    async with opened(scenario, size=(200, 50)) as (app, pilot):
        await pilot.press(*keys)
        for _ in range(3):
            await pilot.pause()
            app.tick()
        await pilot.pause()
        before = app.written
        app.fake.board = SCENARIOS[scenario](NOW)
        app.tick()
        await pilot.pause()
        assert app.written == before


async def test_engine_lost_turns_every_tenant_unknown(opened: Opened) -> None:
    async with opened("tenants", size=(120, 35)) as (app, pilot):
        await pilot.press("7")
        await pilot.pause()
        app.fake.lose("the engine has ended")
        await pilot.pause()
        assert f"? {len(NAMES)} unknown" in app.whole and "✓" not in app.whole.split("\n", 3)[3]
        assert "310 ms" not in app.whole and "0 %" not in app.whole


async def test_the_cursor_stays_on_its_tenant_when_another_becomes_worse(opened: Opened) -> None:
    async with opened("tenants", size=SMALL) as (app, pilot):
        await pilot.press("7", "down")
        await pilot.pause()
        assert screen_of(app).table.cursor == "bauhof"
        broken = SCENARIOS["tenants-broken"](NOW).get(Findings)
        assert broken is not None
        app.fake.put(broken)
        app.tick()
        await pilot.pause()
        assert screen_of(app).table.cursor == "bauhof" and screen_of(app).table.keys[0] == "acme"


async def test_environment_without_applications_says_so(opened: Opened) -> None:
    async with opened("healthy", size=SMALL) as (app, pilot):
        await pilot.press("7")
        await pilot.pause()
        assert "no application is configured" in app.whole and "0 tenants" in app.whole
        await pilot.press("enter", "d", "l", "c")
        await pilot.pause()
        assert isinstance(app.screen, TenantsScreen)
