"""Short history: means per step, no step invented, and what an engine before this one knew."""

from __future__ import annotations

import math
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.board import Board
from console.engine.history import POINTS, STEP_S, History, recorded_trends, three_digits
from console.engine.series import SERIES, sample
from console.engine.settle import rounded, settle
from console.readings import (
    KubePod,
    KubernetesPods,
    KubernetesUsage,
    KubeUse,
    PostgresMember,
    Reading,
    RedisServer,
    Trend,
)
from console.readings.odoo import OdooChannel, OdooDatabase, OdooLog, OdooPages, OdooStep
from tests.engine.fakes import member
from tests.strategies import readings

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
BEGAN = NOW.timestamp()


def platform(**primary: Any) -> Board:
    board = Board()
    board.put(msgspec.structs.replace(member(1, "main/pg-1"), **primary))
    board.put(member(1, "main/pg-2"))
    board.put(
        RedisServer(key="cache/cache-1", taken_at=NOW, role="primary", used_memory=50, maxmemory=100, ops_per_s=9.0)
    )
    board.put(
        RedisServer(key="cache/cache-2", taken_at=NOW, role="replica", used_memory=50, maxmemory=100, ops_per_s=1.0)
    )
    return board


def run(history: History, board: Board, seconds: range) -> None:
    for second in seconds:
        for trend in history.take(board, BEGAN + second):
            board.put(trend)


def test_what_is_sampled() -> None:
    found = sample(platform())
    assert found["database/main/connections"] == ("", 21.0)
    assert found["database/main/lag"][1] == 192.0
    assert found["cache/cache/memory_ratio"] == ("ratio", 0.5)
    assert found["cache/cache/ops"] == ("/s", 9.0)
    assert found["database/main/pg-2/connections"] == ("", 21.0)


def test_what_is_sampled_of_a_cluster() -> None:
    board = Board()
    use = {"node-1": KubeUse(0.5, 100), "node-2": KubeUse(0.25, 50)}
    board.put(KubernetesUsage(key="lab", taken_at=NOW, nodes=use))
    well = KubePod("a", "well", phase="Running", ready=1, containers=1)
    rows = {
        "well": well,
        "ill": msgspec.structs.replace(well, ready=0),
        "done": msgspec.structs.replace(well, ready=0, phase="Succeeded"),
    }
    board.put(KubernetesPods(key="lab", taken_at=NOW, pods=rows))
    found = sample(board)
    assert found["cluster/lab/cpu"] == ("cores", 0.75)
    assert found["cluster/lab/memory"] == ("B", 150.0)
    assert found["cluster/lab/not_ready"] == ("pods", 1.0)
    board.put(KubernetesUsage(key="lab", taken_at=NOW, status="not-configured", problem="no metrics API"))
    assert "cluster/lab/cpu" not in sample(board)


def test_what_cannot_be_said_is_not_said() -> None:
    two = sample(_two_primaries())
    assert "database/main/connections" not in two
    unreadable = platform()
    unreadable.put(PostgresMember(key="main/pg-1", taken_at=NOW, status="unreachable", problem="gone"))
    found = sample(unreadable)
    assert "database/main/lag" not in found
    assert "database/main/wal_bytes" not in found
    assert sample(Board()) == {}


def _two_primaries() -> Board:
    board = platform()
    board.put(msgspec.structs.replace(member(1, "main/pg-2"), in_recovery=False))
    return board


def test_every_series_names_a_field_that_there_is() -> None:
    for series in SERIES:
        empty = series.topic(key="a/b", taken_at=NOW)
        assert series.value([empty]) is None or math.isfinite(series.value([empty]) or 0.0)


