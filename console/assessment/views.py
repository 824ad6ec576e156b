"""The board, as judges want it: members of a cluster and servers of a cache, with only what may be believed now."""

from __future__ import annotations

import functools
import re
from collections import Counter
from datetime import datetime, timedelta

from console.board import Board
from console.readings import (
    Activity,
    Address,
    PatroniMember,
    PostgresIo,
    PostgresMember,
    PostgresSettings,
    PostgresStatements,
    Reading,
    RedisKeys,
    RedisServer,
    Sentinel,
    address,
    believed,
)
from console.settings import PostgresCluster, RedisCache

_SILENT = re.compile(r"no answer|n[o']t answer|timed out|timeout|deadline|within|broken off|still busy", re.IGNORECASE)
_STARTING = re.compile(r"starting up|not (yet )?accepting|in recovery mode|shutting down", re.IGNORECASE)
_FULL = re.compile(
    r"too many (clients|connections(?! for (role|database)))|remaining connection slots|connection limit exceeded",
    re.IGNORECASE,
)
_LIMITED = re.compile(r"too many connections for (role|database)", re.IGNORECASE)
_SQL_TOPICS = (PostgresMember, Activity, PostgresStatements, PostgresIo, PostgresSettings)


def down(reading: Reading | None) -> bool:
    """Whether the last look failed. ``denied`` is no failure of the server, and stale is the engine's own trouble."""
    return reading is not None and reading.status == "unreachable" and not full(reading) and not limited(reading)


def silent(reading: Reading | None) -> bool:
    """Whether the last look failed for want of an answer, and not because it was refused."""
    return down(reading) and reading is not None and bool(_SILENT.search(reading.problem))


def starting(reading: Reading | None) -> bool:
    """Whether the server said that it is on its way up or down."""
    return down(reading) and reading is not None and bool(_STARTING.search(reading.problem))


def full(reading: Reading | None) -> bool:
    """Whether the server refused us because all its connections are taken."""
    return reading is not None and not reading.readable and bool(_FULL.search(reading.problem))


def limited(reading: Reading | None) -> str:
    """``role`` or ``database`` where the limit of ours refused us, while the server has room; else empty."""
    found = _LIMITED.search(reading.problem) if reading is not None and not reading.readable else None
    return found[1].lower() if found else ""


class Member:
    """One member of a PostgreSQL cluster: last readings (``*_last``), and what of them may be believed."""

    def __init__(self, board: Board, now: datetime, cluster: str, name: str, *, patroni: bool) -> None:
        self.name = name
        self.subject = key = f"{cluster}/{name}"
        self.has_patroni = patroni
        self.sql_last = board.get(PostgresMember, key)
        self.patroni_last = board.get(PatroniMember, key) if patroni else None
        self.sql = believed(self.sql_last, now)
        self.patroni = believed(self.patroni_last, now)
        self.activity = believed(board.get(Activity, key), now)
        self.io = believed(board.get(PostgresIo, key), now)
        self.settings = believed(board.get(PostgresSettings, key), now)

    @property
    def down(self) -> bool:
        """Its PostgreSQL cannot be reached."""
        return down(self.sql_last)

    @property
    def hung(self) -> bool:
        """Something takes connections there, and no query is answered."""
        return silent(self.sql_last) and (not self.has_patroni or self.patroni is not None)

    @property
    def is_primary(self) -> bool:
        """It says itself that it is out of recovery."""
        return self.sql is not None and self.sql.in_recovery is False

    @property
    def is_standby(self) -> bool:
        """It says itself that it is in recovery."""
        return self.sql is not None and self.sql.in_recovery is True

    @property
    def sql_addresses(self) -> tuple[Address, ...]:
        """All that is read from its PostgreSQL."""
        return tuple(address(topic, self.subject) for topic in _SQL_TOPICS)

    @property
    def addresses(self) -> tuple[Address, ...]:
        """All that is read from its host."""
        return (*self.sql_addresses, address(PatroniMember, self.subject))

    def age_s(self, taken_at: datetime, moment: datetime | None) -> float | None:
        """Seconds from ``moment``, by this server's clock, to ``taken_at``, by ours; never negative."""
        if moment is None:
            return None
        return max(0.0, (taken_at - self.ours(moment)).total_seconds())

    def ours(self, moment: datetime) -> datetime:
        """A moment of this server's clock on ours."""
        off = self.sql.clock_off_s if self.sql else None
        try:
            return moment - timedelta(seconds=off) if off and abs(off) > 1 else moment
        except OverflowError:  # a clock that tells of year 1 or 9999 cannot be put right
            return moment


