"""A platform of the laboratory: its real process, on ports and addresses of its own, and kubectl."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.lab.errors import LabError
from console.lab.platform import settings
from console.lab.platform.admin import Admin
from console.lab.platform.settings import Image, Settings
from console.lab.process import MARK, processes_of
from console.lab.sweep import sweep
from tests.lab.platform.rig import NODES, PROGRAM, Platform


@pytest.fixture(scope="session")
def program() -> Image:
    return Image([sys.executable, "-S", "-E", str(PROGRAM)], [str(PROGRAM)])


def _start(directory: Path) -> subprocess.Popen[bytes]:
    with (directory / "platform.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "console.lab.platform", str(directory)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=os.environ | {MARK: str(directory)},
            start_new_session=True,
        )


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory, program: Image) -> Iterator[Platform]:
    """A platform with six nodes; its tests keep out of each other's way by namespaces."""
    directory = tmp_path_factory.mktemp("platform")
    images = {"test/web:1": program, "test/web:2": program}
    told = Settings(port=0, subnet=settings.free_subnet(), images=images, measure_s=1.0, scale_s=1.0, nodes=NODES)
    settings.write(directory, told)
    process = _start(directory)
    try:
        yield Platform(directory, _admin(directory, process), lambda: _start(directory), process)
    finally:
        sweep(directory)
        process.wait(10)
    assert processes_of(directory) == []


def _admin(directory: Path, process: subprocess.Popen[bytes]) -> Admin:
    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        try:
            admin = Admin.of(directory)
            if len(admin.objects("Node")) == len(NODES):
                return admin
        except LabError:
            pass
        time.sleep(0.05)
    raise AssertionError((directory / "platform.log").read_text())
