"""Every kind: it opens, it closes, it does not open on the healthy side of its edge; and it brings nothing else."""

from __future__ import annotations

import pytest

from console.assessment import KINDS
from console.readings import Finding
from tests.assessment.cases import CASES as PLATFORM
from tests.assessment.cases import Case
from tests.assessment.cases_kubernetes import KUBERNETES
from tests.assessment.cases_odoo import ODOO
from tests.assessment.cases_traefik import TRAEFIK
from tests.assessment.scene import Scene

CASES = (*PLATFORM, *KUBERNETES, *ODOO, *TRAEFIK)


def name_of(case: Case) -> str:
    return case.id


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_opens_and_closes(case: Case) -> None:
    scene = Scene(case.platform())
    scene.step(times=3)
    case.bad(scene)
    scene.step()
    assert case.id not in scene.ids, "one reading must not open it"
    scene.until(lambda: case.id in scene.ids, case.steps)
    scene.until(lambda: scene.finding(case.id).severity == case.severity, 10)
    scene.step(times=3)
    assert scene.ids - case.beside == {case.id}
    case.good(scene)
    scene.step(times=2)
    assert case.id in scene.ids, "two good readings must not close it"
    scene.until(lambda: not scene.ids, 100)
    scene.step(times=20)
    assert scene.seen - case.beside == {case.id}


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_does_not_open_on_the_healthy_edge(case: Case) -> None:
    scene = Scene(case.platform())
    scene.step(times=3)
    case.edge(scene)
    scene.step(times=case.steps)
    assert case.id not in scene.seen


BEGINS_LATER = {
    "primary-restarted:main/pg-1", "cache-failover:cache", "standby-lagging:main/pg-3",
    "metrics-missing:lab", "crash-loop:lab/ingress/traefik",
}  # fmt: skip
"""What these are is only seen over time; ``test_faults`` has their cold starts."""


@pytest.mark.parametrize("case", [case for case in CASES if case.id not in BEGINS_LATER], ids=name_of)
def test_what_was_there_before_the_first_look_is_told_after_two(case: Case) -> None:
    """``status`` from a cold start answers after two looks: it must not be green meanwhile."""
    scene = Scene(case.platform())
    case.bad(scene)
    scene.step(1.5, times=2)
    assert scene.ids - case.beside == {case.id}


def test_every_kind_has_a_case() -> None:
    assert {case.id.split(":")[0] for case in CASES} == set(KINDS)


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_says_it_in_sentences(case: Case) -> None:
    scene = Scene(case.platform())
    scene.step(times=3)
    case.bad(scene)
    scene.until(lambda: case.id in scene.ids, case.steps)
    assert_well_said(scene.finding(case.id))


def assert_well_said(finding: Finding) -> None:
    kind, subject = finding.id.split(":", 1)
    assert (finding.kind, finding.subject, finding.runbook) == (kind, subject, kind)
    assert finding.pane == KINDS[kind].pane
    assert len(finding.title) <= 80, finding.title
    assert subject.split("/")[0] in finding.title or subject.split("/")[-1] in finding.title
    for sentence in (finding.impact, finding.action):
        assert sentence.endswith((".", "?", ";")), sentence
        assert len(sentence) <= 200, sentence
    assert finding.evidence, "a finding without evidence is an opinion"
    for evidence in finding.evidence:
        assert evidence.what, evidence
        assert evidence.value, evidence
        assert evidence.source, evidence
        assert evidence.taken_at is not None
