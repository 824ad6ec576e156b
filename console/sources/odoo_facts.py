"""Rows of an Odoo database as rows of a reading."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from console.clients.clean import clean, clean_key
from console.clients.postgres import Row
from console.readings.odoo import (
    OdooChannel,
    OdooCron,
    OdooFailedJob,
    OdooMail,
    OdooMailReason,
    OdooModule,
)
from console.sources.postgres_base import utc

CRONS_SHOWN = 100
PAUSE_S = 90.0
"""A cron worker looks every 60 to 69 s, and has a round of databases to go before it comes to ours."""
ENQUEUED_S = 300.0
"""Between being taken and being started a job waits for a worker; longer than this nobody is going to start it."""
_WRITTEN_S = 60.0
_BEGAN_S = 10.0
_LOCKED_ROW = re.compile(r"\b(?:cron_)?id\s*(?:=|in)\s*\(?\s*'?(\d{1,10})\b", re.IGNORECASE)
_REASON = 200


class Holding(msgspec.Struct, frozen=True):
    """What the sessions of a database tell."""

    now: datetime
    """By the server's clock, aware UTC."""
    connections: int
    busy: int
    crons: dict[int, datetime | None]
    """Scheduled jobs whose row somebody holds → since when."""
    workers: frozenset[int]
    """Process numbers of Odoo's workers that are connected."""
    begun: tuple[datetime, ...] = ()
    """When the transactions that are open began."""

    def since(self, cron: int, began_at: datetime | None) -> tuple[bool, datetime | None]:
        """Whether somebody runs this scheduled job, and since when.

        Its row's holder says so by its last statement; from 18 on the run leaves a row when it begins, too, and a transaction
        that began just then is its.
        """
        if cron in self.crons:
            return True, self.crons[cron]
        for begun in self.begun:
            if began_at is not None and abs((begun - began_at).total_seconds()) < _BEGAN_S:
                return True, begun
        return False, None


def digest(*parts: object) -> str:
    """A short stable key for what has no name of its own."""
    return hashlib.blake2s("\0".join(map(str, parts)).encode("utf-8", "replace"), digest_size=5).hexdigest()


def holding(rows: Iterable[Row], now: datetime) -> Holding:
    """Odoo's backends of one database, and which scheduled jobs they hold."""
    connections = busy = 0
    crons: dict[int, datetime | None] = {}
    workers: set[int] = set()
    begun: list[datetime] = []
    for row in rows:
        name = str(row["name"] or "")
        now = row["now"]
        if name.startswith("odoo-"):
            connections += 1
            busy += bool(row["busy"])
            if name[5:].isdigit():
                workers.add(int(name[5:]))
            if row["xact_start"] is not None:
                begun.append(row["xact_start"])
        found = _LOCKED_ROW.search(row["query"] or "")
        if found:
            crons[int(found[1])] = utc(row["xact_start"])
    return Holding(now, connections, busy, crons, frozenset(workers), tuple(begun))


class Crons(msgspec.Struct, frozen=True):
    """Scheduled jobs, judged by nothing but their rows."""

    rows: dict[str, OdooCron]
    active: int
    late: int
    late_since: datetime | None
    failing: int | None
    off: int
    ran_at: datetime | None

    def fields(self) -> dict[str, Any]:
        """As fields of the reading."""
        return {
            "crons": self.rows,
            "crons_active": self.active,
            "crons_late": self.late,
            "crons_late_since": self.late_since,
            "crons_failing": self.failing,
            "crons_off": self.off,
            "crons_ran_at": self.ran_at,
        }


def crons(
    rows: Iterable[Row],
    triggers: Iterable[Row],
    progress: Iterable[Row] | None,
    held: Holding | None,
    now: datetime,
    *,
    counts_failures: bool,
    neutralized: bool,
) -> Crons:
    """What ``ir_cron`` and its neighbours say.

    Args:
        rows: Of ``ir_cron``.
        triggers: Scheduled jobs that a trigger has made due.
        progress: Last runs with a trace (18); None: no such table.
        held: What the sessions tell; None: nothing.
        now: By the server's clock.
        counts_failures: Whether this version keeps failures in the table.
        neutralized: Then inactive ones were switched off all at once, which tells nothing.
    """
    called = {row["cron_id"]: utc(row["call_at"]) for row in triggers}
    traces = {row["cron_id"]: row for row in progress or ()}
    made = [
        _cron(
            row, called.get(row["id"]), traces.get(row["id"], {}), held, now,
            counts_failures=counts_failures, tells_kills=progress is not None, neutralized=neutralized,
        )
        for row in rows
    ]  # fmt: skip
    late = [each for each in made if each.late]
    shown = sorted(
        (each for each in made if each.active or each.switched_off),
        key=lambda each: (not each.troubled, not each.running, each.next_at or now, each.id),
    )
    return Crons(
        rows={str(each.id): each for each in shown[:CRONS_SHOWN]},
        active=sum(each.active for each in made),
        late=len(late),
        late_since=min((each.next_at for each in late if each.next_at), default=None),
        failing=sum(bool(each.failures) for each in made) if counts_failures else None,
        off=sum(each.switched_off for each in made),
        ran_at=max((each.last_at for each in made if each.last_at), default=None),
    )


