"""The platform's process: API server, controllers and kubelets, whose pods are processes of this machine."""

from __future__ import annotations

import sys
from pathlib import Path

from console.lab.platform import settings
from console.lab.state import Server

NAME = "kubernetes"
CLUSTER = "lab"
"""Name of the cluster in the environment file."""


def kubernetes(directory: Path, port: int) -> Server:
    """One cluster, with its settings written."""
    settings.write(directory, settings.Settings(port=port, subnet=settings.free_subnet()))
    home = directory / settings.FOLDER
    return Server(
        name=NAME,
        kind="kubernetes",
        argv=[sys.executable, "-m", "console.lab.platform", str(directory)],
        directory=str(home),
        log=str(home / "platform.log"),
        ports={"api": port},
    )
