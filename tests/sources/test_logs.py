"""The tail of a log: growing, rotated, truncated, hostile, on a command's output."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from console.settings import Application, Cadence, EnvironmentFile, LogSource, PostgresCluster, PostgresServer
from console.sources.base import SourceError
from console.sources.logs import LINES, LogTailSource, log_source

CADENCE = Cadence(every_s=2, deadline_s=5)


def tail(path: Path) -> LogTailSource:
    return LogTailSource(LogSource(path=str(path)), "postgres main/pg-1", CADENCE)


def command(*argv: str) -> LogTailSource:
    return LogTailSource(LogSource(command=list(argv)), "postgres main/pg-1", CADENCE)


async def lines(source: LogTailSource) -> list[str]:
    return list((await source.read()).lines.values())


async def test_a_file_that_grows(tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    path.write_text("one\ntwo\nthr")
    source = tail(path)
    first = await source.read()
    assert first.lines == {1: "one", 2: "two"}
    assert (first.key, first.origin) == ("postgres main/pg-1", str(path))
    with path.open("a") as file:
        file.write("ee\nfour\n")
    second = await source.read()
    assert second.lines == {1: "one", 2: "two", 3: "three", 4: "four"}
    assert (await source.read()).lines == second.lines


async def test_the_newest_lines_of_a_long_file(tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    path.write_text("".join(f"line {n} {'x' * 100}\n" for n in range(20_000)))
    found = await tail(path).read()
    assert len(found.lines) == LINES
    assert list(found.lines.values())[-1].startswith("line 19999 ")
    assert all(line.startswith("line ") for line in found.lines.values())


async def test_a_line_without_end(tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    path.write_bytes(b"y" * 3_000_000)
    source = tail(path)
    assert [len(line) for line in await lines(source)] == [2000]
    with path.open("ab") as file:
        file.write(b"\nafter\n")
    assert (await lines(source))[-1] == "after"


async def test_rotation_and_truncation(tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    path.write_text("before\n")
    source = tail(path)
    await source.read()
    path.rename(tmp_path / "server.log.1")
    path.write_text("rotated, and longer than it was before\n")
    assert await lines(source) == ["before", "rotated, and longer than it was before"]
    path.write_text("short\n")
    assert (await lines(source))[-1] == "short"


async def test_the_newest_file_of_a_directory(tmp_path: Path) -> None:
    for age, name in enumerate(("sat.log", "fri.log")):
        (tmp_path / name).write_text(f"{name}\n")
        os.utime(tmp_path / name, (1_700_000_000 - age, 1_700_000_000 - age))
    (tmp_path / "folder").mkdir()
    source = tail(tmp_path)
    reading = await source.read()
    assert (reading.origin, list(reading.lines.values())) == (str(tmp_path / "sat.log"), ["sat.log"])
    (tmp_path / "sun.log").write_text("sun.log\n")
    assert await lines(source) == ["sat.log", "sun.log"]


@pytest.mark.parametrize("what", ["absent", "pipe", "empty"])
async def test_what_cannot_be_read_is_a_sentence(tmp_path: Path, what: str) -> None:
    path = tmp_path / what
    if what == "pipe":
        os.mkfifo(path)
    if what == "empty":
        path.mkdir()
    with pytest.raises(SourceError, match=r"No such file|not a regular file|an empty directory"):
        await tail(path).read()
    (check,) = await tail(path).examine()
    assert check.answer == "fail"


async def test_hostile_lines(tmp_path: Path) -> None:
    path = tmp_path / "server.log"
    path.write_bytes(b"\x1b[2J\x07bell\n\xff\xfe\n\xe2\x80\xaeevil\nALTER ROLE a PASSWORD 'hunter2'\n[/foo]\n")
    found = await lines(tail(path))
    assert not set("".join(found)) & {"\x1b", "\x07", "\u202e"}
    assert found[-2:] == ["ALTER ROLE a PASSWORD ***", "[/foo]"]


async def test_a_command(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("".join(f"{n}\n" for n in range(10)))
    source = command("tail", "-n", "5", str(path))
    assert (await source.read()).lines == {1: "5", 2: "6", 3: "7", 4: "8", 5: "9"}
    with path.open("a") as file:
        file.write("10\n11\n")
    assert list((await source.read()).lines.items())[-3:] == [(5, "9"), (6, "10"), (7, "11")]
    path.write_text("all\nanew\n")
    assert list((await source.read()).lines.items())[-2:] == [(8, "all"), (9, "anew")]


async def test_a_command_that_fails() -> None:
    with pytest.raises(SourceError, match=r"ended with 3: it said why"):
        await command(sys.executable, "-c", "import sys; sys.stderr.write('it said why'); sys.exit(3)").read()
    with pytest.raises(SourceError, match="No such file"):
        await command("/nonexistent/command").read()


async def test_a_command_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    script = (
        "import subprocess, sys, time; child = subprocess.Popen(['sleep', '600']);"
        f"open({str(note)!r}, 'w').write(str(child.pid) + '\\n'); time.sleep(600)"
    )
    source = command(sys.executable, "-c", script)
    task = asyncio.create_task(source.read())
    async with asyncio.timeout(60):
        while not note.exists() or "\n" not in note.read_text():  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.02)
    child = int(note.read_text())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(60):
        while alive(child):  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.02)
    await source.close()


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_output_without_end_is_bounded() -> None:
    source = command(sys.executable, "-c", "import sys; sys.stdout.write('z' * 20_000_000 + '\\nlast\\n')")
    assert (await lines(source))[-1] == "last"


def test_where_a_log_is() -> None:
    environment = EnvironmentFile(
        name="x",
        postgres={
            "main": PostgresCluster(
                servers={"a": PostgresServer(host="a", log=LogSource(path="/x")), "b": PostgresServer(host="b")}
            )
        },
        applications={
            "acme": Application(databases=["acme"], log=LogSource(path="/y")),
            "bauhof": Application(databases=["bauhof"]),
        },
    )
    found = log_source(environment, "postgres main/a", CADENCE)
    assert found is not None
    assert found.key == "postgres main/a"
    tenant = log_source(environment, "odoo.log acme", CADENCE)
    assert tenant is not None and tenant.origin == "/y"
    for target in (
        "postgres main/b",
        "postgres other/a",
        "redis main/a",
        "odoo.log bauhof",
        "odoo.log",
        "nonsense",
        "",
    ):
        assert log_source(environment, target, CADENCE) is None


def test_a_command_ends_with_a_killed_engine(tmp_path: Path) -> None:
    marker = tmp_path / "pid"
    script = (
        "import asyncio\n"
        "from tests.sources.test_logs import command\n"
        f"asyncio.run(command('sh', '-c', 'echo $$ > {marker}.new && mv {marker}.new {marker} && exec sleep 600').read())\n"
    )
    engine = subprocess.Popen([sys.executable, "-c", script], cwd=Path(__file__).parents[2])
    deadline = time.monotonic() + 20
    while not marker.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    child = psutil.Process(int(marker.read_text()))
    try:
        engine.kill()
        engine.wait()
        psutil.wait_procs([child], timeout=10)
        assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    finally:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()


def test_the_origin_of_a_command_tells_no_secret() -> None:
    source = command("curl", "-H", "Authorization: Bearer hunter2", "--token=hunter2", "http://logs/pg-1")
    assert "hunter2" not in source.origin
    assert source.origin.startswith("curl -H")
