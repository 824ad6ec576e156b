"""Kubernetes quantities: ``100m``, ``1.5Gi``, ``2e3``."""

from __future__ import annotations

import functools
import math
import re

_FORM = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d{1,3})|([numkKMGTPE]i?)|)")
_FACTORS = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18} | {
    f"{letter}i": float(2 ** (10 * power)) for power, letter in enumerate("KMGTPE", 1)
}


@functools.lru_cache(maxsize=4096)
def quantity(text: str) -> float | None:
    """The number that ``text`` means; None where it is none. Cached: a cluster has few different ones."""
    found = _FORM.fullmatch(text.strip()[:64])
    if found is None:
        return None
    number, exponent, suffix = found.groups()
    if suffix and suffix not in _FACTORS:
        return None
    value = float(f"{number}{exponent or ''}") * _FACTORS.get(suffix, 1.0)
    return value if math.isfinite(value) else None
