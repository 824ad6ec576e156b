"""Each of the laboratory's faults as its servers would tell it, second by second: the right findings and no others."""

from __future__ import annotations

from datetime import timedelta

from console.board import pane_state
from console.readings import (
    Activity,
    BigKey,
    BlockedSession,
    PatroniMember,
    PostgresMember,
    RedisKeys,
    RedisServer,
    ReplicaLink,
    Sentinel,
    Session,
    Slot,
)
from tests.assessment.scene import MB, SQL_TOPICS, Scene, environment


def healthy() -> Scene:
    scene = Scene()
    scene.step(times=5)
    assert scene.ids == set()
    return scene


def calm(scene: Scene, most: int = 100) -> None:
    """It heals, and nothing comes after."""
    scene.until(lambda: not scene.ids, most)
    scene.step(times=30)
    assert scene.ids == set()


def promote(scene: Scene, member: str, timeline: int = 4) -> None:
    """A member takes over; its Patroni has the leader key."""
    scene.primary = member
    scene.change(PostgresMember, f"main/{member}", timeline=timeline)


def test_kill_primary_restarted_in_place() -> None:
    scene = healthy()
    scene.stop("pg-1", "terminating connection due to unexpected postmaster exit")
    scene.step(1.0, times=3)
    scene.restart("pg-1")
    scene.change(PostgresMember, "main/pg-1", in_recovery=True)
    scene.step(1.0)
    scene.mend(PostgresMember, "main/pg-1")
    scene.step(times=3)
    assert scene.ids == {"primary-restarted:main/pg-1"}
    restarted = scene.finding("primary-restarted:main/pg-1")
    assert restarted.since == scene.started["pg-1"]
    scene.step(times=45)
    assert scene.ids == {"primary-restarted:main/pg-1"}, "shown for two minutes"
    scene.step(times=20)
    assert scene.ids == set()
    assert scene.kinds_seen == {"primary-restarted"}


def test_kill_primary_crash_recovery_starts_twice() -> None:
    scene = healthy()
    scene.stop("pg-1")
    scene.step(1.0, times=2)
    scene.restart("pg-1")
    scene.change(PostgresMember, "main/pg-1", in_recovery=True)
    scene.step(1.0)
    scene.restart("pg-1")
    scene.step(times=3)
    assert scene.ids == {"primary-restarted:main/pg-1"}


def test_primary_restarted_seen_from_a_cold_start() -> None:
    scene = Scene()
    scene.now += timedelta(seconds=10)
    scene.started["pg-1"] = scene.now
    scene.step(times=2)
    assert scene.ids == {"primary-restarted:main/pg-1"}


def test_a_young_laboratory_was_not_restarted() -> None:
    scene = Scene()
    for index, name in enumerate(scene.members):
        scene.started[name] = scene.now + timedelta(seconds=4 * index)
    scene.now += timedelta(seconds=12)
    scene.step(times=100)
    assert scene.seen == set()


def test_a_switchover_raises_nothing() -> None:
    scene = healthy()
    scene.change(PostgresMember, "main/pg-1", in_recovery=True)
    scene.step(1.0, times=3)
    promote(scene, "pg-2")
    scene.mend(PostgresMember, "main/pg-1")
    scene.started["pg-1"] = scene.now  # it was restarted as a standby
    scene.stop("pg-1", "the database system is starting up")
    scene.step(1.0, times=4)
    scene.wake("pg-1")
    scene.step(times=60)
    scene.change(PostgresMember, "main/pg-2", in_recovery=True)
    scene.step(1.0, times=3)
    scene.primary = "pg-1"
    scene.mend(PostgresMember, "main/pg-2")
    scene.started["pg-2"] = scene.now
    scene.step(times=60)
    assert scene.seen == set()


