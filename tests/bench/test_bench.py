"""What the console costs, measured side by side with peers in the same run. Prints a table for the README."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.lab.state import read
from tests.bench.harness import BIN, Report, cpu_seconds, interleaved, median, meter
from tests.tools.watch import watching

pytestmark = [pytest.mark.lab, pytest.mark.bench, pytest.mark.timeout(1800)]
PROGRAMS = Path(__file__).parent / "programs"
ROUNDS = 5


@pytest.fixture(scope="module")
def report() -> Iterator[Report]:
    made = Report()
    yield made
    print("\n\n" + made.markdown())


@pytest.fixture(scope="module")
def engine(laboratory_of_this_run: Path) -> Iterator[int]:
    """An engine that stays, so that what is measured of a console is the console alone; its process id."""
    environment = laboratory_of_this_run / "environment.yaml"
    holder = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.programs.hold", str(environment)], stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    pid = int(holder.stdout.readline())
    yield pid
    holder.terminate()
    holder.wait(20)


def python(program: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", f"tests.bench.programs.{program}", *arguments]


def test_first_paint(laboratory: Path, engine: int, report: Report) -> None:
    environment = str(laboratory / "environment.yaml")
    start = ("--stop-at-until", "--until")
    runs = interleaved(
        ROUNDS,
        console=lambda: meter(BIN / "banksman", "-e", environment, extra=(*start, "banksman"), duration=20),
        bare=lambda: meter(*python("bare"), extra=(*start, "bare textual ready"), duration=20),
    )
    ours, bare = median(runs["console"], "until_s"), median(runs["bare"], "until_s")
    report.add("first paint, s", f"{ours:.2f}", f"bare Textual application {bare:.2f} ({ours / bare:.1f}×)")


def test_steady_state(laboratory: Path, engine: int, report: Report) -> None:
    environment = str(laboratory / "environment.yaml")
    lab = read(laboratory)
    port = lab.servers["pg-1"].ports["postgres"]
    url = f"postgresql://postgres:{lab.secret('postgres')}@127.0.0.1:{port}/postgres?sslmode=disable"
    before, begun = cpu_seconds(engine), time.monotonic()
    runs = interleaved(
        3,
        console=lambda: meter(BIN / "banksman", "-e", environment, duration=25),
        pg_activity=lambda: meter(BIN / "pg_activity", url, duration=25),
    )
    engine_percent = (cpu_seconds(engine) - before) / (time.monotonic() - begun) * 100
    ours_ms, ours_bytes = (
        median(runs["console"], "steady", "cpu_s_per_s") * 1000,
        median(runs["console"], "steady", "bytes_per_s"),
    )
    # pg_activity refreshes every 2 s.
    peer_ms, peer_bytes = (
        median(runs["pg_activity"], "steady", "cpu_s_per_s") * 2000,
        median(runs["pg_activity"], "steady", "bytes_per_s") * 2,
    )
    report.add("overview, CPU per 1 s refresh, ms", f"{ours_ms:.1f}", f"≤ 20; pg_activity {peer_ms:.1f} per refresh")
    report.add("overview, bytes per 1 s refresh", f"{ours_bytes:.0f}", f"≤ 3,000; pg_activity {peer_bytes:.0f}")
    report.add("engine, % of one core", f"{engine_percent:.1f}", "≤ 10")
    assert ours_ms <= 20
    assert ours_bytes <= 3000
    assert engine_percent <= 10


def test_a_table_with_200_changing_cells(report: Report) -> None:
    runs = interleaved(3, busy=lambda: meter(*python("table")), idle=lambda: meter(*python("table", "--idle")))
    ms = (median(runs["busy"], "steady", "cpu_s_per_s") - median(runs["idle"], "steady", "cpu_s_per_s")) * 1000
    size = median(runs["busy"], "steady", "bytes_per_s")
    report.add("table, 200 visible changing cells, ms of CPU", f"{ms:.1f}", "≤ 15; stock DataTable 60–90")
    report.add("table, the same, bytes", f"{size:.0f}", "stock DataTable 28,000")
    assert ms <= 15


def test_nothing_changes(report: Report) -> None:
    clock = meter(*python("still"), duration=20)["steady"]
    held = meter(*python("still"), duration=20, extra=("--keys", "3:p"))["steady"]
    report.add("nothing changes: bytes a second", f"{clock['bytes_per_s']:.0f}", "the clock alone; aim ≤ 60")
    report.add("held (p): bytes a second", f"{held['bytes_per_s']:.0f}", "0")
    assert clock["bytes_per_s"] <= 120
    assert clock["cells_changed_per_s"] <= 6
    assert held["bytes_per_s"] == 0


@pytest.mark.parametrize("size", ["200x50", "80x24"])
def test_keys_on_a_slow_link(laboratory: Path, engine: int, report: Report, size: str) -> None:
    environment = str(laboratory / "environment.yaml")
    link = ("--latency-ms", "80", "--bandwidth-kbps", "128")
    presses = ",".join(f"{6 + number * 0.7:.1f}:<down>" for number in range(10))
    steps = ("--keys", f"5:3,{presses}")
    ours = meter(BIN / "banksman", "-e", environment, size=size, duration=15, extra=(*link, *steps))
    figure = key_median(ours)
    beside = "htop is not installed"
    if htop := shutil.which("htop"):
        beside = f"htop {key_median(meter(htop, '-d', '20', size=size, duration=15, extra=(*link, *steps))):.0f}"
    report.add(f"80 ms, 128 kbit/s, {size}: key to screen on the database screen, ms", f"{figure:.0f}", beside)
    assert figure < 1000


def key_median(figures: dict[str, list[dict[str, float | None]]]) -> float:
    """Median over the presses of the time from key to first change on the screen, ms."""
    times = sorted(float(key["first_change_ms"]) for key in figures["keys"][1:] if key["first_change_ms"] is not None)
    return times[len(times) // 2]


async def test_a_viewer_more_costs_the_platform_nothing(laboratory: Path, engine: int, report: Report) -> None:
    environment = laboratory / "environment.yaml"
    async with watching(environment) as one, watching(environment) as other:
        await one.until(
            lambda: one.board.environment is not None and other.board.environment is not None, 30, "both live"
        )
        assert one.board.environment is not None and other.board.environment is not None
        assert one.board.environment.engine_pid == other.board.environment.engine_pid == engine
