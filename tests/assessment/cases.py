"""For every kind: what makes it, what is just not enough to make it, and on which platform."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import NamedTuple

from console.readings import (
    Activity,
    BigKey,
    BlockedSession,
    Database,
    PatroniMember,
    PostgresIo,
    PostgresMember,
    PostgresSettings,
    Queue,
    RedisKeys,
    RedisServer,
    ReplicaLink,
    Sentinel,
    Session,
    Setting,
    Slot,
)
from console.settings import EnvironmentFile
from tests.assessment.scene import MB, Scene, environment

Act = Callable[[Scene], None]


class Case(NamedTuple):
    """One finding."""

    id: str
    bad: Act
    """Makes it."""
    good: Act
    """Takes it away again."""
    edge: Act
    """Nearly the same, and healthy."""
    severity: str = "warning"
    platform: Callable[[], EnvironmentFile] = environment
    beside: frozenset[str] = frozenset()
    """Ids that rightly come with it."""
    steps: int = 60
    """Looks, 2 s apart, after which it must be there at the latest."""


def _pg(member: str = "pg-1", **fields: object) -> Act:
    return lambda scene: scene.change(PostgresMember, f"main/{member}", **fields)


def _redis(server: str = "cache-1", **fields: object) -> Act:
    return lambda scene: scene.change(RedisServer, f"cache/{server}", **fields)


def _mend(*addresses: tuple[type, str]) -> Act:
    def act(scene: Scene) -> None:
        for cls, key in addresses:
            scene.mend(cls, key)

    return act


def _ago(scene: Scene, seconds: float) -> Callable[[], object]:
    """A moment so long before each reading."""
    return lambda: scene.now - timedelta(seconds=seconds)


def _sessions(scene: Scene, seconds: float, state: str, wait: str = "", number: int = 1) -> Callable[[], object]:
    def made() -> dict[int, Session]:
        at = scene.now - timedelta(seconds=seconds)
        return {
            pid: Session(
                pid, "acme", "acme", "import", state=state, wait=wait, xact_start=at, query_start=at, state_change=at
            )
            for pid in range(900, 900 + number)
        }

    return made


def _activity(seconds: float, state: str, wait: str = "", number: int = 1) -> Act:
    return lambda scene: scene.change(Activity, "main/pg-1", sessions=_sessions(scene, seconds, state, wait, number))


def _blocked(number: int, seconds: float) -> Act:
    def act(scene: Scene) -> None:
        def rows() -> dict[int, BlockedSession]:
            at = scene.now - timedelta(seconds=seconds)
            return {
                pid: BlockedSession(pid, (900,), at, "X", "acme: purchase_order") for pid in range(901, 901 + number)
            }

        sessions = _sessions(scene, seconds + 1, "active", number=number + 1)
        scene.change(Activity, "main/pg-1", sessions=sessions, blocked=rows)

    return act


def _frozen(member: str, seconds_before: float = 0.0) -> Act:
    """The standby's positions stay where the primary is now."""

    def act(scene: Scene) -> None:
        position, at = scene.wal(seconds_before), scene.now
        scene.change(PostgresMember, f"main/{member}", received_bytes=position, replayed_bytes=position, replayed_at=at)

    return act


def _restarted(scene: Scene) -> None:
    scene.step(times=2)
    scene.restart("pg-1")


def _patroni_all(**fields: object) -> Act:
    def act(scene: Scene) -> None:
        for name in scene.members:
            made = {field: (value(scene) if callable(value) else value) for field, value in fields.items()}
            scene.change(PatroniMember, f"main/{name}", **made)

    return act


def _all(*acts: Act) -> Act:
    def act(scene: Scene) -> None:
        for each in acts:
            each(scene)

    return act


PG = tuple((PostgresMember, f"main/pg-{n}") for n in (1, 2, 3))
PATRONIS = tuple((PatroniMember, f"main/pg-{n}") for n in (1, 2, 3))
REDIS = tuple((RedisServer, f"cache/cache-{n}") for n in (1, 2))
ACTIVITY = ((Activity, "main/pg-1"),)
KEYS = ((RedisKeys, "cache"),)


def _fail(cls: type, key: str, problem: str = "connection refused") -> Act:
    return lambda scene: scene.fail(cls, key, problem)


def _role_moves(scene: Scene) -> None:
    scene.cache_primary = "cache-2"


def _wait_out_the_failover(scene: Scene) -> None:
    """Nothing to mend: the note about a role that moved goes by itself."""


