"""What is said of a tenant in few words."""

from __future__ import annotations

import time

import pytest

from console.assessment.kinds import KINDS
from console.readings.odoo import OdooStep
from screens.tenant_group import Part, TenantNow, tenants
from screens.tenant_rows import columns_for, rows
from screens.tenant_traffic import Flows
from screens.tenant_words import SPOKEN, own_words, telling_step, times_usual
from screens.view import View
from tests.screens.board_tenants import tenants_broken, tenants_many, tenants_well
from tests.screens.boards import NOW


def tenant(name: str = "acme") -> TenantNow:
    return next(each for each in tenants(View(tenants_well(NOW), NOW)) if each.name == name)


@pytest.mark.parametrize(
    ("title", "short"),
    [
        ("All 8 workers of acme are busy", "All 8 workers are busy"),
        ("Pages of acme do not answer: 502", "Pages do not answer: 502"),
        ("Web workers are all busy (2.8 s for a first page) at acme", "Web workers are all busy (2.8 s for a first page)"),
        ("Acme Hochbau answers slowly behind edge: p95 4.7 s", "Answers slowly behind edge: p95 4.7 s"),
        ("3 scheduled jobs of acme late by up to 48 min", "3 scheduled jobs late by up to 48 min"),
        ("sale_stock of acme stands at “to upgrade”", "sale_stock stands at “to upgrade”"),
        ("acme: sale_stock is stuck", "sale_stock is stuck"),
        ("Purchases take 6.8 s at acme, bauhof, cobalt", "Purchases take 6.8 s at acme, bauhof, cobalt"),
        ("Purchases hang at acme and bauhof", "Purchases hang at acme and bauhof"),
        ("Database of acme-2 is full", "Database of acme-2 is full"),
        ("acme.example.com has a certificate for another name", "acme.example.com has a certificate for another name"),
        ("Primary pg-2 of main does not answer", "Primary pg-2 of main does not answer"),
        ("acme", "acme"),
    ],
)  # fmt: skip
def test_a_row_does_not_repeat_whose_it_is(title: str, short: str) -> None:
    assert own_words(title, tenant()) == short


def test_every_figure_is_marked_by_a_kind_that_there_is() -> None:
    for figure, words in SPOKEN.items():
        for word in words:
            assert any(word in name for name in KINDS), f"no kind of finding speaks of {figure} by {word}"


def test_the_step_that_tells_most() -> None:
    well = OdooStep(True, 30.0, 30.0)
    steps = {
        "health": OdooStep(True, 900.0),
        "log in": OdooStep(True, 800.0),
        "project": well,
        "document": OdooStep(True, 40.0),
    }
    assert telling_step(steps) == ("document", steps["document"]), "the slowest page; health and log-in are none"
    failing = {**steps, "health": OdooStep(False, 10_000.0, problem="no answer")}
    assert telling_step(failing) == ("health", failing["health"]), "whatever fails"
    assert telling_step({"health": well, "project": OdooStep(None)}) == ("health", well), (
        "what was not asked tells nothing"
    )
    assert telling_step({"project": OdooStep(None)}) is None


def test_times_usual_says_nothing_of_noise() -> None:
    assert times_usual(OdooStep(True, 90.0, 4.0)) is None, "too fast to be felt"
    assert times_usual(OdooStep(True, 900.0, 500.0)) is None
    assert times_usual(OdooStep(True, 900.0, None)) is None
    assert times_usual(OdooStep(True, 900.0, 90.0)) == 10.0


def test_errors_are_a_share_of_requests() -> None:
    flows = Flows(tenants_broken(NOW), NOW)
    fjord, acme = flows.of("fjord", ("fjord.example.com",)), flows.of("", ("ACME.example.com",))
    assert fjord is not None and fjord.errors == pytest.approx(0.95)
    assert acme is not None and acme.errors == 0.0 and acme.services, "found by its host alone"
    nobody = flows.of("stranger", ("stranger.example.com",))
    assert nobody is not None and nobody.errors is None and "no router takes" in nobody.why
    assert flows.of("stranger", ()) is None, "a tenant without an address"


def test_sixty_tenants_are_cheap() -> None:
    """As a share of what the whole screen may take in a second; the least of five, since others run beside."""
    view = View(tenants_many(NOW), NOW)
    took = []
    for _ in range(5):
        began = time.process_time()
        listed = tenants(view)
        rows(listed, NOW, columns_for(listed, 200), 200)
        took.append(time.process_time() - began)
    assert len(listed) == 60 and min(took) < 0.1, took


def test_a_part_is_named_by_its_key() -> None:
    one = tenant()
    assert [word for word, _ in one.parts] == ["pages", "sessions", "log", "database", "files"]
    assert all(isinstance(part, Part) and part.reading is part.raw for _, part in one.parts)
