"""Cases in which a finding was once wrong: refused by our own limit, a quiet archive, a clock set back, too many of a kind."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from console.assessment import KINDS
from console.assessment.assessor import Assessor
from console.assessment.causes import PER_KIND
from console.readings import PatroniMember, PostgresMember, Slot
from console.settings import load_defaults
from tests.assessment.scene import Scene


@pytest.mark.parametrize(
    ("what", "whose"), [("role", "Banksman's own role"), ("database", "the database that Banksman connects to")]
)
@pytest.mark.parametrize("status", ["denied", "unreachable"])
def test_a_limit_of_our_own_is_not_a_full_server(what: str, whose: str, status: str) -> None:
    scene = Scene()
    scene.step(times=3)
    refusal = f'10.0.0.1:5432: FATAL: too many connections for {what} "banksman"'
    scene.change(PostgresMember, "main/pg-1", status=status, problem=refusal)
    scene.step(times=5)
    finding = scene.finding("connections-near-limit:main/pg-1")
    assert finding.severity == "warning"
    assert whose in finding.title
    assert scene.kinds == {"connections-near-limit"}
    scene.mend(PostgresMember, "main/pg-1")
    scene.step(times=5)
    assert scene.ids == set()


def fail_archiving(scene: Scene, **fields: Any) -> None:
    fields.setdefault("archive_last_failed_at", lambda: scene.now - timedelta(seconds=5))
    scene.change(PostgresMember, "main/pg-1", archive_mode="on", **fields)


def test_a_failure_after_a_quiet_time_counts_from_its_own_beginning() -> None:
    scene = Scene()
    ok = scene.now - timedelta(hours=3)
    fail_archiving(scene, archive_last_ok_at=ok)
    scene.step(times=3)
    finding = scene.finding("archiving-failing:main")
    assert finding.severity == "warning"
    assert scene.now - finding.since < timedelta(minutes=1)
    scene.step(10.0, times=100)  # it goes on failing, each failure later than the one before
    finding = scene.finding("archiving-failing:main")
    assert finding.severity == "critical"
    assert scene.now - finding.since > timedelta(minutes=15)
    fail_archiving(scene, archive_last_ok_at=scene.now)
    scene.step(5.0, times=5)  # a success came between
    assert scene.finding("archiving-failing:main").severity == "warning"


def test_a_finding_opens_and_closes_although_the_clock_was_set_back() -> None:
    scene = Scene()
    scene.step(times=20)
    scene.change(PatroniMember, "main/pg-1", paused=True)
    scene.step()
    scene.now -= timedelta(hours=1)
    scene.step(times=2)
    assert scene.ids == {"patroni-paused:main"}
    scene.mend(PatroniMember, "main/pg-1")
    scene.step()
    scene.now -= timedelta(hours=1)
    scene.step(times=3)
    assert scene.ids == set()


def test_positions_from_before_the_clock_was_set_back_are_forgotten() -> None:
    scene = Scene()
    scene.step(times=20)
    position = scene.wal()
    scene.now -= timedelta(hours=1)
    scene.change(PostgresMember, "main/pg-1", current_bytes=lambda: position + 1_000_000)
    scene.step(times=3)
    samples = scene.assessor._memory.clusters["main"].wal
    assert [taken for taken, _ in samples] == sorted(taken for taken, _ in samples)
    assert samples[-1][0] == scene.now


def test_what_is_beyond_the_cap_stays_open_while_it_is_bad() -> None:
    scene = Scene()
    names = [f"s{number:02}" for number in range(PER_KIND + 5)]

    def all_bad(order: list[str]) -> None:
        slots = {name: Slot(name, retained_bytes=200, safe_bytes=100) for name in order}
        scene.change(PostgresMember, "main/pg-1", slots=slots)

    all_bad(names)
    scene.step(times=3)
    before = scene.ids
    assert len(before) == PER_KIND
    [said] = [fact for row in scene.found.rows.values() for fact in row.evidence if "not listed" in fact.what]
    assert said.value == "and 5 more"
    for _ in range(4):
        names.reverse()
        all_bad(names)
        scene.step(times=3)
        assert scene.ids == before
    hidden = {f"slot-retains-wal:main/{name}" for name in names} - before
    all_bad([name.partition("/")[2] for name in hidden])
    scene.step(times=4)
    assert scene.ids == hidden, "they were open all the time"


def test_a_judges_mistake_is_handed_out_with_its_traceback() -> None:
    def broken(_look: object) -> list[object]:
        raise ZeroDivisionError("in a judge")

    scene = Scene()
    kinds = {"lock-waits": KINDS["lock-waits"]._replace(judge=broken)}  # type: ignore[arg-type]
    assessor = Assessor(scene.settings, load_defaults(), kinds)
    assessor.look(scene.board, scene.now)
    assert "ZeroDivisionError: in a judge" in assessor.mistakes["lock-waits"]
    assert "in broken" in assessor.mistakes["lock-waits"]
