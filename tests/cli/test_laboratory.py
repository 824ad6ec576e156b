"""Every command against real servers, as a person or a program runs it; and where the passwords are not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pexpect
import pytest

from console.lab.tenants import TENANTS
from console.recording import Recording
from tests.tools.terminal import hang_up

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

PANES = ("cluster", "database", "cache", "ingress", "application")


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """State of its own: engines and recordings of this test alone."""
    return {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state"), "XDG_RUNTIME_DIR": "", "TERM": "xterm-256color"}


def banksman(home: dict[str, str], *words: str, seconds: float = 90) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "console.cli", *words],
        env=home, text=True, capture_output=True, timeout=seconds, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip


def test_status_of_a_healthy_laboratory(laboratory: Path, home: dict[str, str]) -> None:
    file = str(laboratory / "environment.yaml")
    done = banksman(home, "status", "-e", file, "--json", "--wait", "60")
    assert done.returncode == 0, done.stdout + done.stderr
    content = json.loads(done.stdout)
    assert (content["environment"], content["verdict"], content["findings"]) == ("lab", "ok", [])
    assert datetime.fromisoformat(content["taken_at"]).tzinfo is not None
    assert {pane: state["state"] for pane, state in content["panes"].items()} == dict.fromkeys(PANES, "ok")
    text = banksman(home, "status", "-e", file)
    assert text.returncode == 0
    assert "Nothing is wrong." in text.stdout
    full = json.loads(banksman(home, "status", "-e", file, "--json", "--full").stdout)["readings"]
    assert {"main/pg-1", "main/pg-2", "main/pg-3"} == set(full["postgres"]) == set(full["patroni"])
    assert sorted(row["role"] for row in full["redis"].values()) == ["primary", "replica"]
    assert len(full["sentinel"]) == 3


def test_a_first_look_is_never_green_by_default(laboratory: Path, home: dict[str, str]) -> None:
    done = banksman(home, "status", "-e", str(laboratory / "environment.yaml"), "--json", "--wait", "0")
    assert done.returncode == 3
    assert {state["state"] for state in json.loads(done.stdout)["panes"].values()} == {"unknown"}


def test_status_of_a_laboratory_that_is_broken(laboratory: Path, home: dict[str, str]) -> None:
    assert banksman(home, "lab", "break", "pause-patroni", "--dir", str(laboratory)).returncode == 0
    done = banksman(home, "status", "-e", str(laboratory / "environment.yaml"), "--json", "--wait", "60")
    content = json.loads(done.stdout)
    assert done.returncode == {"warning": 1, "critical": 2}[content["verdict"]]
    assert [finding["kind"] for finding in content["findings"]] == ["patroni-paused"]
    text = banksman(home, "status", "-e", str(laboratory / "environment.yaml"))
    assert content["findings"][0]["title"] in text.stdout
    assert content["findings"][0]["action"].split()[0] in text.stdout


def test_doctor_finds_nothing_missing(laboratory: Path, home: dict[str, str]) -> None:
    done = banksman(home, "doctor", "-e", str(laboratory / "environment.yaml"), "--json")
    content = json.loads(done.stdout)
    wrong = [check for subject in content["subjects"] for check in subject["checks"] if check["answer"] != "pass"]
    assert (done.returncode, wrong) == (0, [])
    assert {"postgres main/pg-1", "patroni main/pg-3", "redis cache/cache-1", "sentinel cache/sentinel-2"} <= {
        subject["subject"] for subject in content["subjects"]
    }
    text = banksman(home, "doctor", "-e", str(laboratory / "environment.yaml"))
    assert text.returncode == 0
    assert " pass" in text.stdout.splitlines()[-1]


def test_record_and_replay(laboratory: Path, home: dict[str, str], tmp_path: Path) -> None:
    file, environment = tmp_path / "span.banksman", str(laboratory / "environment.yaml")
    assert banksman(home, "status", "-e", environment, "--wait", "60").returncode == 0
    done = banksman(home, "record", str(file), "-e", environment, "--for", "5")
    assert done.returncode == 0, done.stderr
    recording = Recording.open(file)
    assert 3 < (recording.end - recording.start).total_seconds() < 30
    replay = banksman(home, "replay", str(file), "--json", "--full")
    content = json.loads(replay.stdout)
    assert (replay.returncode, content["verdict"], content["environment"]) == (0, "ok", "lab")
    assert datetime.fromisoformat(content["taken_at"]) == recording.end
    assert banksman(home, "replay", str(file), "--json", "--at", "+2s").returncode == 0
    assert banksman(home, "replay", str(file), "--json", "--at", "1999-01-01").returncode == 64
    assert banksman(home, "replay", environment, "--json").returncode == 64  # no recording
    assert banksman(home, "record", str(file), "-e", environment, "--for", "1").returncode == 64  # exists
    past = tmp_path / "past.banksman"
    assert banksman(home, "record", str(past), "-e", environment, "--last", "10m").returncode == 0
    assert Recording.open(past).start < recording.start


def test_record_until_interrupted(laboratory: Path, home: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "span.banksman"
    words = ["-m", "console.cli", "record", str(file), "-e", str(laboratory / "environment.yaml")]
    terminal = pexpect.spawn(sys.executable, words, env=home, timeout=60)  # type: ignore[arg-type]
    terminal.expect_exact("until ctrl+c")
    time.sleep(2.5)  # something to record
    terminal.sendintr()
    terminal.expect_exact("kB")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0
    recording = Recording.open(file)
    assert recording.end > recording.start


def test_demo_leaves_a_laboratory_alone_that_was_up(laboratory: Path, home: dict[str, str]) -> None:
    done = banksman(home, "demo", "--headless", "--dir", str(laboratory))
    assert done.returncode == 0, done.stderr
    assert "is up already" in done.stderr
    assert "taking the laboratory down" not in done.stderr
    assert banksman(home, "lab", "status", "--dir", str(laboratory)).returncode == 0


# --- passwords --------------------------------------------------------------------------------------------------------


def passwords(laboratory: Path) -> list[bytes]:
    found = [file.read_bytes().strip() for file in (laboratory / "secrets").iterdir()]
    found += [
        json.loads(file.read_text())["users"][0]["user"]["token"].encode()
        for file in (laboratory / "kubeconfig", laboratory / "kubernetes" / "viewer.kubeconfig")
    ]
    assert len(found) > 25
    assert all(len(secret) > 15 for secret in found)
    return found


def everything_in(folder: Path) -> bytes:
    """All files; recordings also as they read."""
    content = b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())
    places = [*folder.glob("*.banksman"), *folder.rglob("recordings")]
    assert len(places) == 2
    for place in places:
        recording = Recording.open(place)
        boards = [recording.board_at(moment) for moment in (recording.start, recording.end)]
        content += repr([list(board) for board in boards]).encode()
        content += repr(list(recording.beats(0.0))).encode()
    return content


def screens_of(file: Path, home: dict[str, str]) -> bytes:
    """Everything that a console writes to its terminal while one walks through it."""
    seen = b""
    words = ["-m", "console.cli", "-e", str(file)]
    terminal = pexpect.spawn(sys.executable, words, env=home, dimensions=(50, 200), timeout=30)  # type: ignore[arg-type]
    terminal.expect_exact("\x1b[?1049h")
    for key in (
        "",
        "2",
        "d",
        "\x1b",
        "5",
        "d",
        "\x1b",
        "7",
        "d",
        "\x1b",
        "3",
        "\t",
        "\t",
        "d",
        "\x1b",
        "l",
        "\x1b",
        "4",
        "d",
        "\x1b",
        "1",
        "\r",
        "\x1b",
        "?",
        "\x1b",
    ):
        terminal.send(key)
        try:
            while True:
                seen += terminal.read_nonblocking(65536, timeout=0.7)
        except (pexpect.TIMEOUT, pexpect.EOF):
            continue
    hang_up(terminal)
    return seen


@pytest.mark.parametrize("right", [True, False], ids=["right password", "wrong password"])
def test_passwords_appear_nowhere(laboratory: Path, home: dict[str, str], tmp_path: Path, right: bool) -> None:
    secrets = passwords(laboratory)
    text = (laboratory / "environment.yaml").read_text()
    if not right:
        # Refused by every server: errors are where a password slips out.
        home["BANKSMAN_TEST_WRONG"] = "wrong-Horse-Battery-Staple"
        secrets.append(home["BANKSMAN_TEST_WRONG"].encode())
        for name in ("banksman", "cache", *(tenant.monitor_secret for tenant in TENANTS)):
            text = text.replace(f"file:{laboratory}/secrets/{name}", "env:BANKSMAN_TEST_WRONG")
        assert text.count("env:BANKSMAN_TEST_WRONG") == 3 + len(TENANTS)
        viewer = laboratory / "kubernetes" / "viewer.kubeconfig"
        config = json.loads(viewer.read_text())
        config["users"][0]["user"]["token"] = home["BANKSMAN_TEST_WRONG"]
        (tmp_path.parent / "wrong.kubeconfig").write_text(json.dumps(config))
        text = text.replace(str(viewer), str(tmp_path.parent / "wrong.kubeconfig"))
    file = tmp_path / "environment.yaml"
    file.write_text(text)
    said = ""
    for words in (
        ["status", "--json", "--full", "--wait", "8"], ["status"], ["doctor"], ["doctor", "--json"],
        ["record", str(tmp_path / "span.banksman"), "--for", "3"],
    ):  # fmt: skip
        done = banksman(home, *words, "-e", str(file))
        said += done.stdout + done.stderr
    assert ("pass" in said) if right else ("password" in said.lower())
    parts = [said.encode(), screens_of(file, home), everything_in(tmp_path)]
    assert all(b"pg-1" in part for part in parts)  # something was seen
    seen = b"".join(parts)
    for secret in secrets:
        assert secret not in seen