def test_kill_primary_with_its_patroni() -> None:
    scene = healthy()
    scene.stop("pg-1")
    scene.fail(PatroniMember, "main/pg-1")
    steps = scene.until(lambda: bool(scene.ids), 10)
    assert steps * 2 <= 8
    assert scene.ids == {"primary-unreachable:main/pg-1"}
    lost = scene.finding("primary-unreachable:main/pg-1")
    assert lost.severity == "critical"
    assert lost.affects == ("acme", "bauhof", "cobalt")
    assert "payroll and purchasing of acme and bauhof" in lost.impact
    scene.step(times=6)
    promote(scene, "pg-2")
    scene.until(lambda: scene.ids == {"standby-unreachable:main/pg-1"}, 10)
    assert "primary until" in scene.finding("standby-unreachable:main/pg-1").title
    scene.wake("pg-1")
    scene.started["pg-1"] = scene.now
    calm(scene)
    assert scene.kinds_seen == {"primary-unreachable", "standby-unreachable"}


def test_hang_primary() -> None:
    scene = healthy()
    scene.hang("pg-1")
    scene.step(2.5, times=3)
    for name in ("pg-2", "pg-3"):  # after wal_receiver_timeout
        scene.change(PostgresMember, f"main/{name}", receiver_status="", replayed_bytes=scene.wal(8))
    scene.step(2.5, times=5)
    assert scene.ids == {"primary-hung:main/pg-1"}
    assert pane_is(scene, "database") == "critical"
    promote(scene, "pg-2")
    for name in ("pg-2", "pg-3"):
        scene.mend(PostgresMember, f"main/{name}")
    promote(scene, "pg-2")
    scene.until(lambda: scene.ids == {"standby-unreachable:main/pg-1"}, 10)
    scene.step(times=20)
    assert scene.ids == {"standby-unreachable:main/pg-1"}
    scene.wake("pg-1")
    calm(scene)
    assert scene.kinds_seen == {"primary-hung", "standby-unreachable"}


def test_a_hang_is_a_hang_whatever_words_the_look_ends_with() -> None:
    scene = healthy()
    for problem in (
        "no answer within 2 s",
        "the look was broken off",
        "no answer, and still busy with an earlier look",
    ):
        scene.stop("pg-1", problem)
        scene.step(times=4)
    assert scene.seen == {"primary-hung:main/pg-1"}


def test_a_hang_stays_one_when_patroni_falls_silent_too() -> None:
    scene = healthy()
    scene.hang("pg-1")
    scene.step(times=5)
    scene.fail(PatroniMember, "main/pg-1", "GET /patroni: no answer within 1.5 s")
    scene.step(times=20)
    assert scene.seen == {"primary-hung:main/pg-1"}


def test_hang_standby_stalls_commits_until_another_confirms() -> None:
    scene = healthy()
    scene.hang("pg-2")
    stalled_at = scene.now

    def waiting() -> dict[int, Session]:
        return {
            pid: Session(pid, "acme", "acme", "odoo", state="active", wait="IPC: SyncRep", query_start=stalled_at)
            for pid in range(50, 58)
        }

    scene.change(Activity, "main/pg-1", sessions=waiting)
    scene.step(1.5, times=4)
    assert "sync-standby-missing:main" in scene.ids
    scene.step(1.5, times=2)
    stall = scene.finding("sync-standby-missing:main")
    assert stall.caused_by == "standby-unreachable:main/pg-2"
    assert stall.affects == ("acme",)
    assert stall.since == stalled_at
    scene.mend(Activity, "main/pg-1")
    scene.change(PostgresMember, "main/pg-1", synchronous_names="pg-3")
    scene.until(lambda: scene.ids == {"standby-unreachable:main/pg-2"}, 10)
    scene.wake("pg-2")
    calm(scene)
    assert scene.kinds_seen == {"standby-unreachable", "sync-standby-missing"}


def test_lag_of_a_standby_that_the_primary_no_longer_lists() -> None:
    scene = healthy()
    position, at = scene.wal(), scene.now
    scene.change(
        PostgresMember, "main/pg-3", received_bytes=position, replayed_bytes=position, replayed_at=at,
        receiver_last_message_at=at,
    )  # fmt: skip
    scene.step(times=3)
    scene.change(PostgresMember, "main/pg-1", replicas={})
    steps = scene.until(lambda: bool(scene.ids), 20)
    assert (steps + 3) * 2 <= 22
    assert scene.ids == {"standby-lagging:main/pg-3"}
    lag = scene.finding("standby-lagging:main/pg-3")
    assert abs((lag.since - at).total_seconds()) <= 2
    scene.step(times=100)
    assert scene.ids == {"standby-lagging:main/pg-3"}
    scene.mend(PostgresMember, "main/pg-3")
    scene.mend(PostgresMember, "main/pg-1")
    calm(scene)
    assert scene.kinds_seen == {"standby-lagging"}


