"""Web sessions: in Valkey as ``session:<sid>`` (16, 17) or as files under ``sessions/`` (18)."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any, Protocol

import redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel

from console.lab.odoo.config import Config
from console.lab.odoo.versions import Version

LIFETIME_S = 604_800
ANONYMOUS_S = 10_800
_TRIES = 4
"""Of a command, with pauses of 0.1 to 0.8 s between them."""


class Session:
    """One visitor's session; ``dirty`` when it must be saved."""

    def __init__(self, sid: str, content: dict[str, Any] | None = None) -> None:
        self.sid = sid
        self.content = content or fresh()
        self.dirty = False

    def __getitem__(self, name: str) -> Any:
        return self.content.get(name)

    def __setitem__(self, name: str, value: Any) -> None:
        if self.content.get(name) != value:
            self.content[name] = value
            self.dirty = True


def fresh() -> dict[str, Any]:
    """Of somebody who has not logged in."""
    return {"context": {"lang": "en_US"}, "db": None, "debug": "", "login": None, "uid": None, "session_token": None}


class Store(Protocol):
    """Where sessions are kept."""

    def load(self, sid: str) -> Session | None:
        """The session, or None when there is none of this name."""

    def save(self, session: Session) -> None:
        """Keep it, and renew its lifetime."""

    def delete(self, sid: str) -> None:
        """Forget it."""


def _client(config: Config) -> redis.Redis:
    """A client of the session store's primary.

    Through Sentinels each new connection goes to whoever is primary then, and one that finds itself at a former primary
    (READONLY, or closed) is made anew: a failover costs requests their answer only while there is no primary.
    """
    common: dict[str, Any] = {
        "password": config.redis_password(), "protocol": 2, "socket_timeout": 5, "socket_connect_timeout": 5,
        "retry": Retry(ExponentialBackoff(cap=1.0, base=0.1), _TRIES),
    }  # fmt: skip
    if not config.redis_sentinels:
        return redis.Redis(host=config.redis_host, port=config.redis_port, **common)
    ask = {"password": config.redis_password(), "socket_timeout": 1, "socket_connect_timeout": 1}
    return Sentinel(config.redis_sentinels, sentinel_kwargs=ask).master_for(config.redis_master, **common)  # type: ignore[no-untyped-call,no-any-return]


class ValkeyStore:
    """As session_redis keeps them, in database 0."""

    def __init__(self, config: Config) -> None:
        self._client = _client(config)
        self._stem = f"session::{config.redis_prefix}:" if config.redis_prefix else "session:"

    def load(self, sid: str) -> Session | None:
        """One GET."""
        if not re.fullmatch(r"[0-9a-f]{40}", sid):
            return None
        raw: Any = self._client.get(self._stem + sid)
        return Session(sid, json.loads(raw)) if raw else None

    def save(self, session: Session) -> None:
        """SET with the lifetime."""
        ttl = LIFETIME_S if session["uid"] else ANONYMOUS_S
        self._client.setex(self._stem + session.sid, ttl, json.dumps(session.content))

    def delete(self, sid: str) -> None:
        """DEL."""
        self._client.delete(self._stem + sid)


class DiskStore:
    """One file a session, in folders by the first two characters."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def _file(self, sid: str) -> Path:
        return self._root / sid[:2] / sid

    def load(self, sid: str) -> Session | None:
        """Read the file; using it renews it."""
        if not re.fullmatch(r"[A-Za-z0-9_-]{84}", sid):
            return None
        try:
            content = json.loads(self._file(sid).read_text())
            os.utime(self._file(sid))
        except (FileNotFoundError, ValueError):
            return None
        return Session(sid, content)

    def save(self, session: Session) -> None:
        """Write it beside, and put it in place whole."""
        file = self._file(session.sid)
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh_file = file.with_name(f".{os.getpid()}")
        fresh_file.write_text(json.dumps(session.content))
        fresh_file.replace(file)

    def delete(self, sid: str) -> None:
        """Remove the file."""
        self._file(sid).unlink(missing_ok=True)


def store(config: Config, version: Version) -> Store:
    """The store that this version and configuration have."""
    if (config.redis_host or config.redis_sentinels) and not version.device_log:
        return ValkeyStore(config)
    return DiskStore(Path(config.data_dir, "sessions"))
