"""The engine's log: a file of its own, never the terminal, with secrets taken out of whatever is written."""

from __future__ import annotations

import logging
import logging.handlers
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from console.clients.redact import HIDDEN, redact
from console.settings import EnvironmentFile
from console.settings.secrets import SecretError, resolve

MAX_BYTES = 2_000_000
_SHORTEST = 4
"""A shorter secret is no secret, and replacing it would eat half of every sentence."""


def redactor(secrets: Iterable[str]) -> Callable[[str], str]:
    """Takes these secrets, and what looks like one, out of a text."""
    known = sorted({secret for secret in secrets if len(secret) >= _SHORTEST}, key=len, reverse=True)

    def clear(text: str) -> str:
        for secret in known:
            text = text.replace(secret, HIDDEN)
        return redact(text)

    return clear


def secrets_of(environment: EnvironmentFile) -> list[str]:
    """The values of all secrets that the environment refers to, as far as they can be read."""
    references = [cluster.password for cluster in environment.postgres.values()]
    for cache in environment.redis.values():
        references += [cache.password, cache.sentinel.password if cache.sentinel else None]
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
