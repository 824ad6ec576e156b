"""What faults do to the platform from outside: requests over ``DIRECTORY/kubernetes/control.sock``.

Each function waits until it is done and can be repeated: losing what is lost changes nothing.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec

from console.lab.errors import LabError
from console.lab.kube import quantity
from console.lab.platform import settings
from console.lab.platform.kubelet import Loss
from console.lab.platform.settings import FOLDER, Files

SOCKET = "control.sock"
_FILLER = "filler"
_PATIENCE_S = 20.0
Verb = Literal["lose", "restore", "metrics", "api", "compact", "state"]


class Ask(msgspec.Struct, frozen=True, omit_defaults=True):
    """One request."""

    verb: Verb
    nodes: list[str] = []
    how: Loss = "power"
    there: bool = True


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What came of it."""

    problem: str = ""
    lost: dict[str, Loss] = {}
    """Nodes that are lost now."""
    metrics: bool = True
    api: bool = True


@contextmanager
def socket_address(directory: Path) -> Iterator[str]:
    """Address of the socket that is short enough whatever the directory's name (the kernel allows 107 bytes)."""
    handle = os.open(directory / FOLDER, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{handle}/{SOCKET}"
    finally:
        os.close(handle)


def ask(directory: Path, request: Ask) -> Answer:
    """Ask the platform of the laboratory in this directory.

    Raises:
        LabError: It does not answer, or refuses.
    """
    try:
        with socket.socket(socket.AF_UNIX) as line, socket_address(directory) as address:
            line.settimeout(_PATIENCE_S)
            line.connect(address)
            line.sendall(msgspec.json.encode(request) + b"\n")
            raw = b""
            while not raw.endswith(b"\n") and (part := line.recv(65536)):
                raw += part
        answer = msgspec.json.decode(raw, type=Answer)
    except (OSError, msgspec.MsgspecError) as problem:
        raise LabError(f"the platform of the laboratory in {directory} does not answer ({problem})") from problem
    if answer.problem:
        raise LabError(answer.problem)
    return answer


def lose(directory: Path, *nodes: str, how: Loss = "power") -> None:
    """Take nodes away: they report nothing any more, and their pods' processes are killed, or frozen (as behind a cut network)."""
    ask(directory, Ask("lose", list(nodes), how))


def restore(directory: Path, *nodes: str) -> None:
    """Have nodes come back; all that are lost, if none is named."""
    ask(directory, Ask("restore", list(nodes)))


def lost(directory: Path) -> dict[str, Loss]:
    """Nodes that are lost, and how."""
    return ask(directory, Ask("state")).lost


def zone(directory: Path, name: str) -> list[str]:
    """The nodes of a zone."""
    return [node.name for node in settings.read(directory).nodes if node.zone == name]


def metrics(directory: Path, *, there: bool) -> None:
    """Take the metrics API away, or bring it back."""
    ask(directory, Ask("metrics", there=there))


def api(directory: Path, *, there: bool) -> None:
    """Close the API's ports with every connection, or open them again; kubelets and controllers go on."""
    ask(directory, Ask("api", there=there))


def compact(directory: Path) -> None:
    """Have the API forget how everything came to be: whoever goes on from an earlier version is told 410."""
    ask(directory, Ask("compact"))


def fill_disk(directory: Path, node: str, share: float = 0.95) -> None:
    """Fill a node's disk up to a share of its size with a real file."""
    found = next((each for each in settings.read(directory).nodes if each.name == node), None)
    if found is None:
        raise LabError(f"the laboratory has no node {node}")
    size = int(float(quantity.parse(found.disk)) * share)
    with (Files(directory).node(node) / _FILLER).open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, size)


def empty_disk(directory: Path, node: str) -> None:
    """Take that file away."""
    (Files(directory).node(node) / _FILLER).unlink(missing_ok=True)
