"""A second cluster, ``reports``, plain streaming replication without Patroni; and a second cache, a single server."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from console.board import Board
from console.readings import Reading
from tests.screens import board_cache as cache_parts
from tests.screens import board_database as db
from tests.screens.board_ground import environment, findings, healthy, put

CLUSTER, CACHE = "reports", "sessions"


def readings(now: datetime) -> list[Reading]:
    """What the two say."""
    renamed = {"pg-2": "rp-1", "pg-1": "rp-2"}
    found: list[Reading] = []
    for name, other in renamed.items():
        for make in (db.member, db.activity, db.settings, db.statements, db.io):
            reading: Any = make(now, name)
            changes: dict[str, Any] = {"key": f"{CLUSTER}/{other}", "cluster": CLUSTER, "member": other}
            if getattr(reading, "replicas", None):
                row = msgspec.structs.replace(reading.replicas["1"], name="rp-2")
                changes |= {"replicas": {"1": row}, "slots": {}, "synchronous_names": ""}
            found.append(msgspec.structs.replace(reading, **changes))
    alone = cache_parts.server(now, cache_parts.PRIMARY)
    found.append(
        msgspec.structs.replace(
            alone,
            key=f"{CACHE}/redis-1",
            cache=CACHE,
            server="redis-1",
            replicas={},
            address="10.0.1.31:6379",
            maxmemory=0,
        )
    )
    return found


def two_of_each(now: datetime) -> Board:
    """Two clusters and two caches, all well."""
    board = healthy(now)
    old = board.environment
    assert old is not None
    more = readings(now)
    everything = [reading for reading in board if reading.pane is not None] + more
    put(board, *more)
    put(board, environment(now, sorted(everything, key=lambda reading: reading.key.split("/")[0])))
    return put(board, findings(now, board, []))
