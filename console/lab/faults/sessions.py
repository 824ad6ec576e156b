"""Faults that applications make: locks, connections, forgotten transactions."""

from __future__ import annotations

from functools import partial

from console.lab.faults import tools
from console.lab.faults.base import Deed, Fault, Parameter, Signs, Stroke, Truth
from console.lab.tenants import TENANTS

_NAMES = tuple(tenant.name for tenant in TENANTS)


_LOCKED = "select count(*) from pg_stat_activity where usename = %s and wait_event_type = 'Lock'"
_FORGOTTEN = "select count(*) from pg_stat_activity where usename = %s and state = 'idle in transaction'"


def _deed(fault: Fault, count: str) -> Deed:
    """A worker, and a statement that counts the sessions of the fault's tenant that show its effect."""

    def visible(stroke: Stroke) -> bool:
        seen = tools.answer(stroke.lab, tools.leader(stroke.lab), count, stroke.text("tenant"))
        return int(seen or 0) >= stroke.number("sessions")

    return Deed(partial(tools.run_worker, fault=fault.name), visible, partial(tools.end_worker, fault=fault.name))


def _flooded(stroke: Stroke) -> bool:
    """No slot for ordinary users is left, but for the monitoring role's and the superusers' own."""
    statement = (
        "select count(*) >= 0.9 * current_setting('max_connections')::int"
        " - current_setting('reserved_connections')::int - current_setting('superuser_reserved_connections')::int"
        " from pg_stat_activity where backend_type = 'client backend'"
    )
    return bool(tools.answer(stroke.lab, tools.leader(stroke.lab), statement))


LOCK_STORM = Fault(
    name="lock-storm",
    does="one session of the tenant locks purchase_order (ACCESS EXCLUSIVE) and goes on working; a second holds a row of "
    "project_project and waits for it; the others wait for that row",
    observable_from="as many sessions of the tenant as asked for wait for a lock",
    parameters=(
        Parameter("tenant", "acme", "whose sessions", _NAMES),
        Parameter("sessions", 12, "how many wait"),
    ),
    signs=Signs(
        findings=("lock-waits",),
        allowed=("long-transaction",),
        panes={"database": "warning"},
        latency_s=12,
        scope="tenant",
        tenants=("{tenant}",),
        truth=Truth(
            broken="one long transaction of the tenant's import holds purchase_order",
            felt="the tenant: whoever orders, approves or plans waits; nobody else",
            cause="lock-waits",
        ),
    ),
)

CONNECTION_FLOOD = Fault(
    name="connection-flood",
    does="sessions of the tenant are opened until the primary refuses another, and kept open without doing anything",
    observable_from="nine tenths of max_connections are taken, less those reserved",
    parameters=(Parameter("tenant", "bauhof", "whose sessions", _NAMES),),
    signs=Signs(
        findings=("connections-near-limit",),
        panes={"database": "critical"},
        latency_s=10,
        tenants=("*",),
        truth=Truth(
            broken="the tenant's pool has taken every connection that ordinary users may have",
            felt="every tenant: whoever needs a new connection is refused",
            cause="connections-near-limit",
        ),
    ),
)

IDLE_IN_TRANSACTION = Fault(
    name="idle-in-transaction",
    does="sessions of the tenant each change a row of res_partner and then neither commit nor do anything",
    observable_from="they are idle in transaction",
    parameters=(
        Parameter("tenant", "cobalt", "whose sessions", _NAMES),
        Parameter("sessions", 2, "how many"),
    ),
    signs=Signs(
        findings=("idle-in-transaction",),
        allowed=("long-transaction",),
        panes={"database": "warning"},
        latency_s=75,
        scope="tenant",
        tenants=("{tenant}",),
        truth=Truth(
            broken="sessions of the tenant have forgotten to end their transactions",
            felt="nobody at first; whoever needs their rows waits, and vacuum can remove nothing newer",
            cause="idle-in-transaction",
        ),
    ),
)

DEEDS = {
    LOCK_STORM.name: (LOCK_STORM, _deed(LOCK_STORM, _LOCKED)),
    CONNECTION_FLOOD.name: (
        CONNECTION_FLOOD,
        Deed(
            partial(tools.run_worker, fault=CONNECTION_FLOOD.name),
            _flooded,
            partial(tools.end_worker, fault=CONNECTION_FLOOD.name),
        ),
    ),
    IDLE_IN_TRANSACTION.name: (
        IDLE_IN_TRANSACTION,
        _deed(IDLE_IN_TRANSACTION, _FORGOTTEN),
    ),
}
