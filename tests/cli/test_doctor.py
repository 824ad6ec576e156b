"""The doctor in front of servers that hang, refuse or lie: it answers in time, names the remedy, and keeps the secret."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from console import cli
from console.commands import doctor
from console.settings import load_environment

PASSWORD = "s3cret-Horse-Staple"


@pytest.fixture
async def silent() -> AsyncIterator[int]:
    """Port of a server that accepts and says nothing."""
    held: list[asyncio.StreamWriter] = []

    async def accept(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    for writer in held:
        writer.transport.abort()


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("BANKSMAN_TEST_PASSWORD", PASSWORD)
    yield "env:BANKSMAN_TEST_PASSWORD"


def write(folder: Path, port: int, reference: str) -> Path:
    path = folder / "environment.yaml"
    path.write_text(
        f"name: e\npostgres:\n  main:\n    password: '{reference}'\n    servers:\n"
        f"      pg-1: {{host: 127.0.0.1, port: {port}, patroni: 'http://127.0.0.1:{port}'}}\n"
        f"redis:\n  cache:\n    password: '{reference}'\n    servers: {{a: {{host: 127.0.0.1, port: {port}}}}}\n"
        f"    sentinel: {{master: m, password: '{reference}', servers: {{s: {{host: 127.0.0.1, port: {port}}}}}}}\n"
    )
    return path


async def test_hanging_servers_cost_one_deadline(
    tmp_path: Path, silent: int, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "DEADLINE_S", 1.5)
    loaded = load_environment(write(tmp_path, silent, secret))
    begun = time.monotonic()
    found = await doctor.examine_all(loaded)
    assert time.monotonic() - begun < 12  # one after the other would be more, and nothing hangs for ever
    subjects = {examined.subject for examined in found}
    assert {"postgres main/pg-1", "patroni main/pg-1", "redis cache/a", "sentinel cache/s"} <= subjects
    for examined in found:
        if examined.subject in ("postgres main/pg-1", "patroni main/pg-1", "redis cache/a", "sentinel cache/s"):
            assert doctor.verdict(examined.checks) != "pass", examined
            assert any(check.detail for check in examined.checks)
    assert PASSWORD not in repr(found)


def run(path: Path, *arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = cli.main(["doctor", "-e", str(path), *arguments])
    said = capsys.readouterr()
    return code, said.out + said.err


def test_refused_connections_fail_with_a_remedy(
    tmp_path: Path, secret: str, capsys: pytest.CaptureFixture[str], unused_tcp_port: int
) -> None:
    path = write(tmp_path, unused_tcp_port, secret)
    code, text = run(path, capsys=capsys)
    assert code == 2
    assert "refused" in text
    assert "→" in text
    assert PASSWORD not in text
    code, text = run(path, "--json", capsys=capsys)
    content = json.loads(text)
    assert (code, content["verdict"]) == (2, "fail")
    assert {check["answer"] for subject in content["subjects"] for check in subject["checks"]} >= {"pass", "fail"}
    assert PASSWORD not in text


def test_missing_secret_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str], unused_tcp_port: int) -> None:
    code, text = run(write(tmp_path, unused_tcp_port, "env:BANKSMAN_TEST_ABSENT"), capsys=capsys)
    assert code == 2
    assert "env:BANKSMAN_TEST_ABSENT: the environment variable is not set" in text


def test_secret_that_everybody_can_read_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], unused_tcp_port: int
) -> None:
    place = tmp_path / "password"
    place.write_text(PASSWORD)
    place.chmod(0o644)
    code, text = run(write(tmp_path, unused_tcp_port, f"file:{place}"), capsys=capsys)
    assert code == 2
    assert f"chmod 600 {place}" in text
    assert PASSWORD not in text


def test_nothing_configured_cannot_be_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "e.yaml"
    path.write_text("name: e\n")
    code, text = run(path, capsys=capsys)
    assert code == 3
    assert "names no server" in text


async def test_a_source_that_breaks_does_not_keep_the_others_from_being_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    from console.engine import registry

    class Broken:
        class reading:  # noqa: N801
            topic = "broken"

        key, privilege = "x", ""

        async def examine(self) -> list[object]:
            raise RuntimeError(f"password={os.environ['BANKSMAN_TEST_PASSWORD']} was refused\x1b[31m")

        async def close(self) -> None:
            raise OSError("again")

    monkeypatch.setattr(registry, "sources_of", lambda *_: [Broken(), Broken()])
    found = await doctor.examine_all(load_environment(write(tmp_path, 1, secret)))
    assert [doctor.verdict(examined.checks) for examined in found] == ["cannot tell", "cannot tell"]
    assert PASSWORD not in repr(found)
    assert "\\x1b" not in repr(found)
