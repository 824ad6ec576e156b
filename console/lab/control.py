"""How another process asks the supervisor: one JSON request and one JSON answer over ``control.sock``."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec

from console.lab.errors import LabError
from console.lab.state import Lab, Server

SOCKET = "control.sock"
Verb = Literal["start", "stop", "kill", "hold", "release", "remove", "ready", "state"]


class Ask(msgspec.Struct, frozen=True, omit_defaults=True):
    """One request.

    ``start`` a server; ``stop`` (SIGTERM) or ``kill`` (SIGKILL) and leave it to be started again; ``hold``: SIGKILL and keep
    it down; ``release``: start it again; ``remove``: end a worker for good; ``ready``: `up` has finished; ``state``: ask only.
    """

    verb: Verb
    name: str = ""
    server: Server | None = None
    """With ``start``: a server that is not in ``lab.json`` yet (a fault's worker)."""


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came of it."""

    problem: str = ""
    lab: Lab | None = None


@contextmanager
def socket_address(directory: Path) -> Iterator[str]:
    """Address of the control socket that is short enough whatever the directory's name (the kernel allows 107 bytes)."""
    handle = os.open(directory, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{handle}/{SOCKET}"
    finally:
        os.close(handle)


def ask(directory: Path, request: Ask, seconds: float = 20.0) -> Lab:
    """Ask the supervisor of the laboratory in ``directory``; returns the laboratory as it is afterwards.

    Raises:
        LabError: It does not answer within ``seconds``, or refuses.
    """
    try:
        with socket.socket(socket.AF_UNIX) as line, socket_address(directory) as address:
            line.settimeout(seconds)
            line.connect(address)
            line.sendall(msgspec.json.encode(request) + b"\n")
            raw = b""
            while not raw.endswith(b"\n"):
                part = line.recv(65536)
                if not part:
                    break
                raw += part
        answer = msgspec.json.decode(raw, type=Answer)
    except (OSError, msgspec.MsgspecError) as problem:
        raise LabError(
            f"the laboratory's supervisor in {directory} does not answer ({problem}): "
            f"`banksman lab down --dir {directory}` clears it away"
        ) from problem
    if answer.problem or answer.lab is None:
        raise LabError(answer.problem or "the supervisor answered nothing")
    return answer.lab
