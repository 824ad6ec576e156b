"""Frames: how a change of the board travels. The same bytes go to consoles, to the recording and to replay.

A ``Keyframe`` is a whole reading; a ``Delta`` holds the fields, and of keyed collections the rows, and of rows the
fields, that changed since the reading before it. Both are maps with field names, so that old recordings stay readable (``design``: new fields have
defaults, names are never reused).
"""

from __future__ import annotations

import functools
import typing
from datetime import datetime
from typing import Any, ClassVar

import msgspec

from console.readings import Address, Reading, topics


class Keyframe(msgspec.Struct, frozen=True, tag="key", omit_defaults=True):
    """A whole reading."""

    topic: str
    key: str
    body: dict[str, Any]


class Delta(msgspec.Struct, frozen=True, tag="delta", omit_defaults=True):
    """What changed since the last frame of the same address."""

    topic: str
    key: str
    set: dict[str, Any] = {}
    """Plain fields → new value."""
    rows: dict[str, dict[Any, Any]] = {}
    """Keyed collections → rows that are new."""
    parts: dict[str, dict[Any, dict[str, Any]]] = {}
    """Keyed collections → rows that were there → their fields that changed."""
    gone: dict[str, list[Any]] = {}
    """Keyed collections → row keys removed."""


class Gone(msgspec.Struct, frozen=True, tag="gone"):
    """This address is no longer on the board."""

    topic: str
    key: str


Frame = Keyframe | Delta | Gone


class FrameError(Exception):
    """A frame that does not fit the board: a delta without its keyframe, or content of the wrong shape."""


def keyframe(reading: Reading) -> Keyframe:
    """The whole of ``reading``."""
    return Keyframe(reading.topic, reading.key, msgspec.to_builtins(reading, builtin_types=_PLAIN))


def diff(old: Reading | None, new: Reading) -> Frame | None:
    """The smallest frame that turns ``old`` into ``new``; None where they are equal."""
    if old is None or type(old) is not type(new):
        return keyframe(new)
    if old is new:
        return None
    delta = Delta(new.topic, new.key, {}, {}, {}, {})
    keyed = _keyed_fields(type(new))
    for name in new.__struct_fields__:
        before, after = getattr(old, name), getattr(new, name)
        if before is after or before == after:
            continue
        if name in keyed:
            _diff_rows(delta, name, before, after)
        else:
            delta.set[name] = _plain(after)
    return delta if delta.set or delta.rows or delta.parts or delta.gone else None


def _diff_rows(delta: Delta, name: str, before: dict[Any, Any], after: dict[Any, Any]) -> None:
    """Note in ``delta`` what happened to one keyed collection."""
    fresh: dict[Any, Any] = {}
    parts: dict[Any, dict[str, Any]] = {}
    for key, row in after.items():
        if key not in before:
            fresh[key] = _plain(row)
            continue
        old = before[key]
        if old is row or old == row:
            continue
        if isinstance(row, msgspec.Struct) and type(old) is type(row):
            parts[key] = {
                field: _plain(value)
                for field in row.__struct_fields__
                if (value := getattr(row, field)) != getattr(old, field)
            }
        else:
            fresh[key] = _plain(row)
    lost = [key for key in before if key not in after]
    if fresh:
        delta.rows[name] = fresh
    if parts:
        delta.parts[name] = parts
    if lost:
        delta.gone[name] = lost


def _plain(value: Any) -> Any:
    return value if isinstance(value, _SCALARS) else msgspec.to_builtins(value, builtin_types=_PLAIN)


