"""Where an engine lives: its socket, its lock, its state. Engine and clients compute the same place from the same file.

Standard library only, and little of it: clients ask before anything else is imported, so that the engine starts early.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from pathlib import Path
from typing import NamedTuple

APPLICATION = "banksman"
SHARED_RUNTIME = Path("/run/banksman")
SHARED_STATE = Path("/var/lib/banksman")
SOCKET_PATH_LIMIT = 100
"""Bytes. The kernel takes 107; some tools count the final null and a few more."""

_NAME = re.compile(rb"""^name:[ \t]*["']?([A-Za-z0-9][A-Za-z0-9._-]{0,62})""", re.MULTILINE)


class PlaceError(Exception):
    """A directory that cannot be trusted or made; the text is a sentence."""


class Place(NamedTuple):
    """Where one engine lives."""

    name: str
    """The environment's name."""
    socket: Path
    lock: Path
    state: Path
    """Directory of the log, the recordings and the history."""
    shared: bool

    @property
    def log(self) -> Path:
        """The engine's log file."""
        return self.state / "engine.log"

    @property
    def recordings(self) -> Path:
        """Directory of hourly recordings."""
        return self.state / "recordings"

    @property
    def problem(self) -> Path:
        """A file with the sentence that says why the last engine could not start; absent when it did."""
        return self.state / "problem"

    def prepare(self) -> None:
        """Make the directories. Raises PlaceError where one cannot be made, or is not ours alone."""
        for folder in (self.socket.parent, self.state, self.recordings):
            if self.shared:
                folder.mkdir(mode=0o750, parents=True, exist_ok=True)
            else:
                private_dir(folder)


def private(environment: Path) -> Place:
    """The place of this user's own engine for the environment file ``environment``."""
    name, instance = _instance(environment)
    state = state_dir() / instance
    socket = runtime_dir() / f"{instance}.sock"
    if len(os.fsencode(socket)) > SOCKET_PATH_LIMIT:
        short = f"{APPLICATION}-{os.geteuid()}"
        digest = hashlib.sha256(os.fsencode(socket)).hexdigest()[:20]
        # Not from $TMPDIR, which may be long, and may differ between two shells of one person.
        socket = Path("/tmp") / short / f"{digest}.sock"  # noqa: S108
    return Place(name, socket, socket.with_suffix(".lock"), state, shared=False)


def shared(name: str) -> Place:
    """The place of the shared engine of the environment called ``name``."""
    return Place(
        name, SHARED_RUNTIME / f"{name}.sock", SHARED_RUNTIME / f"{name}.lock", SHARED_STATE / name, shared=True
    )


def digest(environment: Path) -> str:
    """SHA-256 of the environment file, hexadecimal; empty where it cannot be read."""
    try:
        return hashlib.sha256(environment.read_bytes()).hexdigest()
    except OSError:
        return ""


def state_dir() -> Path:
    """``$XDG_STATE_HOME/banksman``. Not made."""
    return _xdg("XDG_STATE_HOME", ".local/state")


def runtime_dir() -> Path:
    """``$XDG_RUNTIME_DIR/banksman`` where there is one, else within the state directory. Not made."""
    value = os.environ.get("XDG_RUNTIME_DIR", "")
    return Path(value) / APPLICATION if value.startswith("/") and Path(value).is_dir() else state_dir() / "run"


def private_dir(folder: Path) -> None:
    """Make ``folder`` for this user alone. Raises PlaceError where it is another's, a link, or open to others."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and stat.S_IMODE(found.st_mode) & 0o077:
            folder.chmod(0o700)
            found = folder.lstat()
    except OSError as error:
        raise PlaceError(f"{folder} cannot be made: {error.strerror}") from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise PlaceError(f"{folder} is not a directory of yours alone")


def _instance(environment: Path) -> tuple[str, str]:
    resolved = environment.expanduser().resolve()
    try:
        with resolved.open("rb") as file:
            match = _NAME.search(file.read(65536))
    except OSError:
        match = None
    name = match[1].decode() if match else re.sub(r"[^A-Za-z0-9._-]", "-", resolved.stem)[:63] or "environment"
    return name, f"{name[:24]}-{hashlib.sha256(os.fsencode(resolved)).hexdigest()[:10]}"


def _xdg(variable: str, fallback: str) -> Path:
    value = os.environ.get(variable, "")
    # The specification says that a relative path is to be ignored.
    base = Path(value) if value.startswith("/") else Path.home() / fallback
    return base / APPLICATION
