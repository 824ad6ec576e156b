"""States said three ways: colour, sign and word."""

from __future__ import annotations

from typing import Final

from widgets.spans import Line, line

SIGNS: Final[dict[str, str]] = {"ok": "✓", "warning": "▲", "critical": "■", "unknown": "?", "not-configured": "–"}
WORDS: Final[dict[str, str]] = {
    "ok": "OK",
    "warning": "WARNING",
    "critical": "CRITICAL",
    "unknown": "UNKNOWN",
    "not-configured": "not configured",
}


def sign(state: str) -> Line:
    """The sign alone, coloured: ``▲``."""
    return line((SIGNS.get(state, "?"), state))


def word(state: str) -> Line:
    """Sign and word, coloured: ``▲ WARNING``."""
    return line((f"{SIGNS.get(state, '?')} {WORDS.get(state, state)}", state))


def badge(state: str) -> Line:
    """Sign and word on a coloured ground: the verdict on an environment."""
    return line((f" {SIGNS.get(state, '?')} {WORDS.get(state, state)} ", f"badge-{state}"))
