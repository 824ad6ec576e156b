"""Which of an Odoo database's tables and columns are there, and which of them we may read: found out, never assumed.

Versions, modules and databases restored half-way differ; the catalogue tells. A tenant owns its tables, so only plain
tables with columns of PostgreSQL's own types are asked: a view, a row policy or a cast would run the tenant's code as us.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from psycopg import sql

from console.clients.postgres import Look, Row
from console.sources.odoo_privilege import OPTIONAL, column_grants, columns

BASE = "ir_module_module"


class Schema(msgspec.Struct, frozen=True):
    """Of one database, as seen in one look."""

    types: dict[str, dict[str, str]]
    """Table → column → type, of those that are there, ours to read or not."""
    granted: dict[str, frozenset[str]]
    """Table → columns that we may read."""
    usable: bool
    """Whether we may use the schema ``public`` at all."""

    def has(self, table: str) -> bool:
        """Whether the table is there."""
        return table in self.types

    def may(self, table: str, *names: str) -> bool:
        """Whether all these columns are there, and ours to read."""
        return self.usable and set(names) <= self.granted.get(table, frozenset())

    def lacks(self, table: str, names: Iterable[str]) -> tuple[str, ...]:
        """Of these columns those that are there, and that we may not read."""
        there = self.types.get(table, {})
        granted = self.granted.get(table, frozenset()) if self.usable else frozenset()
        return tuple(name for name in names if name in there and name not in granted)

    def missing(self) -> dict[str, tuple[str, ...]]:
        """Table → all columns that we want, that are there, and that we may not read."""
        wanted = {table: self.lacks(table, names) for table, names in columns().items()}
        return {table: names for table, names in wanted.items() if names}

    def grants(self, role: str) -> list[str]:
        """The statements that are missing."""
        # Whole tables: who grants again need not know what was granted before.
        known = {
            table: [name for name in names if name in self.types[table]]
            for table, names in columns().items()
            if table in self.missing()
        }
        usage = [] if self.usable else [f"GRANT USAGE ON SCHEMA public TO {_quoted(role)};"]
        return [*usage, *column_grants(known, role)]

    @property
    def is_odoo(self) -> bool:
        """Whether these are the tables of an Odoo."""
        return self.has(BASE) and self.has("ir_cron")

    def absent(self) -> tuple[str, ...]:
        """Tables that every Odoo has, and this database does not."""
        late = ("ir_cron_trigger", "ir_cron_progress")
        return tuple(name for name in columns() if name not in OPTIONAL and name not in late and not self.has(name))


def _quoted(name: str) -> str:
    return sql.Identifier(name).as_string(None)


_ASK = sql.SQL("""
SELECT c.relname AS table, a.attname AS column, t.typname AS type, has_column_privilege(c.oid, a.attnum, 'SELECT') AS granted,
       has_schema_privilege(c.relnamespace, 'USAGE') AS usable
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid
WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = 'public') AND c.relkind IN ('r', 'p')
  AND NOT c.relrowsecurity AND c.relname IN ({tables}) AND a.attname IN ({columns}) AND a.attnum > 0 AND NOT a.attisdropped
  AND t.typnamespace = (SELECT oid FROM pg_namespace WHERE nspname = 'pg_catalog') AND t.typtype = 'b'
""")


def _statement() -> sql.Composed:
    wanted = columns()
    names = sorted({name for each in wanted.values() for name in each})
    return _ASK.format(
        tables=sql.SQL(", ").join(map(sql.Literal, wanted)), columns=sql.SQL(", ").join(map(sql.Literal, names))
    )


_STATEMENT = _statement()


async def schema(look: Look) -> Schema:
    """What is there in the database that ``look`` is connected to. Raises psycopg.Error."""
    return made((await look.ask(_STATEMENT)).rows[0])


def made(rows: Iterable[Row]) -> Schema:
    """From the rows of the catalogue."""
    wanted = columns()
    types: dict[str, dict[str, str]] = {}
    granted: dict[str, set[str]] = {}
    usable = True
    for row in rows:
        table, name = str(row["table"]), str(row["column"])
        if name not in wanted.get(table, ()):
            continue
        types.setdefault(table, {})[name] = str(row["type"])
        usable = usable and bool(row["usable"])
        if row["granted"]:
            granted.setdefault(table, set()).add(name)
    return Schema(types, {table: frozenset(names) for table, names in granted.items()}, usable)
