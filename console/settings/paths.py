"""Where files live: environments, state, sockets, the data in ``config/``."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

APPLICATION = "banksman"
SYSTEM_CONFIG = Path("/etc/banksman/environments")
SYSTEM_STATE = Path("/var/lib/banksman")
SYSTEM_RUNTIME = Path("/run/banksman")
LABORATORY = "lab"
"""``-e lab`` is the laboratory in its default directory."""
SUFFIXES = (".yaml", ".yml")


def _xdg(variable: str, *fallback: str) -> Path:
    value = os.environ.get(variable, "")
    # The specification says that a relative path is to be ignored.
    base = Path(value) if value.startswith("/") else Path.home().joinpath(*fallback)
    return base / APPLICATION


def config_dir() -> Path:
    """``config/``: beside the checkout, or inside the wheel."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "_config"
    return inside if inside.is_dir() else package.parent / "config"


def environment_dirs() -> tuple[Path, ...]:
    """Folders in which an environment's name is looked up, first one first."""
    return (_xdg("XDG_CONFIG_HOME", ".config") / "environments", SYSTEM_CONFIG)


def state_dir(*, shared: bool = False) -> Path:
    """Recordings, history, logs: ``$XDG_STATE_HOME/banksman``, for a shared engine ``/var/lib/banksman``. Not made."""
    return SYSTEM_STATE if shared else _xdg("XDG_STATE_HOME", ".local", "state")


def runtime_dir(*, shared: bool = False) -> Path:
    """Sockets and locks: ``$XDG_RUNTIME_DIR/banksman`` where there is one, else the state directory. Not made."""
    if shared:
        return SYSTEM_RUNTIME
    value = os.environ.get("XDG_RUNTIME_DIR", "")
    return Path(value) / APPLICATION if value.startswith("/") and Path(value).is_dir() else state_dir()


def lab_dir() -> Path:
    """The laboratory's default directory."""
    return state_dir() / "lab"


def instance_name(name: str, path: Path) -> str:
    """What sockets, locks and state of an environment are called: its name and a hash of its file's resolved path."""
    return f"{name[:24]}-{hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:10]}"


def is_path(reference: str) -> bool:
    """Whether ``-e`` names a file rather than an environment."""
    return os.sep in reference or reference.endswith(SUFFIXES)


def known_environments() -> dict[str, Path]:
    """Name → file of every environment in the search folders, and of the laboratory where there is one."""
    found: dict[str, Path] = {}
    for folder in environment_dirs():
        try:
            files = sorted(folder.iterdir())
        except OSError:
            continue
        for file in files:
            if file.suffix in SUFFIXES and file.is_file():
                found.setdefault(file.stem, file)
    laboratory = lab_dir() / "environment.yaml"
    if laboratory.is_file():
        found.setdefault(LABORATORY, laboratory)
    return found
