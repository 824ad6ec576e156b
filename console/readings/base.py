"""The shape that every reading has, and the register of topics."""

from __future__ import annotations

import functools
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
def _private_fields(cls: type[msgspec.Struct]) -> tuple[tuple[str, str, type[msgspec.Struct] | None], ...]:
    """For a struct: (field, kind, row type) where kind is ``text``, ``texts``, ``items`` or ``rows``."""
    found: list[tuple[str, str, type[msgspec.Struct] | None]] = []
    for name, hint in typing.get_type_hints(cls, include_extras=True).items():
        if typing.get_origin(hint) is ClassVar:
            continue
        if hint == PrivateText:
            found.append((name, "text", None))
            continue
        args = typing.get_args(hint)
        if typing.get_origin(hint) is tuple and len(args) == 2 and args[1] is Ellipsis:
            if isinstance(args[0], type) and issubclass(args[0], msgspec.Struct) and _private_fields(args[0]):
                found.append((name, "items", args[0]))
            continue
        row = args[-1] if typing.get_origin(hint) is dict and args else None
        if row == PrivateText:
            found.append((name, "texts", None))
        elif isinstance(row, type) and issubclass(row, msgspec.Struct) and _private_fields(row):
            found.append((name, "rows", row))
    return tuple(found)


S = TypeVar("S", bound=msgspec.Struct)


def hide_text(struct: S) -> S:
    """A copy in which every non-empty ``PrivateText`` reads ``not recorded``."""
    changes: dict[str, Any] = {}
    for name, kind, _row in _private_fields(type(struct)):
        value = getattr(struct, name)
        if not value:
            continue
        if kind == "text":
            changes[name] = NOT_RECORDED
        elif kind == "texts":
            changes[name] = dict.fromkeys(value, NOT_RECORDED)
        elif kind == "items":
            changes[name] = tuple(hide_text(item) for item in value)
        else:
            changes[name] = {key: hide_text(row) for key, row in value.items()}
    return msgspec.structs.replace(struct, **changes) if changes else struct
