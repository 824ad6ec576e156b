"""A scripted platform: what its servers say second by second, and what the assessor makes of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from console.assessment import Assessor
from console.board import Board
from console.readings import (
    Activity,
    Address,
    Database,
    DcsMember,
    Finding,
    Findings,
    PatroniMember,
    PostgresIo,
    PostgresMember,
    PostgresSettings,
    PostgresStatements,
    Queue,
    Reading,
    RedisClient,
    RedisKeys,
    RedisServer,
    Replica,
    ReplicaLink,
    Sentinel,
    Session,
    Setting,
    Slot,
    address,
)
from console.settings import (
    Application,
    EnvironmentFile,
    PostgresCluster,
    PostgresServer,
    RedisCache,
    RedisServerSettings,
    SentinelServerSettings,
    SentinelSettings,
    load_defaults,
)
from tests.assessment.scene_kubernetes import kubernetes_readings
from tests.assessment.scene_odoo import odoo_readings
from tests.assessment.scene_traefik import traefik_readings

START = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
MB = 1024**2
WAL_RATE = 200_000
"""Bytes of WAL a second."""
EVERY_S = {"postgres.settings": 60.0, "postgres.io": 10.0, "redis.keys": 60.0}
SQL_TOPICS = (PostgresMember, Activity, PostgresIo, PostgresStatements, PostgresSettings)


def environment(
    members: tuple[str, ...] = ("pg-1", "pg-2", "pg-3"),
    servers: tuple[str, ...] = ("cache-1", "cache-2"),
    sentinels: tuple[str, ...] = ("s-1", "s-2", "s-3"),
    *,
    patroni: bool = True,
    thresholds: dict[str, dict[str, float]] | None = None,
) -> EnvironmentFile:
    """Of a platform with these servers."""
    watchers = {name: SentinelServerSettings(host="10.0.2.1") for name in sentinels}
    return EnvironmentFile(
        name="test",
        postgres={
            "main": PostgresCluster(
                servers={
                    name: PostgresServer(host="10.0.0.1", patroni="http://10.0.0.1:8008" if patroni else "")
                    for name in members
                }
            )
        }
        if members
        else {},
        redis={
            "cache": RedisCache(
                servers={name: RedisServerSettings(host=name) for name in servers},
                sentinel=SentinelSettings(master="cache", servers=watchers) if watchers else None,
                used_for="sessions and job queues",
                queues=["queue:mail"],
            )
        }
        if servers
        else {},
        applications={
            "payroll": Application(databases=["acme", "bauhof"], label="payroll"),
            "purchasing": Application(databases=["acme", "bauhof"], label="purchasing"),
        },
        thresholds=thresholds or {},
    )


class Scene:
    """A platform whose servers are changed by name, and watched step by step. ``main/pg-1`` and ``cache-1`` lead."""

    def __init__(self, settings: EnvironmentFile | None = None) -> None:
        self.settings = settings or environment()
        self.now = START
        self.board = Board()
        self.assessor = Assessor(self.settings, load_defaults())
        self.found = Findings(taken_at=START)
        self.primary = next(iter(self.settings.postgres["main"].servers), "") if self.settings.postgres else ""
        self.cache_primary = next(iter(self.settings.redis["cache"].servers), "") if self.settings.redis else ""
        self.seen: set[str] = set()
        """Ids of all findings that were ever shown."""
        self.started: dict[str, datetime] = {}
        self._changes: dict[Address, dict[str, Any]] = {}
        self._failures: dict[Address, str] = {}
        self._good_at: dict[Address, datetime] = {}
        self._absent: set[Address] = set()
        for index, name in enumerate(self.members):
            self.started[name] = START - timedelta(days=3, seconds=-2 * index)

    @property
    def members(self) -> tuple[str, ...]:
        return tuple(self.settings.postgres["main"].servers) if self.settings.postgres else ()

    @property
    def servers(self) -> tuple[str, ...]:
        return tuple(self.settings.redis["cache"].servers) if self.settings.redis else ()

    @property
    def sentinels(self) -> tuple[str, ...]:
        cache = self.settings.redis.get("cache")
        return tuple(cache.sentinel.servers) if cache and cache.sentinel else ()

    @property
    def patronis(self) -> tuple[str, ...]:
        return tuple(name for name in self.members if self.settings.postgres["main"].servers[name].patroni)

    # -- what is done to the platform

    def change(self, cls: type[Reading], key: str, **fields: Any) -> None:
        """From now on these fields differ; a callable is asked at each reading."""
        self._changes.setdefault(address(cls, key), {}).update(fields)

    def mend(self, cls: type[Reading], key: str) -> None:
        """As it was."""
        where = address(cls, key)
        self._changes.pop(where, None)
        self._failures.pop(where, None)
        self._absent.discard(where)

    def fail(self, cls: type[Reading], key: str, problem: str = "connection refused") -> None:
        """From now on it cannot be read."""
        self._failures[address(cls, key)] = problem

    def never(self, cls: type[Reading], key: str) -> None:
        """It has not been read yet."""
        self._absent.add(address(cls, key))
        self.board.remove(address(cls, key))

    def stop(self, member: str, problem: str = "connection refused") -> None:
        """PostgreSQL of a member cannot be read."""
        for cls in SQL_TOPICS:
            self.fail(cls, f"main/{member}", problem)

    def hang(self, member: str) -> None:
        """PostgreSQL of a member answers nothing; its Patroni knows no more than its own DCS."""
        self.stop(member, "no answer within 2 s")
        if member in self.patronis:
            self.change(
                PatroniMember, f"main/{member}", status="partial", problem="Patroni answers, but not for its PostgreSQL",
                state="", role="", dcs_last_seen=None,
            )  # fmt: skip

    def restart(self, member: str) -> None:
        """PostgreSQL of a member answers, from a new start."""
        for cls in SQL_TOPICS:
            self.mend(cls, f"main/{member}")
        if member in self.patronis:
            self.mend(PatroniMember, f"main/{member}")
        self.started[member] = self.now

    def wake(self, member: str) -> None:
        """It goes on where it stood."""
        started = self.started[member]
        self.restart(member)
        self.started[member] = started

    # -- looking

    def readings(self) -> list[Reading]:
        """Everything that the platform says now."""
        made: list[Reading] = []
        for name in self.members:
            key = f"main/{name}"
            made += [self._member(name), self._activity(name), self._io(name), self._settings(name)]
            made.append(PostgresStatements(key=key, taken_at=self.now, cluster="main", member=name))
            if name in self.patronis:
                made.append(self._patroni(name))
        made += [self._server(name) for name in self.servers]
        made += [self._sentinel(name) for name in self.sentinels]
        if self.servers:
            made.append(self._keys())
        for name in self.settings.kubernetes:
            made += kubernetes_readings(self.now, name)
        made += odoo_readings(self.now, self.settings)
        made += traefik_readings(self.now, self.settings)
        return [self._finish(reading) for reading in made if reading.where not in self._absent]

    def step(self, seconds: float = 2.0, times: int = 1) -> Findings:
        """Time passes, everything is read, the assessor looks."""
        for _ in range(times):
            self.now += timedelta(seconds=seconds)
            for reading in self.readings():
                self.board.put(reading)
            self.look()
        return self.found

    def put(self, *readings: Reading) -> Findings:
        """These readings come, nothing else, and the assessor looks."""
        for reading in readings:
            self.board.put(reading)
        return self.look()

    def look(self) -> Findings:
        """The assessor looks."""
        self.found = self.assessor.look(self.board, self.now)
        assert self.found.status == "ok", self.found.problem
        self.board.put(self.found)
        self.seen |= set(self.found.rows)
        return self.found

    def until(self, done: Callable[[], bool], most: int = 200, seconds: float = 2.0) -> int:
        """Steps until something is so; fails when it never is."""
        for number in range(most):
            if done():
                return number
            self.step(seconds)
        raise AssertionError(f"never so; open: {sorted(self.ids)}")

    @property
    def ids(self) -> set[str]:
        """Ids of what is shown."""
        return set(self.found.rows)

    @property
    def kinds(self) -> set[str]:
        """Kinds of what is shown."""
        return {finding.kind for finding in self.found.rows.values()}

    @property
    def kinds_seen(self) -> set[str]:
        """Kinds of all that was ever shown."""
        return {name.split(":", 1)[0] for name in self.seen}

    def finding(self, name: str) -> Finding:
        """A finding by id."""
        return self.found.rows[name]

    # -- what servers say when all is well

    def wal(self, back_s: float = 0.0) -> int:
        """The primary's position so many seconds ago."""
        return 5_000_000_000 + int(WAL_RATE * ((self.now - START).total_seconds() - back_s))

    def _finish(self, reading: Reading) -> Reading:
        where = reading.where
        every = EVERY_S.get(reading.topic, 2.0)
        problem = self._failures.get(where)
        if problem is not None:
            return type(reading)(
                key=reading.key, taken_at=self.now, every_s=every, status="unreachable", problem=problem,
                good_at=self._good_at.get(where),
            )  # fmt: skip
        self._good_at[where] = self.now
        fields = {name: value() if callable(value) else value for name, value in self._changes.get(where, {}).items()}
        return msgspec.structs.replace(reading, every_s=every, good_at=self.now, **fields)

    def _member(self, name: str) -> PostgresMember:
        leads = name == self.primary
        followers = [other for other in self.members if other != self.primary]
        return PostgresMember(
            key=f"main/{name}",
            taken_at=self.now,
            cluster="main",
            member=name,
            version="18.6",
            in_recovery=not leads,
            timeline=3,
            started_at=self.started[name],
            server_time=self.now,
            clock_off_s=0.001,
            current_bytes=self.wal() if leads else None,
            received_bytes=None if leads else self.wal(0.2),
            replayed_bytes=None if leads else self.wal(0.2),
            replayed_at=None if leads else self.now - timedelta(seconds=0.2),
            receiver_status="" if leads else "streaming",
            receiver_last_message_at=None if leads else self.now,
            synchronous_names=followers[0] if leads and followers else "",
            replicas={other: Replica(other, state="streaming", sync_state="async") for other in followers}
            if leads
            else {},
            slots={
                other.replace("-", "_"): Slot(
                    other.replace("-", "_"), active=True, retained_bytes=MB, safe_bytes=255 * MB
                )
                for other in followers
            }
            if leads
            else {},
            archive_mode="off",
            connections=20 if leads else 3,
            connections_by_database={"acme": 10, "bauhof": 6, "cobalt": 3, "postgres": 1} if leads else {"postgres": 3},
            max_connections=60,
            reserved_connections=7,
        )

    def _activity(self, name: str) -> Activity:
        sessions = {}
        if name == self.primary:
            for index, database in enumerate(("acme", "acme", "bauhof", "cobalt")):
                pid = 100 + index
                began = self.now - timedelta(seconds=0.2 * index)
                sessions[pid] = Session(
                    pid, database, database, f"odoo-{database}", state="active", xact_start=began, query_start=began,
                    state_change=began,
                )  # fmt: skip
        return Activity(
            key=f"main/{name}",
            taken_at=self.now,
            cluster="main",
            member=name,
            sessions=sessions,
            sessions_total=len(sessions),
        )

    def _io(self, name: str) -> PostgresIo:
        rows = {each: Database(each, xid_age=40_000_000, mxid_age=10) for each in ("acme", "bauhof", "cobalt")}
        return PostgresIo(key=f"main/{name}", taken_at=self.now, cluster="main", member=name, databases=rows)

    def _settings(self, name: str) -> PostgresSettings:
        rows = {"max_connections": Setting("max_connections", "60"), "work_mem": Setting("work_mem", "4096", "kB")}
        return PostgresSettings(key=f"main/{name}", taken_at=self.now, cluster="main", member=name, settings=rows)

    def _patroni(self, name: str) -> PatroniMember:
        roles = {each: "leader" if each == self.primary else "replica" for each in self.members}
        return PatroniMember(
            key=f"main/{name}",
            taken_at=self.now,
            cluster="main",
            member=name,
            role="primary" if name == self.primary else "replica",
            state="running",
            timeline=3,
            dcs_last_seen=self.now - timedelta(seconds=0.7),
            ttl_s=20,
            loop_wait_s=1,
            leader=self.primary,
            members={each: DcsMember(each, role, "running") for each, role in roles.items()},
        )

    def _server(self, name: str) -> RedisServer:
        leads = name == self.cache_primary
        offset = int(20_000 * (self.now - START).total_seconds())
        followers = [other for other in self.servers if other != self.cache_primary]
        return RedisServer(
            key=f"cache/{name}",
            taken_at=self.now,
            cache="cache",
            server=name,
            address=f"{name}:6379",
            role="primary" if leads else "replica",
            used_memory=20 * MB,
            maxmemory=64 * MB,
            maxmemory_policy="volatile-lru",
            evicted_per_s=0.0,
            rtt_p50_ms=0.3,
            rtt_p99_ms=4.0,
            keys=1000,
            keys_with_ttl=900,
            offset=offset,
            replicas={f"{other}:6379": ReplicaLink(f"{other}:6379", "online", offset, 0, 0.0) for other in followers}
            if leads
            else {},
            primary_address="" if leads else f"{self.cache_primary}:6379",
            link_up=None if leads else True,
            apps={"odoo": RedisClient("odoo", 12)},
        )

    def _sentinel(self, name: str) -> Sentinel:
        return Sentinel(
            key=f"cache/{name}",
            taken_at=self.now,
            cache="cache",
            sentinel=name,
            master_name="cache",
            primary_address=f"{self.cache_primary}:6379",
            primary_flags="master",
            quorum=2,
            known_sentinels=len(self.sentinels) - 1,
            quorum_ok=True,
            quorum_answer="OK 3 usable Sentinels.",
        )

    def _keys(self) -> RedisKeys:
        return RedisKeys(
            key="cache",
            taken_at=self.now,
            cache="cache",
            sampled=1000,
            total=1000,
            queues={"queue:mail": Queue("queue:mail", 12, "list")},
        )
