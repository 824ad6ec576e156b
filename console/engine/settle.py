"""What enters the board: a reading of the right shape, a copy of its own, its numbers rounded."""

from __future__ import annotations

import functools
import math
import types
import typing
from datetime import datetime
from typing import Any, ClassVar

import msgspec

from console.readings import Reading

MANTISSA_BITS = 11
"""Bits kept of a number's mantissa: a relative error of at most 1/2048, finer than any screen shows. What is left of the
eight bytes are zeros, which the recording packs away: without this, numbers alone would fill its budget."""

_encoder = msgspec.msgpack.Encoder()


class LyingError(Exception):
    """A reading whose content is not of the declared shape."""


R = typing.TypeVar("R", bound=Reading)


def settle(reading: R) -> R:
    """A checked copy of ``reading`` with rounded numbers. Raises LyingError, with a sentence that names the field."""
    cls = type(reading)
    try:
        copy: R = _decoder(cls).decode(_encoder.encode(reading))
    except (msgspec.MsgspecError, UnicodeError, OverflowError, TypeError, ValueError) as error:
        raise LyingError(f"its answer does not fit: {type(error).__name__}: {error}") from error
    return _rounded(copy)


def rounded(value: float, bits: int = MANTISSA_BITS) -> float:
    """``value`` with so many bits. Raises LyingError for what is no number."""
    if not math.isfinite(value):
        raise LyingError("its answer holds a number that is none")
    mantissa, exponent = math.frexp(value)
    return math.ldexp(round(mantissa * (1 << bits)), exponent - bits)


@functools.cache
def _decoder(cls: type[Reading]) -> msgspec.msgpack.Decoder[Any]:
    return msgspec.msgpack.Decoder(cls)


S = typing.TypeVar("S", bound=msgspec.Struct)


def _rounded(struct: S) -> S:
    changes: dict[str, Any] = {}
    for name, kind in _plan(type(struct)):
        value = getattr(struct, name)
        if value is None or not value:
            continue
        if kind == "number":
            changes[name] = rounded(value)
        elif kind == "moment":
            changes[name] = moment(value)
        elif kind == "numbers":
            changes[name] = {key: rounded(number) for key, number in value.items()}
        else:
            changes[name] = {key: _rounded(row) for key, row in value.items()}
    return msgspec.structs.replace(struct, **changes) if changes else struct


_EXACT = frozenset({"every_s"})
"""Not measured but set: what is derived from them must come out exactly."""


@functools.cache
def _plan(cls: type[msgspec.Struct]) -> tuple[tuple[str, str], ...]:
    """Fields that are rounded: (field, ``number``, ``moment``, ``numbers`` or ``rows``)."""
    found: list[tuple[str, str]] = []
    for name, hint in typing.get_type_hints(cls).items():
        if typing.get_origin(hint) is ClassVar or name in _EXACT:
            continue
        row = typing.get_args(hint)[-1] if typing.get_origin(hint) is dict else None
        if _is(float, hint):
            found.append((name, "number"))
        elif _is(datetime, hint):
            found.append((name, "moment"))
        elif row is not None and _is(float, row):
            found.append((name, "numbers"))
        elif isinstance(row, type) and issubclass(row, msgspec.Struct) and _plan(row):
            found.append((name, "rows"))
    return tuple(found)


def _is(kind: type, hint: Any) -> bool:
    union = typing.get_origin(hint) in (types.UnionType, typing.Union)
    return kind in (typing.get_args(hint) if union else (hint,))


def moment(value: datetime) -> datetime:
    """``value`` in hundredths of a second: more digits cost the recording and tell nobody anything."""
    return value.replace(microsecond=value.microsecond // 10_000 * 10_000)
