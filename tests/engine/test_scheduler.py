"""The scheduler: whatever a source does, its pane hears of it in time, and no other source notices."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from console.engine.log import Redactor
from console.engine.scheduler import AGAIN_S, Scheduler
from console.readings import Activity, Address, LogTail, PostgresMember, Reading, address, stale_after_s
from console.sources.base import Source, SourceError
from tests.engine.fakes import NEVER, FakeSource, Hung, Stubborn, activity, crash, member, refuse

LIMIT_S = 20.0


class Taken:
    """Readings as they come out."""

    def __init__(self) -> None:
        self.all: list[Reading] = []
        self.when: list[float] = []
        self._came = asyncio.Event()

    def __call__(self, reading: Reading) -> None:
        self.all.append(reading)
        self.when.append(time.monotonic())
        self._came.set()

    def of(self, key: str) -> list[Reading]:
        return [reading for reading in self.all if reading.key == key]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(LIMIT_S):
            while not condition():
                self._came.clear()
                await self._came.wait()


@asynccontextmanager
async def running(taken: Taken, *sources: Source, **arguments: Any) -> AsyncIterator[Scheduler]:
    redactor = Redactor(["hunter2-the-password"])
    scheduler = Scheduler(sources, taken, redactor, hide=redactor.hide, **arguments)
    scheduler.start()
    try:
        yield scheduler
    finally:
        await scheduler.close()


async def test_a_healthy_source_is_asked_at_its_pace_and_its_readings_are_stamped() -> None:
    taken, source = Taken(), FakeSource(member, every_s=0.1)
    async with running(taken, source):
        await taken.until(lambda: len(taken.all) >= 6)
    for reading in taken.all:
        assert reading.status == "ok"
        assert reading.every_s == 0.1
        assert reading.good_at == reading.taken_at
        assert reading.key == "main/pg-1"
    gaps = [after - before for before, after in zip(source.began, source.began[1:], strict=False)]
    assert min(gaps) >= 0.08
    assert source.closed == 1
    assert source.most_at_once == 1


async def test_a_source_is_not_blamed_for_an_engine_that_did_not_get_to_run() -> None:
    """It answers after ten turns of the loop; while each of them takes long, that is the engine's own doing."""

    class Turns(FakeSource):
        async def wait(self, number: int) -> None:
            for _ in range(10):
                await asyncio.sleep(0)

    async def hog() -> None:
        while True:
            time.sleep(0.04)  # noqa: ASYNC251 - the loop is to be kept busy
            await asyncio.sleep(0)

    taken, source = Taken(), Turns(member, every_s=0.5, deadline_s=0.3)
    busy = asyncio.create_task(hog())
    try:
        async with running(taken, source):
            await taken.until(lambda: len(taken.all) >= 4)
    finally:
        busy.cancel()
    assert {reading.status for reading in taken.all} == {"ok"}
    assert max(reading.took_ms for reading in taken.all) > 300, "each was over the deadline by the clock"


async def test_a_hung_source_says_so_within_its_deadline_and_delays_nobody() -> None:
    taken, hung = Taken(), Hung(key="main/pg-1", every_s=0.1, deadline_s=0.3)
    others = [FakeSource(lambda n, k=f"main/pg-{i}": member(n, k), key=f"main/pg-{i}", every_s=0.1) for i in (2, 3)]  # type: ignore[misc]
    async with running(taken, hung, *others):
        await taken.until(lambda: len(taken.of("main/pg-1")) >= 2)
        failed = taken.of("main/pg-1")
    assert all(len(taken.of(other.key)) >= 4 for other in others)
    for reading in failed:
        assert reading.status == "unreachable"
        assert "0.3 s" in reading.problem
        assert reading.good_at is None
    assert taken.when[taken.all.index(failed[0])] - hung.began[0] < 0.3 + 2.0
    assert hung.abandoned >= 2
    assert hung.most_at_once == 1


async def test_a_source_that_does_not_let_go_is_not_asked_again_but_keeps_being_reported() -> None:
    taken, stubborn = Taken(), Stubborn(every_s=0.1, deadline_s=0.1)
    async with running(taken, stubborn):
        await taken.until(lambda: len(taken.all) >= 3)
        assert len(stubborn.began) == 1
        assert "still busy" in taken.all[-1].problem
        stubborn.release.set()
        await taken.until(lambda: taken.all[-1].status == "ok")
    assert stubborn.most_at_once == 1