def test_lag_seen_from_a_cold_start() -> None:
    scene = Scene()
    behind = scene.wal() - 40 * MB
    at = scene.now - timedelta(minutes=5)
    scene.change(PostgresMember, "main/pg-3", received_bytes=behind, replayed_bytes=behind, replayed_at=at)
    scene.step(times=2)
    assert scene.ids == {"standby-lagging:main/pg-3"}
    assert abs((scene.finding("standby-lagging:main/pg-3").since - at).total_seconds()) <= 3


def test_an_idle_primary_makes_no_lag() -> None:
    """Nothing was committed for an hour: the last replayed commit is old, and nobody is behind."""
    scene = Scene()
    position, at = scene.wal(), scene.now - timedelta(hours=1)
    scene.change(PostgresMember, "main/pg-1", current_bytes=position)
    for name in ("pg-2", "pg-3"):
        scene.change(PostgresMember, f"main/{name}", received_bytes=position, replayed_bytes=position, replayed_at=at)
    scene.step(times=30)
    # One commit: the primary is read after the standbys, so that they look behind for one reading.
    scene.change(PostgresMember, "main/pg-1", current_bytes=position + 9000)
    scene.step()
    for name in ("pg-2", "pg-3"):
        scene.change(PostgresMember, f"main/{name}", received_bytes=position + 9000, replayed_bytes=position + 9000)
    scene.step(times=30)
    assert scene.seen == set()


def test_a_burst_of_wal_makes_no_lag() -> None:
    """A bulk load writes 800 MB within two seconds; for four seconds a standby is hundreds of megabytes behind."""
    scene = healthy()
    before = scene.wal()
    for written, replayed in ((400, 40), (800, 200), (800, 400), (800, 600), (800, 800)):
        scene.change(PostgresMember, "main/pg-1", current_bytes=before + written * MB)
        position = before + replayed * MB
        scene.change(PostgresMember, "main/pg-3", received_bytes=before + written * MB, replayed_bytes=position)
        scene.change(PostgresMember, "main/pg-2", received_bytes=position, replayed_bytes=position)
        scene.step(1.0)
    scene.step(times=5)
    assert scene.seen == set()


def test_pause_patroni() -> None:
    scene = healthy()
    for name in scene.members:
        scene.change(PatroniMember, f"main/{name}", paused=True)
    scene.step(times=2)
    assert scene.ids == {"patroni-paused:main"}
    for name in scene.members:
        scene.mend(PatroniMember, f"main/{name}")
    calm(scene)
    assert scene.kinds_seen == {"patroni-paused"}


def test_freeze_patroni_names_both_members() -> None:
    scene = healthy()
    scene.fail(PatroniMember, "main/pg-1", "no answer within 2 s")
    scene.step(times=10)
    assert scene.ids == {"patroni-unreachable:main/pg-1"}
    assert scene.finding("patroni-unreachable:main/pg-1").severity == "critical"
    scene.change(
        PostgresMember, "main/pg-1", in_recovery=False, current_bytes=scene.wal(), replicas={}, sync_missing=True
    )
    promote(scene, "pg-2")
    scene.step(times=3)
    assert scene.ids == {"patroni-unreachable:main/pg-1", "two-primaries:main"}
    two = scene.finding("two-primaries:main")
    assert "pg-1" in two.title
    assert "pg-2" in two.title
    assert two.title.index("pg-2") < two.title.index("pg-1"), "the newest timeline first"
    assert two.severity == "critical"
    assert two.caused_by == "patroni-unreachable:main/pg-1"
    assert {row.what for row in two.evidence} == {"pg-1", "pg-2"}
    scene.mend(PatroniMember, "main/pg-1")
    scene.mend(PostgresMember, "main/pg-1")
    calm(scene)
    assert scene.kinds_seen == {"patroni-unreachable", "two-primaries"}