def _plain() -> EnvironmentFile:
    return environment(patroni=False, sentinels=())


CASES = (
    Case(
        "two-primaries:main", _pg("pg-2", in_recovery=False, timeline=4), _mend(*PG), _pg("pg-2", in_recovery=None),
        "critical", beside=frozenset({"leader-stale:main"}),
    ),
    Case("no-primary:main", _pg(in_recovery=True), _mend(*PG), _pg(timeline=4), "critical"),
    Case(
        "primary-unreachable:main/pg-1", lambda scene: scene.stop("pg-1"), lambda scene: scene.wake("pg-1"),
        _fail(PostgresMember, "main/pg-9"), "critical",
    ),
    Case(
        "primary-hung:main/pg-1", lambda scene: scene.hang("pg-1"), lambda scene: scene.wake("pg-1"),
        _fail(Activity, "main/pg-1", "no answer within 2 s"), "critical",
    ),
    Case(
        "primary-hung:main/pg-1", lambda scene: scene.hang("pg-1"), lambda scene: scene.wake("pg-1"),
        _fail(Activity, "main/pg-1", "no answer within 2 s"), "critical", _plain,
    ),
    Case("primary-restarted:main/pg-1", _restarted, _wait_out_the_failover, lambda scene: None),
    Case(
        "standby-unreachable:main/pg-2", lambda scene: scene.stop("pg-2"), lambda scene: scene.wake("pg-2"),
        _fail(PostgresMember, "main/pg-9"),
    ),
    Case(
        "standby-unreachable:main/pg-2", lambda scene: scene.hang("pg-2"), lambda scene: scene.wake("pg-2"),
        _fail(Activity, "main/pg-2", "no answer within 2 s"), platform=_plain,
    ),
    Case("standby-lagging:main/pg-3", _frozen("pg-3"), _mend(*PG), _pg("pg-3", replayed_bytes=None)),
    Case(
        "standby-not-streaming:main/pg-3", _pg("pg-3", receiver_status="", receiver_last_message_at=None), _mend(*PG),
        _pg("pg-3", receiver_from="10.0.0.9:5432"),
    ),
    Case("sync-standby-missing:main", _pg(sync_missing=True), _mend(*PG), _pg(synchronous_names="pg-9"), "critical"),
    Case(
        "sync-standby-missing:main", _activity(4, "active", "IPC: SyncRep"), _mend(*ACTIVITY),
        _activity(2, "active", "IPC: SyncRep"), "critical",
    ),
    Case(
        "slot-retains-wal:main/odd", _pg(slots={"odd": Slot("odd", retained_bytes=150 * MB, safe_bytes=106 * MB)}), _mend(*PG),
        _pg(slots={"odd": Slot("odd", retained_bytes=100 * MB, safe_bytes=156 * MB)}),
    ),
    Case(
        "slot-retains-wal:main/odd", _pg(slots={"odd": Slot("odd", wal_status="unreserved")}), _mend(*PG),
        _pg(slots={"odd": Slot("odd", wal_status="extended", retained_bytes=MB)}), "critical",
    ),
    Case(
        "slot-retains-wal:main/odd", _pg(slots={"odd": Slot("odd", wal_status="lost")}), _mend(*PG),
        _pg(slots={"odd": Slot("odd", wal_status="reserved")}),
    ),
    Case("patroni-paused:main", _patroni_all(paused=True), _mend(*PATRONIS), _patroni_all(pending_restart=True)),
    Case(
        "patroni-unreachable:main/pg-2", _fail(PatroniMember, "main/pg-2"), _mend(*PATRONIS),
        lambda scene: scene.change(PatroniMember, "main/pg-2", status="partial", problem="GET /history: no"),
    ),
    Case(
        "patroni-unreachable:main/pg-1", _fail(PatroniMember, "main/pg-1"), _mend(*PATRONIS),
        lambda scene: scene.change(PatroniMember, "main/pg-1", status="denied", problem="HTTP 403"), "critical",
    ),
    Case(
        "dcs-unreachable:main", _patroni_all(dcs_last_seen=lambda scene: _ago(scene, 9)), _mend(*PATRONIS),
        _patroni_all(dcs_last_seen=lambda scene: _ago(scene, 3.5)), "critical",
    ),
    Case(
        "dcs-unreachable:main", _patroni_all(loop_wait_s=10.0, dcs_last_seen=lambda scene: _ago(scene, 26)), _mend(*PATRONIS),
        _patroni_all(loop_wait_s=10.0, dcs_last_seen=lambda scene: _ago(scene, 14)), "critical",
    ),
    Case(
        "dcs-unreachable:main/pg-3",
        lambda scene: scene.change(PatroniMember, "main/pg-3", dcs_last_seen=_ago(scene, 9)), _mend(*PATRONIS),
        lambda scene: scene.change(PatroniMember, "main/pg-3", dcs_last_seen=None),
    ),
    Case(
        "leader-stale:main", _patroni_all(leader="pg-3"), _mend(*PATRONIS), _patroni_all(leader="", members={}),
    ),
    Case("lock-waits:main", _blocked(3, 4), _mend(*ACTIVITY), _blocked(2, 30)),
    Case("lock-waits:main", _blocked(1, 61), _mend(*ACTIVITY), _blocked(40, 2)),
    Case("lock-waits:main", _blocked(20, 4), _mend(*ACTIVITY), _blocked(0, 0), "critical"),
    Case("connections-near-limit:main/pg-1", _pg(connections=43), _mend(*PG), _pg(connections=42)),
    Case("connections-near-limit:main/pg-2", _pg("pg-2", connections=51), _mend(*PG), _pg("pg-2", max_connections=0), "critical"),
    Case(
        "connections-near-limit:main/pg-1",
        lambda scene: scene.stop("pg-1", "10.0.0.1:5432: FATAL: sorry, too many clients already"), lambda scene: scene.wake("pg-1"),
        _pg(connections=10), "critical",
    ),
    Case("idle-in-transaction:main", _activity(61, "idle in transaction"), _mend(*ACTIVITY), _activity(3600, "idle")),
    Case("idle-in-transaction:main", _activity(61, "idle in transaction (aborted)"), _mend(*ACTIVITY), _activity(55, "idle in transaction")),
    Case("long-transaction:main", _activity(1801, "active"), _mend(*ACTIVITY), _activity(1700, "active")),
    Case(
        "archiving-failing:main",
        lambda scene: scene.change(
            PostgresMember, "main/pg-1", archive_mode="on", archive_last_failed="0001", archive_last_failed_at=_ago(scene, 5),
            archive_last_ok_at=_ago(scene, 60),
        ), _mend(*PG),
        lambda scene: scene.change(
            PostgresMember, "main/pg-1", archive_mode="on", archive_last_failed="0001", archive_last_failed_at=_ago(scene, 60),
            archive_last_ok_at=_ago(scene, 5),
        ),
    ),
    Case(
        "archiving-failing:main",
        lambda scene: scene.change(PostgresMember, "main/pg-1", archive_mode="always", archive_last_failed_at=_ago(scene, 901)),
        _mend(*PG),
        lambda scene: scene.change(PostgresMember, "main/pg-1", archive_mode="off", archive_last_failed_at=_ago(scene, 901)),
        "critical",
    ),
    Case(
        "wraparound-near:main/acme",
        lambda scene: scene.change(PostgresIo, "main/pg-1", databases={"acme": Database("acme", xid_age=1_100_000_000)}),
        _mend((PostgresIo, "main/pg-1")),
        lambda scene: scene.change(PostgresIo, "main/pg-1", databases={"acme": Database("acme", xid_age=1_000_000_000)}),
    ),
    Case(
        "wraparound-near:main/acme",
        lambda scene: scene.change(PostgresIo, "main/pg-1", databases={"acme": Database("acme", mxid_age=1_700_000_000)}),
        _mend((PostgresIo, "main/pg-1")),
        lambda scene: scene.change(PostgresIo, "main/pg-2", databases={"acme": Database("acme", xid_age=1_700_000_000)}),
        "critical",
    ),
    Case(
        "settings-differ:main",
        lambda scene: scene.change(PostgresSettings, "main/pg-2", settings={"max_connections": Setting("max_connections", "50")}),
        _mend((PostgresSettings, "main/pg-2")),
        lambda scene: scene.change(PostgresSettings, "main/pg-2", settings={"work_mem": Setting("work_mem", "1")}),
    ),
    Case("clock-off:main/pg-2", _pg("pg-2", clock_off_s=-3.5), _mend(*PG), _pg("pg-2", clock_off_s=2.5)),
    Case(
        "clock-off:main",
        _all(
            *(_pg(f"pg-{n}", clock_off_s=40.0 + n / 10) for n in (1, 2, 3)),
            _patroni_all(dcs_last_seen=lambda scene: _ago(scene, 0.7 - 40)),  # their hosts' clocks, too
        ),
        _mend(*PG, *PATRONIS),
        _all(*(_pg(f"pg-{n}", clock_off_s=1.0) for n in (1, 2, 3))),
    ),
    Case(
        "cache-primary-down:cache", _fail(RedisServer, "cache/cache-1"), _mend(*REDIS),
        _redis(status="partial", problem="CLIENT LIST: not permitted"), "critical",
    ),
    Case("cache-primary-down:cache", _redis(role="replica"), _mend(*REDIS), _redis(blocked_clients=9), "critical"),
    Case("cache-primary-down:cache", _redis(loading=True), _mend(*REDIS), _redis(rdb_in_progress=True), "critical"),
    Case(
        "cache-no-replica:cache",
        _all(_fail(RedisServer, "cache/cache-2"), _redis(replicas={})), _mend(*REDIS),
        _fail(RedisServer, "cache/cache-9"),
    ),
    Case("cache-no-replica:cache", _redis("cache-2", link_up=False), _mend(*REDIS), _redis("cache-2", sync_in_progress=True)),
    Case(
        "cache-replica-lagging:cache/cache-2",
        _redis(replicas={"cache-2:6379": ReplicaLink("cache-2:6379", "online", 1, 70 * MB, 0.0)}), _mend(*REDIS),
        _redis(replicas={"cache-2:6379": ReplicaLink("cache-2:6379", "online", 1, 50 * MB, 3.0)}),
    ),
    Case("cache-failover:cache", _role_moves, _wait_out_the_failover, lambda scene: None),
    Case(
        "cache-failover:cache/cache-2", _redis("cache-2", role="primary"), _mend(*REDIS), lambda scene: None, "critical",
        beside=frozenset({"cache-no-replica:cache"}),
    ),
    Case("cache-memory-full:cache/cache-1", _redis(used_memory=58 * MB), _mend(*REDIS), _redis(used_memory=57 * MB)),
    Case(
        "cache-memory-full:cache/cache-1", _redis(used_memory=63 * MB, maxmemory_policy="noeviction"), _mend(*REDIS),
        _redis(used_memory=64 * MB, maxmemory_policy="allkeys-lru"), "critical",
    ),
    Case(
        "cache-writes-refused:cache/cache-1", _redis(write_refused="MISCONF: the last snapshot failed"), _mend(*REDIS),
        _redis("cache-2", write_refused="MISCONF"), "critical",
    ),
    Case("cache-writes-refused:cache/cache-1", _redis(min_replicas_ok=False), _mend(*REDIS), _redis(min_replicas_ok=True), "critical"),
    Case("cache-evicting:cache/cache-1", _redis(evicted_per_s=2.0), _mend(*REDIS), _redis(evicted_per_s=0.5)),
    Case(
        "cache-evicting:cache/cache-1", _redis(evicted_per_s=600.0, maxmemory_policy="allkeys-lru"), _mend(*REDIS),
        _redis(evicted_per_s=300.0, maxmemory_policy="allkeys-lru"),
    ),
    Case(
        "big-keys:cache", lambda scene: scene.change(RedisKeys, "cache", big={"k": BigKey("k", "string", 12 * MB)}), _mend(*KEYS),
        lambda scene: scene.change(RedisKeys, "cache", big={"k": BigKey("k", "list", 6 * MB)}),
    ),
    Case("cache-slow:cache/cache-1", _redis(rtt_p50_ms=600.0), _mend(*REDIS), _redis(rtt_p99_ms=600.0), "critical"),
    Case("cache-slow:cache/cache-2", _redis("cache-2", rtt_p50_ms=600.0), _mend(*REDIS), _redis("cache-2", rtt_p50_ms=40.0)),
    Case(
        "queue-backlog:cache/queue:mail",
        lambda scene: scene.change(RedisKeys, "cache", queues={"queue:mail": Queue("queue:mail", 6000)}), _mend(*KEYS),
        lambda scene: scene.change(RedisKeys, "cache", queues={"queue:mail": Queue("queue:mail", 4000)}),
    ),
    Case(
        "sentinel-lost:cache/s-3", _fail(Sentinel, "cache/s-3"), _mend((Sentinel, "cache/s-3")),
        lambda scene: scene.change(Sentinel, "cache/s-3", status="denied", problem="NOAUTH"),
    ),
    Case(
        "sentinel-no-quorum:cache", lambda scene: scene.change(Sentinel, "cache/s-1", quorum_ok=False), _mend((Sentinel, "cache/s-1")),
        lambda scene: scene.change(Sentinel, "cache/s-1", quorum_ok=None), "critical",
    ),
)  # fmt: skip