def test_a_step_is_the_mean_of_what_was_seen_in_it() -> None:
    history, board = History(), platform(connections=10)
    run(history, board, range(5))
    board.put(msgspec.structs.replace(member(1, "main/pg-1"), connections=30))
    run(history, board, range(5, 11))
    trend = board.get(Trend, "database/main/connections")
    assert trend is not None
    assert trend.points == {int(BEGAN // STEP_S): 20.0}
    assert trend.every_s == 0


def test_a_step_in_which_nothing_was_measured_stays_empty_and_old_ones_leave() -> None:
    history, board = History(), platform()
    run(history, board, range(25))
    first = int(BEGAN // STEP_S)
    board.put(PostgresMember(key="main/pg-1", taken_at=NOW, status="unreachable", problem="gone"))
    run(history, board, range(25, 60))
    trend = board.get(Trend, "database/main/wal_bytes")
    assert trend is not None
    assert set(trend.points) == {first, first + 1, first + 2}
    run(history, board, range(60, STEP_S * (POINTS + 10), 5))
    gone = board.get(Trend, "database/main/wal_bytes")
    assert gone is not None
    assert gone.points == {}
    kept = board.get(Trend, "cache/cache/ops")
    assert kept is not None
    assert len(kept.points) == POINTS


def test_a_new_engine_goes_on_with_what_the_last_one_recorded(tmp_path: Path) -> None:
    """The one before was another process: what this one records itself is not taken for the past."""
    code = """
import sys, time
from pathlib import Path
from console.board import Board
from console.engine.recorder import Recorder
from console.readings import Environment, Trend
from datetime import UTC, datetime
board = Board()
panes = {"database": ("postgres main/pg-1",)}
step = int(time.time() // 10)
for reading in (
    Environment(taken_at=datetime.now(UTC), name="t", panes=panes),
    Trend(key="database/main/tps", taken_at=datetime.now(UTC), points={step - 200: 1.0, step - 3: 2.0, step - 2: 3.0}),
):
    board.put(reading)
recorder = Recorder(Path(sys.argv[1]), "t", record_text=False)
recorder.take(round(time.time(), 2), [(None, reading) for reading in board], board)
recorder.close()
print(step)
"""
    output = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], check=True, capture_output=True, text=True, timeout=60
    )
    step = int(output.stdout)
    now = step * STEP_S + 5.0
    panes = {"database": ("postgres main/pg-1",)}
    recorded = recorded_trends(tmp_path, panes, now)
    board = Board()
    board.put(Trend(key="database/main/tps", taken_at=NOW, unit="/s", points={step: 9.0}))
    [trend] = History().recall(board, recorded, now)
    assert trend.points == {step - 3: 2.0, step - 2: 3.0, step: 9.0}
    assert recorded_trends(tmp_path, {"database": ("postgres other/pg-1",)}, now) == []
    assert recorded_trends(tmp_path / "none", panes, now) == []
    assert recorded_trends(tmp_path, panes, now + 10_000) == []


@given(st.floats(allow_nan=False, allow_infinity=False, width=64))
def test_rounding_loses_less_than_a_two_thousandth(value: float) -> None:
    if abs(value) < 1e-300 or abs(value) > 1e300:
        return
    assert rounded(value) == pytest.approx(value, rel=1 / 2048)
    assert rounded(rounded(value)) == rounded(value)
    assert msgspec.msgpack.encode(rounded(value))[-5:] == b"\0" * 5


@given(st.integers(-2048, 2048))
def test_small_whole_numbers_stay_what_they_are(value: int) -> None:
    assert rounded(float(value)) == value


@given(st.floats(1e-9, 1e9))
def test_three_digits(value: float) -> None:
    assert three_digits(value) == pytest.approx(value, rel=0.005)


@given(readings())
def test_settling_keeps_everything_but_digits_and_is_done_once(reading: Reading) -> None:
    settled = settle(reading)
    assert settle(settled) == settled
    assert settled.where == reading.where
    assert settled.status == reading.status
    assert settled.problem == reading.problem
    assert settled.every_s == reading.every_s


def test_a_tenant_is_measured_by_its_pages_its_queue_and_its_requests() -> None:
    board = Board()
    steps = {
        "health": OdooStep(True, 900.0),
        "log in": OdooStep(True, 700.0),
        "project": OdooStep(True, 310.0),
        "document": OdooStep(False, 10_000.0),
        "purchase": OdooStep(None, 20_000.0),
    }
    board.put(OdooPages(key="acme", taken_at=NOW, tenant="acme", steps=steps))
    channels = {"root": OdooChannel("root", waiting=4), "root.mail": OdooChannel("root.mail", waiting=3)}
    board.put(OdooDatabase(key="acme/acme", taken_at=NOW, queue_job=True, channels=channels))
    board.put(OdooDatabase(key="bauhof/bauhof", taken_at=NOW))
    board.put(OdooLog(key="acme", taken_at=NOW, requests_per_s=4.2))
    assert sample(board) == {
        "application/acme/page": ("ms", 10_000.0),
        "application/acme/waiting": ("", 7.0),
        "application/acme/requests": ("/s", 4.2),
    }