def toward(old: Reading | None, new: Reading, limit: int) -> Reading:
    """A reading between ``old`` and ``new`` that differs from ``old`` in at most ``limit`` rows; ``new`` where that will do.

    So that 5,000 rows travel in pieces: each piece is a change like any other, and no reader waits long for one.
    """
    keyed = _keyed_fields(type(new))
    same = type(old) is type(new)
    if sum(len(getattr(new, name)) + (len(getattr(old, name)) if same else 0) for name in keyed) <= limit:
        return new
    partial: dict[str, Any] = {}
    for name in keyed:
        before: dict[Any, Any] = getattr(old, name) if same else {}
        after: dict[Any, Any] = getattr(new, name)
        if before is after:
            continue
        lost = [key for key in before if key not in after]
        fresh = [key for key, row in after.items() if key not in before or before[key] != row]
        if len(lost) + len(fresh) > limit:
            reached = dict(before)
            for key in lost[:limit]:
                del reached[key]
            reached.update((key, after[key]) for key in fresh[: max(0, limit - len(lost))])
            partial[name] = reached
        limit = max(0, limit - len(lost) - len(fresh))
    return msgspec.structs.replace(new, **partial) if partial else new


def rows_in(frame: Frame) -> int:
    """How many rows of keyed collections the frame carries."""
    if isinstance(frame, Delta):
        return sum(len(found) for part in (frame.rows, frame.parts, frame.gone) for found in part.values())
    if isinstance(frame, Keyframe):
        return sum(len(value) for value in frame.body.values() if isinstance(value, dict))
    return 0


def apply(old: Reading | None, frame: Frame) -> Reading | None:
    """The reading after ``frame``; None when it is gone or when its topic is one that this build does not know.

    Raises FrameError where the frame does not fit.
    """
    if isinstance(frame, Gone):
        return None
    cls = topics().get(frame.topic)
    if cls is None:
        return None
    try:
        if isinstance(frame, Keyframe):
            return msgspec.convert(frame.body, cls)
        if not isinstance(old, cls):
            raise FrameError(f"a delta for {frame.topic} {frame.key} without its keyframe")
        hints = _hints(cls)
        changes: dict[str, Any] = {
            name: msgspec.convert(value, hints[name]) for name, value in frame.set.items() if name in hints
        }
        for name in (frame.rows.keys() | frame.parts.keys() | frame.gone.keys()) & _keyed_fields(cls):
            changes[name] = _apply_rows(getattr(old, name), frame, name, hints[name])
        return msgspec.structs.replace(old, **changes)
    except msgspec.ValidationError as error:
        raise FrameError(f"{frame.topic} {frame.key}: {error}") from error


def _apply_rows(old: dict[Any, Any], frame: Delta, name: str, hint: Any) -> dict[Any, Any]:
    """One keyed collection after ``frame``."""
    merged = dict(old)
    for key in frame.gone.get(name, ()):
        merged.pop(key, None)
    for key, part in frame.parts.get(name, {}).items():
        row = merged.get(key)
        if not isinstance(row, msgspec.Struct):
            raise FrameError(f"a part of {name} {key} of {frame.topic} {frame.key}, which is not there")
        hints = _hints(type(row))
        known = {field: msgspec.convert(value, hints[field]) for field, value in part.items() if field in hints}
        merged[key] = msgspec.structs.replace(row, **known)
    if name in frame.rows:
        merged.update(msgspec.convert(frame.rows[name], hint))
    return merged


def frame_address(frame: Frame) -> Address:
    """Where the frame belongs."""
    return Address(frame.topic, frame.key)


encoder = msgspec.msgpack.Encoder()
decoder: msgspec.msgpack.Decoder[Frame] = msgspec.msgpack.Decoder(Frame)

_PLAIN = (datetime,)
"""Moments stay moments: msgpack has a type for them."""
_SCALARS = (str, int, float, bool, datetime, type(None))


@functools.cache
def _hints(cls: type[msgspec.Struct]) -> dict[str, Any]:
    hints = typing.get_type_hints(cls, include_extras=True)
    return {name: hint for name, hint in hints.items() if typing.get_origin(hint) is not ClassVar}


@functools.cache
def _keyed_fields(cls: type[Reading]) -> frozenset[str]:
    return frozenset(name for name, hint in _hints(cls).items() if typing.get_origin(hint) is dict)
