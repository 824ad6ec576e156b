"""A replication slot that nobody reads."""

from __future__ import annotations

import psycopg

from console.lab.faults import tools
from console.lab.faults.base import Deed, Fault, Parameter, Signs, Stroke, Truth
from console.lab.servers.postgres import UNREAD_SLOT

_RETAINED = (
    "select coalesce(max(pg_wal_lsn_diff(pg_current_wal_insert_lsn(), restart_lsn)), 0)::bigint"
    " from pg_replication_slots where slot_name = %s"
)


def _strike(stroke: Stroke) -> None:
    stroke.notes["member"] = tools.leader(stroke.lab)
    tools.query(stroke.lab, stroke.notes["member"], "select pg_create_physical_replication_slot(%s, true)", UNREAD_SLOT)
    tools.run_worker(stroke, SLOT_FILLS_DISK.name)


def retained(stroke: Stroke) -> int:
    """Bytes of WAL that the slot keeps."""
    return int(tools.answer(stroke.lab, stroke.notes["member"], _RETAINED, UNREAD_SLOT) or 0)


def _mend(stroke: Stroke) -> None:
    tools.end_worker(stroke, SLOT_FILLS_DISK.name)
    drop = "select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = %s"
    for server in stroke.lab.of_kind("patroni"):
        try:
            tools.query(stroke.lab, server.name, drop, UNREAD_SLOT)
            if server.name == tools.leader(stroke.lab):
                tools.tell(stroke.lab, server.name, "checkpoint")
        except psycopg.OperationalError:  # a member that another fault has broken
            continue


SLOT_FILLS_DISK = Fault(
    name="slot-fills-disk",
    does=f"a physical replication slot, {UNREAD_SLOT}, is made on the primary and never read, and WAL is written until it "
    "keeps as much as asked for. Patroni leaves it alone (ignore_slots); max_slot_wal_keep_size (256 MB) bounds it",
    observable_from="the slot keeps as much WAL as asked for",
    parameters=(
        Parameter("mb", 208, "WAL that the slot keeps, in MB"),
        Parameter("mb_per_s", 16, "how fast it is written"),
    ),
    signs=Signs(
        findings=("slot-retains-wal",),
        allowed=("standby-lagging",),
        panes={"database": "warning"},
        latency_s=12,
        truth=Truth(
            broken="a slot that nobody reads keeps WAL on the primary's disk",
            felt="nobody, until the disk is full or the slot is given up",
            cause="slot-retains-wal",
        ),
    ),
)

DEEDS = {
    SLOT_FILLS_DISK.name: (
        SLOT_FILLS_DISK,
        Deed(_strike, lambda stroke: retained(stroke) >= stroke.number("mb") * 2**20, _mend, visible_within_s=120),
    )
}
