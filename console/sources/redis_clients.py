"""Who is connected, and which calls were slow: CLIENT LIST and SLOWLOG as rows of a reading."""

from __future__ import annotations

from typing import Any

import msgspec

from console.clients.clean import clean, clean_key
from console.clients.redact import HIDDEN, redact
from console.clients.redis_text import client_lines, integer, moment, text
from console.readings import RedisClient, SlowCall

MOST_APPS = 100
OTHERS = "(other names)"
"""No client can be called so: names hold no blank."""
SLOW_CALLS = 25
_COMMAND = 300


def applications(answer: Any) -> dict[str, RedisClient]:
    """Connections summed by name, else ``user@address``; the hundred largest, the rest as ``OTHERS``.

    Links to replicas and to a primary are left out, as they are in the server's own count of clients.
    """
    sums: dict[bytes, list[int]] = {}
    for fields in client_lines(answer):
        flags = fields.get(b"flags", b"")
        if b"M" in flags or b"S" in flags:
            continue
        name = fields.get(b"name") or _origin(fields)
        row = sums.setdefault(name, [0, 0, 0, 0])
        row[0] += 1
        row[1] += b"b" in flags
        row[2] += integer(fields.get(b"qbuf")) or 0
        row[3] += (integer(fields.get(b"omem")) or 0) + (integer(fields.get(b"obl")) or 0)
    ranked = sorted(sums.items(), key=lambda item: (-item[1][0], item[0]))
    found = {clean_key(name): RedisClient(clean(name), *row) for name, row in ranked[:MOST_APPS]}
    if rest := ranked[MOST_APPS:]:
        found[OTHERS] = RedisClient(OTHERS, *(sum(column) for column in zip(*(row for _, row in rest), strict=True)))
    return found


def _origin(fields: dict[bytes, bytes]) -> bytes:
    address = fields.get(b"addr", b"").rpartition(b":")[0] or b"?"
    return fields.get(b"user", b"default") + b"@" + address


def slow_calls(answer: Any) -> dict[str, SlowCall]:
    """Entries of SLOWLOG GET by their id."""
    found = {}
    for entry in answer if isinstance(answer, list) else ():
        if not isinstance(entry, list) or len(entry) < 4:
            continue
        number, at, took = integer(entry[0]), moment(integer(entry[1])), integer(entry[2])
        if number is None or at is None:
            continue
        found[str(number)] = SlowCall(at, took or 0, _command(entry[3]), _caller(entry))
    return found


def _caller(entry: list[Any]) -> str:
    return text(entry[5]) if len(entry) > 5 and entry[5] else text(entry[4]) if len(entry) > 4 else ""


_CREDENTIALS = frozenset(["AUTH", "HELLO", "MIGRATE"])
_ADMINISTRATION = frozenset(["CONFIG SET", "ACL SETUSER", "SENTINEL SET", "SENTINEL CONFIG"])


def _command(words: Any) -> str:
    """The call as one line. The server hides most passwords in its slow log; we rely on none of it."""
    if not isinstance(words, list):
        return ""
    parts = [text(word, _COMMAND) for word in words[:32]]
    if parts and parts[0].upper() in _CREDENTIALS:
        parts[1:] = [HIDDEN]
    elif " ".join(parts[:2]).upper() in _ADMINISTRATION:
        parts[2:] = [HIDDEN]
    return clean(redact(" ".join(parts)), _COMMAND)


class Seldom(msgspec.Struct):
    """How often CLIENT LIST is asked: it costs the server and us in proportion to the clients."""

    next_at: float = 0.0
    rows: dict[str, RedisClient] = {}

    def due(self, now: float, clients: int) -> bool:
        """Every look up to 200 clients, then less often: at 1,000 every 10 s, at 10,000 every 100 s."""
        if now < self.next_at:
            return False
        self.next_at = now + (clients / 100 if clients > 200 else 0.0)
        return True
