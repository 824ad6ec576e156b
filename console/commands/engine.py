"""``banksman engine``: a shared engine in the foreground; with ``--private`` the one that a client starts for itself."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from console import place


def run(args: argparse.Namespace) -> int:
    """Run an engine until it ends; its exit code: 0, 64 wrong environment file, 70 failed, 75 another one runs."""
    from console.engine.main import ALREADY_RUNS, run_engine

    if args.private:
        return run_engine(Path(args.private))
    from console.settings import load_environment

    loaded = load_environment(args.environment)
    where = place.shared(loaded.environment.name)
    sys.stderr.write(f"shared engine of {loaded.environment.name} at {where.socket}, log {where.log}\n")
    code = run_engine(loaded.path, shared=True)
    if code == ALREADY_RUNS:
        sys.stderr.write(f"banksman engine: another one runs for {loaded.environment.name}\n")
    elif code:
        sys.stderr.write(f"banksman engine: {_problem(where)}\n")
    return code


def _problem(where: place.Place) -> str:
    try:
        return where.problem.read_text(encoding="utf-8", errors="replace").strip()
    except OSError as error:
        return f"it failed, and {where.problem} cannot be read: {error.strerror}"