def test_etcd_down() -> None:
    scene = healthy()
    last = scene.now

    def cut_off() -> None:
        for name in scene.members:
            scene.change(
                PatroniMember, f"main/{name}", status="partial", problem="GET /cluster: HTTP 503", dcs_last_seen=last,
                members={}, leader="",
            )  # fmt: skip

    cut_off()
    scene.step(times=3)
    scene.change(PostgresMember, "main/pg-1", in_recovery=True)
    scene.step(times=10)
    assert scene.ids == {"dcs-unreachable:main", "no-primary:main"}
    assert scene.finding("no-primary:main").caused_by == "dcs-unreachable:main"
    store = scene.finding("dcs-unreachable:main")
    assert store.since == last
    assert "nothing can be saved" in store.impact
    for name in scene.members:
        scene.mend(PatroniMember, f"main/{name}")
    scene.mend(PostgresMember, "main/pg-1")
    calm(scene)
    assert scene.kinds_seen == {"dcs-unreachable", "no-primary"}


def storm(scene: Scene, *, idle_head: bool = False, waiting: int = 12) -> None:
    """As the laboratory makes it: 100 holds the table, 101 waits for it and holds a row, the others wait for the row."""
    began = scene.now

    def sessions() -> dict[int, Session]:
        head = Session(
            100, "acme", "acme", "odoo-acme import", state="idle in transaction" if idle_head else "active",
            xact_start=began, query_start=began, state_change=began, query="lock table purchase_order",
        )  # fmt: skip
        rest = {
            pid: Session(
                pid, "acme" if pid < 110 else "bauhof", "acme", "odoo-acme worker", state="active", wait="Lock: tuple",
                xact_start=began, query_start=began,
            )
            for pid in range(101, 101 + waiting)
        }  # fmt: skip
        return {100: head, **rest}

    rows = {
        pid: BlockedSession(pid, (100,) if pid == 101 else (101,), began, "X", "acme: relation purchase_order")
        for pid in range(101, 101 + waiting)
    }
    scene.change(Activity, "main/pg-1", sessions=sessions, blocked=rows, sessions_total=waiting + 1)


def test_lock_storm_names_its_head() -> None:
    scene = healthy()
    storm(scene)
    began = scene.now
    scene.step(times=4)
    assert scene.ids == {"lock-waits:main"}
    waits = scene.finding("lock-waits:main")
    assert "12 sessions" in waits.title
    assert "pid 100" in waits.title
    assert "pid 100 (odoo-acme import on acme)" in waits.action
    assert waits.affects == ("acme", "bauhof")
    assert waits.since == began
    heads = [row for row in waits.evidence if row.what.startswith("head")]
    assert len(heads) == 1
    assert "12 sessions behind it" in heads[0].value
    assert heads[0].text == "lock table purchase_order"
    scene.step(times=1000)
    assert scene.ids == {"lock-waits:main"}, "the head and those who wait are told once"
    scene.mend(Activity, "main/pg-1")
    calm(scene)


def test_lock_storm_behind_a_forgotten_transaction_is_told_once() -> None:
    scene = healthy()
    storm(scene, idle_head=True)
    scene.step(times=60)
    assert scene.ids == {"lock-waits:main"}
    assert "does nothing" in scene.finding("lock-waits:main").action


def test_a_ring_of_locks_is_no_trap() -> None:
    scene = healthy()
    began = scene.now
    rows = {1: BlockedSession(1, (2,), began), 2: BlockedSession(2, (3,), began), 3: BlockedSession(3, (1,), began)}
    scene.change(Activity, "main/pg-1", blocked=rows, sessions={})
    scene.step(times=4)
    assert scene.ids == {"lock-waits:main"}


def test_connection_flood() -> None:
    scene = healthy()
    scene.change(
        PostgresMember, "main/pg-1", connections=53, connections_by_database={"bauhof": 36, "acme": 14, "postgres": 3}
    )
    scene.step(times=2)
    assert scene.ids == {"connections-near-limit:main/pg-1"}
    flood = scene.finding("connections-near-limit:main/pg-1")
    assert flood.severity == "critical"
    assert flood.affects[0] == "bauhof"
    assert "bauhof (36" in flood.action
    assert "53 of 53" in flood.evidence[0].value
    scene.mend(PostgresMember, "main/pg-1")
    calm(scene)


