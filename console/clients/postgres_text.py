"""How PostgreSQL's text becomes ``str`` here: whatever bytes a name or a query has, a look never fails for them.

Names in shared catalogues and queries of other databases come in those databases' encodings, which nothing checks.
"""

from __future__ import annotations

import codecs
from typing import Any

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import AdaptersMap, Loader

_LATIN = {"5": "9", "6": "10", "7": "13", "8": "14", "9": "15", "10": "16"}


def codec(encoding: str) -> str:
    """Python's name for a PostgreSQL encoding; UTF-8 where there is none."""
    name = encoding.upper()
    if name.startswith("LATIN"):
        name = f"ISO8859-{_LATIN.get(name[5:], name[5:])}"
    name = name.replace("WIN", "CP") if name.startswith("WIN") else name
    try:
        found = codecs.lookup(name)
    except LookupError:
        return "utf-8"
    return found.name if found.name != "ascii" else "utf-8"


class TextLoader(Loader):
    """Bytes of the server's own encoding; what does not fit becomes a lone surrogate, which ``clean`` shows."""

    def __init__(self, oid: int, context: Any = None) -> None:
        super().__init__(oid, context)
        status = self.connection.pgconn.parameter_status(b"server_encoding") if self.connection else None
        self._codec = codec((status or b"UTF8").decode("ascii", "replace"))

    def load(self, data: Buffer) -> str:
        """The text."""
        return bytes(data).decode(self._codec, "surrogateescape")


def _adapters() -> AdaptersMap:
    adapters = AdaptersMap(psycopg.adapters)
    for name in ("text", "name", "varchar", "bpchar", '"char"'):
        adapters.register_loader(name, TextLoader)
    return adapters


ADAPTERS = _adapters()