async def test_a_failure_carries_no_content_but_who_it_is_about_and_when_it_was_good() -> None:
    def answer(number: int) -> Reading:
        return member(number) if number == 1 else refuse(number)

    taken = Taken()
    async with running(taken, FakeSource(answer, every_s=0.05)):
        await taken.until(lambda: len(taken.all) >= 3)
    good, bad = taken.all[0], taken.all[2]
    assert isinstance(bad, PostgresMember)
    assert (bad.status, bad.cluster, bad.member) == ("denied", "main", "pg-1")
    assert bad.good_at == good.taken_at
    empty = PostgresMember(taken_at=bad.taken_at)
    for name in set(empty.__struct_fields__) - set(Reading.__struct_fields__) - {"cluster", "member"}:
        assert getattr(bad, name) == getattr(empty, name), name


async def test_an_exception_becomes_a_reading_and_its_traceback_a_log_line_without_values(
    caplog: pytest.LogCaptureFixture,
) -> None:
    taken = Taken()
    async with running(taken, FakeSource(crash, every_s=0.05)):
        await taken.until(lambda: len(taken.all) >= 3)
    assert taken.all[0].problem == "ZeroDivisionError: division by zero"
    tracebacks = [record.getMessage() for record in caplog.records if "Traceback" in record.getMessage()]
    assert len(tracebacks) == 1, "once, not with every look"
    assert "in crash" in tracebacks[0]


async def test_secrets_are_taken_out_of_reasons() -> None:
    def answer(number: int) -> Reading:
        if number % 2:
            raise OSError("no connection to postgresql://banksman:hunter2-the-password@db/postgres")
        raise SourceError("authentication with hunter2-the-password failed")

    taken = Taken()
    async with running(taken, FakeSource(answer, every_s=0.05)):
        await taken.until(lambda: len(taken.all) >= 2)
    for reading in taken.all:
        assert "hunter2" not in reading.problem
        assert reading.problem


def _surrogate(_number: int) -> Reading:
    return msgspec.structs.replace(member(), version="\ud800")


def _wrong_type(_number: int) -> Reading:
    return msgspec.structs.replace(member(), connections="many")


def _no_number(_number: int) -> Reading:
    return msgspec.structs.replace(member(), wal_per_s=float("nan"))


def _too_big(_number: int) -> Reading:
    return msgspec.structs.replace(member(), current_bytes=2**80)


def _not_a_reading(_number: int) -> Any:
    return {"status": "ok"}


def _escape(_number: int) -> Reading:
    raise SourceError("\x1b[31mred\x1b[0m " + "x" * 10_000)


@pytest.mark.parametrize("lie", [_surrogate, _wrong_type, _no_number, _too_big, _not_a_reading, _escape])
async def test_a_lying_source_is_caught_at_the_edge(lie: Callable[[int], Any]) -> None:
    taken = Taken()
    async with running(taken, FakeSource(lie, every_s=0.05)):
        await taken.until(lambda: len(taken.all) >= 2)
    reading = taken.all[0]
    assert reading.status == "unreachable"
    assert reading.problem.isprintable()
    assert 10 < len(reading.problem) <= 300
    msgspec.msgpack.encode(reading)


async def test_what_a_source_changes_afterwards_does_not_reach_the_board() -> None:
    kept = member()
    kept.connections_by_database["acme"] = 1

    def answer(number: int) -> Reading:
        kept.connections_by_database["acme"] = number
        return kept

    taken = Taken()
    async with running(taken, FakeSource(answer, every_s=0.05)):
        await taken.until(lambda: len(taken.all) >= 3)
    assert [reading.connections_by_database["acme"] for reading in taken.all[:3]] == [1, 2, 3]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("every_s", "deadline_s", "took_s"),
    [(1, 2, 2), (2, 2, 2), (2, 2, 0), (10, 5, 5), (10, 5, 0), (60, 20, 20), (60, 20, 0)],
)
@pytest.mark.parametrize("failures", [1, 2, 3, 10, 1000])
def test_back_off_is_bounded_and_a_failure_never_goes_stale_by_it(
    every_s: float, deadline_s: float, took_s: float, failures: int
) -> None:
    scheduler = Scheduler([], lambda _reading: None, str)
    source = FakeSource(member, every_s=every_s, deadline_s=deadline_s)
    for _ in range(50):
        wait = scheduler.delay(failures, failures, source, took_s)
        assert 0 < wait <= AGAIN_S
        # From the beginning of a failed look to the end of the next one, the pane has an answer of its own.
        assert took_s + wait + deadline_s <= stale_after_s(every_s)


def test_the_first_looks_come_soon_then_the_cadence_holds() -> None:
    scheduler = Scheduler([], lambda _reading: None, str, needed=2)
    source = FakeSource(member, every_s=60, deadline_s=20)
    assert scheduler.delay(1, 0, source, 0) <= 1.5
    assert 54 <= scheduler.delay(2, 0, source, 0) <= 60


