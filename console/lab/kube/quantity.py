"""Quantities: ``500m``, ``2Gi``, ``3``."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

_BINARY = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40, "Pi": 2**50}
_DECIMAL = {
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    "k": Decimal(10**3),
    "M": Decimal(10**6),
    "G": Decimal(10**9),
    "T": Decimal(10**12),
}


def parse(text: str | int | float) -> Decimal:
    """The number that a quantity stands for.

    Raises:
        ValueError: It is none.
    """
    words = str(text)
    factors: dict[str, Decimal] = {**{suffix: Decimal(factor) for suffix, factor in _BINARY.items()}, **_DECIMAL}
    for suffix, factor in factors.items():
        if words.endswith(suffix):
            return _number(words.removesuffix(suffix)) * factor
    return _number(words)


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise ValueError(f"not a quantity: {text}") from error


def text(value: Decimal, binary: bool = False) -> str:
    """A number as the shortest exact quantity; ``binary`` for bytes."""
    if value != value.to_integral_value():
        return f"{int(value * 1000)}m"
    whole = int(value)
    factors = list(_BINARY.items()) if binary else [("k", 10**3), ("M", 10**6), ("G", 10**9)]
    for suffix, factor in reversed(factors):
        if whole and whole % factor == 0:
            return f"{whole // factor}{suffix}"
    return str(whole)
