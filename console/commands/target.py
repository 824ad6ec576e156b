"""Which environment a command is for, and how its engine is reached."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from console import launch, place
from console.settings import load_environment
from console.settings.paths import is_path

if TYPE_CHECKING:
    from console.feed import EngineFeed, Feed

Kind = Literal["console", "status", "record", "other"]


class Target(msgspec.Struct, frozen=True):
    """An environment, and its shared engine where one listens."""

    name: str
    path: Path
    """The environment file; of a shared engine whose file this user cannot read, only its name."""
    shared: str = ""
    """Name under which a shared engine listens; empty: a private engine serves."""

    @property
    def recordings(self) -> Path:
        """Folder of what its engine records."""
        return (place.shared(self.shared) if self.shared else place.private(self.path)).recordings

    def feed(self, kind: Kind) -> EngineFeed:
        """A feed of this environment's engine, not opened yet."""
        from console.feed import EngineFeed

        return EngineFeed(self.path, kind=kind, shared=self.shared)


async def heard(feed: Feed, seconds: float) -> bool:
    """Wait at most ``seconds`` for the engine to speak; whether it did."""
    changes = feed.changes()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while feed.state not in ("live", "failed"):
                await anext(changes)
    return feed.state == "live"


def find_target(reference: str | None) -> Target:
    """The target that ``-e`` names; its private engine, where that is what serves, has been started. Raises SettingsError.

    Call it before importing anything large: the engine comes up meanwhile. A shared engine that listens is attached to,
    whether or not this user may read its environment file.
    """
    if reference and not is_path(reference) and _shared_listens(reference):
        return Target(reference, Path(reference), shared=reference)
    loaded = load_environment(reference)
    name = loaded.environment.name
    if _shared_listens(name):
        return Target(name, loaded.path, shared=name)
    launch.start_engine_early(loaded.path)
    return Target(name, loaded.path)


def _shared_listens(name: str) -> bool:
    socket = place.shared(name).socket
    return socket.exists() and launch.listens(socket)
