"""A place of its own for every test, and engines that are certainly gone afterwards."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MARK = "fake_engine.py"


@pytest.fixture
def environment_file(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An environment file, with state and runtime directories of its own; engines that it still has are killed."""
    with tempfile.TemporaryDirectory(prefix="bm-") as folder:
        base = Path(folder)
        monkeypatch.setenv("XDG_STATE_HOME", str(base / "state"))
        (base / "run").mkdir(mode=0o700)
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(base / "run"))
        monkeypatch.setenv("PYTHONPATH", str(ROOT))
        path = base / "environment.yaml"
        path.write_text("name: testbed\nlaboratory: true\n")
        try:
            yield path
        finally:
            for pid in engines_of(path):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def engines_of(environment: Path) -> list[int]:
    """Process ids of living engines for this environment file."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                words = (entry / "cmdline").read_bytes().split(b"\0")
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
                if state != "Z" and str(environment).encode() in words and any(MARK.encode() in word for word in words):
                    found.append(int(entry.name))
    return found


def fake_engine(environment: Path) -> list[str]:
    """How to start an engine over scripted sources."""
    return [sys.executable, str(Path(__file__).with_name(MARK)), str(environment)]
