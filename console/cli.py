"""``banksman``: reads the command line and calls what does it. Nothing heavy is imported before it is needed."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn, TypeAlias

from console import __version__

EXIT_USAGE = 64
EXIT_INTERRUPTED = 130
EXIT_PIPE = 141

Run = Callable[[argparse.Namespace], int]

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_LONGEST_S = 366 * 86400.0
_EPILOG = """\
exit codes: 0 ok, 1 warning, 2 critical, 3 unknown or nothing configured (status, demo --headless, replay --json);
doctor 0 nothing missing, 2 something fails, 3 cannot tell; 64 wrong usage or a wrong environment file."""


class _Parser(argparse.ArgumentParser):
    """argparse, but wrong usage is 64 (2 would be read as "critical")."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(EXIT_USAGE, f"{self.prog}: {message}\n")


Commands: TypeAlias = "argparse._SubParsersAction[_Parser]"


def duration(text: str) -> float:
    """``90``, ``30s``, ``10m``, ``2h``, ``1d`` in seconds."""
    match = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)(s|m|min|h|d|)", text.strip())
    if match is None or float(match[1]) * _UNITS[match[2]] > _LONGEST_S:
        raise argparse.ArgumentTypeError(f"expected a span such as 90, 30s, 10m or 2h, found {text[:40]!r}")
    return float(match[1]) * _UNITS[match[2]]


def _lazily(module: str) -> Run:
    """``run`` of ``console.commands.MODULE``, imported when it is called."""

    def run(args: argparse.Namespace) -> int:
        from importlib import import_module

        return int(import_module(f"console.commands.{module}").run(args))

    return run


def _environment(parser: argparse.ArgumentParser, default: object = argparse.SUPPRESS) -> None:
    parser.add_argument(
        "-e",
        "--environment",
        metavar="ENV",
        default=default,
        help="name of a file in ~/.config/banksman/environments or /etc/banksman/environments, or a path; "
        "`lab` is the laboratory (default: the only one there is)",
    )


def build_parser() -> _Parser:
    """The whole command line."""
    parser = _Parser(
        prog="banksman",
        description="A terminal operations console for Odoo cloud platforms. Without a command: open the console.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"banksman {__version__}")
    _environment(parser, default=None)
    parser.add_argument("--read-only", action="store_true", help="look, and offer nothing that acts")
    parser.set_defaults(run=_lazily("opening"))
    commands = parser.add_subparsers(metavar="COMMAND", title="commands")
    _add_demo(commands)
    _add_lab(commands)
    _add_status(commands)
    _add_doctor(commands)
    _add_recorder(commands)
    _add_engine(commands)
    return parser


def _add_demo(commands: Commands) -> None:
    demo = commands.add_parser("demo", help="the laboratory, and the console on it", allow_abbrev=False)
    demo.add_argument("--headless", action="store_true", help="print the status instead of opening the console")
    demo.add_argument("--keep", action="store_true", help="leave the laboratory up at the end")
    demo.add_argument("--dir", metavar="D", default="", help="the laboratory's directory (default: the one of -e lab)")
    demo.add_argument("--json", action="store_true", help="with --headless: one JSON object")
    demo.set_defaults(run=_lazily("demo"))


def _add_lab(commands: Commands) -> None:
    from console.lab import cli as lab

    lab.add_parser(commands)
    commands.choices["lab"].set_defaults(run=lab.main)


def _add_status(commands: Commands) -> None:
    status = commands.add_parser(
        "status", help="is it bad, for whom, what to do; for people and machines", allow_abbrev=False
    )
    _environment(status)
    status.add_argument("--json", action="store_true", help="one JSON object")
    status.add_argument("--full", action="store_true", help="with --json: every reading too")
    status.add_argument(
        "--wait",
        type=duration,
        default=10.0,
        metavar="S",
        help="wait at most so long until everything was read as often as findings need (default 10)",
    )
    status.set_defaults(run=_lazily("status"))


def _add_doctor(commands: Commands) -> None:
    doctor = commands.add_parser(
        "doctor",
        help="connection, privilege and clock of every source, and how to mend what is missing",
        allow_abbrev=False,
    )
    _environment(doctor)
    doctor.add_argument("--json", action="store_true", help="one JSON object")
    doctor.set_defaults(run=_lazily("doctor"))


def _add_recorder(commands: Commands) -> None:
    record = commands.add_parser("record", help="write what the engine sees into a file", allow_abbrev=False)
    _environment(record)
    record.add_argument("file", metavar="FILE")
    record.add_argument(
        "--for", dest="span", type=duration, metavar="D", help="so long from now (default: until ctrl+c)"
    )
    record.add_argument(
        "--last", type=duration, metavar="D", help="instead: the last so long, as the engine recorded it"
    )
    record.set_defaults(run=_lazily("record"))
    replay = commands.add_parser("replay", help="open a recording on the same screens", allow_abbrev=False)
    replay.add_argument("file", metavar="FILE")
    replay.add_argument(
        "--at", metavar="T", help="moment to jump to: 2026-11-22T02:41:00Z, 02:41[:30], or +10m from the start"
    )
    replay.add_argument(
        "--json", action="store_true", help="print the board's status at that moment (default: the end)"
    )
    replay.add_argument("--full", action="store_true", help="with --json: every reading too")
    replay.set_defaults(run=_lazily("replay"))


def _add_engine(commands: Commands) -> None:
    engine = commands.add_parser("engine", help="run a shared engine in the foreground", allow_abbrev=False)
    _environment(engine)
    engine.add_argument("--private", metavar="PATH", default="", help=argparse.SUPPRESS)
    engine.set_defaults(run=_lazily("engine"))


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``banksman``; its exit code. Raises SystemExit for wrong usage (64), ``--help`` and ``--version``."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that knows no ▲ gets a question mark, not a traceback
            stream.reconfigure(errors="replace")
    args = build_parser().parse_args(argv)
    run: Run = args.run
    try:
        code = run(args)
        sys.stdout.flush()
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read us has gone; what is left in the buffer must not raise again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_PIPE
    except Exception as error:
        # SettingsError and CommandError are for the person; naming them here would import them for every command.
        exit_code = getattr(error, "exit_code", None)
        if not isinstance(exit_code, int):
            raise
        sys.stderr.write(f"banksman: {error}\n" if "\n" not in str(error) else f"banksman:\n{error}\n")
        return exit_code
    return code


if __name__ == "__main__":
    sys.exit(main())
