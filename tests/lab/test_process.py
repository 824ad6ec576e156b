"""A process is a pid and the moment at which it started: signals never hit somebody else's."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.lab.process import MARK, Identity, alive, identify, processes_of, send, stopped, wait_gone


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Identity]:
    child = subprocess.Popen(["sleep", "300"], env=os.environ | {MARK: str(tmp_path)})
    found = identify(child.pid)
    assert found is not None
    yield found
    child.kill()
    child.wait()


def test_a_pid_that_was_given_out_again_is_another_process(sleeper: Identity) -> None:
    earlier = Identity(sleeper.pid, sleeper.started - 1)
    assert not alive(earlier)
    assert not send(earlier, signal.SIGKILL)
    assert alive(sleeper)


def test_a_stopped_process_lives_and_a_killed_one_does_not(sleeper: Identity) -> None:
    assert send(sleeper, signal.SIGSTOP)
    while not stopped(sleeper):
        pass
    assert alive(sleeper)
    assert wait_gone([sleeper], 0.05) == [sleeper]
    assert send(sleeper, signal.SIGKILL)
    assert wait_gone([sleeper], 10) == []  # a zombie, too, is gone


def test_processes_are_found_by_the_directory_they_carry(sleeper: Identity, tmp_path: Path) -> None:
    assert processes_of(tmp_path) == [sleeper]
    assert processes_of(tmp_path / "other") == []
    assert processes_of(Path(str(tmp_path)[:-1])) == []


def test_nobody_has_this_pid() -> None:
    assert identify(2**22) is None
    assert not send(Identity(2**22, 1), signal.SIGTERM)
