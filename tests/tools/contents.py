"""What a laboratory's servers hold, for comparing before and after."""

from __future__ import annotations

import hashlib
from typing import Any

import psycopg
import redis
from psycopg import sql

from console.lab.state import Lab


def connect(lab: Lab, database: str) -> psycopg.Connection[Any]:
    hosts = lab.of_kind("patroni")
    return psycopg.connect(
        host=",".join("127.0.0.1" for _ in hosts),
        port=",".join(str(server.ports["postgres"]) for server in hosts),
        user="postgres",
        password=lab.secret("postgres"),
        dbname=database,
        sslmode="disable",
        target_session_attrs="read-write",
        autocommit=True,
    )


def contents(lab: Lab) -> dict[str, Any]:
    """Rows of every table, definitions, roles and settings of every database, as digests."""
    found: dict[str, Any] = {}
    with connect(lab, "postgres") as server:
        names = [row[0] for row in server.execute("select datname from pg_database where datallowconn order by 1")]
        for query in (
            "select * from pg_roles order by rolname",
            "select * from pg_db_role_setting order by 1, 2",
            "select datname, datacl, datconnlimit from pg_database order by 1",
            "select slot_name, slot_type from pg_replication_slots order by 1",
            "select name, setting from pg_file_settings order by 1, 2",
        ):
            found[query] = digest(server.execute(query).fetchall())
    for name in names:
        with connect(lab, name) as database:
            tables = database.execute(
                "select schemaname, tablename from pg_tables where schemaname not in ('pg_catalog', 'information_schema')"
            ).fetchall()
            for schema, table in tables:
                rows = database.execute(
                    sql.SQL("select md5(string_agg(t::text, '|' order by t::text)), count(*) from {} t").format(
                        sql.Identifier(schema, table)
                    )
                ).fetchone()
                found[f"{name}: rows of {schema}.{table}"] = rows
            found[f"{name}: objects"] = digest(
                database.execute("select oid, relname, relkind, relacl from pg_class order by 1").fetchall()
            )
            found[f"{name}: functions"] = digest(
                database.execute("select oid, proname from pg_proc order by 1").fetchall()
            )
            found[f"{name}: writes"] = digest(
                database.execute(
                    "select relname, n_tup_ins, n_tup_upd, n_tup_del from pg_stat_user_tables order by 1"
                ).fetchall()
            )
    return found


def digest(rows: list[Any]) -> str:
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def cache_contents(lab: Lab) -> dict[str, Any]:
    """Every key of every cache server: value, absolute expiry; and what their counters say of look-ups."""
    found: dict[str, Any] = {}
    for server in lab.of_kind("cache"):
        link = redis.Redis(port=server.ports["cache"], password=lab.secret("cache"), decode_responses=False)
        with link:
            link.client_no_touch("ON")
            for key in sorted(link.scan_iter(count=1000)):
                expiry = link.execute_command("PEXPIRETIME", key)
                # A session may run out meanwhile; that is the server's own doing.
                if expiry == -1:
                    found[f"{server.name} {key!r}"] = link.dump(key)
            found[f"{server.name} configuration"] = digest(sorted(link.config_get("*").items()))
            found[f"{server.name} users"] = link.execute_command("ACL", "LIST")
            if link.info("replication")["role"] == "master":  # a replica also counts what runs out on its primary
                found[f"{server.name} writes"] = writes(link)
    return found


WRITES = {
    "set",
    "del",
    "unlink",
    "expire",
    "lpush",
    "rpush",
    "lpop",
    "rpop",
    "hset",
    "sadd",
    "zadd",
    "config|set",
    "flushall",
}


def writes(link: redis.Redis) -> dict[str, int]:
    """Calls of commands that write, so far."""
    stats = link.info("commandstats")
    return {name: int(stats[f"cmdstat_{name}"]["calls"]) for name in sorted(WRITES) if f"cmdstat_{name}" in stats}


def idle_seconds(lab: Lab) -> dict[bytes, int]:
    """How long each lasting key of the primary has not been touched."""
    found = {}
    for server in lab.of_kind("cache"):
        with redis.Redis(port=server.ports["cache"], password=lab.secret("cache")) as link:
            if link.info("replication")["role"] != "master":
                continue
            link.client_no_touch("ON")
            for key in link.scan_iter(count=1000):
                idle = link.object("IDLETIME", key)
                if idle is not None:
                    found[key] = int(idle)
    return found
