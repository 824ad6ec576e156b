"""Findings about Odoo beside those of the platform: one problem, one finding; and none raises, whatever it is given."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.readings import (
    OdooDatabase,
    OdooEvent,
    OdooFiles,
    OdooLog,
    OdooMail,
    OdooMailReason,
    OdooModule,
    OdooPages,
    OdooStep,
    PostgresMember,
    Reading,
)
from tests.assessment.cases_odoo import ODOO
from tests.assessment.scene import Scene
from tests.assessment.scene_odoo import MANY, STEPS, failed, minutely, odoo, odoo_behind, step
from tests.assessment.test_any_reading import PROBLEMS, fields

TENANTS = ("acme", "bauhof")


def all_fail(scene: Scene) -> None:
    for name in TENANTS:
        scene.change(
            OdooPages, name, steps={**STEPS, "project": failed("ReadOnlySqlTransaction: cannot execute INSERT")}
        )


def test_what_the_database_explains_is_said_once() -> None:
    scene = Scene(odoo())
    scene.step(times=3)
    scene.change(PostgresMember, "main/pg-1", in_recovery=True, receiver_status="")
    all_fail(scene)
    scene.step(times=30)
    assert scene.ids == {"no-primary:main"}
    scene.mend(PostgresMember, "main/pg-1")
    scene.step(times=4)
    for name in TENANTS:
        scene.mend(OdooPages, name)
    scene.step(times=30)
    assert scene.kinds_seen == {"no-primary"}


def test_what_only_tenants_have_is_said_of_each() -> None:
    scene = Scene(odoo())
    scene.step(times=3)
    all_fail(scene)
    scene.step(times=15)
    assert scene.ids == {f"transaction-failing:{name}" for name in TENANTS}
    finding = scene.finding("transaction-failing:acme")
    assert (finding.scope, finding.tenants) == ("tenant", ("acme",))
    assert "Acme Hochbau" in finding.impact


def refuse(scene: Scene, name: str, reason: str) -> None:
    mail = OdooMail(failed=9, failed_last_hour=9, last_failed_at=scene.now, reasons={"a": OdooMailReason(reason, 9)})
    scene.change(OdooDatabase, f"{name}/{name}", mail=mail)


def test_what_many_tenants_have_for_one_reason_is_one_finding_of_the_platform() -> None:
    scene = Scene(odoo(MANY))
    scene.step(times=3)
    for number, name in enumerate(MANY):
        refuse(scene, name, f"550 5.7.1 a{number}@example.com: relaying denied, id 8{number}31ab7c")
        scene.change(OdooPages, name, steps={**STEPS, "project": failed("HTTP 500")})
    scene.step(times=20)
    assert scene.ids == {"mail-refused:several tenants", "transaction-failing:several tenants"}
    finding = scene.finding("mail-refused:several tenants")
    assert (finding.scope, set(finding.tenants)) == ("platform", set(MANY))
    assert "5 of 5" in finding.title
    assert len(finding.evidence) == 5
    assert all(text.endswith((".", "?")) for text in (finding.impact, finding.action))
    for name in MANY:
        scene.mend(OdooPages, name)
        scene.mend(OdooDatabase, f"{name}/{name}")
        scene.step(times=2)
    scene.step(times=30)
    assert scene.ids == set()
    assert {name.partition(":")[2] for name in scene.seen} == {"several tenants"}, (
        "nobody's own, not even on the way back"
    )


def test_mail_that_is_refused_for_reasons_of_their_own_is_the_tenants() -> None:
    scene = Scene(odoo(MANY))
    scene.step(times=3)
    for name in MANY:
        refuse(scene, name, f"no such sender: {name}")
    scene.step(times=10)
    assert scene.ids == {f"mail-refused:{name}" for name in MANY}


def test_a_module_in_passage_explains_late_jobs() -> None:
    scene = Scene(odoo())
    scene.step(times=3)
    late = {"4": minutely(scene.now, late=True, next_at=scene.now - timedelta(minutes=30))}
    scene.change(
        OdooDatabase, "acme/acme", crons=late, crons_late=1, crons_late_since=scene.now - timedelta(minutes=30),
        modules={"purchase": OdooModule("purchase", "to upgrade")}, modules_in_passage=1,
    )  # fmt: skip
    scene.step(times=70)
    assert scene.ids == {"module-to-upgrade:acme"}


@pytest.mark.parametrize(("good", "expected"), [(None, True), (5, True), (-5, False)])
def test_to_17_the_log_tells_of_failed_jobs(good: float | None, expected: bool) -> None:
    """What was last is what counts: ``good`` is so many seconds before the failure."""
    scene = Scene(odoo())
    scene.step(times=3)
    at = scene.now - timedelta(minutes=2)
    event = OdooEvent(
        "job failed", "Account: Compute totals", "bauhof", 4, at, "Call from cron …",
        None if good is None else at - timedelta(seconds=good),
    )  # fmt: skip
    scene.change(OdooLog, "bauhof", events={"a": event})
    scene.step(times=10)
    assert scene.ids == ({"cron-failing:bauhof"} if expected else set())


def test_a_queue_that_is_worked_off_between_looks_is_not_blocked() -> None:
    scene = Scene(odoo())
    scene.step(times=3)
    rows = scene.readings()
    channels = next(row for row in rows if isinstance(row, OdooDatabase)).channels
    old = {
        name: msgspec.structs.replace(row, running=0, waiting=9000, oldest_at=scene.now - timedelta(hours=1))
        for name, row in channels.items()
    }
    scene.change(OdooDatabase, "acme/acme", channels=old, jobs_done_at=lambda: scene.now - timedelta(seconds=15))
    scene.step(times=40)
    assert scene.ids == set()


@pytest.mark.parametrize(
    ("part", "fields"),
    [("mail", {"mail": None}), ("crons", {"crons": {}}), ("queue", {"channels": {}}), ("modules", {"modules": {}})],
)
def test_what_cannot_be_told_this_time_stays_open_as_unknown(part: str, fields: dict[str, object]) -> None:
    case = next(
        each
        for each in ODOO
        if each.id.startswith(
            {"mail": "mail-refused", "crons": "cron-stuck", "queue": "queue-blocked", "modules": "module"}[part]
        )
    )
    scene = Scene(odoo())
    scene.step(times=3)
    case.bad(scene)
    scene.until(lambda: case.id in scene.ids, 100)
    scene.change(OdooDatabase, "acme/acme", status="partial", problem="x", unread=(part,), **fields)
    scene.step(times=20)
    assert scene.finding(case.id).state == "unknown"
    scene.mend(OdooDatabase, "acme/acme")
    scene.step(times=5)
    assert scene.ids == set()


def test_a_step_that_is_not_asked_is_not_good() -> None:
    scene = Scene(odoo())
    scene.step(times=3)
    scene.change(OdooPages, "acme", steps={**STEPS, "project": failed("HTTP 500")})
    scene.step(times=12)
    assert scene.ids == {"transaction-failing:acme"}
    scene.change(
        OdooPages,
        "acme",
        steps={**STEPS, "project": OdooStep(problem="not asked: log-in refused"), "document": OdooStep()},
    )
    scene.step(times=20)
    assert scene.finding("transaction-failing:acme").state == "unknown"


@pytest.mark.parametrize(("kind", "silent"), [("tenant-unreachable", False), ("workers-busy", True)])
def test_a_look_that_had_to_wait_for_others_closes_nothing(kind: str, silent: bool) -> None:
    scene = Scene(odoo())
    scene.step(times=3)
    scene.change(OdooPages, "acme", steps={**STEPS, "health": failed("HTTP 502", silent=silent)})
    scene.step(times=30)
    assert scene.ids == {f"{kind}:acme"}
    waited = dict.fromkeys(STEPS, OdooStep(problem="not asked: others were asked all the while"))
    scene.change(OdooPages, "acme", status="partial", problem="not asked", steps=waited)
    scene.step(times=10)
    assert scene.finding(f"{kind}:acme").state == "unknown"


def test_pages_that_never_were_read_are_no_finding() -> None:
    scene = Scene(odoo())
    for name in TENANTS:
        scene.never(OdooPages, name)
    scene.step(times=10)
    assert scene.ids == set()


def test_a_slow_start_after_the_database_is_back_is_not_told() -> None:
    scene = Scene(odoo())
    scene.step(times=3)
    scene.stop("pg-1")
    for name in TENANTS:
        scene.change(OdooPages, name, steps={**STEPS, "project": failed("no answer within 3.0 s", silent=True)})
    scene.step(times=20)
    assert {finding.kind for finding in scene.found.rows.values()} == {"primary-unreachable"}
    scene.wake("pg-1")
    for name in TENANTS:
        scene.change(OdooPages, name, steps={**STEPS, "project": step(2900.0)})
    scene.step(times=10)
    for name in TENANTS:
        scene.mend(OdooPages, name)
    scene.step(times=40)
    assert not {kind for kind in scene.kinds_seen if kind.startswith("transaction")}


TOPICS: tuple[tuple[type[Reading], str], ...] = (
    (OdooDatabase, "acme/acme"), (OdooPages, "acme"), (OdooLog, "acme"), (OdooFiles, "acme/acme"), (OdooPages, "bauhof"),
)  # fmt: skip


@st.composite
def readings(draw: st.DrawFn) -> Reading:
    """Any reading of a tenant."""
    cls, key = draw(st.sampled_from(TOPICS))
    made: Reading = draw(st.builds(cls, **(fields(cls) | {"key": st.just(key), "problem": st.sampled_from(PROBLEMS)})))
    return made


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(rounds=st.lists(st.lists(readings(), max_size=5), min_size=1, max_size=4))
def test_no_judge_raises(rounds: list[list[Reading]]) -> None:
    scene = Scene(odoo_behind())
    scene.step(times=2)
    for batch in rounds:
        scene.now += timedelta(seconds=2)
        for reading in batch:
            scene.board.put(msgspec.structs.replace(reading, taken_at=scene.now))
        scene.look()
        for finding in scene.found.rows.values():
            assert len(finding.title) <= 160, finding.title
            assert len(finding.impact) <= 400, finding.impact
            assert len(finding.evidence) <= 12
        msgspec.msgpack.encode(scene.found)
