"""The wheel holds what a bastion host needs, and works there: outside the checkout, without the laboratory's servers."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DATA = {"defaults.yaml", "environment.schema.json", "example.yaml"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT, check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    (found,) = folder.glob("banksman-*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the wheel installs."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run(installed: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ``banksman`` from the wheel's files, with this environment's dependencies but not its checkout."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    environment["PYTHONPATH"] = os.pathsep.join([str(installed), sysconfig.get_paths()["purelib"]])
    environment |= {"XDG_STATE_HOME": str(installed / "state"), "XDG_CONFIG_HOME": str(installed / "configuration")}
    environment.pop("XDG_RUNTIME_DIR", None)
    return subprocess.run(
        # -S: no .pth files, or the editable checkout would stand in for the wheel.
        [sys.executable, "-S", "-m", "console.cli", *arguments],
        cwd=installed, env=environment, text=True, capture_output=True, timeout=60, stdin=subprocess.DEVNULL, check=False,
    )  # fmt: skip


def test_every_module_and_every_data_file_is_in_the_wheel(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    sources = [path for package in ("console", "screens", "widgets") for path in (ROOT / package).rglob("*")]
    wanted = {str(path.relative_to(ROOT)) for path in sources if path.is_file() and "__pycache__" not in path.parts}
    data = {path.relative_to(ROOT / "config") for path in (ROOT / "config").rglob("*") if path.is_file()}
    wanted |= {f"console/_config/{path}" for path in data}
    assert wanted <= names, sorted(wanted - names)[:10]
    assert not {name for name in names if name.startswith(("tests/", "config/"))}


def test_wheel_brings_the_command_and_few_dependencies(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (metadata,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
    required = [line for line in archive.read(metadata).decode().splitlines() if line.startswith("Requires-Dist:")]
    assert len(required) <= 8, required
    (entry,) = (name for name in archive.namelist() if name.endswith("/entry_points.txt"))
    assert "banksman = console.cli:main" in archive.read(entry).decode()


def test_installed_console_reads_its_own_data(installed: Path) -> None:
    done = run(installed, "--version")
    assert done.returncode == 0, done.stderr
    path = installed / "environment.yaml"
    path.write_text("name: e\nthresholds: {nothing-like-it: {x: 1}}\n")
    done = run(installed, "doctor", "-e", str(path))
    # The names of findings come from defaults.yaml, which lies inside the wheel.
    assert done.returncode == 64
    assert "thresholds.nothing-like-it: expected one of" in done.stderr


def test_installed_console_opens_an_environment_file(installed: Path) -> None:
    path = installed / "environment.yaml"
    path.write_text("name: nothing-yet\n")
    done = run(installed, "status", "-e", str(path), "--json", "--wait", "20")
    assert done.returncode == 3, done.stderr
    assert '"environment": "nothing-yet"' in done.stdout
    assert '"not-configured"' in done.stdout
    assert str(ROOT) not in done.stdout + done.stderr


@pytest.mark.matrix
def test_bare_venv(tmp_path: Path) -> None:
    """What README says for a bastion host, with plain pip. Needs a package index."""
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True, timeout=120)
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    environment |= {"XDG_STATE_HOME": str(tmp_path / "state"), "XDG_RUNTIME_DIR": str(tmp_path)}
    subprocess.run([str(venv / "bin/pip"), "install", "--quiet", str(ROOT)], check=True, timeout=600, env=environment)
    path = tmp_path / "environment.yaml"
    path.write_text("name: nothing-yet\n")
    done = subprocess.run(
        [str(venv / "bin/banksman"), "status", "-e", str(path), "--json"],
        cwd=tmp_path, env=environment, text=True, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    lab = subprocess.run(
        [str(venv / "bin/banksman"), "lab", "up", "--dir", str(tmp_path / "lab")],
        cwd=tmp_path, env=environment, text=True, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert lab.returncode == 1
    assert "make env" in lab.stderr
    assert "Traceback" not in lab.stderr
