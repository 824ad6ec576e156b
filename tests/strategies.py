"""Hypothesis strategies: readings of every topic, and boards that change.

Built from the declared types, so that a topic that is added tomorrow is tested tomorrow.
"""

from __future__ import annotations

import functools
import types
import typing
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from hypothesis import strategies as st

from console.readings import Reading, topics

MOMENTS = st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2040, 1, 1), timezones=st.just(UTC))
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=32)
KEYS = st.sampled_from(["main/pg-1", "main/pg-2", "cache/cache-1", "", "[/foo]", "münchen/1"])


def readings(*only: type[Reading]) -> st.SearchStrategy[Reading]:
    """A reading of any topic (or of these), with any content that fits its type."""
    return st.one_of([_reading(cls) for cls in (only or tuple(topics().values()))])


def histories(*only: type[Reading], most: int = 12) -> st.SearchStrategy[list[Reading]]:
    """Readings as they come in, one after the other."""
    return st.lists(readings(*only), max_size=most)


@functools.cache
def _reading(cls: type[Reading]) -> st.SearchStrategy[Reading]:
    return _struct(cls).flatmap(lambda made: KEYS.map(lambda key: msgspec.structs.replace(made, key=key)))


@functools.cache
def _struct(cls: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    hints = typing.get_type_hints(cls, include_extras=True)
    fields = {name: _of(hint) for name, hint in hints.items() if typing.get_origin(hint) is not ClassVar}
    required = {field.name for field in msgspec.structs.fields(cls) if field.required}
    return st.fixed_dictionaries(
        {name: fields[name] for name in fields if name in required},
        optional={name: fields[name] for name in fields if name not in required},
    ).map(lambda arguments: cls(**arguments))


_SIMPLE: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: st.integers(-(2**40), 2**40),
    float: NUMBERS,
    bool: st.booleans(),
    datetime: MOMENTS,
    type(None): st.none(),
}


def _of(hint: Any) -> st.SearchStrategy[Any]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint in _SIMPLE:
        return _SIMPLE[hint]
    if origin is Annotated:
        return _of(arguments[0])
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in (typing.Union, types.UnionType):
        return st.one_of([_of(argument) for argument in arguments])
    if origin is dict:
        return st.dictionaries(_of(arguments[0]), _of(arguments[1]), max_size=4)
    if origin is tuple:
        return st.lists(_of(arguments[0]), max_size=3).map(tuple)
    assert isinstance(hint, type) and issubclass(hint, msgspec.Struct), f"no strategy for {hint}"
    return _struct(hint)
