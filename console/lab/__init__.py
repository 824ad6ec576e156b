"""The local laboratory: real servers as child processes, load, faults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from console.lab.errors import LabError
    from console.lab.lifecycle import down, status, up

__all__ = ["LabError", "down", "status", "up"]


def __getattr__(name: str) -> Any:
    """Import what is used when it is used: the command line mounts this package at every start."""
    if name == "LabError":
        from console.lab.errors import LabError

        return LabError
    if name in ("up", "down", "status"):
        from console.lab import lifecycle

        return getattr(lifecycle, name)
    raise AttributeError(name)
