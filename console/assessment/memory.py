"""What earlier looks told that later ones need: who was primary, when servers started, how far WAL had come, who used what."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from console.assessment.kubernetes import Kube, KubeMemory
from console.assessment.views import Cache, Cluster, Member
from console.readings import PostgresMember

_WAL_SAMPLES = 900
_BACK_WITHIN = timedelta(seconds=15)
"""A primary that restarts in place accepts writes again after a few seconds."""
SYSTEM_DATABASES = frozenset({"", "postgres", "template0", "template1"})
_OWN_CLIENTS = ("banksman", "sentinel")


class Start(NamedTuple):
    """When a server started, and whether it accepted writes when last seen."""

    started_at: datetime
    primary: bool


class Move(NamedTuple):
    """A role that moved from one server to another."""

    before: str
    after: str
    at: datetime


class ClusterMemory:
    """Of one PostgreSQL cluster."""

    def __init__(self) -> None:
        self.primary = ""
        self.was_primary: dict[str, datetime] = {}
        """Member → when it was last seen accepting writes, unless it was seen as a standby since."""
        self.writer_at: datetime | None = None
        """When a primary was last seen accepting writes."""
        self.first_starts: dict[str, Start] = {}
        """Member → what it was when it was first seen."""
        self.starts: dict[str, Start] = {}
        self.restarts: dict[str, datetime] = {}
        """Primary → start time, where it was seen up before that."""
        self.databases: dict[str, int] = {}
        """Databases in use when the primary last answered → sessions."""
        self.databases_at: datetime | None = None
        self.wal: deque[tuple[datetime, int]] = deque(maxlen=_WAL_SAMPLES)
        """The primary's position over time, oldest first."""
        self._wal_of = ""
        self.archiving_failed_at: datetime | None = None
        """When archiving began to fail, as far as known, by the primary's clock; None: it does not."""
        self._archived: tuple[str, datetime | None] = ("", None)
        """Primary, and its last success before that."""
        self._replayed: dict[str, int] = {}
        self._moved: set[str] = set()

    def learn(self, cluster: Cluster) -> None:
        """Take in one look; tells the cluster who is believed to be its primary."""
        for member in cluster.members.values():
            self._learn_start(member)
            self._learn_replay(member)
        writer = cluster.writer
        if writer is not None:
            self.primary = writer.name
            self._learn_writer(writer)
        elif not self.primary:
            self.primary = _guess_primary(cluster)
        cluster.primary = cluster.members.get(self.primary)

    def _learn_start(self, member: Member) -> None:
        if member.sql is None or member.sql.started_at is None or member.sql.in_recovery is None:
            return
        started, before = member.sql.started_at, self.starts.get(member.name)
        # Crash recovery may start it more than once: the restart goes on until it is primary again.
        if (
            before is not None
            and started > before.started_at
            and (before.primary or self.restarts.get(member.name) == before.started_at)
        ):
            self.restarts[member.name] = started
        if member.is_standby and member.sql.taken_at - member.ours(started) > _BACK_WITHIN:
            self.restarts.pop(member.name, None)  # it was demoted: should it be promoted later, that is no restart
        self.starts[member.name] = start = Start(started, member.is_primary)
        self.first_starts.setdefault(member.name, start)
        if member.is_primary:
            self.was_primary[member.name] = self.writer_at = member.sql.taken_at
        else:
            self.was_primary.pop(member.name, None)

    def _learn_replay(self, member: Member) -> None:
        position = member.sql.replayed_bytes if member.sql else None
        if position is None:
            return
        if self._replayed.setdefault(member.name, position) != position:
            self._moved.add(member.name)

    def stood_still(self, member: str) -> bool:
        """Whether a standby's replayed position is what it was when the member was first seen."""
        return member not in self._moved

    def _learn_writer(self, writer: Member) -> None:
        if writer.sql is None:
            return
        taken, position = writer.sql.taken_at, writer.sql.current_bytes
        self._learn_archiving(writer.name, writer.sql)
        jumped = bool(self.wal) and taken < self.wal[-1][0]  # our clock was set back
        rewound = bool(self.wal) and position is not None and position < self.wal[-1][1]
        if self._wal_of != writer.name or jumped or rewound:
            self.wal.clear()
            self._wal_of = writer.name
        if position is not None and (not self.wal or taken > self.wal[-1][0]):
            self.wal.append((taken, position))
        self.databases = {
            name: number for name, number in writer.sql.connections_by_database.items() if name not in SYSTEM_DATABASES
        }
        self.databases_at = taken

    def _learn_archiving(self, name: str, sql: PostgresMember) -> None:
        failed, archived = sql.archive_last_failed_at, sql.archive_last_ok_at
        if not archiving_fails(sql):
            self.archiving_failed_at = None
        elif self.archiving_failed_at is None or self._archived != (name, archived):
            # The server tells its last failure only: the first one is what the first look at it sees.
            self.archiving_failed_at, self._archived = failed, (name, archived)

    def behind_s(self, position: int, at: datetime) -> float | None:
        """Seconds before ``at`` since the primary had passed ``position``, at least; 0: it had not; None: no samples.

        Seconds of a standby, counted from positions alone: an idle primary makes no lag.
        """
        if not self.wal:
            return None
        passed: datetime | None = None
        for taken, reached in reversed(self.wal):
            if reached <= position:
                break
            passed = taken
        return max(0.0, (at - passed).total_seconds()) if passed is not None else 0.0

    def covers(self, position: int) -> bool:
        """Whether the primary was watched when it was at ``position``, so that ``behind_s`` is no mere lower bound."""
        return bool(self.wal) and self.wal[0][1] <= position


