"""The platform's process: API server, controllers and kubelets, whose pods are processes of this machine."""

from __future__ import annotations

import random
import sys
from pathlib import Path

from console.lab.errors import LabError
from console.lab.platform import settings
from console.lab.state import Server

NAME = "kubernetes"
CLUSTER = "lab"
"""Name of the cluster in the environment file."""


def kubernetes(directory: Path, port: int) -> Server:
    """One cluster, with its settings written."""
    settings.write(directory, settings.Settings(port=port, subnet=_subnet()))
    home = directory / settings.FOLDER
    return Server(
        name=NAME,
        kind="kubernetes",
        argv=[sys.executable, "-m", "console.lab.platform", str(directory)],
        directory=str(home),
        log=str(home / "platform.log"),
        ports={"api": port},
    )


def _subnet() -> str:
    """A part of the loopback network in which nobody listens: ``127.A.B``."""
    taken = _listening()
    for _ in range(200):
        numbers = (random.randrange(1, 255), random.randrange(1, 255))
        if numbers not in taken:
            return f"127.{numbers[0]}.{numbers[1]}"
    raise LabError("found no part of the loopback network that nobody uses")


def _listening() -> set[tuple[int, int]]:
    """Second and third number of every address that somebody has bound."""
    found = set()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        address = bytes.fromhex(line.split()[1].partition(":")[0])[::-1]  # little-endian, as the kernel prints it
        found.add((address[1], address[2]))
    return found
