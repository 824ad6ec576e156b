"""Where files live that people write or data brings: environments, the laboratory, ``config/``.

Where an engine lives (socket, lock, state) says ``console.place``.
"""

from __future__ import annotations

import os
from pathlib import Path

from console.place import APPLICATION, state_dir

SYSTEM_CONFIG = Path("/etc/banksman/environments")
LABORATORY = "lab"
"""``-e lab`` is the laboratory in its default directory."""
SUFFIXES = (".yaml", ".yml")


def config_dir() -> Path:
    """``config/``: beside the checkout, or inside the wheel."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "_config"
    return inside if inside.is_dir() else package.parent / "config"


def config_home() -> Path:
    """``$XDG_CONFIG_HOME/banksman``: what this person has set."""
    value = os.environ.get("XDG_CONFIG_HOME", "")
    # The specification says that a relative path is to be ignored.
    return (Path(value) if value.startswith("/") else Path.home() / ".config") / APPLICATION


def environment_dirs() -> tuple[Path, ...]:
    """Folders in which an environment's name is looked up, first one first."""
    return (config_home() / "environments", SYSTEM_CONFIG)


def lab_dir() -> Path:
    """The laboratory's default directory."""
    return state_dir() / "lab"


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