def test_connection_flood_that_keeps_the_console_out() -> None:
    scene = healthy()
    scene.stop("pg-1", "10.0.0.1:5432: FATAL: remaining connection slots are reserved for roles")
    scene.step(times=20)
    assert scene.seen == {"connections-near-limit:main/pg-1"}


def test_idle_in_transaction() -> None:
    scene = healthy()
    began = scene.now
    rows = {
        pid: Session(
            pid,
            "cobalt",
            "cobalt",
            "odoo-cobalt report",
            state="idle in transaction",
            xact_start=began,
            state_change=began,
        )
        for pid in (7, 8)
    }
    scene.change(Activity, "main/pg-1", sessions=rows)
    scene.step(times=29)
    assert scene.ids == set()
    scene.step(times=4)
    assert scene.ids == {"idle-in-transaction:main"}
    idle = scene.finding("idle-in-transaction:main")
    assert idle.since == began
    assert idle.affects == ("cobalt",)
    assert "database cobalt" in idle.impact
    scene.mend(Activity, "main/pg-1")
    calm(scene)


def test_slot_fills_disk() -> None:
    scene = healthy()
    gone_at = scene.now
    for kept in (20, 80, 140, 208, 208, 208):
        slot = Slot("unread", retained_bytes=kept * MB, safe_bytes=(256 - kept) * MB, inactive_since=gone_at)
        scene.change(PostgresMember, "main/pg-1", slots={"unread": slot})
        scene.step()
    assert scene.ids == {"slot-retains-wal:main/unread"}
    assert scene.finding("slot-retains-wal:main/unread").since == gone_at
    scene.mend(PostgresMember, "main/pg-1")
    calm(scene)
    assert scene.kinds_seen == {"slot-retains-wal"}


def test_the_slot_of_a_lost_standby_is_its_consequence() -> None:
    scene = healthy()
    scene.stop("pg-3")
    scene.fail(PatroniMember, "main/pg-3")
    slot = Slot("pg_3", retained_bytes=200 * MB, safe_bytes=56 * MB)
    scene.change(PostgresMember, "main/pg-1", slots={"pg_3": slot})
    scene.step(times=15)
    assert scene.ids == {"standby-unreachable:main/pg-3", "slot-retains-wal:main/pg_3"}
    assert scene.finding("slot-retains-wal:main/pg_3").caused_by == "standby-unreachable:main/pg-3"


def test_cache_full() -> None:
    scene = healthy()
    scene.change(RedisServer, "cache/cache-1", used_memory=60 * MB, evicted_per_s=30.0, keys_with_ttl=200)
    scene.step(times=2)
    scene.change(
        RedisServer, "cache/cache-1", used_memory=64 * MB, evicted_per_s=0.0, keys_with_ttl=0, write_refused="OOM: used memory is over maxmemory"
    )  # fmt: skip
    scene.step(times=2)
    assert scene.ids == {
        "cache-memory-full:cache/cache-1",
        "cache-writes-refused:cache/cache-1",
        "cache-evicting:cache/cache-1",
    }
    assert scene.finding("cache-evicting:cache/cache-1").caused_by == "cache-memory-full:cache/cache-1"
    refused = scene.finding("cache-writes-refused:cache/cache-1")
    assert refused.severity == "critical"
    assert refused.caused_by == "cache-memory-full:cache/cache-1"
    assert "sessions and job queues" in refused.impact
    scene.mend(RedisServer, "cache/cache-1")
    calm(scene)


