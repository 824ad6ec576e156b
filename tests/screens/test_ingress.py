"""The ingress screen by its keys and as rows, on scripted boards: the worst first, and never green what is not known."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.board import Board
from console.readings import (
    Certificate,
    Environment,
    TraefikAccess,
    TraefikCertificates,
    TraefikConfig,
    TraefikReloads,
    TraefikServer,
)
from screens.ingress import TABS, IngressScreen
from screens.ingress_group import ingress_at
from screens.ingress_head import head_lines, side, topology
from screens.ingress_preview import preview
from screens.ingress_rows import certificates, entry_points, errors, middlewares, routers, services, short_name
from screens.ingress_state import certificate_state, days_words, found_states
from screens.layout import roomy
from screens.pane_findings import about
from screens.section import Section
from screens.tiles import all_tiles, draw_tile
from screens.view import View
from tests.screens.board_ground import failed
from tests.screens.board_ingress import router_name, service_name
from tests.screens.boards import NOW, SCENARIOS
from tests.screens.conftest import Console, Opened
from tests.strategies import readings
from tests.tools.hostile import FIFTY, board_with
from widgets.columns import place, row_line
from widgets.spans import text_of, width
from widgets.topology import draw

SIZES = [(200, 50), (120, 35), (80, 24)]
TOPICS = (TraefikServer, TraefikConfig, TraefikReloads, TraefikCertificates, TraefikAccess)
BOARDS = ("ingress", "ingress-broken", "ingress-silent", "ingress-bare", "tenants-broken")


def screen_of(app: Console) -> IngressScreen:
    assert isinstance(app.screen, IngressScreen)
    return app.screen


def sections(board: Board, name: str = "edge") -> dict[str, Section]:
    ingress = ingress_at(board, name, NOW)
    said = found_states(about(board, "ingress", name))
    return {
        "routers": routers(board, ingress, said, NOW),
        "services": services(board, ingress, said, NOW),
        "middlewares": middlewares(ingress, NOW),
        "certificates": certificates(board, ingress, NOW),
        "entry_points": entry_points(ingress, NOW),
        "errors": errors(board, ingress, NOW),
    }


def styles(section: Section) -> set[str]:
    return {cell.style for row in section.rows for cell in row.cells if cell is not None and not isinstance(cell, str)}


# -- by its keys -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES)
async def test_what_hurts_at_every_size(opened: Opened, size: tuple[int, int]) -> None:
    async with opened("ingress-broken", size=size) as (app, pilot):
        await pilot.press("5")
        await pilot.pause()
        keys = screen_of(app).table.keys
        assert keys[0] == router_name("acme") and keys[-1] == router_name("hafen"), "the worst first"
        for words in (
            "no backend",
            "not in force",
            "wrong cert",
            "bad cert",
            "flood",
            "slow",
            "cert ends",
            "100 %",
            ">5 s",
        ):
            assert words in app.whole, words
        assert "traefik-1" in app.whole and "780/s" in app.whole


@pytest.mark.parametrize("size", SIZES)
async def test_every_tab_by_arrows(opened: Opened, size: tuple[int, int]) -> None:
    async with opened("ingress-broken", size=size) as (app, pilot):
        await pilot.press("5")
        await pilot.pause()
        expected = ["no backend", "all down", "missing", "runs out", "websecure", "502", "critical"]
        for tab, words in zip(TABS, expected, strict=True):
            assert screen_of(app).tab == tab.key and words in app.whole, (tab.key, words)
            await pilot.press("right")
            await pilot.pause()


@pytest.mark.parametrize("size", SIZES)
async def test_nothing_is_known_and_nothing_is_green(opened: Opened, size: tuple[int, int]) -> None:
    async with opened("ingress-silent", size=size) as (app, pilot):
        await pilot.press("5")
        for _ in TABS:
            await pilot.pause()
            assert "284/s" not in app.whole and "240 ms" not in app.whole and " ok " not in app.whole
            await pilot.press("right")
        assert "no answer since 02:46:30" in app.whole


async def test_engine_lost_turns_everything_unknown(opened: Opened) -> None:
    async with opened("ingress", size=(120, 35)) as (app, pilot):
        await pilot.press("5")
        await pilot.pause()
        assert "60/s" in app.whole
        app.fake.lose("the engine has ended")
        await pilot.pause()
        assert "60/s" not in app.whole and "? traefik-1" in app.whole and " ok " not in app.whole


async def test_describe_and_log_belong_to_the_row(opened: Opened) -> None:
    async with opened("ingress-broken", size=(120, 35)) as (app, pilot):
        await pilot.press("5", "l")
        await pilot.pause()
        assert app.fake.asked[-1] == ("log", "traefik edge/traefik-1")
        await pilot.press("escape", "enter")
        await pilot.pause()
        assert app.screen.name_of_pane == "describe" and "Host(`acme.example.com`)" in app.whole  # type: ignore[attr-defined]
        await pilot.press("escape", *["right"] * 5, "l")
        await pilot.pause()
        assert app.fake.asked[-1] == ("log", "traefik edge"), "the access log"
        await pilot.press("escape", "d")
        await pilot.pause()
        assert "/web/dataset/call_kw" in app.whole


@pytest.mark.parametrize("scenario", ["ingress", "ingress-broken", "ingress-silent"])
async def test_an_equal_look_writes_nothing(opened: Opened, scenario: str) -> None:
    async with opened(scenario, size=(200, 50)) as (app, pilot):
        await pilot.press("5")
        for _ in range(3):
            await pilot.pause()
            app.tick()
        await pilot.pause()
        before = app.written
        app.fake.board = SCENARIOS[scenario](NOW)
        app.tick()
        await pilot.pause()
        assert app.written == before


# -- rows --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BOARDS)
def test_cells_match_columns_and_rows_stay_equal(name: str) -> None:
    first, again = sections(SCENARIOS[name](NOW)), sections(SCENARIOS[name](NOW))
    assert first == again
    for title, section in first.items():
        assert len({row.key for row in section.rows}) == len(section.rows), title
        assert all(len(row.cells) <= len(section.columns) for row in section.rows), title
        letters = [column.sort for column in section.columns if column.sort]
        assert len(set(letters)) == len(letters) and all(letter.isupper() and letter != "G" for letter in letters), (
            title
        )


@pytest.mark.parametrize("cells", [77, 117, 131])
def test_columns_fit(cells: int) -> None:
    for title, section in sections(SCENARIOS["ingress"](NOW)).items():
        placed = place(roomy(section.columns, cells + 3), cells)
        assert sum(each.width for each in placed) + 2 * (len(placed) - 1) <= cells, title


def test_metrics_without_labels_name_the_setting_and_guess_nothing() -> None:
    found = sections(SCENARIOS["ingress-bare"](NOW))
    assert "addRoutersLabels" in found["routers"].notice and not found["routers"].rows
    for title, setting in (("services", "`api:`"), ("certificates", "`address:`"), ("errors", "`access_log:`")):
        assert setting in found[title].notice and found[title].notice_style == "unknown", title
    assert found["entry_points"].rows


def test_routers_without_metrics_are_not_green() -> None:
    board = SCENARIOS["ingress"](NOW)
    for server in ("traefik-1", "traefik-2"):
        failed(board, TraefikServer, f"edge/{server}", NOW, "connection refused", 30)
    section = sections(board)["routers"]
    assert "ok" not in styles(section) and all(row.text(2) == "?" for row in section.rows)
    assert "no traffic is known" in text_of(section.summary[0])


def test_routers_without_the_api_are_still_counted() -> None:
    board = SCENARIOS["ingress"](NOW)
    for server in ("traefik-1", "traefik-2"):
        failed(board, TraefikConfig, f"edge/{server}", NOW, "connection refused", 30)
    found = sections(board)
    assert found["routers"].rows[0].text(2) == "60/s" and "rules are not known" in text_of(found["routers"].summary[0])
    assert not found["services"].rows and "connection refused" in found["services"].notice


def test_the_same_router_of_two_traefiks_is_one_row() -> None:
    rows = {row.key: row for row in sections(SCENARIOS["ingress"](NOW))["routers"].rows}
    assert len(rows) == 8 and rows[router_name("acme")].text(2) == "60/s", "36 and 24 of them"


def test_servers_that_nobody_checks_are_not_green() -> None:
    rows = {row.key: row for row in sections(SCENARIOS["ingress"](NOW))["services"].rows}
    assert rows[service_name("acme")].text(3) == "up" and rows[service_name("bauhof")].text(3) == "not checked"
    cell = rows[service_name("bauhof")].cells[3]
    assert not isinstance(cell, str) and cell is not None and cell.style != "ok"


def test_a_middleware_that_is_named_and_missing_comes_first() -> None:
    row = sections(SCENARIOS["ingress-broken"](NOW))["middlewares"].rows[0]
    assert (
        row.key == "tenant-cobalt-gate@kubernetescrd"
        and row.text(2) == "missing"
        and router_name("cobalt") in row.text(4)
    )


@pytest.mark.parametrize(
    ("more", "words", "style"),
    [
        ({}, "ok", "ok"),
        ({"seen_at": None}, "not seen yet", "unknown"),
        ({"seen_at": NOW - timedelta(minutes=20)}, "seen 20 min ago", "unknown"),
        ({"trusted": None}, "not known", "unknown"),
        ({"matches": None}, "not known", "unknown"),
        ({"not_after": None}, "not known", "unknown"),
        ({"trusted": False}, "not trusted", "critical"),
        ({"matches": False}, "for other names", "critical"),
        ({"default": True}, "Traefik's default", "critical"),
        ({"not_after": NOW + timedelta(days=20)}, "runs out", "warning"),
        ({"not_after": NOW + timedelta(days=2)}, "runs out", "critical"),
        ({"not_after": NOW - timedelta(days=2)}, "has run out", "critical"),
        ({"not_before": NOW + timedelta(days=2)}, "not valid yet", "critical"),
        ({"problem": "no handshake within 4.0 s"}, "no handshake within 4.0 s", "critical"),
    ],
)
def test_certificates_are_green_only_when_all_is_known(more: dict[str, Any], words: str, style: str) -> None:
    plain: dict[str, Any] = {
        "seen_at": NOW, "matches": True, "trusted": True, "not_before": NOW - timedelta(days=1), "not_after": NOW + timedelta(days=60),
    }  # fmt: skip
    state = certificate_state(Certificate("a.b", **{**plain, **more}), NOW)
    assert (state.words, state.style) == (words, style)


def test_ends_are_said_short() -> None:
    assert [days_words(days) for days in (None, -1, 0.9, 1.99, 2, 41.7)] == [
        "?",
        "ended",
        "21 h",
        "47 h",
        "2 d",
        "41 d",
    ]
    assert short_name("CN=R11,O=Let's Encrypt,C=US") == "Let's Encrypt R11" and short_name("x") == "x"


def test_a_tile_says_how_much_how_badly_how_fast_and_which_certificate_ends() -> None:
    view = View(SCENARIOS["ingress-broken"](NOW), NOW)
    (facts,) = [each for each in all_tiles(view, 44) if each.pane == "ingress"]
    drawn = "\n".join(text_of(row) for row in draw_tile(facts, 44, 12))
    for words in ("5 Ingress", "CRITICAL", "780/s", "8 %", "p95", "cert"):
        assert words in drawn, words
    silent = View(SCENARIOS["ingress-silent"](NOW), NOW)
    (facts,) = [each for each in all_tiles(silent, 44) if each.pane == "ingress"]
    drawn = "\n".join(text_of(row) for row in draw_tile(facts, 44, 12))
    assert "284/s" not in drawn and "no answer" in drawn and facts.state == "critical"


# -- anything at all ---------------------------------------------------------------------------------------------------

PAIRS = (
    "traefik main/pg-1", "traefik cache/cache-1", "traefik.config main/pg-1", "traefik.log main/pg-1", "traefik.certificates main",
    "traefik.access main",
)  # fmt: skip


def whole(board: Board, name: str, cells: int, height: int) -> None:
    """Draw all there is of an ingress; every line as wide as it may be."""
    view, ingress = View(board, NOW), ingress_at(board, name, NOW)
    for key, section in sections(board, name).items():
        layout = place(section.columns, cells)
        want = sum(each.width for each in layout) + 2 * (len(layout) - 1)
        assert all(width(row_line(row, layout)) == want for row in section.rows), key
        for row in section.rows[:3]:
            preview(view, ingress, key, row.key)
    assert all(width(each) <= cells for each in draw(topology(ingress, {}, NOW), cells, 9))
    assert all(width(each) <= cells for each in head_lines(ingress, [name], NOW, cells))
    assert len(side(view, ingress, [], "routers", 66, height)) >= 0
    for facts in all_tiles(view, cells):
        draw_tile(facts, cells, 9)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(readings(*TOPICS), max_size=6), st.integers(60, 210), st.integers(12, 40))
def test_any_reading_makes_rows_of_one_width(found: list[Any], cells: int, height: int) -> None:
    board = Board()
    board.put(Environment(taken_at=NOW, name="x", panes={"ingress": PAIRS}))
    for reading in found:
        key = (
            reading.key.partition("/")[0]
            if reading.topic in ("traefik.certificates", "traefik.access")
            else reading.key
        )
        board.put(msgspec.structs.replace(reading, key=key, taken_at=NOW, every_s=2))
    whole(board, "main", cells, height)


@pytest.mark.parametrize("hostile", FIFTY)
def test_hostile_text_moves_no_column(hostile: str) -> None:
    board = board_with(hostile)
    for reading in list(board):
        if reading.topic.startswith("traefik"):
            name, _, server = reading.key.partition("/")
            pairs = tuple(f"{cls.topic} {reading.key}" for cls in TOPICS[:3]) if server else ()
            pairs += tuple(f"{cls.topic} {name}" for cls in TOPICS[3:])
            board.put(Environment(taken_at=NOW, name="x", panes={"ingress": pairs}))
            board.put(msgspec.structs.replace(reading, taken_at=NOW))
            whole(board, name, 117, 30)
