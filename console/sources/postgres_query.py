"""Text of statements: read whole or by its head, cleaned, without passwords."""

from __future__ import annotations

import functools

from psycopg import sql

from console.clients.clean import clean
from console.clients.postgres import Row
from console.clients.redact import redact

QUERY_LIMIT = 2000
"""Characters of a statement that are kept."""
_HEAD_BYTES = 8000

COLUMNS = sql.SQL(
    "CASE WHEN octet_length(query) <= {head} THEN query END AS query,"
    " CASE WHEN octet_length(query) > {head} THEN substr(textsend(query), 1, {head}) END AS query_head"
).format(head=sql.Literal(_HEAD_BYTES))
"""What to select of a ``query``. A longer one comes cut, as bytes: left() fails on text in another database's encoding."""


def query_text(row: Row) -> str:
    """The statement in a row that was selected by ``COLUMNS``."""
    return _cleaned(row["query"] or row["query_head"] or "")


@functools.lru_cache(maxsize=1000)
def _cleaned(raw: str | bytes) -> str:
    """Remembered, since an idle session shows the same statement at every look."""
    return clean(redact(clean(raw, QUERY_LIMIT)), QUERY_LIMIT)