def test_cache_primary_killed_and_replaced() -> None:
    scene = healthy()
    scene.fail(RedisServer, "cache/cache-1")
    scene.step(2.0)
    for name in scene.sentinels:
        scene.change(Sentinel, f"cache/{name}", primary_flags="master,s_down,o_down")
    scene.step(2.0)
    for name in scene.sentinels:
        scene.mend(Sentinel, f"cache/{name}")
    scene.cache_primary = "cache-2"
    scene.change(RedisServer, "cache/cache-2", replicas={})
    scene.step(times=3)
    assert scene.ids == {"cache-failover:cache"}
    moved = scene.finding("cache-failover:cache")
    assert "cache-2 took over from cache-1" in moved.title
    scene.step(times=6)
    assert scene.ids == {"cache-failover:cache", "cache-no-replica:cache"}
    assert scene.finding("cache-no-replica:cache").caused_by == "cache-failover:cache"
    scene.mend(RedisServer, "cache/cache-1")
    scene.change(RedisServer, "cache/cache-1", role="primary")  # it comes back as it was; Sentinels take 11 s
    scene.step(times=5)
    scene.mend(RedisServer, "cache/cache-1")
    scene.mend(RedisServer, "cache/cache-2")
    calm(scene)
    assert scene.kinds_seen == {"cache-failover", "cache-no-replica"}


def test_cache_primary_down_where_nobody_takes_over() -> None:
    scene = healthy()
    scene.fail(RedisServer, "cache/cache-1")
    scene.step(times=5)
    assert scene.ids == {"cache-primary-down:cache"}
    down = scene.finding("cache-primary-down:cache")
    assert "payroll and purchasing lose sessions and job queues" in down.impact


def test_sentinel_lost() -> None:
    scene = healthy()
    scene.fail(Sentinel, "cache/s-3")
    scene.step(times=5)
    assert scene.ids == {"sentinel-lost:cache/s-3"}
    scene.mend(Sentinel, "cache/s-3")
    calm(scene)


def test_two_and_three_sentinels_lost() -> None:
    for lost in (("s-2", "s-3"), ("s-1", "s-2", "s-3")):
        scene = healthy()
        for name in lost:
            scene.fail(Sentinel, f"cache/{name}")
        scene.change(Sentinel, "cache/s-1", quorum_ok=False, quorum_answer="NOQUORUM 1 usable Sentinels.")
        scene.step(times=6)
        assert scene.ids == {"sentinel-no-quorum:cache", *(f"sentinel-lost:cache/{name}" for name in lost)}
        assert scene.finding("sentinel-no-quorum:cache").caused_by.startswith("sentinel-lost:cache/")
        # They come back one by one, and agree before all are there.
        scene.mend(Sentinel, "cache/s-2")
        scene.mend(Sentinel, "cache/s-1")
        scene.step()
        assert scene.finding("sentinel-no-quorum:cache").state == "open"
        scene.step(times=2)
        assert "sentinel-no-quorum:cache" not in scene.ids


def test_big_keys() -> None:
    scene = healthy()
    rows = {"0:report": BigKey("report", "string", 12 * MB), "0:export": BigKey("export", "list", 2 * MB, 200_000)}
    scene.change(RedisKeys, "cache", big=rows)
    scene.step(times=2)
    assert scene.ids == {"big-keys:cache"}
    assert "1 key" in scene.finding("big-keys:cache").title
    scene.mend(RedisKeys, "cache")
    calm(scene)


def test_a_hung_replica_of_the_cache_is_told_once_its_primary_gives_it_up() -> None:
    scene = healthy()
    scene.fail(RedisServer, "cache/cache-2", "no answer within 2 s")
    scene.step(times=4)
    assert scene.ids == set()
    scene.change(RedisServer, "cache/cache-1", replicas={})
    scene.until(lambda: scene.ids == {"cache-no-replica:cache"}, 12)


def test_a_slow_replica_that_is_linked_is_lagging() -> None:
    scene = healthy()
    link = ReplicaLink("cache-2:6379", "online", 5, 1 * MB, 14.0)
    scene.change(RedisServer, "cache/cache-1", replicas={link.address: link})
    scene.step(times=2)
    assert scene.ids == {"cache-replica-lagging:cache/cache-2"}


def pane_is(scene: Scene, pane: str) -> str:
    from console.readings import Environment

    pairs = tuple(
        f"{where.topic} {where.key}"
        for reading in scene.readings()
        if (where := reading.where) and reading.pane == pane
    )
    scene.board.put(Environment(taken_at=scene.now, name="test", panes={pane: pairs}))
    return pane_state(scene.board, pane, scene.now).state  # type: ignore[arg-type]


