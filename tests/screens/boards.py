"""Scripted boards for screens: the same shapes that the engine sends, at a frozen moment.

Each scenario is a function ``(now) -> Board``; ``SCENARIOS`` names them. A reading that failed is made by ``failed``,
which keeps nothing of the content, as the engine does.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from console.board import Board
from console.readings import (
    Activity,
    BlockedSession,
    DcsMember,
    Evidence,
    PatroniMember,
    PostgresIo,
    PostgresMember,
    PostgresSettings,
    PostgresStatements,
    RedisServer,
    Sentinel,
    Session,
)
from tests.screens import board_cache as cache_parts
from tests.screens import board_database as db
from tests.screens.board_ground import MB, NOW, ago, change, failed, finding, findings, healthy, put
from tests.screens.board_ingress import ingress_bare, ingress_broken, ingress_silent, ingress_well
from tests.screens.board_second import two_of_each
from tests.screens.board_tenants import (
    tenants_broken,
    tenants_many,
    tenants_silent,
    tenants_well,
    tenants_without_primary,
)

__all__ = ["NOW", "SCENARIOS", "Scenario", "healthy"]

Scenario = Callable[[datetime], Board]

DATABASE_TOPICS = (PostgresMember, Activity, PostgresStatements, PostgresIo, PostgresSettings)


def hang_primary(now: datetime = NOW) -> Board:
    """All PostgreSQL processes of pg-2 are stopped; its Patroni runs on and the DCS still says all is well."""
    board = healthy(now)
    for cls in DATABASE_TOPICS:
        failed(board, cls, "main/pg-2", now, "no answer within 2 s", 8)
    for name in (db.SYNC, db.ASYNC):
        change(board, PostgresMember, f"main/{name}", receiver_last_message_at=ago(now, 8))
    rows = [
        finding(
            now,
            "primary-unreachable",
            "main/pg-2",
            "critical",
            "Primary pg-2 of main does not answer",
            8,
            impact="Nothing can be read or saved in acme_prod, bauhof_prod, cobalt_prod, delta_prod.",
            action="Check the host of pg-2; if it stays silent, fail over to pg-1 (synchronous, no loss).",
            affects=("acme_prod", "bauhof_prod", "cobalt_prod", "delta_prod"),
            evidence=(
                Evidence("SQL", "no answer within 2 s", "2 s", "postgres main/pg-2", ago(now, 1)),
                Evidence("Patroni", "still says running, leader", "", "patroni main/pg-2", ago(now, 1)),
            ),
        )
    ]
    return put(board, findings(now, board, rows))


def lag(now: datetime = NOW) -> Board:
    """The walreceiver of pg-3 is stopped: its row has left pg_stat_replication, its own positions stand still."""
    board = healthy(now)
    change(
        board,
        PostgresMember,
        "main/pg-3",
        received_bytes=db.WAL_AT - 96 * MB,
        replayed_bytes=db.WAL_AT - 97 * MB,
        replayed_at=ago(now, 84),
        receiver_status="",
        receiver_from="",
        receiver_last_message_at=None,
    )
    change(board, PostgresMember, "main/pg-2", replicas={"1": db.replicas()["1"]})
    rows = [
        finding(
            now,
            "replication-lag",
            "main/pg-3",
            "warning",
            "pg-3 of main is 97 MB and 84 s behind",
            70,
            impact="Nothing yet: a failover to pg-3 would lose 84 s of work.",
            action="Read the log of pg-3; see whether its walreceiver runs.",
            evidence=(Evidence("behind", "97 MB", "16 MB", "postgres main/pg-3", ago(now, 1)),),
        )
    ]
    return put(board, findings(now, board, rows))


def lock_storm(now: datetime = NOW) -> Board:
    """An import holds purchase_order; fourteen sessions queue behind it, some behind one another."""
    board = healthy(now)
    reading = board.get(Activity, "main/pg-2")
    assert reading is not None
    sessions = dict(reading.sessions)
    head = 4121
    sessions[head] = Session(
        head,
        "acme_prod",
        "acme",
        "payroll-import",
        "10.1.0.77",
        "idle in transaction",
        "Client: ClientRead",
        ago(now, 900),
        ago(now, 369),
        ago(now, 369),
        ago(now, 366),
        "UPDATE purchase_order SET state = 'to approve' WHERE company_id = 3",
    )
    blocked: dict[int, BlockedSession] = {}
    for index in range(14):
        pid = 5200 + 3 * index
        behind = head if index < 9 else 5200 + 3 * (index - 9)
        waited = 360 - 21 * index
        sessions[pid] = Session(
            pid,
            ("acme_prod", "bauhof_prod", "cobalt_prod")[index % 3],
            ("acme", "bauhof", "cobalt")[index % 3],
            "odoo",
            f"10.1.0.{120 + index}",
            "active",
            "Lock: transactionid" if index % 2 else "Lock: tuple",
            ago(now, 2000 + index),
            ago(now, waited + 1),
            ago(now, waited),
            ago(now, waited),
            "UPDATE purchase_order SET amount_total = $1 WHERE id = $2",
        )
        blocked[pid] = BlockedSession(
            pid,
            (behind,),
            ago(now, waited),
            "ShareLock" if index % 2 else "ExclusiveLock",
            "transaction 73218812" if index % 2 else "acme_prod: tuple in purchase_order",
        )
    change(board, Activity, "main/pg-2", sessions=sessions, sessions_total=len(sessions), blocked=blocked)
    rows = [
        finding(
            now,
            "lock-waits",
            "main",
            "critical",
            "14 sessions of main wait behind pid 4121",
            360,
            impact="Approving purchases hangs at acme, bauhof and cobalt.",
            action="See what pid 4121 (payroll-import) does; ask its owner, or end it.",
            affects=("acme_prod", "bauhof_prod", "cobalt_prod"),
            evidence=(
                Evidence("sessions waiting", "14", "5", "postgres.activity main/pg-2", ago(now, 1)),
                Evidence("longest wait", "6 min", "30 s", "postgres.activity main/pg-2", ago(now, 1)),
            ),
        ),
        finding(
            now,
            "idle-in-transaction",
            "main/4121",
            "warning",
            "payroll-import idle in transaction for 6 min",
            366,
            impact="It holds locks and keeps dead rows from removal in acme_prod.",
            action="Ask the owner of payroll-import, or end the session.",
        ),
    ]
    return put(board, findings(now, board, rows))


def two_primaries(now: datetime = NOW) -> Board:
    """pg-1 was promoted while pg-2, whose Patroni is frozen, still accepts writes."""
    board = healthy(now)
    failed(board, PatroniMember, "main/pg-2", now, "no answer within 2 s", 24)
    change(
        board,
        PostgresMember,
        "main/pg-1",
        in_recovery=False,
        timeline=8,
        current_bytes=db.WAL_AT + 3 * MB,
        received_bytes=None,
        replayed_bytes=None,
        replayed_at=None,
        receiver_status="",
        receiver_last_message_at=None,
        receiver_from="",
        wal_per_s=40_000.0,
        replicas={"1": db.replicas()["2"]},
    )
    change(board, PostgresMember, "main/pg-2", replicas={}, sync_missing=True)
    change(board, PostgresMember, "main/pg-3", timeline=8, receiver_from="10.0.0.11:5432")
    for name in (db.SYNC, db.ASYNC):
        change(
            board,
            PatroniMember,
            f"main/{name}",
            leader="pg-1",
            role="primary" if name == "pg-1" else "replica",
            timeline=8,
            members={
                "pg-1": DcsMember("pg-1", "leader", "running", 8),
                "pg-2": DcsMember("pg-2", "replica", "running", 7),
                "pg-3": DcsMember("pg-3", "sync_standby", "streaming", 8, 0),
            },
        )
    rows = [
        finding(
            now,
            "two-primaries",
            "main",
            "critical",
            "pg-1 and pg-2 of main both accept writes",
            19,
            impact="Work saved on pg-2 will be lost; acme_prod and others may see two truths.",
            action="Stop PostgreSQL on pg-2 now; pg-1 holds the leader key.",
            affects=db.DATABASES[:4],
            evidence=(
                Evidence(
                    "out of recovery", "pg-1 (timeline 8), pg-2 (timeline 7)", "1", "postgres main/pg-2", ago(now, 1)
                ),
            ),
        )
    ]
    return put(board, findings(now, board, rows))


def no_primary(now: datetime = NOW) -> Board:
    """pg-2 is gone altogether, the leader key has run out, nobody has been promoted."""
    board = healthy(now)
    for cls in (*DATABASE_TOPICS, PatroniMember):
        failed(board, cls, "main/pg-2", now, "connection refused", 31)
    for name in (db.SYNC, db.ASYNC):
        change(
            board,
            PatroniMember,
            f"main/{name}",
            leader="",
            cluster_unlocked=True,
            members={member: DcsMember(member, "replica", "running", 7, 0) for member in (db.SYNC, db.ASYNC)},
        )
        change(
            board, PostgresMember, f"main/{name}", receiver_status="", receiver_from="", receiver_last_message_at=None
        )
    rows = [
        finding(
            now,
            "no-primary",
            "main",
            "critical",
            "main has no primary",
            31,
            impact="Nothing can be saved in acme_prod, bauhof_prod, cobalt_prod, delta_prod.",
            action="See why neither pg-1 nor pg-3 is promoted: paused, lag, or the DCS.",
            affects=db.DATABASES[:4],
            evidence=(Evidence("leader key", "held by nobody", "", "patroni main/pg-1", ago(now, 1)),),
        )
    ]
    return put(board, findings(now, board, rows))


def cache_down(now: datetime = NOW) -> Board:
    """cache-1 is dead; the Sentinels see it objectively down and have not yet chosen another."""
    board = healthy(now)
    failed(board, RedisServer, "cache/cache-1", now, "connection refused", 9)
    change(
        board,
        RedisServer,
        "cache/cache-2",
        link_up=False,
        link_down_s=9.0,
        primary_last_io_s=None,
    )
    for name in cache_parts.SENTINELS:
        change(board, Sentinel, f"cache/{name}", primary_flags="master,s_down,o_down,disconnected")
    rows = [
        finding(
            now,
            "cache-primary-unreachable",
            "cache/cache-1",
            "critical",
            "Cache primary cache-1 refuses connections",
            9,
            impact="Sessions and job queues stand still for every application.",
            action="Wait for Sentinel's failover; if none within 60 s, see the Sentinels' log.",
            evidence=(Evidence("connection", "refused", "", "redis cache/cache-1", ago(now, 1)),),
        )
    ]
    return put(board, findings(now, board, rows))


def all_unknown(now: datetime = NOW) -> Board:
    """Nobody answers: every look at every server failed since 02:46:30."""
    board = healthy(now)
    for reading in list(board):
        if reading.pane is not None:
            failed(board, type(reading), reading.key, now, "no answer within 2 s", 42)
    return put(board, findings(now, board, []))


def not_read_yet(now: datetime = NOW) -> Board:
    """The engine has just started: it knows what it will read, and has read nothing."""
    full = healthy(now)
    ground = full.environment
    assert ground is not None
    board = put(Board(), ground)
    return put(board, findings(now, board, [], looks=0))


def engine_lost(now: datetime = NOW) -> Board:
    """Nothing has come from the engine for half a minute: the healthy board, grown old."""
    return healthy(ago(now, 30))


SCENARIOS: dict[str, Scenario] = {
    "healthy": healthy,
    "hang-primary": hang_primary,
    "lag": lag,
    "lock-storm": lock_storm,
    "two-primaries": two_primaries,
    "no-primary": no_primary,
    "cache-down": cache_down,
    "all-unknown": all_unknown,
    "not-read-yet": not_read_yet,
    "engine-lost": engine_lost,
    "two-of-each": two_of_each,
    "tenants": tenants_well,
    "tenants-broken": tenants_broken,
    "tenants-silent": tenants_silent,
    "tenants-many": tenants_many,
    "tenants-without-primary": tenants_without_primary,
    "ingress": ingress_well,
    "ingress-broken": ingress_broken,
    "ingress-silent": ingress_silent,
    "ingress-bare": ingress_bare,
}
