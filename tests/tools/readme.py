"""Keeps the made parts of README.md current: ``python -m tests.tools.readme`` writes them, a test compares."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from console.actions import key_table
from console.lab.faults.registry import FAULTS

README = Path(__file__).resolve().parents[2] / "README.md"


def fault_table() -> str:
    """Faults of the laboratory: what each does, and the findings that must come of it."""
    rows = ["| fault | does | finding |", "|---|---|---|"]
    for name, fault in FAULTS.items():
        does = fault.does.partition(". ")[0].partition(": which=")[0].replace("|", "\\|")
        rows.append(f"| `{name}` | {does} | {', '.join(f'`{kind}`' for kind in fault.signs.findings)} |")
    return "\n".join(rows)


PARTS: dict[str, Callable[[], str]] = {"keys": key_table, "faults": fault_table}


def made(text: str) -> str:
    """``text`` with every made part as it should be. Raises ValueError where a part's marks are missing."""
    for name, make in PARTS.items():
        first, last = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        if text.count(first) != 1 or text.count(last) != 1:
            raise ValueError(f"README.md has not one part called {name}")
        before, rest = text.split(first)
        text = f"{before}{first}{make()}\n{last}{rest.split(last)[1]}"
    return text


if __name__ == "__main__":
    README.write_text(made(README.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stdout.write(f"{README}\n")
