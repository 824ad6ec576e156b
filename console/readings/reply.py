"""Short-lived topics that answer a request; subscribed only while a screen shows them."""

from __future__ import annotations

from console.readings.base import PrivateText, Reading, topic


@topic("log")
class LogTail(Reading, frozen=True, kw_only=True, omit_defaults=True):
    """Tail of a server log. Key: address of what it belongs to, ``postgres main/pg-1``."""

    origin: str = ""
    """The path or command it comes from."""
    lines: dict[int, PrivateText] = {}
    """Line number → cleaned line, the newest 500."""
