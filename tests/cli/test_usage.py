"""The command line itself: what it takes, how it fails, and how little it imports."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from console import __version__, cli
from console.settings import config_dir

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"textual", "psycopg", "redis", "httpx", "kubernetes", "aiohttp", "yaml", "msgspec", "asyncio"}


def banksman(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "console.cli", *arguments],
        cwd=ROOT, env={**os.environ, **environment}, text=True, capture_output=True, timeout=60, stdin=subprocess.DEVNULL,
        check=False,
    )  # fmt: skip


def imported_by(*arguments: str) -> set[str]:
    """Top-level modules that a command imports."""
    program = f"import sys\nfrom console.cli import main\ntry:\n main({list(arguments)!r})\nexcept SystemExit: pass\n"
    program += "print('\\n' + ' '.join({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, text=True, capture_output=True, timeout=60, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize("arguments", [("--version",), ("--help",), ("status", "--help"), ("nonsense",)])
def test_words_are_read_without_heavy_imports(arguments: tuple[str, ...]) -> None:
    assert not imported_by(*arguments) & HEAVY


def test_status_imports_no_screen_and_no_client() -> None:
    assert not imported_by("status", "-e", "/absent.yaml") & (HEAVY - {"yaml", "msgspec", "asyncio"})


def test_version_is_the_one_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["version"] == __version__
    assert banksman("--version").stdout == f"banksman {__version__}\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",), ("status", "--nonsense"), ("status", "--wait", "soon"), ("status", "--wait", "-1"),
        ("status", "--wait", "999999d"), ("status", "--wait", "9" * 5000), ("record",),
        ("status", "--full"), ("demo", "--json"), ("-e",), ("status", "extra"), ("lab",), ("lab", "nonsense"), ("replay",),
        ("--js",), ("status", "--js"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_wrong_usage_is_64(arguments: tuple[str, ...]) -> None:
    done = banksman(*arguments)
    assert done.returncode == 64, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert done.stderr


@pytest.mark.parametrize(
    "command", [("status",), ("doctor",), ("record", "/tmp/never"), ("engine",), ("status", "--json")], ids=" ".join
)
def test_wrong_environment_file_is_64(tmp_path: Path, command: tuple[str, ...]) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text('name: e\nredis:\n  c:\n    servers: {a: {host: h, port: "6379"}}\n')
    done = banksman(*command, "-e", str(path), XDG_STATE_HOME=str(tmp_path), XDG_RUNTIME_DIR=str(tmp_path))
    assert done.returncode == 64
    assert f"{path}:4: redis.c.servers.a.port: expected a port" in done.stderr
    assert done.stdout == ""


def test_environment_before_and_after_the_command() -> None:
    parser = cli.build_parser()
    assert parser.parse_args(["-e", "a", "status"]).environment == "a"
    assert parser.parse_args(["status", "-e", "b"]).environment == "b"
    assert parser.parse_args(["-e", "a", "status", "-e", "b"]).environment == "b"
    assert parser.parse_args(["status"]).environment is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("30s", 30), ("10m", 600), ("10min", 600), ("1.5h", 5400), ("2d", 172800), ("0", 0)],
)
def test_spans(text: str, seconds: float) -> None:
    assert cli.duration(text) == seconds


def test_the_console_needs_a_terminal() -> None:
    done = banksman("-e", str(config_dir() / "example.yaml"))
    assert done.returncode == 64
    assert "needs a terminal" in done.stderr


def test_unknown_environment_names_what_there_is(tmp_path: Path) -> None:
    folder = tmp_path / "banksman/environments"
    folder.mkdir(parents=True)
    (folder / "prod-eu.yaml").write_text("name: prod-eu\n")
    done = banksman("status", "-e", "prod-us", XDG_CONFIG_HOME=str(tmp_path), XDG_STATE_HOME=str(tmp_path))
    assert done.returncode == 64
    assert "prod-eu" in done.stderr


def test_a_reader_that_leaves_is_no_crash() -> None:
    program = "from console.cli import main; import sys; sys.exit(main(['--help']))"
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(write)
    assert "Traceback" not in done.stderr


def test_the_engine_is_started_before_textual_is_imported(tmp_path: Path) -> None:
    """Both come up at once: that is what makes the first picture early."""
    path = tmp_path / "e.yaml"
    path.write_text("name: e\n")
    program = (
        "import sys\nfrom console import launch\nfrom console.commands import opening\nfrom console.cli import main\n"
        "opening.need_terminal = lambda what: None\n"
        "def start(path):\n print('started', path, 'textual' in sys.modules)\n raise SystemExit(7)\n"
        f"launch.start_engine_early = start\nmain(['-e', {str(path)!r}])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, text=True, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 7, done.stderr
    assert done.stdout == f"started {path} False\n"
