"""Load an environment file: find it, read it, check it, explain what is wrong with it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from console.settings.check import BAD, Checker, type_of, unknown
from console.settings.defaults import load_defaults
from console.settings.document import Node, parse, read_bytes
from console.settings.environment import EnvironmentFile, LogSource
from console.settings.errors import Mistake, SettingsError
from console.settings.paths import environment_dirs, is_path, known_environments


class Loaded(msgspec.Struct, frozen=True):
    """An environment file that is right."""

    environment: EnvironmentFile
    path: Path
    """Resolved."""
    digest: str
    """SHA-256 of the file's bytes, hexadecimal: an engine that loaded other bytes is another engine."""


def load_environment(reference: str | Path | None = None) -> Loaded:
    """The environment called ``reference``: a name in the search folders, or a path.

    None: the only one there is. Raises SettingsError, which names file, line, key, what was expected and what was found.
    """
    path = find_environment(reference)
    content = read_bytes(path)
    root = parse(path, content)
    return Loaded(_checked(path, root), path.resolve(), hashlib.sha256(content).hexdigest())


def find_environment(reference: str | Path | None = None) -> Path:
    """The file that ``reference`` means. Raises SettingsError where there is none, or several and none was named."""
    if isinstance(reference, Path) or (reference and is_path(reference)):
        return Path(reference).expanduser()
    known = known_environments()
    if reference:
        if reference in known:
            return known[reference]
        folders = " or ".join(str(folder) for folder in environment_dirs())
        hint = f"there are {', '.join(known)}" if known else "there is none yet"
        found = "no such file" if reference != "lab" else "no laboratory in its default directory"
        if reference == "lab":
            hint = "banksman lab up makes it"
        raise SettingsError(f"-e {reference}", [Mistake(0, "", f"NAME.yaml in {folders}, or a path", found, hint)])
    if len(known) == 1:
        return next(iter(known.values()))
    found = f"several: {', '.join(known)}" if known else "none"
    hint = "banksman demo needs none" if not known else "name one"
    raise SettingsError("-e", [Mistake(0, "", "an environment", found, hint)])


def _checked(path: Path, root: Node) -> EnvironmentFile:
    checker = Checker()
    value = checker.value(root, type_of(EnvironmentFile), "")
    if value is not BAD:
        try:
            environment = msgspec.convert(value, EnvironmentFile)
        except msgspec.ValidationError as error:  # a constraint that Checker does not know; our own omission
            raise SettingsError(path, [Mistake(root.line, "", "a valid environment", str(error))]) from error
        checker.mistakes += _whole(environment, checker.lines)
        if not checker.mistakes:
            return environment
    raise SettingsError(path, checker.mistakes)


def _whole(environment: EnvironmentFile, lines: dict[str, int]) -> list[Mistake]:
    """What only shows when the parts are seen together."""
    found: list[Mistake] = []

    def note(key: str, expected: str, what: str, hint: str = "") -> None:
        found.append(Mistake(lines.get(key, 1), key, expected, what, hint))

    for group, servers in _server_groups(environment):
        seen: dict[tuple[str, int], str] = {}
        for name, server in servers.items():
            key = f"{group}.{name}"
            first = seen.setdefault((server.host, server.port), name)
            if first != name:
                note(key, "each server once", f"the host and port of {first}")
            if server.log is not None:
                _log(f"{key}.log", server.log, note)
    for kind, values in environment.thresholds.items():
        known = load_defaults().thresholds
        if kind not in known:
            note(f"thresholds.{kind}", *unknown(kind, known))
            continue
        for name in values:
            if name not in known[kind]:
                note(f"thresholds.{kind}.{name}", *unknown(name, known[kind]))
    return found


def _server_groups(environment: EnvironmentFile) -> list[tuple[str, dict[str, Any]]]:
    groups: list[tuple[str, dict[str, Any]]] = []
    for name, cluster in environment.postgres.items():
        groups.append((f"postgres.{name}.servers", dict(cluster.servers)))
    for name, cache in environment.redis.items():
        groups.append((f"redis.{name}.servers", dict(cache.servers)))
        if cache.sentinel is not None:
            groups.append((f"redis.{name}.sentinel.servers", dict(cache.sentinel.servers)))
    return groups


def _log(key: str, log: LogSource, note: Callable[..., None]) -> None:
    if bool(log.path) == bool(log.command):
        note(key, "either path or command", "both" if log.path else "neither")
    elif log.command and not log.command[0]:
        note(f"{key}.command", "a list that begins with a program", "an empty text")
