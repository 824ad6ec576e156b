"""What INFO and CONFIG say, as fields of a reading. Pure: no connection, no clock but the one given."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from console.clients.redis_text import Info, integer, moment, pairs, real, text
from console.readings import ReplicaLink


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What only CONFIG GET tells. Asked where it is permitted; None: not known."""

    maxclients: int | None = None
    snapshots: bool | None = None
    """Points for automatic snapshots are set (``save``)."""
    stop_on_snapshot_error: bool | None = None
    min_replicas: int | None = None


SETTINGS = ("maxclients", "save", "stop-writes-on-bgsave-error", "min-replicas-to-write")


def settings(answers: list[Any]) -> Settings:
    """From the answers to one CONFIG GET for each of ``SETTINGS``; error answers are passed over."""
    found: dict[str, Any] = {}
    for answer in answers:
        found |= pairs(answer)
    stop = text(found.get("stop-writes-on-bgsave-error"))
    return Settings(
        maxclients=integer(found.get("maxclients")),
        snapshots=bool(text(found["save"])) if "save" in found else None,
        stop_on_snapshot_error=stop == "yes" if stop else None,
        min_replicas=integer(found.get("min-replicas-to-write")),
    )


def started_at(info: Info, asked_at: datetime) -> datetime | None:
    """Start of the server, to the second (INFO knows no better)."""
    up = info.integer("uptime_in_seconds")
    if up is None:
        return None
    now = moment(info.server_time_s) or asked_at
    try:
        return (now - timedelta(seconds=up)).replace(microsecond=0)
    except OverflowError:
        return None


def memory(info: Info) -> dict[str, Any]:
    """Memory and its limit."""
    used, resident = info.count("used_memory"), info.integer("used_memory_rss")
    return {
        "used_memory": used,
        "maxmemory": info.count("maxmemory"),
        "maxmemory_policy": info.text("maxmemory_policy"),
        "fragmentation": round(resident / used, 2) if used and resident is not None else None,
    }


def replication(info: Info) -> dict[str, Any]:
    """Role, and the links up and down from here."""
    role = {"master": "primary", "slave": "replica"}.get(info.text("role"), info.text("role"))
    if role != "replica":
        offset = info.count("master_repl_offset")
        return {"role": role, "offset": offset, "replicas": _replicas(info, offset)}
    up = info.text("master_link_status") == "up"
    last_io = info.integer("master_last_io_seconds_ago")
    down_for = info.integer("master_link_down_since_seconds")
    return {
        "role": role,
        "offset": info.count("slave_repl_offset"),
        "replicas": _replicas(info, info.count("slave_repl_offset")),
        "primary_address": f"{info.text('master_host')}:{info.text('master_port')}",
        "link_up": up,
        "link_down_s": None if up or down_for is None or down_for < 0 else float(down_for),
        "primary_last_io_s": None if last_io is None or last_io < 0 else float(last_io),
        "sync_in_progress": info.flag("master_sync_in_progress"),
        "replica_priority": info.integer("slave_priority"),
    }


def _replicas(info: Info, offset: int) -> dict[str, ReplicaLink]:
    found = {}
    for row in info.replicas():
        address = f"{text(row.get('ip'))}:{text(row.get('port'))}"
        online = row.get("state") == "online"
        theirs, lag = integer(row.get("offset")) or 0, real(row.get("lag"))
        found[address] = ReplicaLink(
            address=address,
            state=text(row.get("state")),
            offset=theirs,
            # While a replica is still copying its offset says nothing.
            lag_bytes=max(0, offset - theirs) if online else None,
            lag_s=lag if online and lag is not None and lag >= 0 else None,
        )
    return found


def persistence(info: Info, settings: Settings, started: datetime | None) -> dict[str, Any]:
    """Snapshots and the append-only file."""
    saved = moment(info.real("rdb_last_save_time"))
    # Until the first snapshot the field holds the start of the server. The count of snapshots came with Redis 7.
    count = info.integer("rdb_saves")
    never = saved and started and saved <= started + timedelta(seconds=1) if count is None else count == 0
    aof = info.flag("aof_enabled")
    kinds = [kind for kind, on in (("rdb", settings.snapshots), ("aof", aof)) if on]
    return {
        "rdb_last_save_at": None if never else saved,
        "rdb_last_ok": info.text("rdb_last_bgsave_status") in ("ok", ""),
        "rdb_in_progress": info.flag("rdb_bgsave_in_progress"),
        "aof_enabled": aof,
        "aof_last_ok": info.text("aof_last_write_status") in ("ok", "")
        and info.text("aof_last_bgrewrite_status") in ("ok", ""),
        "persistence": "+".join(kinds) or ("none" if settings.snapshots is False else ""),
    }


REFUSALS = ("OOM", "MISCONF", "NOREPLICAS")
"""Error codes with which a primary turns writes away."""


def enough_replicas(info: Info, settings: Settings, turned_away: dict[str, int]) -> bool | None:
    """Whether min-replicas-to-write is met; None where it is not set, or cannot be told."""
    good = info.integer("min_slaves_good_slaves")
    if good is None:  # INFO has the field only where the rule is on
        return None
    if settings.min_replicas is not None:
        return good >= settings.min_replicas
    return False if good == 0 or turned_away["NOREPLICAS"] else None


def write_refused(info: Info, settings: Settings, turned_away: dict[str, int]) -> str:
    """Why a primary refuses writes now; empty where it does not, or is a replica.

    By the rules that the server itself applies before each write, and by the refusals it has counted since the look before
    (``turned_away``), which also shows what cannot be derived from outside.
    """
    if info.text("role") == "slave":
        return ""
    if info.flag("loading"):
        return "LOADING: the server is reading its data from disk"
    return (
        _out_of_memory(info, turned_away["OOM"])
        or _misconfigured(info, settings, turned_away["MISCONF"])
        or _without_replicas(info, settings, turned_away)
    )


def _out_of_memory(info: Info, turned_away: int) -> str:
    limit, policy = info.count("maxmemory"), info.text("maxmemory_policy")
    nothing_to_evict = policy == "noeviction" or (
        policy.startswith("volatile-") and not any(expiring for _, expiring in info.databases().values())
    )
    full = limit and nothing_to_evict and info.count("used_memory") - info.count("mem_not_counted_for_evict") > limit
    if full or turned_away:
        return f"OOM: used memory is over maxmemory, policy {policy}"
    return ""


def _misconfigured(info: Info, settings: Settings, turned_away: int) -> str:
    if info.flag("aof_enabled") and info.text("aof_last_write_status") == "err":
        return "MISCONF: the append-only file cannot be written"
    snapshot_failed = info.text("rdb_last_bgsave_status") == "err"
    if turned_away or (snapshot_failed and settings.snapshots and settings.stop_on_snapshot_error):
        return "MISCONF: the last snapshot failed, and stop-writes-on-bgsave-error is on"
    return ""


def _without_replicas(info: Info, settings: Settings, turned_away: dict[str, int]) -> str:
    if enough_replicas(info, settings, turned_away) is False:
        wanted = f" of {settings.min_replicas}" if settings.min_replicas is not None else ""
        return (
            f"NOREPLICAS: {info.count('min_slaves_good_slaves')}{wanted} replicas that min-replicas-to-write asks for"
        )
    return ""
