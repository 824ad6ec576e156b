"""Log lines as Odoo writes them: ``2026-11-21 22:36:35,123 4711 INFO acme werkzeug: …``."""

from __future__ import annotations

import os
from datetime import UTC, datetime

_STDERR = 2
_files = [_STDERR]


def open_log(path: str, *, echo: bool = False) -> None:
    """Lines go to the end of this file from now on, also those of processes forked later; with ``echo`` to stderr too."""
    if path:
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        _files[:] = [opened, _STDERR] if echo else [opened]


def line(level: str, database: str | None, logger: str, message: str) -> None:
    """Write one line, whole."""
    now = datetime.now(UTC)
    stamp = f"{now:%Y-%m-%d %H:%M:%S},{now.microsecond // 1000:03d}"
    raw = f"{stamp} {os.getpid()} {level} {database or '?'} {logger}: {message}\n".encode()
    for each in _files:
        os.write(each, raw)
