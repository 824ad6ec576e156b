"""A server is not blamed for an engine that is late."""

from __future__ import annotations

import asyncio
import random
import time

import pytest

from console.readings import RedisServer
from console.sources.echo import Echo, without_own
from tests.rigs_valkey import Rig, environment, sources


@pytest.mark.parametrize("share", [0.5, 0.99])
def test_nothing_is_taken_off_while_the_engine_is_quick(share: float) -> None:
    theirs = [0.3 + 0.01 * at for at in range(100)]
    assert without_own(theirs, [0.2] * 100, share) == pytest.approx(sorted(theirs)[round(99 * share)])


def test_a_late_engine_is_taken_off_and_a_slow_server_is_not() -> None:
    dice = random.Random(1)
    late = [dice.uniform(20, 200) for _ in range(100)]
    also_late = [dice.uniform(20, 200) for _ in range(100)]
    assert without_own(late, also_late, 0.5) < 30
    slow = [80 + each for each in late]
    assert 50 < without_own(slow, also_late, 0.5) < 110
    assert without_own(slow, also_late, 0.99) >= without_own(slow, also_late, 0.5)


@pytest.mark.server
async def test_a_busy_engine_is_not_a_slow_cache(valkey: Rig) -> None:
    source = sources(environment([valkey.primary], valkey.secret))[0][valkey.primary.name]

    async def hog() -> None:
        while True:
            time.sleep(0.03)  # noqa: ASYNC251 - the loop is to be kept busy
            await asyncio.sleep(0)

    busy = asyncio.create_task(hog())
    try:
        for _ in range(5):
            reading = await source.read()
    finally:
        busy.cancel()
        await source.close()
    assert isinstance(reading, RedisServer)
    assert len(source._rtt_ms) >= 5
    raw_ms = sorted(source._rtt_ms)[len(source._rtt_ms) // 2]
    assert raw_ms > 50, "the engine was late for every answer"
    assert reading.rtt_p50_ms is not None
    assert reading.rtt_p50_ms < raw_ms / 2


async def test_an_echo_that_was_given_up_leaves_no_byte_behind() -> None:
    echo = Echo()
    await echo.round_trip_ms()
    task = asyncio.create_task(echo.round_trip_ms())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert await echo.round_trip_ms() > 0
    echo.close()
