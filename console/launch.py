"""Start a private engine as a process of its own. Standard library only: called before Textual is imported.

from console.launch import start_engine_early
start_engine_early(path)          # returns within milliseconds
import textual …                  # while the engine comes up
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from console import place

Command = Callable[[Path], list[str]]

started: dict[Path, int] = {}
"""Environment file → process id of the engine that this process started last; whoever finds it ended reaps it."""


def engine_command(environment: Path) -> list[str]:
    """How a private engine is started. ``-P``: what lies in the working directory must not become our code."""
    return [sys.executable, "-P", "-m", "console.cli", "engine", "--private", str(environment)]


def start_engine_early(environment: Path, command: Command = engine_command) -> None:
    """Start the engine for ``environment`` unless one listens already. Raises nothing: the feed finds out and says so."""
    try:
        where = place.private(environment)
        if not listens(where.socket):
            spawn(environment, where, command)
    except (OSError, place.PlaceError):
        return  # The feed tries again and reports.


def listens(path: Path) -> bool:
    """Whether anybody accepts connections at ``path``."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as probe:
        try:
            probe.connect(str(path))
        except BlockingIOError:  # its backlog is full: somebody is there
            return True
        except OSError:
            return False
        return True


def spawn(environment: Path, where: place.Place, command: Command = engine_command) -> int:
    """Start an engine in a session of its own, with no descriptor of ours; its process id. Raises OSError, PlaceError."""
    environment = environment.expanduser().resolve()
    where.prepare()
    arguments = command(environment)
    append = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    actions: list[tuple[object, ...]] = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(where.log), append, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
        *((os.POSIX_SPAWN_CLOSE, number) for number in _inherited()),
    ]
    pid = os.posix_spawn(
        arguments[0],
        arguments,
        os.environ,
        file_actions=actions,
        setsid=True,
        setsigmask=(),
        setsigdef=(signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGCHLD, signal.SIGTSTP),
    )
    started[environment] = pid
    return pid


def ended(environment: Path) -> int | None:
    """Exit code of the engine that this process started for ``environment`` (negative: the signal); None while it runs.

    Also None where this process started none.
    """
    environment = environment.expanduser().resolve()
    pid = started.get(environment)
    if pid is None:
        return None
    try:
        found, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        del started[environment]
        return 0
    if found == 0:
        return None
    del started[environment]
    return os.waitstatus_to_exitcode(status)


def _inherited() -> list[int]:
    """Descriptors beyond the first three that a child would inherit."""
    numbers = [int(entry.name) for entry in os.scandir("/proc/self/fd")]
    return [number for number in numbers if number > 2 and _is_inheritable(number)]


def _is_inheritable(number: int) -> bool:
    try:
        return os.get_inheritable(number)
    except OSError:  # the descriptor of the listing itself
        return False
