"""Secrets by reference. Only the engine, the doctor and the laboratory resolve one; nothing ever shows one."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path
from typing import NoReturn

_log = logging.getLogger(__name__)
_MAX_BYTES = 64 * 1024
_warned: set[str] = set()
"""Places that were logged already: a password is read anew for each connection."""

_kept: dict[str, tuple[str, str]] = {}
"""``kube:…`` → its value, or in what way it could not be read."""


class SecretError(Exception):
    """A reference that leads nowhere. The text names the reference, never what it holds."""


class Secret:
    """A value that shows itself to nobody. ``reveal()`` is for the one call that hands it to a client."""

    __slots__ = ("_value", "warning")

    def __init__(self, value: str, warning: str = "") -> None:
        self._value = value
        self.warning = warning
        """What is wrong with where it is kept; empty when nothing is."""

    def reveal(self) -> str:
        """The secret itself."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __format__(self, _spec: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not serialised")


def resolve(reference: str) -> Secret:
    """The secret that ``reference`` (``env:NAME``, ``file:/path``, ``kube:…``) leads to. Raises SecretError."""
    kind, _, place = reference.partition(":")
    if kind == "env":
        return _from_environment(place)
    if kind == "file":
        return _from_file(place)
    if kind == "kube":
        return _kept_before(reference)
    # Whatever stands there may be the secret itself.
    raise SecretError("not a reference: env:NAME, file:/path or kube:namespace/secret/key is expected")


def keep(reference: str, value: str = "", problem: str = "") -> None:
    """What was read for ``kube:…``, or why it was not: that takes a connection, which whoever resolves it has no time for.

    One that was read before goes on holding: an API server that is away for a while must not lock us out of everything.
    """
    _kept[reference] = (_kept.get(reference, ("", ""))[0] if problem else value, problem)


def _kept_before(reference: str) -> Secret:
    value, problem = _kept.get(reference, ("", "not read: only the engine and the doctor ask a cluster for secrets"))
    if not value:
        raise SecretError(f"{reference}: {problem or 'empty'}")
    return Secret(value)


def _from_environment(name: str) -> Secret:
    value = os.environ.get(name)
    if not value:
        raise SecretError(f"env:{name}: the environment variable is {'empty' if value == '' else 'not set'}")
    return Secret(value)


def _from_file(place: str) -> Secret:
    path = Path(place).expanduser()
    try:
        # Not blocking: opening a pipe that nobody writes to would hang for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            mode = os.fstat(descriptor).st_mode
            if not stat.S_ISREG(mode):
                raise SecretError(f"file:{place}: not a regular file")
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise SecretError(f"file:{place}: {error.strerror}") from None
    if len(content) > _MAX_BYTES:
        raise SecretError(f"file:{place}: more than {_MAX_BYTES // 1024} KiB is no secret")
    try:
        value = (content.decode("utf-8").splitlines() or [""])[0]
    except UnicodeDecodeError:
        # The exception would carry the bytes.
        raise SecretError(f"file:{place}: not text in UTF-8") from None
    if not value:
        raise SecretError(f"file:{place}: the first line is empty")
    warning = f"file:{place} can be read by everybody: chmod 600 {place}" if mode & stat.S_IROTH else ""
    if warning and place not in _warned:
        _warned.add(place)
        _log.warning("%s", warning)
    return Secret(value, warning)
