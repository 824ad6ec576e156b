"""When findings open and close: counted in readings, with states for what cannot be seen, and without flapping."""

from __future__ import annotations

from datetime import timedelta

from console.assessment.keeper import Streak
from console.readings import Activity, PatroniMember, PostgresMember, RedisServer
from tests.assessment.scene import START, Scene, environment


def test_a_healthy_platform_has_no_finding() -> None:
    scene = Scene()
    scene.step(times=60)
    assert scene.seen == set()


def test_opens_after_two_readings_not_two_looks() -> None:
    scene = Scene()
    scene.step(times=3)
    scene.change(PatroniMember, "main/pg-1", paused=True)
    scene.step()
    for _ in range(5):
        scene.look()
    assert scene.ids == set()
    scene.step()
    assert scene.ids == {"patroni-paused:main"}


def test_closes_after_three_readings_not_three_looks() -> None:
    scene = Scene()
    scene.change(PatroniMember, "main/pg-1", paused=True)
    scene.step(times=3)
    scene.mend(PatroniMember, "main/pg-1")
    scene.step(times=2)
    for _ in range(5):
        scene.look()
    assert scene.ids == {"patroni-paused:main"}
    scene.step()
    assert scene.ids == set()


def test_good_and_bad_in_turns_neither_open_nor_close() -> None:
    scene = Scene()
    for _ in range(6):
        scene.change(PatroniMember, "main/pg-1", paused=True)
        scene.step()
        scene.mend(PatroniMember, "main/pg-1")
        scene.step()
    assert scene.seen == set()
    scene.change(PatroniMember, "main/pg-1", paused=True)
    scene.step(times=2)
    for _ in range(6):
        scene.mend(PatroniMember, "main/pg-1")
        scene.step(times=2)
        scene.change(PatroniMember, "main/pg-1", paused=True)
        scene.step()
        assert scene.ids == {"patroni-paused:main"}


def test_two_readings_of_every_server_are_needed() -> None:
    """Two primaries stand on two servers: one new reading of one of them is not enough."""
    scene = Scene()
    scene.step(times=3)
    scene.change(PostgresMember, "main/pg-2", in_recovery=False, timeline=4)
    scene.step()
    first = scene.readings()
    scene.now += timedelta(seconds=1)
    scene.put(*(reading for reading in scene.readings() if reading.where == ("postgres", "main/pg-2")))
    assert scene.ids == set()
    assert first
    scene.step()
    assert "two-primaries:main" in scene.ids


def test_what_cannot_be_read_any_more_is_unknown_and_never_closes_in_silence() -> None:
    scene = Scene()
    scene.change(Activity, "main/pg-1", sessions=scene_idle(scene))
    scene.step(times=3)
    assert scene.ids == {"idle-in-transaction:main"}
    scene.fail(Activity, "main/pg-1", "no answer within 2 s")
    scene.step(times=30)
    finding = scene.finding("idle-in-transaction:main")
    assert finding.state == "unknown"
    assert "not known" in finding.impact
    scene.mend(Activity, "main/pg-1")
    scene.step(times=3)
    assert scene.ids == set()


def test_unknown_is_not_listed_where_another_finding_explains_it() -> None:
    scene = Scene()
    scene.change(Activity, "main/pg-1", sessions=scene_idle(scene))
    scene.step(times=3)
    scene.hang("pg-1")
    scene.step(times=6)
    assert scene.ids == {"primary-hung:main/pg-1"}


def test_a_stale_reading_is_no_good_one() -> None:
    """The engine's own trouble: nothing new comes, and what was open stays, unknown."""
    scene = Scene()
    scene.change(PatroniMember, "main/pg-1", paused=True)
    scene.step(times=3)
    scene.now += timedelta(seconds=60)
    scene.look()
    assert scene.finding("patroni-paused:main").state == "unknown"


def test_severity_rises_after_two_and_falls_after_three() -> None:
    scene = Scene()
    scene.change(PostgresMember, "main/pg-1", connections=45)
    scene.step(times=3)
    name = "connections-near-limit:main/pg-1"
    assert scene.finding(name).severity == "warning"
    scene.change(PostgresMember, "main/pg-1", connections=53)
    scene.step()
    assert scene.finding(name).severity == "warning"
    scene.step()
    assert scene.finding(name).severity == "critical"
    scene.change(PostgresMember, "main/pg-1", connections=45)
    scene.step(times=2)
    assert scene.finding(name).severity == "critical"
    scene.step()
    assert scene.finding(name).severity == "warning"


def test_a_value_on_the_edge_does_not_flap() -> None:
    scene = Scene()
    name = "connections-near-limit:main/pg-1"
    scene.change(PostgresMember, "main/pg-1", connections=43)
    scene.step(times=3)
    assert name in scene.ids
    scene.change(PostgresMember, "main/pg-1", connections=41)  # below the threshold, within a tenth of it
    scene.step(times=10)
    assert name in scene.ids
    scene.change(PostgresMember, "main/pg-1", connections=30)
    scene.step(times=3)
    assert scene.ids == set()
    scene.change(PostgresMember, "main/pg-1", connections=41)
    scene.step(times=10)
    assert scene.ids == set()


