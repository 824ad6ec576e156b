"""Faults of the primary: killed, hung, or left alone by its Patroni."""

from __future__ import annotations

import signal
from pathlib import Path

from console.lab.errors import LabError
from console.lab.faults import tools
from console.lab.faults.base import Deed, Fault, Parameter, Signs, Stroke, Truth, Variant
from console.lab.process import postmaster, send

_STARTED = "select pg_postmaster_start_time()::text"


def _kill(stroke: Stroke) -> None:
    member = tools.leader(stroke.lab)
    server = stroke.lab.servers[member]
    stroke.notes |= {"member": member, "started": str(tools.answer(stroke.lab, member, _STARTED))}
    if stroke.flag("with_patroni"):
        tools.hold(stroke, member)
    main = postmaster(Path(server.data_directory))
    if main is None:
        raise LabError(f"PostgreSQL on {member} does not run")
    send(main, signal.SIGKILL)


def _killed(stroke: Stroke) -> bool:
    member = stroke.notes["member"]
    if stroke.flag("with_patroni"):
        return tools.refused(stroke.lab.servers[member])
    started = tools.answer(stroke.lab, member, _STARTED)
    return started is not None and started != stroke.notes["started"]


def _revive(stroke: Stroke) -> None:
    if stroke.flag("with_patroni"):
        tools.release(stroke, stroke.notes["member"])


def _hang(stroke: Stroke) -> None:
    stroke.notes["member"] = tools.leader(stroke.lab)
    tools.stop_postgres(stroke.lab.servers[stroke.notes["member"]])


def _freeze(stroke: Stroke) -> None:
    member = tools.leader(stroke.lab)
    stroke.notes["member"] = member
    patroni = stroke.lab.servers[member].process
    if patroni is None or not send(patroni, signal.SIGSTOP):
        raise LabError(f"Patroni on {member} does not run")


def _two_out_of_recovery(stroke: Stroke) -> bool:
    members = [server.name for server in stroke.lab.of_kind("patroni")]
    return [tools.answer(stroke.lab, name, "select pg_is_in_recovery()") for name in members].count(False) > 1


def _thaw(stroke: Stroke) -> None:
    patroni = stroke.lab.servers[stroke.notes["member"]].process
    if patroni is not None:
        send(patroni, signal.SIGCONT)


_RESTARTED = Signs(
    findings=("primary-restarted",),
    allowed=(
        "primary-unreachable",
        "no-primary",
        "standby-not-streaming",
        "sync-standby-missing",
    ),
    panes={"database": "warning"},
    latency_s=10,
    lasts_s=100,
    heals_itself=True,
    lingers_s=130,
    tenants=("*",),
    truth=Truth(
        broken="PostgreSQL on the primary crashed and was started again in place; every session was cut",
        felt="every tenant: errors for some four seconds, and work in open transactions lost",
        cause="primary-restarted",
    ),
)
_DEAD = Signs(
    findings=("primary-unreachable",),
    allowed=(
        "no-primary",
        "patroni-unreachable",
        "leader-stale",
        "standby-unreachable",
        "standby-not-streaming",
        "sync-standby-missing",
        "primary-restarted",  # healed before the leader key has run out, it starts again in place
    ),
    panes={"database": "critical"},
    latency_s=12,
    lasts_s=8,
    lingers_s=130,
    tenants=("*",),
    truth=Truth(
        broken="the primary and its Patroni are dead; a standby takes over when the leader key has run out after 20 s",
        felt="every tenant: no write succeeds for some twenty seconds; then one standby fewer until it is back",
        cause="primary-unreachable",
    ),
)

KILL_PRIMARY = Fault(
    name="kill-primary",
    does="SIGKILL to the primary's postmaster, once. Its Patroni runs on and starts PostgreSQL again in place. "
    "with_patroni=true: SIGKILL to its Patroni and to the postmaster, both held down until heal; a standby is promoted",
    observable_from="the primary answers SQL with another start time; with_patroni: its port refuses connections",
    parameters=(Parameter("with_patroni", False, "kill its Patroni too, and hold both down until heal"),),
    signs=_RESTARTED,
    variants=(Variant({"with_patroni": True}, _DEAD),),
)

HANG_PRIMARY = Fault(
    name="hang-primary",
    does="SIGSTOP to every PostgreSQL process of the primary: postmaster, sessions and helpers. Its Patroni runs on, "
    "and the kernel still accepts connections to the port. When the leader key has run out, after some 20 s, a standby is "
    "promoted; healed, the old primary finds that it is none any more and follows",
    observable_from="every process stands still: no statement and no log-in is answered",
    signs=Signs(
        findings=("primary-hung",),
        allowed=(
            "no-primary",
            "primary-unreachable",
            "patroni-unreachable",
            "leader-stale",
            "standby-unreachable",
            "standby-not-streaming",
            "sync-standby-missing",
            "two-primaries",
        ),
        panes={"database": "critical"},
        latency_s=12,
        lasts_s=8,
        tenants=("*",),
        truth=Truth(
            broken="PostgreSQL on the primary stands still though its port accepts connections",
            felt="every tenant: whatever they do waits without an answer",
            cause="primary-hung",
        ),
    ),
)

FREEZE_PATRONI = Fault(
    name="freeze-patroni",
    does="SIGSTOP to the primary's Patroni until heal. Its leader key runs out after 20 s and a standby is promoted, "
    "while the old primary, which nobody demotes, stays out of recovery (there is no watchdog)",
    observable_from="two members answer that they are not in recovery, some 24 s after the signal",
    signs=Signs(
        findings=("two-primaries",),
        allowed=(
            "patroni-unreachable",
            "leader-stale",
            "no-primary",
            "standby-unreachable",
            "standby-not-streaming",
            "sync-standby-missing",
        ),
        panes={"database": "critical"},
        latency_s=8,
        tenants=("*",),
        truth=Truth(
            broken="two members take writes: Patroni on the old primary is frozen and cannot demote it",
            felt="every tenant whose session stays on the old primary: its commits hang for want of a synchronous standby",
            cause="two-primaries",
        ),
    ),
)

DEEDS = {
    KILL_PRIMARY.name: (KILL_PRIMARY, Deed(_kill, _killed, _revive)),
    HANG_PRIMARY.name: (
        HANG_PRIMARY,
        Deed(
            _hang,
            lambda stroke: tools.postgres_stopped(stroke.lab.servers[stroke.notes["member"]]),
            lambda stroke: tools.resume_postgres(stroke.lab.servers[stroke.notes["member"]]),
        ),
    ),
    FREEZE_PATRONI.name: (FREEZE_PATRONI, Deed(_freeze, _two_out_of_recovery, _thaw, visible_within_s=60)),
}
