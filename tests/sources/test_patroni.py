"""Patroni's REST API: what it says, and what it says when it is not well."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.clients.patroni import Patroni
from console.readings import PatroniMember
from console.settings import Cadence
from console.sources import patroni as module
from console.sources.base import SourceError
from console.sources.patroni import PatroniSource
from console.sources.postgres_base import Member
from tests.sources.fake_patroni import CLUSTER, CONFIG, PRIMARY, FakePatroni


@pytest_asyncio.fixture
async def fake() -> AsyncIterator[FakePatroni]:
    server = await FakePatroni().start()
    yield server
    await server.stop()


@pytest_asyncio.fixture
async def source(fake: FakePatroni) -> AsyncIterator[PatroniSource]:
    made = make(f"http://127.0.0.1:{fake.port}")
    yield made
    await made.close()


def make(base: str, deadline_s: float = 20) -> PatroniSource:
    return PatroniSource(Patroni(base), Member("main", "pg-3"), Cadence(every_s=2, deadline_s=deadline_s))


async def test_a_healthy_member(fake: FakePatroni, source: PatroniSource) -> None:
    reading = await source.read()
    assert reading == PatroniMember(
        key="main/pg-3",
        taken_at=reading.taken_at,
        cluster="main",
        member="pg-3",
        scope="main",
        version="4.1.5",
        role="primary",
        state="running",
        timeline=3,
        postmaster_started_at=datetime(2026, 11, 22, 0, 56, 47, 105524, UTC),
        system_identifier="7710793468463023251",
        dcs_last_seen=datetime.fromtimestamp(1795310461, UTC),
        ttl_s=20.0,
        loop_wait_s=1.0,
        synchronous_mode="on",
        maximum_lag_bytes=1048576,
        leader="pg-3",
        members=reading.members,
        history={
            1: "no recovery target specified at 2026-11-22T01:10:11.5+00:00, then pg-2",
            2: "no recovery target specified at 2026-11-22T01:12:00.5+00:00, then pg-3",
        },
    )
    assert list(reading.members) == ["pg-1", "pg-2", "pg-3"]
    assert (reading.members["pg-1"].role, reading.members["pg-1"].lag_bytes) == ("sync_standby", 9240)
    assert reading.members["pg-2"].lag_bytes is None
    assert reading.members["pg-2"].tags == {"nofailover": "True", "clonefrom": "True"}
    assert reading.members["pg-2"].pending_restart


async def test_what_seldom_changes_is_seldom_asked(fake: FakePatroni, source: PatroniSource) -> None:
    for _ in range(5):
        reading = await source.read()
        assert reading.ttl_s == 20
        assert len(reading.history) == 2
    assert fake.asked == {"/patroni": 5, "/cluster": 5, "/config": 1, "/history": 1}


@pytest.mark.parametrize(
    ("said", "field", "value"),
    [
        ({"pause": True}, "paused", True),
        ({"cluster_unlocked": True}, "cluster_unlocked", True),
        ({"failsafe_mode_is_active": True}, "failsafe_active", True),
        ({"watchdog_failed": True}, "watchdog_failed", True),
        ({"pending_restart": True}, "pending_restart", True),
        ({"sync_standby": True}, "synchronous_standby", True),
        ({"quorum_standby": True}, "synchronous_standby", True),
        ({"role": "master"}, "role", "primary"),
        ({"role": "standby_leader"}, "role", "standby_leader"),
        ({"state": "start failed"}, "state", "start failed"),
    ],
)
async def test_what_patroni_says_of_itself(
    fake: FakePatroni, source: PatroniSource, said: dict[str, Any], field: str, value: object
) -> None:
    fake.answers["/patroni"] = {**PRIMARY, **said}
    assert getattr(await source.read(), field) == value


@pytest.mark.parametrize(
    ("config", "mode"),
    [
        ({}, ""),
        ({"ttl": 30}, "off"),
        ({"synchronous_mode": False}, "off"),
        ({"synchronous_mode": "on"}, "on"),
        ({"synchronous_mode": "quorum"}, "quorum"),
        ({"synchronous_mode": True, "synchronous_mode_strict": True}, "on strict"),
        ({"synchronous_mode": "quorum", "synchronous_mode_strict": True}, "quorum strict"),
    ],
)
async def test_synchronous_mode(fake: FakePatroni, source: PatroniSource, config: dict[str, Any], mode: str) -> None:
    fake.answers["/config"] = config
    assert (await source.read()).synchronous_mode == mode


async def test_a_status_503_with_a_body_is_an_answer(fake: FakePatroni, source: PatroniSource) -> None:
    body = b'{"state": "stopped", "role": "replica", "patroni": {"scope": "main"}}'
    fake.answers["/patroni"] = (503, body)
    reading = await source.read()
    assert (reading.status, reading.state, reading.role) == ("ok", "stopped", "replica")


async def test_postgresql_hangs_under_a_patroni_that_lives(fake: FakePatroni, monkeypatch: pytest.MonkeyPatch) -> None:
    """GET /patroni asks PostgreSQL and waits with it; /cluster asks the DCS. One waiting request at a time is enough."""
    source = make(f"http://127.0.0.1:{fake.port}", deadline_s=0.4)
    fake.answers["/patroni"] = None
    for _ in range(3):
        reading = await source.read()
        assert reading.status == "partial"
        assert reading.problem.startswith("Patroni answers, but not for its PostgreSQL; GET /patroni: no answer within")
        assert (reading.state, reading.role, reading.leader) == ("", "", "pg-3")
    assert fake.asked["/patroni"] == 1
    fake.answers["/patroni"] = PRIMARY
    monkeypatch.setattr(module.time, "monotonic", lambda: 1e9)
    assert (await source.read()).status == "ok"
    await source.close()


async def test_the_dcs_hangs_under_a_patroni_that_lives(fake: FakePatroni) -> None:
    source = make(f"http://127.0.0.1:{fake.port}", deadline_s=0.4)
    fake.answers["/cluster"] = None
    reading = await source.read()
    assert (reading.status, reading.state, reading.members, reading.leader) == ("partial", "running", {}, "")
    assert "GET /cluster: no answer" in reading.problem
    await source.close()


async def test_nothing_answers(fake: FakePatroni) -> None:
    source = make(f"http://127.0.0.1:{fake.port}", deadline_s=0.4)
    fake.answers = dict.fromkeys(fake.answers)
    with pytest.raises(SourceError, match="no answer within"):
        await source.read()
    await source.close()


async def test_nobody_listens() -> None:
    source = make("http://127.0.0.1:1")
    with pytest.raises(SourceError, match=r"http://127.0.0.1:1: GET /patroni"):
        await source.read()
    await source.close()


async def test_abandoning_ends_every_request(fake: FakePatroni) -> None:
    source = make(f"http://127.0.0.1:{fake.port}", deadline_s=300)
    fake.answers = dict.fromkeys(fake.answers)
    task = asyncio.create_task(source.read())
    async with asyncio.timeout(60):
        while len(fake.asked) < 4:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)
    source.abandon()
    with pytest.raises(SourceError, match="dropped"):
        await task
    await source.close()


@pytest.mark.parametrize(
    "answer",
    [
        (200, b""),
        (200, b"<html>It works!</html>"),
        (200, b"\xff\xfe\x00"),
        (502, b"Bad Gateway"),
        (200, b"[1, 2"),
        (200, b"[" * 100_000),
    ],
    ids=range(6),
)
async def test_garbage_instead_of_json(fake: FakePatroni, source: PatroniSource, answer: tuple[int, bytes]) -> None:
    fake.answers["/patroni"] = answer
    reading = await source.read()
    assert reading.status == "partial"
    assert reading.problem.startswith("GET /patroni: HTTP ")
    fake.answers["/cluster"] = answer
    with pytest.raises(SourceError):
        await source.read()


async def test_a_body_without_end_is_cut(fake: FakePatroni, source: PatroniSource) -> None:
    fake.answers["/patroni"] = (200, b" " * 6_000_000)
    assert "more than 4 MiB" in (await source.read()).problem


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
KEYS = sorted({*PRIMARY, *CLUSTER, *CONFIG, "pause", "tags", "sync_standby", "watchdog_failed"})


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    status=JSON | st.dictionaries(st.sampled_from(KEYS), JSON),
    cluster=JSON | st.dictionaries(st.sampled_from(KEYS), JSON) | st.builds(
        lambda rows: {"members": rows},
        st.lists(JSON | st.dictionaries(st.sampled_from([*CLUSTER["members"][1]]), JSON), max_size=3),
    ),
    config=JSON | st.dictionaries(st.sampled_from(KEYS), JSON),
    history=JSON | st.lists(st.lists(JSON, max_size=5), max_size=3),
)  # fmt: skip
async def test_json_of_any_shape(status: Any, cluster: Any, config: Any, history: Any) -> None:
    """Whatever comes, there is a reading or a sentence, and the reading is of its own types."""
    answers = {"/patroni": status, "/cluster": cluster, "/config": config, "/history": history}

    class Canned:
        base = "http://canned"

        async def get(self, path: str, _patience_s: float) -> Any:
            return copy.deepcopy(answers[path])

    source = PatroniSource(Canned(), Member("main", "pg-3"), Cadence(every_s=2, deadline_s=2))  # type: ignore[arg-type]
    reading = await source.read()
    for text in (reading.role, reading.state, reading.leader, reading.scope, *reading.history.values()):
        assert isinstance(text, str)
        assert text.isprintable()
    for member in reading.members.values():
        assert member.lag_bytes is None or isinstance(member.lag_bytes, int)
        assert member.name.isprintable()


async def test_a_host_name_reaches_the_server(fake: FakePatroni) -> None:
    source = make(f"http://localhost:{fake.port}/")
    assert (await source.read()).state == "running"
    assert fake.hosts == {f"localhost:{fake.port}"}
    await source.close()


async def test_no_password_in_what_is_shown() -> None:
    source = make("http://user:s3cret@127.0.0.1:1")
    with pytest.raises(SourceError) as caught:
        await source.read()
    assert "s3cret" not in caught.value.problem
    assert "s3cret" not in str(await source.examine())
    await source.close()


async def test_the_doctor(fake: FakePatroni, source: PatroniSource) -> None:
    assert {check.answer for check in await source.examine()} == {"pass"}
    fake.answers["/config"] = (403, b"forbidden")
    failing = [check for check in await source.examine() if check.answer == "fail"]
    assert len(failing) == 1
    assert "cert_file" in failing[0].mend
