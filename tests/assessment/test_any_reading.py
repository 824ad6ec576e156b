"""No reading, missing, failed, partial or hostile, makes a judge raise; and whatever is said stays bounded."""

from __future__ import annotations

import functools
import typing
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.board import Board
from console.readings import (
    Activity,
    KubernetesApi,
    KubernetesBudgets,
    KubernetesNodes,
    KubernetesPods,
    KubernetesQuotas,
    KubernetesScalers,
    KubernetesUsage,
    KubernetesWarnings,
    KubernetesWorkloads,
    PatroniMember,
    PostgresIo,
    PostgresMember,
    PostgresSettings,
    Reading,
    RedisKeys,
    RedisServer,
    Sentinel,
)
from console.settings import EnvironmentFile
from tests.assessment.scene import START, Scene, environment
from tests.assessment.scene_kubernetes import kube

HOSTILE = (
    "", "[@click=app.quit]x[/]", "[/foo]", "{0}", "%s%n", "a:b/c", "main/pg-1", "x" * 10_000, "👩‍👩‍👧‍👦" * 30, "\u0301" * 50, "?*[",
)  # fmt: skip
PROBLEMS = (
    "",
    "no answer within 2 s",
    "connection refused",
    "too many clients already",
    "x" * 500,
    "the database system is starting up",
)

names = st.one_of(
    st.sampled_from((*HOSTILE, "pg-1", "pg-2", "acme", "lost", "primary", "replica", "streaming")), st.text(max_size=12)
)
numbers = st.integers(-(2**62), 2**62)
reals = st.floats(allow_nan=False, allow_infinity=False, width=32)
moments = st.datetimes(
    min_value=datetime(1970, 1, 2), max_value=datetime(2200, 1, 1), timezones=st.just(UTC)
) | st.integers(-400, 100).map(lambda seconds: START + timedelta(seconds=seconds))  # fmt: skip


@functools.cache
def of(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of a field's type."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return of(args[0])
    if origin is typing.Literal:
        return st.sampled_from(args)
    if origin is dict:
        keys = st.integers(1, 40) if args[0] is int else names
        return st.dictionaries(keys, of(args[1]), max_size=3)
    if origin is tuple:
        return st.lists(of(args[0]), max_size=3).map(tuple)
    if args:
        return st.one_of(*(of(arg) for arg in args))
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return st.builds(hint, **fields(hint))
    plain: dict[Any, st.SearchStrategy[Any]] = {
        str: names, int: numbers, float: reals, bool: st.booleans(), datetime: moments, type(None): st.none(),
    }  # fmt: skip
    return plain[hint]


def fields(cls: type[msgspec.Struct]) -> dict[str, st.SearchStrategy[Any]]:
    """A strategy for every field."""
    hints = typing.get_type_hints(cls, include_extras=True)
    return {name: of(hint) for name, hint in hints.items() if typing.get_origin(hint) is not ClassVar}


TOPICS: tuple[tuple[type[Reading], tuple[str, ...]], ...] = (
    (PostgresMember, ("main/pg-1", "main/pg-2")),
    (Activity, ("main/pg-1",)),
    (PostgresIo, ("main/pg-1",)),
    (PostgresSettings, ("main/pg-1", "main/pg-2")),
    (PatroniMember, ("main/pg-1", "main/pg-2")),
    (RedisServer, ("cache/cache-1", "cache/cache-2")),
    (RedisKeys, ("cache",)),
    (Sentinel, ("cache/s-1", "cache/s-2")),
)
KUBERNETES: tuple[type[Reading], ...] = (
    KubernetesApi, KubernetesNodes, KubernetesPods, KubernetesWorkloads, KubernetesScalers, KubernetesQuotas, KubernetesBudgets,
    KubernetesWarnings, KubernetesUsage,
)  # fmt: skip
CHOICES = [(cls, key) for cls, keys in TOPICS for key in keys]


@st.composite
def readings(draw: st.DrawFn) -> Reading:
    """Any reading of any topic, as a source may send it."""
    cls, key = draw(st.sampled_from([*CHOICES, *((cls, "lab") for cls in KUBERNETES)]))
    reading: Reading = draw(
        st.builds(cls, **(fields(cls) | {"key": st.just(key), "problem": st.sampled_from(PROBLEMS)}))
    )
    return reading


def platforms() -> st.SearchStrategy[EnvironmentFile]:
    """Large and small, with Patroni and Sentinels and without; or of Kubernetes alone."""
    return st.just(kube()) | st.builds(
        environment,
        members=st.sampled_from((("pg-1",), ("pg-1", "pg-2"), ())),
        servers=st.sampled_from((("cache-1",), ("cache-1", "cache-2"), ())),
        sentinels=st.sampled_from(((), ("s-1", "s-2"))),
        patroni=st.booleans(),
    )


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    platform=platforms(),
    rounds=st.lists(st.lists(readings(), max_size=6), min_size=1, max_size=5),
    healthy=st.booleans(),
)
def test_no_judge_raises(platform: EnvironmentFile, rounds: list[list[Reading]], healthy: bool) -> None:
    scene = Scene(platform)
    if healthy:
        scene.step(times=3)
    for number, batch in enumerate(rounds):
        scene.now += timedelta(seconds=2)
        for reading in batch:
            at = scene.now if number % 2 else reading.taken_at
            scene.board.put(msgspec.structs.replace(reading, taken_at=at))
        scene.look()
        for finding in scene.found.rows.values():
            assert len(finding.title) <= 160, finding.title
            assert len(finding.impact) <= 400, finding.impact
            assert len(finding.action) <= 400, finding.action
            assert len(finding.evidence) <= 12
            assert finding.caused_by in {"", *scene.found.rows}
            assert finding.caused_by != finding.id
        msgspec.msgpack.encode(scene.found)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(batch=st.lists(readings(), max_size=8))
def test_a_cold_look_opens_nothing_and_never_raises(batch: list[Reading]) -> None:
    scene = Scene()
    scene.board = Board()
    for reading in batch:
        scene.board.put(reading)
    assert scene.look().rows == {}


@settings(max_examples=60, deadline=None)
@given(
    failing=st.sets(st.sampled_from([(cls, key) for cls, key in CHOICES] + [(PostgresMember, "main/pg-3")])),
    problem=st.sampled_from(PROBLEMS[1:]),
    missing=st.sets(st.sampled_from(CHOICES)),
)
def test_whatever_fails_is_told_and_goes_away(
    failing: set[tuple[type[Reading], str]], problem: str, missing: set[tuple[type[Reading], str]]
) -> None:
    """Any servers fail together, some were never read: nothing raises, and after mending nothing is left."""
    scene = Scene()
    for cls, key in missing:
        scene.never(cls, key)
    scene.step(times=4)
    for cls, key in failing:
        scene.fail(cls, key, problem)
    scene.step(times=12)
    for cls, key in failing | missing:
        scene.mend(cls, key)
    scene.step(times=100)
    assert scene.ids == set()
