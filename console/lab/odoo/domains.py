"""Search domains, in Polish notation, as SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_OPERATORS = {
    "=": "=", "!=": "is distinct from", "<": "<", "<=": "<=", ">": ">", ">=": ">=",
    "like": "like", "ilike": "ilike", "in": "in", "not in": "not in",
}  # fmt: skip


def where(domain: list[Any], fields: Mapping[str, str], model: str) -> tuple[str, list[Any]]:
    """The condition and its values. ``fields`` gives a field's expression; ValueError for what is no domain."""
    rest = list(domain)
    parts: list[str] = []
    values: list[Any] = []
    while rest:
        parts.append(_next(rest, values, lambda name: _field(name, fields, model)))
    return " and ".join(parts) or "true", values


def _field(name: str, fields: Mapping[str, str], model: str) -> str:
    if name not in fields:
        raise ValueError(f"Invalid field {model}.{name} in leaf")
    return fields[name]


def _next(rest: list[Any], values: list[Any], field: Callable[[str], str]) -> str:
    if not rest:
        raise ValueError("Domain is malformed")
    term = rest.pop(0)
    if term == "!":
        return f"not ({_next(rest, values, field)})"
    if term in ("&", "|"):
        left, right = _next(rest, values, field), _next(rest, values, field)
        return f"({left} {'and' if term == '&' else 'or'} {right})"
    if not isinstance(term, (list, tuple)) or len(term) != 3 or term[1] not in _OPERATORS:
        raise ValueError(f"Invalid leaf {term!r}")
    name, operator, value = term
    expression = field(str(name))
    if operator in ("in", "not in"):
        values.append(list(value))
        return f"({expression} {'= any' if operator == 'in' else '<> all'} (%s))"
    if value is False and operator in ("=", "!="):
        return f"(coalesce({expression}::text, 'false') {'=' if operator == '=' else '<>'} 'false')"
    values.append(f"%{value}%" if operator in ("like", "ilike") else value)
    return f"({expression} {_OPERATORS[operator]} %s)"