def _cron(
    row: Row,
    called_at: datetime | None,
    trace: Row,
    held: Holding | None,
    now: datetime,
    *,
    counts_failures: bool,
    tells_kills: bool,
    neutralized: bool,
) -> OdooCron:
    ident = int(row["id"])
    active = bool(row["active"]) and row["calls_left"] != 0
    next_at, last_at, written = utc(row["next_at"]), utc(row["last_at"]), utc(row["written_at"])
    if called_at is not None:
        next_at = min(called_at, next_at or called_at)
    kills = int(trace.get("timed_out_counter") or 0)
    running, since = held.since(ident, trace.get("began_at") if kills else None) if held is not None else (False, None)
    late = active and not running and next_at is not None and now - next_at > timedelta(seconds=PAUSE_S)
    # Odoo's own updates leave write_date alone; a person who switches a job off writes it.
    untouched = last_at is not None and written is not None and last_at - written > timedelta(seconds=_WRITTEN_S)
    off = counts_failures and not row["active"] and not neutralized and untouched and not trace.get("deactivate")
    number, unit = row["number"], clean(row["unit"], 20)
    return OdooCron(
        id=ident,
        name=clean(row["name"], 100) or f"job #{ident}",
        active=active,
        every=f"{number} {unit}" if number and unit else "",
        next_at=next_at,
        last_at=last_at,
        late=late,
        running=running,
        running_since=utc(since),
        failures=int(row["failures"] or 0) if counts_failures else None,
        failing_since=utc(row["failing_since"]),
        timed_out=max(0, kills - running) if tells_kills else None,
        switched_off=off,
    )


def channels(
    rows: Iterable[Row], held: Iterable[Row], settings: Iterable[Row] | None, sessions: Holding | None
) -> dict[str, OdooChannel]:
    """Jobs by channel.

    Args:
        rows: Jobs that are not over, counted.
        held: Jobs that somebody took, one by one.
        settings: What the database says of channels; None: it says nothing.
        sessions: Who is connected; None: that cannot be told, so no job is called dead.
    """
    known = {row["name"]: row for row in settings or ()}
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        found[row["channel"]] = {
            "waiting": row["waiting"],
            "later": row["later"],
            "failed": row["failed"],
            "failed_last_hour": row["failed_last_hour"],
            "oldest_at": utc(row["oldest_at"]),
        }
    for row in held:
        fields = found.setdefault(row["channel"], {})
        kind = "dead" if sessions is not None and _dead(row, sessions) else "running"
        fields[kind] = fields.get(kind, 0) + 1
        started = utc(row["started_at"])
        if kind == "running" and started is not None:
            fields["started_at"] = max(started, fields.get("started_at") or started)
    for name, row in known.items():
        if row["paused"] or row["capacity"] == 0:
            found.setdefault(name, {})
    return {clean_key(name, 100): _channel(name, fields, known, settings) for name, fields in found.items()}


def _channel(
    name: str, fields: dict[str, Any], known: Mapping[str, Row], settings: Iterable[Row] | None
) -> OdooChannel:
    row = known.get(name)
    capacity = row["capacity"] if row else None
    paused = None if settings is None else bool(row and row["paused"]) or capacity == 0
    return OdooChannel(name=clean(name, 100), paused=paused, capacity=capacity, **fields)


def _dead(row: Row, sessions: Holding) -> bool:
    if not sessions.workers:  # they call themselves otherwise here (ODOO_PGAPPNAME), or none is connected
        return False
    if row["state"] == "started":
        return row["pid"] is not None and row["pid"] not in sessions.workers
    taken = utc(row["enqueued_at"])
    return taken is not None and sessions.now - taken > timedelta(seconds=ENQUEUED_S)


def failed_jobs(rows: Iterable[Row]) -> dict[str, OdooFailedJob]:
    """Failed jobs, taken together."""
    return {
        digest(row["function"], row["error"]): OdooFailedJob(
            function=clean(row["function"], 120),
            channel=clean(row["channel"], 60),
            error=clean(row["error"], 120),
            message=clean(row["message"], _REASON),
            count=row["count"],
            last_at=utc(row["last_at"]),
        )
        for row in rows
    }


def modules(rows: Iterable[Row]) -> dict[str, OdooModule]:
    """Modules in passage."""
    return {
        clean_key(row["name"], 100): OdooModule(
            name=clean(row["name"], 100),
            state=clean(row["state"], 20),
            version=clean(row["version"], 30),
            since=utc(row["since"]),
        )
        for row in rows
        if str(row["state"] or "").startswith("to ")
    }


def mail(row: Row, reasons: Iterable[Row]) -> OdooMail:
    """The outgoing queue."""
    return OdooMail(
        outgoing=row["outgoing"],
        later=row["later"],
        oldest_at=utc(row["oldest_at"]),
        failed=row["failed"],
        failed_last_hour=row["failed_last_hour"],
        last_failed_at=utc(row["last_failed_at"]),
        reasons={
            digest(each["reason"]): OdooMailReason(
                clean(each["reason"], _REASON) or "no reason given", each["count"], utc(each["last_at"])
            )
            for each in reasons
        },
    )