def archiving_fails(sql: PostgresMember) -> bool:
    """Whether the last attempt to archive WAL failed."""
    failed, archived = sql.archive_last_failed_at, sql.archive_last_ok_at
    return sql.archive_mode not in ("", "off") and failed is not None and (archived is None or archived < failed)


def _guess_primary(cluster: Cluster) -> str:
    """Who is the primary, where none was ever seen accepting writes; empty: cannot be told."""
    if cluster.leader in cluster.members:
        return cluster.leader
    if len(cluster.members) == 1:
        return next(iter(cluster.members))
    gone = [member.name for member in cluster.members.values() if member.down]
    standbys = [member for member in cluster.members.values() if member.is_standby]
    return gone[0] if len(gone) == 1 and len(standbys) == len(cluster.members) - 1 else ""


class CacheMemory:
    """Of one cache."""

    def __init__(self) -> None:
        self.primary = ""
        self.moved: Move | None = None
        self.apps: dict[str, int] = {}
        """Applications connected when the primary last answered → connections."""

    def learn(self, cache: Cache) -> None:
        """Take in one look; tells the cache who is believed to be its primary."""
        name = self._choose(cache)
        reading = cache.primaries.get(name)
        if reading is not None:
            if self.primary and name != self.primary:
                self.moved = Move(self.primary, name, reading.taken_at)
            self.apps = {
                client.name: client.connections
                for client in reading.apps.values()
                if client.name and not client.name.lower().startswith(_OWN_CLIENTS)
            }
        self.primary = cache.primary = name

    def _choose(self, cache: Cache) -> str:
        """The believed primary: Sentinels' word among those that say so themselves, else replicas, else as before."""
        claimed = cache.primaries
        if cache.elected in claimed:
            return cache.elected
        if claimed:
            return max(claimed, key=lambda name: (len(claimed[name].replicas), name == self.primary, name))
        if self.primary:
            return self.primary
        if cache.elected:
            return cache.elected
        return next(iter(cache.servers)) if len(cache.servers) == 1 else ""


class Memory:
    """Of everything."""

    def __init__(self) -> None:
        self.clusters: dict[str, ClusterMemory] = {}
        self.caches: dict[str, CacheMemory] = {}
        self.kubes: dict[str, KubeMemory] = {}

    def learn(self, clusters: Mapping[str, Cluster], caches: Mapping[str, Cache]) -> None:
        """Take in one look."""
        for name, cluster in clusters.items():
            self.clusters.setdefault(name, ClusterMemory()).learn(cluster)
        for name, cache in caches.items():
            self.caches.setdefault(name, CacheMemory()).learn(cache)

    def learn_kubernetes(self, kubes: Mapping[str, Kube]) -> None:
        """The same of Kubernetes clusters."""
        for name, kube in kubes.items():
            self.kubes.setdefault(name, KubeMemory()).learn(kube)


def recent(moment: datetime | None, now: datetime, seconds: float) -> bool:
    """Whether ``moment`` is at most so long ago (or, by a clock that is off, a little ahead)."""
    return moment is not None and timedelta(seconds=-60) <= now - moment <= timedelta(seconds=seconds)
