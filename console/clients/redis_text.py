"""What Redis and Valkey answer, parsed defensively: a field that is missing, odd or hostile is None or empty, no more."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from console.clients.clean import clean


def text(value: Any, limit: int = 200) -> str:
    """An answer as cleaned text."""
    if isinstance(value, bytes | str):
        return clean(value, limit)
    return str(value) if isinstance(value, int | float) else ""


def integer(value: Any) -> int | None:
    """An answer as a whole number below 2⁵³: a thousand of them may be summed and still travel in a frame, or in JSON."""
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace")
    try:
        number = int(value) if isinstance(value, str | int) and len(str(value)) <= 20 else None
    except ValueError:
        fraction = real(value)
        number = None if fraction is None else int(fraction)
    return number if number is not None and abs(number) < 2**53 else None


def real(value: Any) -> float | None:
    """An answer as a finite number."""
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace")
    if not isinstance(value, str | int | float) or (isinstance(value, str) and len(value) > 40):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def moment(seconds: float | None) -> datetime | None:
    """Unix seconds as an aware moment."""
    if seconds is None or not 0 < seconds < 1e11:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def pairs(answer: Any) -> dict[str, Any]:
    """A flat list of names and values, as SENTINEL and CONFIG GET give it."""
    if not isinstance(answer, list):
        return {}
    names = (text(name) for name in answer[::2])
    return dict(zip(names, answer[1::2], strict=False))


class Info:
    """The answer to INFO."""

    def __init__(self, answer: Any) -> None:
        self._fields: dict[str, str] = {}
        body = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else ""
        for line in body.split("\r\n"):
            name, colon, value = line.partition(":")
            if colon and not name.startswith("#"):
                self._fields[name] = value

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    def text(self, name: str) -> str:
        """A field as cleaned text; empty where it is missing."""
        return clean(self._fields.get(name, ""))

    def integer(self, name: str) -> int | None:
        """A field as a whole number."""
        return integer(self._fields.get(name))

    def count(self, name: str) -> int:
        """A field as a whole number, 0 where it is missing."""
        return self.integer(name) or 0

    def real(self, name: str) -> float | None:
        """A field as a number."""
        return real(self._fields.get(name))

    def flag(self, name: str) -> bool:
        """Whether a field is ``1``."""
        return self._fields.get(name) == "1"

    def parts(self, name: str) -> dict[str, str]:
        """A field of the form ``ip=…,port=…``."""
        return dict(part.partition("=")[::2] for part in self._fields.get(name, "").split(",") if "=" in part)

    def databases(self) -> dict[int, tuple[int, int]]:
        """Number of each database that holds keys → keys, and keys with an expiry."""
        found: dict[int, tuple[int, int]] = {}
        for name in self._fields:
            if name.startswith("db") and name[2:].isascii() and name[2:].isdigit() and len(name) < 9:
                parts = self.parts(name)
                found[int(name[2:])] = (integer(parts.get("keys")) or 0, integer(parts.get("expires")) or 0)
        return found

    def replicas(self) -> Iterator[dict[str, str]]:
        """Fields of each replica."""
        for name in self._fields:
            if name.startswith("slave") and name[5:].isascii() and name[5:].isdigit():
                yield self.parts(name)

    def errors(self, code: str) -> int:
        """How often the server has answered with this error since its counters began."""
        return integer(self.parts(f"errorstat_{code}").get("count")) or 0

    @property
    def flavour(self) -> str:
        """``Valkey 9.1.2``, ``Redis 7.4.1``."""
        if "valkey_version" in self:
            return f"Valkey {self.text('valkey_version')}"
        version = self.text("redis_version")
        return f"Redis {version}" if version else ""

    @property
    def version(self) -> tuple[int, int]:
        """Of the Redis interface: Valkey calls itself 7.2 here."""
        numbers = [integer(part) or 0 for part in self._fields.get("redis_version", "").split(".")]
        return (numbers[0], numbers[1]) if len(numbers) > 1 else (0, 0)

    @property
    def server_time_s(self) -> float | None:
        """The server's clock, Unix seconds; None before Redis 6.2."""
        stamp = self.integer("server_time_usec")
        return None if stamp is None else stamp / 1e6


def client_lines(answer: Any) -> Iterator[dict[bytes, bytes]]:
    """Fields of each line of CLIENT LIST."""
    if not isinstance(answer, bytes):
        return
    for line in answer.split(b"\n"):
        if line:
            yield dict(field.partition(b"=")[::2] for field in line.split(b" ") if field)
