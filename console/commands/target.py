"""Which environment a command is for, and how its engine is reached."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from console import launch, place
from console.settings import Loaded, SettingsError, find_environment, load_environment
from console.settings.paths import is_path

if TYPE_CHECKING:
    from console.feed import EngineFeed

Kind = Literal["console", "status", "record", "other"]


class Target(msgspec.Struct, frozen=True):
    """An environment, and its shared engine where one listens."""

    name: str
    path: Path
    """The environment file; of a shared engine whose file this user cannot read, only its name."""
    loaded: Loaded | None = None
    shared: str = ""
    """Name under which a shared engine listens; empty: a private engine serves."""

    def feed(self, kind: Kind) -> EngineFeed:
        """A feed of this environment's engine, not opened yet."""
        from console.feed import EngineFeed

        return EngineFeed(self.path, kind=kind, shared=self.shared)


def find_target(reference: str | None, *, early: bool = False) -> Target:
    """The target that ``-e`` names. Raises SettingsError.

    A shared engine that listens is attached to, whether or not this user may read its environment file. ``early``: a
    private engine is started while the file is still being read, so that both come up at once.
    """
    if reference and not is_path(reference) and _shared_listens(reference):
        return Target(reference, Path(reference), shared=reference)
    path = find_environment(reference)
    if early and path.is_file() and not _shared_listens(place.private(path).name):
        launch.start_engine_early(path)
    loaded = load_environment(path)
    name = loaded.environment.name
    return Target(name, loaded.path, loaded, name if _shared_listens(name) else "")


def _shared_listens(name: str) -> bool:
    socket = place.shared(name).socket
    return socket.exists() and launch.listens(socket)


def read_settings(reference: str | None) -> Loaded:
    """The environment file itself, for commands that look at the systems without an engine. Raises SettingsError."""
    return load_environment(reference)


__all__ = ["Kind", "SettingsError", "Target", "find_target", "read_settings"]
