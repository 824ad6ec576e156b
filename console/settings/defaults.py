"""``config/defaults.yaml``: how often and how long sources look, when findings open and close, and their thresholds."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Annotated

import msgspec

from console.settings.check import BAD, Checker, type_of
from console.settings.document import parse, read_bytes
from console.settings.environment import EnvironmentFile
from console.settings.errors import SettingsError
from console.settings.paths import config_dir

Seconds = Annotated[float, msgspec.Meta(gt=0, le=3600, description="seconds, more than 0 and at most 3600")]
Count = Annotated[int, msgspec.Meta(ge=1, le=9, description="a whole number from 1 to 9")]


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Cadence(_Strict, frozen=True, kw_only=True):
    """How often a source looks, and how long a look may take."""

    every_s: Seconds
    deadline_s: Seconds


class Cadences(_Strict, frozen=True, kw_only=True):
    """``fast``: databases and caches; ``normal``: their neighbours and what changes slowly; ``slow``: catalogues."""

    fast: Cadence
    normal: Cadence
    slow: Cadence


class FindingRules(_Strict, frozen=True, kw_only=True):
    """When a finding opens and closes."""

    open_after: Count
    """Bad readings in a row."""
    close_after: Count
    """Good readings in a row."""
    ask_again_s: Seconds
    """A source whose reading is bad is asked again after at most this, until the finding has opened or cleared."""


class Defaults(_Strict, frozen=True, kw_only=True):
    """The whole file."""

    cadences: Cadences
    findings: FindingRules
    thresholds: dict[str, dict[str, float]]
    """Finding → threshold → value. What is not named here cannot be set in an environment file."""

    def thresholds_for(self, environment: EnvironmentFile) -> dict[str, dict[str, float]]:
        """Thresholds with the environment's own over them; a copy."""
        own = environment.thresholds
        return {kind: {**values, **own.get(kind, {})} for kind, values in self.thresholds.items()}


@functools.cache
def load_defaults(path: Path | None = None) -> Defaults:
    """The defaults, from ``config/defaults.yaml`` or ``path``. Raises SettingsError."""
    path = path or config_dir() / "defaults.yaml"
    root = parse(path, read_bytes(path))
    checker = Checker()
    value = checker.value(root, type_of(Defaults), "")
    if value is BAD or checker.mistakes:
        raise SettingsError(path, checker.mistakes)
    return msgspec.convert(value, Defaults)
