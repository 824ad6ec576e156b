"""Keeps logs from filling the disk of a laboratory that stays up: what ``logrotate`` does with ``copytruncate``."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from console.lab.databases import home
from console.lab.manifests.ingress import access_log
from console.lab.servers.odoo import LOG
from console.lab.tenants import TENANTS

LARGEST = 32 << 20
"""Bytes that a log may have; as many are kept of what was before."""


def rotate(directory: Path, largest: int = LARGEST) -> list[Path]:
    """Copy away and empty what has grown too large; which those were. Their writers append, and go on at the start."""
    logs = [access_log(directory), *(home(directory, tenant) / LOG for tenant in TENANTS)]
    large = [log for log in logs if log.exists() and log.stat().st_size > largest]
    for log in large:
        shutil.copyfile(log, log.with_name(f"{log.name}.1"))
        os.truncate(log, 0)
    return large
