"""The board, and the one function that says how a pane is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.board import Board, pane_state, state_of, verdict, worst
from console.readings import (
    Address,
    Environment,
    Finding,
    Findings,
    Pane,
    PostgresMember,
    Reading,
    RedisServer,
    State,
    Status,
    address,
)
from tests.strategies import histories

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
MEMBERS = ("main/pg-1", "main/pg-2", "main/pg-3")


def member(key: str, status: Status = "ok", age_s: float = 1.0, **more: Any) -> PostgresMember:
    problem = "" if status == "ok" else "connection refused"
    return PostgresMember(
        key=key, taken_at=NOW - timedelta(seconds=age_s), every_s=2.0, status=status, problem=problem, **more
    )


def board(*members: PostgresMember, looks: int = 2, findings: tuple[Finding, ...] = ()) -> Board:
    made = Board()
    pairs = tuple(f"postgres {key}" for key in MEMBERS)
    made.put(Environment(taken_at=NOW, name="test", panes={"database": pairs, "cache": ()}))
    made.put(
        Findings(
            taken_at=NOW,
            looked=dict.fromkeys(pairs, looks),
            rows={finding.id: finding for finding in findings},
        )
    )
    for reading in members:
        made.put(reading)
    return made


def finding(severity: str = "critical", state: str = "open", pane: Pane = "database", caused_by: str = "") -> Finding:
    return Finding(
        f"kind:{severity}{state}",
        "kind",
        pane,
        "main",
        severity,
        "t",
        "i",
        "a",
        NOW,
        state=state,
        caused_by=caused_by,  # type: ignore[arg-type]
    )


def healthy() -> list[PostgresMember]:
    return [member(key) for key in MEMBERS]


def state(made: Board, lost: str = "") -> State:
    return pane_state(made, "database", NOW, lost).state


def test_all_well() -> None:
    made = board(*healthy())
    assert state(made) == "ok"
    assert pane_state(made, "database", NOW).age_s == 1.0
    assert verdict(made, NOW) == "ok"


def test_nothing_configured_is_said_and_does_not_count() -> None:
    made = board(*healthy())
    assert pane_state(made, "cache", NOW).state == "not-configured"
    assert pane_state(made, "ingress", NOW).state == "not-configured"
    empty = Board()
    empty.put(Environment(taken_at=NOW, name="test", panes={"database": ()}))
    assert verdict(empty, NOW) == "unknown"
    assert verdict(Board(), NOW) == "unknown"
    assert state(Board()) == "unknown"


@pytest.mark.parametrize(("age_s", "expected"), [(4.9, "ok"), (5.1, "unknown"), (3600, "unknown")])
def test_what_has_aged_is_unknown(age_s: float, expected: State) -> None:
    made = board(*healthy()[:2], member(MEMBERS[2], age_s=age_s))
    answer = pane_state(made, "database", NOW)
    assert answer.state == expected
    assert answer.age_s == pytest.approx(age_s)
    assert ("main/pg-3" in answer.why) is (expected == "unknown")


@pytest.mark.parametrize("status", ["unreachable", "denied"])
def test_unreachable_members(status: Status) -> None:
    one = board(*healthy()[:2], member(MEMBERS[2], status))
    assert state(one) == "warning"
    assert "connection refused" in pane_state(one, "database", NOW).why
    assert state(board(*[member(key, status) for key in MEMBERS])) == "unknown"
    worse = board(*[member(key, status) for key in MEMBERS], findings=(finding("critical"),))
    assert state(worse) == "critical"


def test_a_first_look_is_never_green() -> None:
    assert state(board(*healthy(), looks=1)) == "unknown"
    assert state(board(*healthy()[:2])) == "unknown"
    unjudged = board(*healthy())
    unjudged.remove(address(Findings))
    assert state(unjudged) == "unknown"


def test_findings_turn_their_pane_and_no_other() -> None:
    assert state(board(*healthy(), findings=(finding("warning"),))) == "warning"
    assert state(board(*healthy(), findings=(finding("critical"), finding("warning")))) == "critical"
    assert state(board(*healthy(), findings=(finding("critical", "unknown"),))) == "unknown"
    assert state(board(*healthy(), findings=(finding("critical", pane="cache"),))) == "ok"


def test_where_judging_failed_nothing_is_green() -> None:
    made = board(*healthy())
    made.put(msgspec.structs.replace(made.get(Findings), status="partial", problem="lag cannot be judged"))  # type: ignore[type-var, arg-type]
    answer = pane_state(made, "database", NOW)
    assert answer.state == "unknown"
    assert "lag cannot be judged" in answer.why


def test_when_the_engine_is_lost_everything_configured_is_unknown() -> None:
    made = board(*healthy(), findings=(finding("critical"),))
    answer = pane_state(made, "database", NOW, "the engine ended")
    assert (answer.state, answer.why) == ("unknown", "the engine ended")
    assert verdict(made, NOW, "the engine ended") == "unknown"
    assert pane_state(made, "cache", NOW, "the engine ended").state == "not-configured"


def test_what_is_not_there_to_be_read_does_not_count_as_reachable() -> None:
    idle = [member(key, "not-configured") for key in MEMBERS]
    assert state(board(*idle)) == "not-configured"
    assert state(board(*idle[:2], member(MEMBERS[2], "unreachable"))) == "unknown"
    assert state(board(*idle[:2], member(MEMBERS[2]))) == "ok"


@given(st.permutations(["not-configured", "ok", "warning", "unknown", "critical"]), st.integers(1, 5))
def test_precedence(states: list[State], count: int) -> None:
    order: list[State] = ["critical", "unknown", "warning", "ok", "not-configured"]
    chosen = states[:count]
    assert worst(chosen) == next(one for one in order if one in chosen)


@settings(max_examples=100, deadline=None)
@given(histories(PostgresMember), st.floats(0, 100))
def test_green_means_that_all_was_read_lately(history: list[Reading], passed: float) -> None:
    made = board()
    for reading in history:
        made.put(msgspec.structs.replace(reading, every_s=2.0, taken_at=NOW - timedelta(seconds=passed)))
    if state(made) == "ok":
        for key in MEMBERS:
            reading = made.get(PostgresMember, key)
            assert reading is not None
            assert not reading.is_stale(NOW)
            assert reading.status in ("ok", "not-configured")


def test_findings_the_worst_and_its_own_cause_first() -> None:
    caused = msgspec.structs.replace(finding("critical", caused_by="kind:x"), id="caused")
    made = board(findings=(finding("warning"), caused, finding("critical")))
    assert [one.id for one in made.findings] == ["kind:criticalopen", "caused", "kind:warningopen"]


def test_looking_up() -> None:
    made = board(*healthy())
    made.put(RedisServer(key="cache/cache-1", taken_at=NOW))
    assert made.get(PostgresMember, "main/pg-2") == member("main/pg-2")
    assert made.get(PostgresMember, "main/pg-9") is None
    assert [reading.key for reading in made.every(PostgresMember)] == list(MEMBERS)
    assert [reading.key for reading in made.every(PostgresMember, "main/pg-2")] == ["main/pg-2"]
    other = made.copy()
    assert other == made
    assert made.remove(Address("redis", "cache/cache-1")) is not None
    assert made.remove(Address("redis", "cache/cache-1")) is None
    assert other != made


def test_a_part_is_judged_as_a_pane_is_by_what_it_stands_on_alone() -> None:
    made = board(member(MEMBERS[0]), member(MEMBERS[1], "unreachable"), member(MEMBERS[2], age_s=60.0))
    states = [state_of(made, (f"postgres {key}",), (), NOW).state for key in MEMBERS]
    assert states == ["ok", "unknown", "unknown"], "alone, who does not answer leaves nothing known"
    both = tuple(f"postgres {key}" for key in MEMBERS[:2])
    assert state_of(made, both, (), NOW).state == "warning"
    assert state_of(made, (), (), NOW).state == "not-configured"
    assert state_of(made, (), [finding("warning")], NOW).state == "warning", (
        "not watched itself, and yet it feels something"
    )
    assert state_of(made, both, (), NOW, "the engine ended").state == "unknown"
