"""The shape that every reading has, and the register of topics."""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, TypeVar

import msgspec

Status = Literal["ok", "partial", "unreachable", "denied", "not-configured"]
"""How one look ended. ``partial``: some of the content could be read, ``problem`` says what could not."""

State = Literal["ok", "warning", "critical", "unknown", "not-configured"]
"""Verdict on a pane or an environment."""

Pane = Literal["overview", "cluster", "database", "cache", "ingress", "storage", "backups", "application"]

PrivateText = Annotated[str, msgspec.Meta(extra={"private_text": True})]
"""Text that people wrote (queries, log lines). Recorded only where the environment sets ``record_text: true``."""

NOT_RECORDED = "not recorded"


class Address(NamedTuple):
    """Where a reading lives on the board: topic name, and key within the topic (``cluster/member``)."""

    topic: str
    key: str


class Reading(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One look at one server.

    A reading that failed carries no content: the last good values are gone from it on purpose, so that they can never
    be shown as current; ``good_at`` says when they were last seen.
    """

    topic: ClassVar[str] = ""
    """Name of the topic, stable for ever: recordings carry it."""
    pane: ClassVar[Pane | None] = None
    """The pane whose state depends on this reading; None for the engine's own topics."""

    key: str = ""
    taken_at: datetime
    """When the look began, aware UTC."""
    took_ms: float = 0.0
    every_s: float = 0.0
    """Cadence, seconds. 0: not polled, never stale."""
    status: Status = "ok"
    problem: str = ""
    """One sentence: what could not be read and why. Never a secret."""
    good_at: datetime | None = None
    """When this source was last read with status ok or partial. None: never."""

    @property
    def where(self) -> Address:
        """Where this reading lives."""
        return Address(self.topic, self.key)

    @property
    def readable(self) -> bool:
        """Whether the content may be believed."""
        return self.status in ("ok", "partial")

    def age_s(self, now: datetime) -> float:
        """Seconds since the look began; never negative."""
        return max(0.0, (now - self.taken_at).total_seconds())

    def is_stale(self, now: datetime) -> bool:
        """Older than twice its cadence and at least 5 s: unknown by age."""
        return self.every_s > 0 and self.age_s(now) > stale_after_s(self.every_s)


def stale_after_s(every_s: float) -> float:
    """Age in seconds from which a reading of this cadence is unknown."""
    return max(5.0, 2.0 * every_s)


R = TypeVar("R", bound=Reading)
_TOPICS: dict[str, type[Reading]] = {}


def believed(reading: R | None, now: datetime) -> R | None:
    """``reading`` where its content may be shown or judged as current at ``now``, else None: it failed, or is too old."""
    return reading if reading is not None and reading.readable and not reading.is_stale(now) else None


def topic(name: str, pane: Pane | None = None) -> Callable[[type[R]], type[R]]:
    """Register a reading under its topic name, once."""

    def register(cls: type[R]) -> type[R]:
        if name in _TOPICS:
            raise ValueError(f"topic {name} declared twice")
        cls.topic = name
        cls.pane = pane
        _TOPICS[name] = cls
        return cls

    return register


def topics() -> dict[str, type[Reading]]:
    """Every topic that is declared, by name."""
    return dict(_TOPICS)


def address(cls: type[Reading], key: str = "") -> Address:
    """The address of ``cls`` under ``key``."""
    return Address(cls.topic, key)


@functools.cache
def _private_fields(cls: type[msgspec.Struct]) -> tuple[tuple[str, str], ...]:
    """For a struct: (field, kind) where kind is ``text``, ``texts``, ``rows``, ``row`` or ``list`` (of structs)."""
    found: list[tuple[str, str]] = []
    for name, hint in typing.get_type_hints(cls, include_extras=True).items():
        origin, args = typing.get_origin(hint), typing.get_args(hint)
        if origin is ClassVar:
            continue
        if hint == PrivateText or PrivateText in (args if origin in _UNIONS else ()):
            found.append((name, "text"))
        elif origin is dict and args[-1] == PrivateText:
            found.append((name, "texts"))
        elif origin is dict and _has_private(args[-1]):
            found.append((name, "rows"))
        elif origin in (tuple, list) and any(map(_has_private, args)):
            found.append((name, "list"))
        elif any(map(_has_private, args if origin in _UNIONS else (hint,))):
            found.append((name, "row"))
    return tuple(found)


_UNIONS = (typing.Union, types.UnionType)


def has_text(cls: type[msgspec.Struct]) -> bool:
    """Whether there is ``PrivateText`` in it, at whatever depth."""
    return bool(_private_fields(cls))


def _has_private(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, msgspec.Struct) and bool(_private_fields(hint))


S = TypeVar("S", bound=msgspec.Struct)


def hide_text(struct: S) -> S:
    """A copy in which every non-empty ``PrivateText``, at whatever depth, reads ``not recorded``."""
    return change_text(struct, lambda _text: NOT_RECORDED)


def change_text(struct: S, change: Callable[[str], str]) -> S:
    """A copy in which every non-empty ``PrivateText``, at whatever depth, is what ``change`` makes of it."""
    changes: dict[str, Any] = {}
    for name, kind in _private_fields(type(struct)):
        value = getattr(struct, name)
        if not value:
            continue
        if kind == "text":
            changes[name] = change(value)
        elif kind == "texts":
            changes[name] = {key: change(text) for key, text in value.items()}
        elif kind == "rows":
            changes[name] = {key: change_text(row, change) for key, row in value.items()}
        elif kind == "list":
            changes[name] = type(value)(change_text(row, change) for row in value)
        else:
            changes[name] = change_text(value, change)
    return msgspec.structs.replace(struct, **changes) if changes else struct
