"""The mail server that the tenants send through."""

from __future__ import annotations

import sys
from pathlib import Path

from console.lab.state import Server


def mail(directory: Path, port: int) -> Server:
    """It takes everything and delivers nothing."""
    home = directory / "mail"
    home.mkdir()
    log = str(home / "mail.log")
    return Server(
        name="mail",
        kind="mail",
        argv=[sys.executable, "-m", "console.lab.mailsink", str(port)],
        directory=str(home),
        log=log,
        ports={"smtp": port},
    )
