"""Faults of a standby: hung, or no longer receiving."""

from __future__ import annotations

import signal
from pathlib import Path

import psycopg

from console.lab import health
from console.lab.errors import LabError
from console.lab.faults import tools
from console.lab.faults.base import Deed, Fault, Parameter, Signs, Stroke, Truth, Variant
from console.lab.process import Identity, command_line, postgres_processes, send
from console.lab.state import Server

_ROLES = {"sync": "sync_standby", "async": "replica"}


def _choose(stroke: Stroke, which: str) -> Server:
    stroke.notes["member"] = health.named(stroke.lab, _ROLES[which])
    return _member(stroke)


def _member(stroke: Stroke) -> Server:
    return stroke.lab.servers[stroke.notes["member"]]


def _walreceivers(server: Server) -> list[Identity]:
    found = postgres_processes(Path(server.data_directory))
    return [process for process in found if "walreceiver" in command_line(process)]


def _stop_receiving(stroke: Stroke) -> None:
    server = _choose(stroke, "async")
    receivers = _walreceivers(server)
    if not receivers:
        raise LabError(f"{server.name} has no walreceiver")
    for process in receivers:
        send(process, signal.SIGSTOP)


def _behind(stroke: Stroke) -> bool:
    """The standby's received position falls behind the primary's, seen as they are, not as the primary believes."""
    try:
        position = tools.query(stroke.lab, tools.leader(stroke.lab), "select pg_current_wal_flush_lsn()::text")[0][0]
        statement = "select pg_wal_lsn_diff(%s::pg_lsn, pg_last_wal_receive_lsn()) > 0"
        return bool(tools.query(stroke.lab, _member(stroke).name, statement, position)[0][0])
    except psycopg.Error:
        return False


def _receive_again(stroke: Stroke) -> None:
    for process in _walreceivers(_member(stroke)):
        send(process, signal.SIGCONT)


_CONSEQUENCES = ("standby-not-streaming", "standby-lagging", "patroni-unreachable")

HANG_STANDBY = Fault(
    name="hang-standby",
    does="SIGSTOP to every PostgreSQL process of a standby; its Patroni runs on. which=sync: the synchronous one, "
    "for which commits wait until the primary gives it up after 5 s and Patroni names the other",
    observable_from="every process stands still: no statement and no log-in is answered",
    parameters=(Parameter("which", "sync", "the synchronous standby or the other", ("sync", "async")),),
    signs=Signs(
        findings=("standby-unreachable",),
        allowed=(*_CONSEQUENCES, "sync-standby-missing"),
        panes={"database": "warning"},
        latency_s=12,
        truth=Truth(
            broken="the synchronous standby stands still",
            felt="every tenant: commits wait some six seconds, then go on with the other standby",
            cause="standby-unreachable",
        ),
    ),
    variants=(
        Variant(
            {"which": "async"},
            Signs(
                findings=("standby-unreachable",),
                allowed=_CONSEQUENCES,
                panes={"database": "warning"},
                latency_s=12,
                truth=Truth(
                    broken="the asynchronous standby stands still",
                    felt="nobody; one more loss would stop commits",
                    cause="standby-unreachable",
                ),
            ),
        ),
    ),
)

LAG = Fault(
    name="lag",
    does="SIGSTOP to the walreceiver of the asynchronous standby; it goes on answering queries from what it has. After "
    "wal_sender_timeout (5 s) the primary closes the connection and its row leaves pg_stat_replication",
    observable_from="the position that the standby has received is behind the primary's",
    signs=Signs(
        findings=("standby-lagging",),
        allowed=("standby-not-streaming",),
        panes={"database": "warning"},
        latency_s=30,
        truth=Truth(
            broken="the asynchronous standby receives nothing",
            felt="nobody who writes; who reads from the standby sees old data, and a failover to it would lose it",
            cause="standby-lagging",
        ),
    ),
)

DEEDS = {
    HANG_STANDBY.name: (
        HANG_STANDBY,
        Deed(
            lambda stroke: tools.stop_postgres(_choose(stroke, stroke.text("which"))),
            lambda stroke: tools.postgres_stopped(_member(stroke)),
            lambda stroke: tools.resume_postgres(_member(stroke)),
        ),
    ),
    LAG.name: (LAG, Deed(_stop_receiving, _behind, _receive_again)),
}