class Cluster:
    """One PostgreSQL cluster. ``primary`` is the member believed to be it, whether or not it answers."""

    def __init__(self, board: Board, now: datetime, name: str, settings: PostgresCluster) -> None:
        self.name = name
        self.settings = settings
        self.members = {
            member: Member(board, now, name, member, patroni=bool(server.patroni))
            for member, server in settings.servers.items()
        }
        self.primary: Member | None = None

    @functools.cached_property
    def primaries(self) -> list[Member]:
        """Members that say they are out of recovery, newest timeline first."""
        found = [member for member in self.members.values() if member.is_primary]
        return sorted(found, key=lambda member: -(member.sql.timeline or 0 if member.sql else 0))

    @property
    def writer(self) -> Member | None:
        """The member that answers and accepts writes; the one on the newest timeline where there are more."""
        return self.primaries[0] if self.primaries else None

    @functools.cached_property
    def patronis(self) -> list[PatroniMember]:
        """Readings of the Patronis that answer."""
        return [member.patroni for member in self.members.values() if member.patroni is not None]

    @functools.cached_property
    def leader(self) -> str:
        """Who holds the leader key, as most Patronis see it; empty: nobody, or nobody can tell."""
        votes = Counter(patroni.leader for patroni in self.voters)
        return max(votes, key=lambda name: (votes[name], name)) if votes else ""

    @functools.cached_property
    def voters(self) -> list[PatroniMember]:
        """Readings of the Patronis that could read the DCS: the others know of no leader and no members."""
        return [patroni for patroni in self.patronis if patroni.members]

    @property
    def all_down(self) -> bool:
        """No member can be reached."""
        return all(member.down for member in self.members.values())


class Cache:
    """One cache: its servers, its Sentinels, its keys. ``primary`` is the server believed to be it."""

    def __init__(self, board: Board, now: datetime, name: str, settings: RedisCache) -> None:
        self.name = name
        self.settings = settings
        self.last = {server: board.get(RedisServer, f"{name}/{server}") for server in settings.servers}
        self.servers = {server: believed(reading, now) for server, reading in self.last.items()}
        watchers = settings.sentinel.servers if settings.sentinel else {}
        self.sentinels_last = {server: board.get(Sentinel, f"{name}/{server}") for server in watchers}
        self.sentinels = {server: believed(reading, now) for server, reading in self.sentinels_last.items()}
        self.keys = believed(board.get(RedisKeys, name), now)
        self.primary = ""

    @functools.cached_property
    def primaries(self) -> dict[str, RedisServer]:
        """Servers that say they are primary."""
        return {name: reading for name, reading in self.servers.items() if reading and reading.role == "primary"}

    @property
    def writer(self) -> RedisServer | None:
        """The believed primary, where it answers and says so itself."""
        return self.primaries.get(self.primary)

    @functools.cached_property
    def elected(self) -> str:
        """The server that most Sentinels, or else most replicas, take for the primary; empty: none of ours, or nobody says."""
        votes = Counter(reading.primary_address for reading in self.sentinels.values() if reading)
        followed = (
            reading.primary_address for reading in self.servers.values() if reading and reading.role == "replica"
        )
        votes = votes or Counter(followed)
        if not votes:
            return ""
        where = max(votes, key=lambda name: (votes[name], name))
        return next((name for name in self.settings.servers if where in self.addresses_of(name)), "")

    def addresses_of(self, name: str) -> tuple[str, ...]:
        """How others may name a server: as it was reached, and as it is configured."""
        reading, server = self.last[name], self.settings.servers[name]
        reached = (reading.address,) if reading is not None and reading.address else ()
        return (*reached, f"{server.host}:{server.port}")
