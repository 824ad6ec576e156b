"""``banksman lab up|down|status``: mounted by ``console.cli``, and alone as ``python -m console.lab``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

WRONG_USAGE = 64


def _directory(args: argparse.Namespace) -> Path:
    from console.settings.paths import lab_dir

    return Path(args.dir).expanduser().resolve() if args.dir else lab_dir()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _json(value: Any) -> None:
    import msgspec

    _say(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def _up(args: argparse.Namespace) -> int:
    from console.lab.lifecycle import up

    report = (lambda _: None) if args.json else _say
    lab = up(_directory(args), load=args.load, report=report, platform=not args.without_platform)
    if args.json:
        _json({"directory": lab.directory, "environment": f"{lab.directory}/environment.yaml"})
    return 0


def _load(args: argparse.Namespace) -> int:
    from console.lab.errors import LabError
    from console.lab.lifecycle import running
    from console.lab.users.base import read_factors, set_factor

    place = _directory(args)
    if running(place) is None:
        raise LabError(f"no laboratory runs in {place}")
    if args.tenant:
        set_factor(place, args.tenant, args.factor)
    factors = read_factors(place)
    if args.json:
        _json(factors)
        return 0
    for name, factor in sorted(factors.items()):
        _say(f"{name:<12} {factor:g} times as busy as usual")
    if not factors:
        _say("every tenant is as busy as usual")
    return 0


def _down(args: argparse.Namespace) -> int:
    from console.lab.lifecycle import down

    place = _directory(args)
    found = down(place)
    if args.json:
        _json({"directory": str(place), "was_up": found})
    else:
        _say(f"the laboratory in {place} is down" if found else f"there was no laboratory in {place}")
    return 0


def _status(args: argparse.Namespace) -> int:
    from console.lab.lifecycle import status
    from console.lab.users.base import read_felt

    lab, problems = status(_directory(args))
    if args.json:
        servers = {
            name: {
                "kind": server.kind,
                "condition": server.condition,
                "pid": server.process.pid if server.process else None,
                "ports": server.ports,
                "data_directory": server.data_directory,
                "log": server.server_log or server.log,
            }
            for name, server in sorted(lab.servers.items())
        }
        _json({"directory": lab.directory, "problems": problems, "servers": servers, "users": read_felt(lab.path)})
    else:
        for name, server in sorted(lab.servers.items()):
            ports = ", ".join(f"{what} {port}" for what, port in server.ports.items())
            _say(f"{name:<12} {server.condition:<8} pid {server.process.pid if server.process else '-':<8} {ports}")
        for part, problem in problems.items():
            _say(f"! {part}: {problem}")
        _say(f"the laboratory in {lab.directory} is {'not healthy' if problems else 'healthy'}")
    return 1 if problems else 0


def _faults(args: argparse.Namespace) -> int:
    from console.lab.faults.registry import FAULTS

    if args.json:
        _json(list(FAULTS.values()))
        return 0
    for fault in FAULTS.values():
        _say(f"{fault.name}")
        _say(f"    {fault.does}")
        for parameter in fault.parameters:
            _say(f"    {parameter.name}={str(parameter.default).lower()}: {parameter.help}")
        _say(f"    raises {', '.join(fault.signs.findings)} within {fault.signs.latency_s:g} s")
        _say(f"    felt by {fault.signs.truth.felt}")
    return 0


def _break(args: argparse.Namespace) -> int:
    from console.lab.faults.operate import break_
    from console.lab.faults.registry import find

    fault, _ = find(args.fault)
    struck = break_(_directory(args), fault.name, **fault.parse(args.parameters))
    if args.json:
        _json({"struck": struck, "expect": fault.expect(struck.parameters)})
    else:
        about = "".join(f", {key} {value}" for key, value in struck.notes.items())
        _say(f"{fault.name} is struck{about}")
        _say(f"its effect shows: {fault.observable_from}")
    return 0


def _heal(args: argparse.Namespace) -> int:
    from console.lab.faults.operate import heal
    from console.lab.faults.registry import find

    if not args.faults and not args.all:
        sys.stderr.write("banksman lab heal: name a fault, or --all\n")
        return WRONG_USAGE
    for name in args.faults:
        find(name)
    took = heal(_directory(args), *([] if args.all else args.faults))
    if args.json:
        _json({"healed": args.faults or "all", "took_s": round(took, 1)})
    else:
        _say(f"healed; healthy after {took:.1f} s")
    return 0


def add_parser(subparsers: Any) -> None:
    """Add ``lab`` to the command line."""
    parser = subparsers.add_parser("lab", help="the local laboratory: real servers, load, faults")
    add_commands(parser)


def add_commands(parser: argparse.ArgumentParser) -> None:
    """Add the laboratory's own commands."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--dir", metavar="D", default="", help="the laboratory's directory (default: the one that -e lab means)"
    )
    common.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    commands = parser.add_subparsers(dest="lab_command", metavar="COMMAND", required=True)
    rise = commands.add_parser("up", parents=[common], help="start it; returns when everything is ready")
    rise.add_argument("--load", type=float, default=1.0, metavar="FACTOR", help="how busy its users are (default 1)")
    rise.add_argument(
        "--without-platform", action="store_true", help="databases and cache only: no Kubernetes, Traefik, Odoo"
    )
    rise.set_defaults(lab_run=_up)
    press = commands.add_parser(
        "load", parents=[common], help="make a tenant's users busier while it runs; alone: who is busier than usual"
    )
    press.add_argument("tenant", metavar="TENANT", nargs="?", default="")
    press.add_argument("factor", metavar="FACTOR", nargs="?", type=float, default=1.0, help="1 is as usual")
    press.set_defaults(lab_run=_load)
    commands.add_parser("faults", parents=[common], help="the faults, and how each shows").set_defaults(lab_run=_faults)
    strike = commands.add_parser("break", parents=[common], help="strike a fault; returns when its effect can be seen")
    strike.add_argument("fault", metavar="FAULT")
    strike.add_argument("parameters", metavar="NAME=VALUE", nargs="*", default=[])
    strike.set_defaults(lab_run=_break)
    mend = commands.add_parser("heal", parents=[common], help="mend faults; returns when the laboratory is healthy")
    mend.add_argument("faults", metavar="FAULT", nargs="*", default=[])
    mend.add_argument("--all", action="store_true", help="every one, and whatever else is held or stopped")
    mend.set_defaults(lab_run=_heal)
    commands.add_parser("down", parents=[common], help="end it and remove its files").set_defaults(lab_run=_down)
    commands.add_parser("status", parents=[common], help="its servers, and whether it is healthy").set_defaults(
        lab_run=_status
    )


def main(args: argparse.Namespace) -> int:
    """Run the command that was parsed. Exit 0 done, 1 not healthy or not possible, 64 wrong usage."""
    from console.lab.errors import LabError, UsageError

    try:
        return int(args.lab_run(args))
    except UsageError as problem:
        sys.stderr.write(f"banksman lab: {problem}\n")
        return WRONG_USAGE
    except LabError as problem:
        sys.stderr.write(f"banksman lab: {problem}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("banksman lab: interrupted\n")
        return 130