def test_a_single_server_of_each() -> None:
    scene = Scene(environment(members=("pg-1",), servers=("cache-1",), sentinels=(), patroni=False))
    scene.step(times=40)
    assert scene.seen == set()
    scene.stop("pg-1")
    scene.fail(RedisServer, "cache/cache-1")
    scene.step(times=8)
    assert scene.ids == {"primary-unreachable:main/pg-1", "cache-primary-down:cache"}
    assert "promote a standby by hand" not in scene.finding("primary-unreachable:main/pg-1").action
    scene.restart("pg-1")
    scene.mend(RedisServer, "cache/cache-1")
    scene.step(times=10)
    assert scene.ids == {"primary-restarted:main/pg-1"}
    calm(scene)


def test_plain_streaming_promoted_by_hand() -> None:
    scene = Scene(environment(sentinels=(), patroni=False))
    scene.step(times=5)
    scene.stop("pg-1")
    scene.step(times=10)
    assert scene.ids == {"primary-unreachable:main/pg-1"}
    promote(scene, "pg-3")
    scene.until(lambda: scene.ids == {"standby-unreachable:main/pg-1"}, 10)
    scene.wake("pg-1")
    scene.change(PostgresMember, "main/pg-1", in_recovery=False, timeline=3, current_bytes=scene.wal())
    scene.until(lambda: "two-primaries:main" in scene.ids, 5)
    assert scene.finding("two-primaries:main").title.endswith("pg-3 and pg-1")


def test_nobody_can_be_reached() -> None:
    scene = Scene()
    for name in scene.members:
        scene.stop(name, "no route to host")
        scene.fail(PatroniMember, f"main/{name}")
    scene.step(times=2)
    assert scene.ids == {"primary-unreachable:main"}
    assert pane_is(scene, "database") == "critical"
    for name in scene.members:
        scene.wake(name)
    calm(scene)
    assert scene.kinds_seen == {"primary-unreachable"}


def test_nobody_can_be_reached_any_more() -> None:
    scene = healthy()
    for name in scene.members:
        scene.stop(name, "no route to host")
        scene.fail(PatroniMember, f"main/{name}")
    scene.step(times=30)
    assert "primary-unreachable:main/pg-1" in scene.ids
    assert scene.kinds == {"primary-unreachable", "standby-unreachable"}
    for name in scene.members:
        scene.wake(name)
    calm(scene)


def test_a_standby_cluster_is_meant_to_be_read_only() -> None:
    scene = Scene()
    scene.primary = ""
    scene.change(PatroniMember, "main/pg-1", role="standby_leader", leader="pg-1")
    scene.change(PostgresMember, "main/pg-1", receiver_from="10.9.0.1:5432")
    scene.step(times=30)
    assert scene.seen == set()
    plain = Scene(environment(sentinels=(), patroni=False))
    plain.primary = ""
    plain.step(times=30)
    assert plain.seen == set()
    for name in plain.members:
        plain.change(PostgresMember, f"main/{name}", receiver_status="", receiver_last_message_at=None)
    plain.step(times=5)
    assert plain.ids == {"no-primary:main"}


def test_what_is_left_of_a_bigger_problem_goes_with_it() -> None:
    """A hung member wakes up; its Patroni answers again a little later, and is not told as news."""
    scene = healthy()
    scene.hang("pg-2")
    scene.fail(PatroniMember, "main/pg-2", "no answer within 2 s")
    scene.step(times=20)
    for cls in SQL_TOPICS:
        scene.mend(cls, "main/pg-2")
    scene.step(times=5)
    scene.mend(PatroniMember, "main/pg-2")
    scene.step(times=10)
    assert scene.seen == {"standby-unreachable:main/pg-2"}


def test_what_is_left_of_a_bigger_problem_and_stays_is_told() -> None:
    scene = healthy()
    scene.hang("pg-2")
    scene.fail(PatroniMember, "main/pg-2", "no answer within 2 s")
    scene.step(times=20)
    for cls in SQL_TOPICS:
        scene.mend(cls, "main/pg-2")
    scene.until(lambda: scene.ids == {"patroni-unreachable:main/pg-2"}, 10)
