"""One server: role, positions, replication, slots, archiver, limits."""

from __future__ import annotations

import re
import time
from collections import Counter
from datetime import timedelta
from typing import Any

from console.clients.clean import clean, clean_key
from console.clients.postgres import Look, Row
from console.readings import PostgresMember, Reading, Replica, Slot
from console.sources import postgres_member_sql as queries
from console.sources.base import Check
from console.sources.postgres_base import Found, PostgresSource, judged, utc
from console.sources.postgres_examine import examine
from console.sources.postgres_facts import Facts
from console.sources.rates import Counted, Meter, rate, ratio, three_digits


class PostgresMemberSource(PostgresSource):
    """The fast look that says whether this server is there and what it is."""

    reading: type[Reading] = PostgresMember

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._meter: Meter[str] = Meter(longest_s=max(15.0, 3 * self.every_s))

    async def examine(self) -> list[Check]:
        """Connection, privileges, extension, clock."""
        return await examine(self.line, self, self.member.key)

    async def take(self, look: Look, known: Facts) -> PostgresMember:
        """Read everything in one round trip."""
        found = await self.find(
            look,
            {
                "server": queries.SERVER,
                "receiver": queries.RECEIVER,
                "replication": queries.REPLICAS,
                "slots": queries.slots(known.version),
                "archiver": queries.ARCHIVER,
                "statistics": queries.TOTALS,
                "connections": queries.CONNECTIONS if known.sees_sessions else queries.CONNECTIONS_UNPRIVILEGED,
            },
        )
        server, totals = found.one("server"), found.one("statistics")
        replicas = _replicas(found.rows.get("replication", []))
        connections = found.rows.get("connections", [])
        in_recovery = server.get("in_recovery")
        names = str(server.get("synchronous_names") or "")
        # Without the privilege nobody's state is shown, and a standby that cannot be seen is not a missing one.
        can_tell = known.sees_sessions and "replication" in found.rows
        return PostgresMember(
            key=self.key,
            taken_at=found.asked_at,
            cluster=self.member.cluster,
            member=self.member.name,
            address=self.line.target.address,
            version=known.version_text,
            system_identifier=known.system_identifier,
            replicas=replicas,
            slots={clean_key(row["slot_name"]): _slot(row) for row in found.rows.get("slots", [])},
            connections=sum(row["connections"] for row in connections),
            connections_by_database={clean_key(row["datname"] or ""): row["connections"] for row in connections},
            synchronous_names=clean(names, 500),
            sync_missing=in_recovery is False
            and can_tell
            and commits_wait(names, server.get("synchronous_commit"), replicas),
            sync_waiting=sum(row["waiting"] for row in connections),
            **_server(server, found),
            **_receiver(found.one("receiver")),
            **_archiver(found.one("archiver")),
            **self._rates(server, totals),
            **judged([*self.blind_spots(known), *found.problems]),
        )

    def _rates(self, server: Row, totals: Row) -> dict[str, Any]:
        if not server or not totals:
            self._meter.forget()
            return {}
        started = server["started_at"]
        counters = {
            "totals": Counted(
                (started, totals["databases"], totals["reset_at"]),
                tuple(float(totals[name] or 0) for name in ("commits", "rollbacks", "deadlocks", "hits", "reads")),
            )
        }
        if server["current_bytes"] is not None:
            counters["wal"] = Counted((started, server["writing_timeline"]), (float(server["current_bytes"]),))
        step = self._meter.step(time.monotonic(), counters)
        (wal,) = step.deltas.get("wal", (None,))
        commits, rollbacks, deadlocks, hits, reads = step.deltas.get("totals", (None,) * 5)
        return {
            "wal_per_s": rate(wal, step.window_s),
            "commits_per_s": rate(commits, step.window_s),
            "rollbacks_per_s": rate(rollbacks, step.window_s),
            "deadlocks_per_s": rate(deadlocks, step.window_s),
            "cache_hit_ratio": ratio(hits, reads),
        }


