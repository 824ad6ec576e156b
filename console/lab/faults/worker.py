"""What keeps a fault going: ``python -m console.lab.faults.worker DIRECTORY FAULT PARAMETERS``, run by the supervisor."""

from __future__ import annotations

import contextlib
import itertools
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import redis.exceptions

from console.lab import health, state
from console.lab.faults import cache, flood, platform, tools
from console.lab.faults.base import Stroke
from console.lab.faults.slot import SLOT_FILLS_DISK, retained
from console.lab.process import send
from console.lab.tenants import connect

_PIECES = (b"x" * 65536, b"x" * 4096, b"x" * 128)
"""Large ones first; small ones take what they leave, so that not even a short value finds room."""

_STILL_S, _AWAKE_S = 3.6, 0.05
_UPLOAD_S = 1.0


def _session(stroke: Stroke, what: str, **options: Any) -> psycopg.Connection[Any]:
    """A session of the fault's tenant on the primary."""
    tenant = stroke.text("tenant")
    port = stroke.lab.servers[tools.leader(stroke.lab)].ports["postgres"]
    return connect(port, tenant, stroke.lab.secret(tenant), tenant, application=f"odoo-{tenant} {what}", **options)


def _wait_in_vain(stroke: Stroke, first: str, then: str) -> None:
    """Take one lock and wait for another, in a thread of its own, until the session ends."""
    connection = _session(stroke, "worker")
    if first:
        connection.execute(first.encode())
    threading.Thread(target=connection.execute, args=(then.encode(),), daemon=True).start()


def lock_storm(stroke: Stroke) -> None:
    """One holds, one waits for it and holds up the others."""
    holder = _session(stroke, "import")
    holder.execute("lock table purchase_order in access exclusive mode")
    held = "update project_project set sequence = sequence + 1 where id = 1"
    _wait_in_vain(
        stroke, held, "update purchase_order set state = 'purchase' where id = (select min(id) from purchase_order)"
    )
    for _ in range(stroke.number("sessions") - 1):
        _wait_in_vain(stroke, "", held)
    while True:  # the import goes on: short statements, never a commit
        holder.execute("select count(*) from purchase_order, pg_sleep(1)")


def connection_flood(stroke: Stroke) -> None:
    """Take every connection that is to be had, and whatever becomes free."""
    kept = []
    while True:
        try:
            kept.append(_session(stroke, "pool", autocommit=True))
        except psycopg.OperationalError:
            time.sleep(1)


def idle_in_transaction(stroke: Stroke) -> None:
    """Change a row and forget about it."""
    kept = []
    for row in range(1, stroke.number("sessions") + 1):
        kept.append(_session(stroke, "report"))
        kept[-1].execute("update res_partner set write_date = write_date where id = %s", (row,))
    _stay()


def slot_fills_disk(stroke: Stroke) -> None:
    """Write WAL until the slot keeps as much as asked for."""
    member = tools.leader(stroke.lab)
    stroke.notes["member"] = member
    port = stroke.lab.servers[member].ports["postgres"]
    with connect(port, "postgres", stroke.lab.secret("postgres"), autocommit=True) as connection:
        connection.execute("set synchronous_commit = off")
        while retained(stroke) < stroke.number("mb") * 2**20:
            for _ in range(stroke.number("mb_per_s")):
                connection.execute("select pg_logical_emit_message(false, 'banksman-lab', repeat('x', 1048576))")
            time.sleep(1)
    _stay()


def cache_full(stroke: Stroke) -> None:
    """Fill the cache's primary, and fill it again whenever it takes something."""
    number = itertools.count()
    client = health.valkey(stroke.lab, cache.primary(stroke.lab))
    while True:
        for piece in _PIECES:
            with contextlib.suppress(redis.exceptions.OutOfMemoryError):
                while True:
                    client.set(f"{cache.FILLING}{next(number)}", piece)
        time.sleep(0.2)


def backend_slow(stroke: Stroke) -> None:
    """Have the tenant's processes work for a moment and stand still for a while, again and again."""
    each = platform.of(stroke)
    while True:
        found = platform.workers(stroke.lab, each, "WorkerHTTP")
        for process in found:
            send(process, signal.SIGSTOP)
        time.sleep(_STILL_S)
        tools.resume(found)
        time.sleep(_AWAKE_S)


def workers_busy(stroke: Stroke) -> None:
    """Uploads, as many at once as asked for."""
    address, end = platform.address(stroke.lab, platform.of(stroke)), time.monotonic() + flood.LONGEST_S

    def client() -> None:
        while time.monotonic() < end:
            if not flood.upload(address, _UPLOAD_S, 0.2):
                time.sleep(1)

    for _ in range(stroke.number("uploads")):
        threading.Thread(target=client, daemon=True).start()
    _stay()


def worker_killed(stroke: Stroke) -> None:
    """An upload without end, and another."""
    end = time.monotonic() + flood.LONGEST_S
    while time.monotonic() < end:
        flood.upload(platform.address(stroke.lab, platform.of(stroke)), flood.LONGEST_S, 2.0)
    _stay()


def requests_flood(stroke: Stroke) -> None:
    """Ask and ask, for ten minutes."""
    flood.requests(stroke)
    _stay()


def _stay() -> None:
    threading.Event().wait()


WORK: dict[str, Callable[[Stroke], None]] = {
    "lock-storm": lock_storm,
    "connection-flood": connection_flood,
    "idle-in-transaction": idle_in_transaction,
    SLOT_FILLS_DISK.name: slot_fills_disk,
    "cache-full": cache_full,
    "backend-slow": backend_slow,
    "workers-busy": workers_busy,
    "worker-killed": worker_killed,
    "requests-flood": requests_flood,
}


def main() -> None:
    """Do one fault's work until ended."""
    directory, fault, parameters = sys.argv[1:]
    WORK[fault](Stroke(state.read(Path(directory)), msgspec.json.decode(parameters)))


if __name__ == "__main__":
    main()