def test_what_lasts_as_long_as_a_switchover_does_not_open() -> None:
    scene = Scene()
    scene.step(times=3)
    scene.change(PostgresMember, "main/pg-1", in_recovery=True)
    scene.step(1.0, times=4)
    scene.mend(PostgresMember, "main/pg-1")
    scene.step(times=5)
    assert scene.seen == set()


def test_begins_when_the_problem_began() -> None:
    scene = Scene()
    scene.step(times=3)
    last_good = scene.now
    scene.hang("pg-1")
    scene.step(times=6)
    assert scene.finding("primary-hung:main/pg-1").since == last_good


def test_a_server_that_was_down_before_the_first_look_is_told_at_once() -> None:
    """`status` from a cold start must not wait for a restart that it never saw begin."""
    scene = Scene()
    scene.stop("pg-1")
    scene.fail(PatroniMember, "main/pg-1")
    scene.step(times=2)
    assert scene.ids == {"primary-unreachable:main/pg-1"}


def test_looks_are_counted_by_reading() -> None:
    scene = Scene()
    scene.step()
    scene.look()
    assert scene.found.looked["postgres main/pg-1"] == 1
    scene.step(times=20)
    assert set(scene.found.looked.values()) == {9}
    assert "findings" not in scene.found.looked
    assert scene.found.needed == 2


def test_nothing_changed_gives_the_same_object() -> None:
    scene = Scene()
    scene.step(times=12)
    before = scene.found
    assert scene.step() is before


def test_the_engine_learns_what_to_ask_again() -> None:
    scene = Scene()
    scene.step(times=2)
    assert scene.assessor.undecided == frozenset()
    scene.change(RedisServer, "cache/cache-1", write_refused="OOM")
    scene.step()
    assert ("redis", "cache/cache-1") in scene.assessor.undecided
    scene.step()
    assert scene.assessor.undecided == frozenset()
    scene.mend(RedisServer, "cache/cache-1")
    scene.step()
    assert ("redis", "cache/cache-1") in scene.assessor.undecided
    scene.step(times=2)
    assert scene.assessor.undecided == frozenset()


def test_a_judge_that_fails_costs_its_own_kind_only() -> None:
    import msgspec

    from console.assessment import KINDS
    from console.assessment.assessor import Assessor
    from console.settings import load_defaults

    def broken(_look: object) -> list[object]:
        raise ZeroDivisionError

    scene = Scene()
    scene.step(times=2)
    kinds = dict(KINDS) | {"lock-waits": KINDS["lock-waits"]._replace(judge=broken)}  # type: ignore[arg-type]
    scene.assessor = Assessor(scene.settings, load_defaults(), kinds)  # type: ignore[assignment]
    scene.change(PatroniMember, "main/pg-1", paused=True)
    scene.board.put(msgspec.structs.replace(scene.found, taken_at=START))
    for reading in scene.readings():
        scene.board.put(reading)
    found = scene.assessor.look(scene.board, scene.now)
    scene.now += timedelta(seconds=2)
    for reading in scene.readings():
        scene.board.put(reading)
    found = scene.assessor.look(scene.board, scene.now)
    assert found.status == "partial"
    assert "lock-waits" in found.problem
    assert set(found.rows) == {"patroni-paused:main"}


def test_many_of_a_kind_do_not_drown_the_rest() -> None:
    from console.readings import Slot

    scene = Scene()
    slots = {f"s{n}": Slot(f"s{n}", retained_bytes=200, safe_bytes=100 if n else 1) for n in range(500)}
    scene.change(PostgresMember, "main/pg-1", slots=slots)
    scene.step(times=3)
    assert len(scene.found.rows) == 20
    assert scene.finding("slot-retains-wal:main/s0").severity == "critical"


def test_thresholds_of_the_environment_hold() -> None:
    scene = Scene(environment(thresholds={"connections-near-limit": {"warning_share": 0.2}}))
    scene.step(times=3)
    assert scene.ids == {"connections-near-limit:main/pg-1"}


def test_a_streak_counts_the_address_that_has_fewest() -> None:
    scene = Scene()
    streak = Streak()
    first = [reading for reading in scene.readings() if reading.topic == "postgres"]
    streak.add(first)
    streak.add(first)
    assert streak.length(reading.where for reading in first) == 1
    scene.now += timedelta(seconds=1)
    second = [reading for reading in scene.readings() if reading.topic == "postgres"]
    streak.add(second[:1])
    assert streak.length([second[0].where]) == 2
    assert streak.length(reading.where for reading in second) == 1
    assert streak.length([]) == 0


def scene_idle(scene: Scene) -> dict[int, object]:
    """One session that forgot its transaction."""
    from console.readings import Session

    began = scene.now - timedelta(minutes=10)
    return {7: Session(7, "acme", "acme", "odoo", state="idle in transaction", xact_start=began, state_change=began)}