def _server(row: Row, found: Found) -> dict[str, Any]:
    if not row:
        return {}
    ours = found.asked_at + timedelta(seconds=found.round_trip_s / 2)
    receiver = found.one("receiver")
    timelines = (
        [row["writing_timeline"]]
        if row["in_recovery"] is False
        else [row["control_timeline"], receiver.get("received_tli")]
    )
    return {
        "in_recovery": row["in_recovery"],
        "timeline": max((timeline for timeline in timelines if timeline), default=None),
        "started_at": utc(row["started_at"]),
        "server_time": utc(row["server_time"]),
        "clock_off_s": round((row["server_time"] - ours).total_seconds(), 2) + 0.0,
        "current_bytes": row["current_bytes"],
        "received_bytes": row["received_bytes"] if row["in_recovery"] else None,
        "replayed_bytes": row["replayed_bytes"] if row["in_recovery"] else None,
        "replayed_at": utc(row["replayed_at"]) if row["in_recovery"] else None,
        "replay_paused": row["replay_paused"],
        "max_connections": row["max_connections"],
        "reserved_connections": row["reserved_connections"],
        "archive_mode": row["archive_mode"],
    }  # fmt: skip


def _receiver(row: Row) -> dict[str, Any]:
    if not row:
        return {}
    host, port = row["sender_host"], row["sender_port"]
    return {
        "receiver_status": clean(row["status"], 40),
        "receiver_last_message_at": utc(row["last_msg_receipt_time"]),
        "receiver_from": clean(f"{host}:{port}" if host else "", 120),
    }


def _archiver(row: Row) -> dict[str, Any]:
    if not row:
        return {}
    return {
        "archived_count": row["archived_count"],
        "archive_failed_count": row["failed_count"],
        "archive_last_ok": clean(row["last_archived_wal"], 60),
        "archive_last_ok_at": utc(row["last_archived_time"]),
        "archive_last_failed": clean(row["last_failed_wal"], 60),
        "archive_last_failed_at": utc(row["last_failed_time"]),
    }


def _replicas(rows: list[Row]) -> dict[str, Replica]:
    """By name; where several share one (``walreceiver`` is what a standby without a name is called), by address too."""
    names = Counter(row["application_name"] for row in rows)
    replicas: dict[str, Replica] = {}
    for row in rows:
        name = row["application_name"] or ""
        address = f"{row['address'] or 'local'}:{row['client_port']}"
        key = clean_key(name) if names[name] == 1 and name else f"{clean_key(name)} {address}"
        replicas[key] = Replica(
            name=clean(name, 64),
            address=address,
            state=row["state"] or "",
            sync_state=row["sync_state"] or "",
            sent_lag_bytes=row["sent_lag"],
            flush_lag_bytes=row["flush_lag"],
            replay_lag_bytes=row["replay_lag"],
            write_lag_s=_digits(row["write_s"]),
            flush_lag_s=_digits(row["flush_s"]),
            replay_lag_s=_digits(row["replay_s"]),
            slot=clean(row["slot_name"], 64),
        )
    return replicas


def _slot(row: Row) -> Slot:
    return Slot(
        name=clean(row["slot_name"], 64),
        type=row["slot_type"] or "",
        active=bool(row["active"]),
        database=clean(row["database"], 64),
        retained_bytes=row["retained"],
        safe_bytes=row["safe_wal_size"],
        wal_status=row["wal_status"] or "",
        inactive_since=utc(row["inactive_since"]),
        invalidation_reason=row["invalidation_reason"] or "",
    )


def _digits(value: float | None) -> float | None:
    return None if value is None else three_digits(value)


_NUMBER = re.compile(r"^\s*(?:(?:FIRST|ANY)\s+)?(\d+)\s*\(", re.IGNORECASE)


def commits_wait(names: str, commit: str | None, replicas: dict[str, Replica]) -> bool:
    """Whether commits wait for more synchronous standbys than are streaming.

    Args:
        names: synchronous_standby_names.
        commit: synchronous_commit; ``off`` and ``local`` wait for nobody.
        replicas: What the server sends to.
    """
    if not names.strip() or commit in ("off", "local"):
        return False
    number = _NUMBER.match(names)
    needed = int(number.group(1)) if number else 1
    there = sum(r.state == "streaming" and r.sync_state in ("sync", "quorum") for r in replicas.values())
    return there < needed
