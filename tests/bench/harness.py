"""Runs the meter as a process of its own and keeps the figures, so that they can be printed side by side at the end."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
BIN = ROOT / ".venv" / "bin"


def meter(
    *command: str | Path, size: str = "200x50", duration: float = 15, warmup: float = 5, extra: tuple[str, ...] = ()
) -> dict[str, Any]:
    """One run of ``command`` in a pty of ``size``; its figures. Raises CalledProcessError when the meter itself fails."""
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")}
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.bench.meter",
            *("--size", size, "--duration", str(duration), "--warmup", str(warmup), *extra, "--"),
            *map(str, command),
        ],
        cwd=ROOT,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
        timeout=duration + 60,
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def interleaved(rounds: int, **runs: Any) -> dict[str, list[dict[str, Any]]]:
    """Each of ``runs`` (name → callable) once a round, so that all see the same machine; the first round is thrown away."""
    results: dict[str, list[dict[str, Any]]] = {name: [] for name in runs}
    for number in range(rounds + 1):
        for name, run in runs.items():
            figures = run()
            if number:
                results[name].append(figures)
    return results


def median(figures: list[dict[str, Any]], *path: str) -> float:
    """Median over the runs of the figure at ``path``."""
    values = []
    for run in figures:
        value: Any = run
        for step in path:
            value = value[step]
        values.append(float(value))
    return statistics.median(values)


def cpu_seconds(pid: int) -> float:
    """User and system time that a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass
class Report:
    """What was measured, as rows for the README."""

    rows: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, what: str, ours: str, beside: str = "") -> None:
        """One row: what, our figure, and the limit or the peer beside it."""
        self.rows.append((what, ours, beside))

    def markdown(self) -> str:
        """The rows as a table."""
        lines = ["| what | Banksman | limit, or peer in the same run |", "|---|--:|--:|"]
        return "\n".join(lines + [f"| {a} | {b} | {c} |" for a, b, c in self.rows])
