"""What one Patroni says, of itself and of the cluster as its DCS view shows it."""

from __future__ import annotations

from datetime import datetime

import msgspec

from console.readings.base import Reading, topic


class DcsMember(msgspec.Struct, frozen=True, omit_defaults=True):
    """A row of ``GET /cluster``. Old by up to loop_wait; a dead member stays until its ttl runs out."""

    name: str
    role: str
    """leader, sync_standby, quorum_standby, replica, standby_leader, as Patroni spells it."""
    state: str = ""
    timeline: int | None = None
    lag_bytes: int | None = None
    """Bytes behind the leader as the DCS has it; None: unknown."""
    host: str = ""
    port: int = 0
    api_url: str = ""
    pending_restart: bool = False
    tags: dict[str, str] = {}


@topic("patroni", "database")
class PatroniMember(Reading, frozen=True, kw_only=True, omit_defaults=True):
    """One member's Patroni. Key ``cluster/member``."""

    cluster: str = ""
    member: str = ""
    scope: str = ""
    version: str = ""
    role: str = ""
    """primary, replica, standby_leader … as ``GET /patroni`` says."""
    state: str = ""
    """running, stopped, starting, start failed …"""
    timeline: int | None = None
    postmaster_started_at: datetime | None = None
    system_identifier: str = ""
    paused: bool = False
    cluster_unlocked: bool = False
    """No member holds the leader key."""
    failsafe_active: bool = False
    watchdog_failed: bool = False
    pending_restart: bool = False
    synchronous_standby: bool = False
    dcs_last_seen: datetime | None = None
    """When this Patroni last reached its DCS."""
    ttl_s: float | None = None
    loop_wait_s: float | None = None
    synchronous_mode: str = ""
    """off, on, quorum; with ``strict`` appended where set."""
    maximum_lag_bytes: int | None = None
    leader: str = ""
    """Name of the member that holds the leader key, as this Patroni sees the DCS; empty: none, or (``members`` is empty too) the DCS
    could not be asked."""
    members: dict[str, DcsMember] = {}
    history: dict[int, str] = {}
    """Timeline that ended → ``REASON at TIME``, from ``GET /history``; the newest 10."""