async def test_refresh_asks_now_and_a_finding_in_the_making_within_five_seconds() -> None:
    taken = Taken()
    sources = [FakeSource(lambda n, k=k: member(n, k), key=k, every_s=NEVER) for k in ("main/pg-1", "main/pg-2")]  # type: ignore[misc]
    async with running(taken, *sources, needed=0) as scheduler:
        await taken.until(lambda: len(taken.all) >= 2)
        where = address(PostgresMember, "main/pg-1")
        assert scheduler.refresh(lambda wanted: wanted == where) == 1
        await taken.until(lambda: len(taken.of("main/pg-1")) >= 2)
        assert len(taken.of("main/pg-2")) == 1
        scheduler.hurry({where, Address("postgres", "nobody/there")})
        began = time.monotonic()
        await taken.until(lambda: len(taken.of("main/pg-1")) >= 3)
        assert time.monotonic() - began > 2.0, "soon, not at once"
        assert scheduler.refresh(lambda _where: False) == 0


async def test_a_refresh_key_held_down_costs_no_more_than_a_look_every_two_seconds() -> None:
    taken = Taken()
    source = FakeSource(member, every_s=NEVER)
    async with running(taken, source, needed=0) as scheduler:
        await taken.until(lambda: len(taken.all) >= 1)
        for _ in range(40):
            assert scheduler.refresh() == 1
            await asyncio.sleep(0.01)
        await taken.until(lambda: len(taken.all) >= 2)
    assert len(source.began) == 2
    assert source.began[1] - source.began[0] > 1.9


async def test_ending_takes_little_more_than_a_second_whatever_the_sources_do() -> None:
    class Clinging(Stubborn):
        async def close(self) -> None:
            await asyncio.sleep(NEVER)

    taken, clinging = Taken(), [Clinging(key=f"main/pg-{i}", every_s=0.05, deadline_s=0.1) for i in range(5)]
    scheduler = Scheduler(clinging, taken, str)
    scheduler.start()
    await taken.until(lambda: len(taken.all) >= 5)
    began = time.monotonic()
    await scheduler.close()
    assert time.monotonic() - began < 4.0
    for source in clinging:
        source.release.set()


async def test_two_sources_of_one_address_are_refused() -> None:
    scheduler = Scheduler([], Taken(), str)
    scheduler.add(FakeSource(member))
    with pytest.raises(ValueError, match="two sources"):
        scheduler.add(FakeSource(member))
    await scheduler.close()


async def test_jitter_spreads_what_began_together() -> None:
    scheduler = Scheduler([], Taken(), str, needed=0)
    waits = {round(scheduler.delay(5, 0, FakeSource(member, every_s=10), 0), 3) for _ in range(50)}
    assert len(waits) > 10
    assert all(9 <= wait <= 10 for wait in waits)


async def test_a_known_password_is_taken_out_of_queries_and_log_lines_and_of_no_name() -> None:
    taken = Taken()
    secret = "hunter2-the-password"
    log = LogTail(taken_at=member().taken_at, lines={1: f"refused {secret} from 10.0.0.9", 2: "quiet"})
    told = FakeSource(lambda _n: log, reading=LogTail, key="postgres main/pg-1", every_s=NEVER)
    query = FakeSource(lambda n: activity(n, 2, query=f"select '{secret}'"), reading=Activity, every_s=NEVER)
    name = FakeSource(lambda n: member(n, f"main/{secret}"), key=f"main/{secret}", every_s=NEVER)
    async with running(taken, told, query, name, needed=0):
        await taken.until(lambda: len(taken.all) >= 3)
    by_topic = {reading.topic: reading for reading in taken.all}
    assert by_topic["log"].lines == {1: "refused *** from 10.0.0.9", 2: "quiet"}  # type: ignore[attr-defined]
    assert secret not in repr(by_topic[Activity.topic])
    assert by_topic["postgres"].member == secret  # type: ignore[attr-defined]


@pytest.mark.parametrize("turns", range(8))
async def test_nothing_comes_of_a_source_that_was_dropped_as_its_look_ended(turns: int) -> None:
    """What a client asked for is taken off the board with it; nobody would take it away a second time."""

    class Held(FakeSource):
        async def wait(self, number: int) -> None:
            held.set()
            await go.wait()

    held, go = asyncio.Event(), asyncio.Event()
    taken, source = Taken(), Held(member, every_s=0.01, deadline_s=LIMIT_S)
    async with running(taken, source) as scheduler:
        await asyncio.wait_for(held.wait(), LIMIT_S)
        go.set()
        for _ in range(turns):
            await asyncio.sleep(0)
        scheduler.drop(address(PostgresMember, source.key))
        before = len(taken.all)
        await asyncio.sleep(0.02)
        assert len(taken.all) == before
