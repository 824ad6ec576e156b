"""The engine's log: a file of its own, never the terminal, with secrets taken out of whatever is written."""

from __future__ import annotations

import logging
import logging.handlers
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import msgspec

from console.clients.redact import HIDDEN, redact
from console.readings import Reading
from console.readings.base import change_text, has_text
from console.settings import EnvironmentFile
from console.settings.secrets import SecretError, resolve

R = TypeVar("R", bound=Reading)
MAX_BYTES = 2_000_000
_SHORTEST = 4
"""A shorter secret is no secret, and replacing it would eat half of every sentence."""


class Redactor:
    """Takes these secrets, and what looks like one, out of a text."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._known: list[str] = []
        self._raw: list[bytes] = []
        self.learn(secrets)

    def learn(self, secrets: Iterable[str]) -> None:
        """Take out these too from now on. Those from before may still be on their way through."""
        found = {secret for secret in secrets if len(secret) >= _SHORTEST}.union(self._known)
        self._known = sorted(found, key=len, reverse=True)
        self._raw = [secret.encode(errors="surrogatepass") for secret in self._known]

    def __call__(self, text: str) -> str:
        return redact(self._without(text))

    def hide(self, reading: R) -> R:
        """A reading whose queries and log lines hold none of these secrets; the same object where none did.

        Names are left alone: a password that is also the name of a database would take the database away.
        """
        if not self._raw or not has_text(type(reading)):
            return reading
        raw = msgspec.msgpack.encode(reading)
        return change_text(reading, self._without) if any(secret in raw for secret in self._raw) else reading

    def _without(self, text: str) -> str:
        for secret in self._known:
            text = text.replace(secret, HIDDEN)
        return text


def secrets_of(environment: EnvironmentFile) -> list[str]:
    """The values of all secrets that the environment refers to, as far as they can be read."""
    references = [cluster.password for cluster in environment.postgres.values()]
    for cache in environment.redis.values():
        references += [cache.password, cache.sentinel.password if cache.sentinel else None]
    references += [cluster.token for cluster in environment.kubernetes.values()]
    for application in environment.applications.values():
        references += [user.password for user in (application.user, application.writer) if user is not None]
    found: list[str] = []
    for reference in references:
        try:
            if reference:
                found.append(resolve(reference).reveal())
        except SecretError:
            continue  # The source that needs it says so.
    return found


def log_to(path: Path, clear: Callable[[str], str]) -> None:
    """Write the log to ``path`` from now on."""
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=MAX_BYTES, backupCount=1, encoding="utf-8")
    handler.setFormatter(_Formatter(clear))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for chatty in ("httpx", "httpcore", "asyncio"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


class _Formatter(logging.Formatter):
    def __init__(self, clear: Callable[[str], str]) -> None:
        super().__init__("%(asctime)sZ %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%S")
        self.converter = time.gmtime
        self._clear = clear

    def format(self, record: logging.LogRecord) -> str:
        return self._clear(super().format(record))
