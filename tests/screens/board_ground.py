"""What every scripted board stands on: a frozen moment, the environment, and a cluster and cache that are well."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from console.board import Board
from console.readings import EngineSelf, Environment, Finding, Findings, Reading, Trend, Watcher
from tests.screens import board_cache as cache_parts
from tests.screens import board_database as db

NOW = datetime(2026, 11, 22, 2, 47, 12, tzinfo=UTC)
"""The moment at which every scripted picture stands still."""

MB = 1024**2


def ago(now: datetime, seconds: float) -> datetime:
    return now - timedelta(seconds=seconds)


def environment(now: datetime, pairs: list[Reading], **changes: Any) -> Environment:
    """The environment that will yield ``pairs``."""
    panes: dict[str, tuple[str, ...]] = {}
    for reading in pairs:
        if reading.pane is not None:
            panes[reading.pane] = (*panes.get(reading.pane, ()), f"{reading.topic} {reading.key}")
    plain = Environment(
        taken_at=ago(now, 1),
        name="prod-eu",
        panes=panes,
        engine_pid=4711,
        engine_build="0.1.0",
        started_at=ago(now, 3 * 3600),
        watchers={"a": Watcher("ana", "bastion", ago(now, 400)), "b": Watcher("ben", "bastion", ago(now, 90))},
    )
    return msgspec.structs.replace(plain, **changes)


def trends(now: datetime) -> list[Reading]:
    """A quarter of an hour of each series that a sparkline shows."""
    step = int(now.timestamp()) // 10
    series = {
        "database/main/tps": ("/s", 400.0),
        "database/main/connections": ("", 84.0),
        "database/main/wal_bytes": ("B/s", 1.2 * MB),
        "database/main/lag": ("B", 0.9 * MB),
        "cache/cache/ops": ("/s", 1800.0),
        "cache/cache/memory": ("B", 720.0 * MB),
        "cache/cache/hit_ratio": ("", 0.96),
        "cache/cache/rtt": ("ms", 0.5),
        "cache/cache/evictions": ("/s", 0.0),
    }
    return [
        Trend(
            key=key,
            taken_at=ago(now, 2),
            unit=unit,
            points={step - 90 + i: level * (0.8 + 0.4 * ((i * 37 % 90) / 90)) for i in range(90)},
        )
        for key, (unit, level) in series.items()
    ]


def findings(now: datetime, board: Board, rows: list[Finding], looks: int = 9) -> Findings:
    """The findings reading; every configured reading has been looked at ``looks`` times."""
    environment_now = board.environment
    pairs = [pair for pane in environment_now.panes.values() for pair in pane] if environment_now else []
    return Findings(
        taken_at=ago(now, 0.5), every_s=2, rows={row.id: row for row in rows}, looked=dict.fromkeys(pairs, looks)
    )


def put(board: Board, *readings: Reading) -> Board:
    for reading in readings:
        board.put(reading)
    return board


def change(board: Board, cls: type[Reading], key: str, **changes: Any) -> None:
    """Replace fields of the reading that is on the board."""
    old = board.get(cls, key)
    assert old is not None, (cls, key)
    board.put(msgspec.structs.replace(old, **changes))


def failed(board: Board, cls: type[Reading], key: str, now: datetime, problem: str, good_s: float | None) -> None:
    """The look failed: nothing of the content is left but whom it asked; it was last good ``good_s`` seconds ago (None: never)."""
    old = board.get(cls, key)
    identity = dict(zip(("cluster", "member"), key.split("/"), strict=False))
    identity |= dict(zip(("cache", "server"), key.split("/"), strict=False))
    identity |= dict(zip(("cache", "sentinel"), key.split("/"), strict=False))
    board.put(
        cls(
            **{name: value for name, value in identity.items() if name in cls.__struct_fields__},  # type: ignore[arg-type]
            key=key,
            taken_at=ago(now, 1),
            took_ms=2000,
            every_s=old.every_s if old else 2,
            status="unreachable",
            problem=problem,
            good_at=None if good_s is None else ago(now, good_s),
        )
    )


def healthy(now: datetime = NOW) -> Board:
    """Nothing is wrong."""
    readings = db.readings(now) + cache_parts.readings(now)
    board = put(Board(), environment(now, readings), *readings, *trends(now))
    put(board, EngineSelf(taken_at=ago(now, 1), every_s=2, cpu_percent=3.1, rss_mb=61.0, readings_per_s=11.0))
    return put(board, findings(now, board, []))


def finding(now: datetime, kind: str, subject: str, severity: Any, title: str, age_s: float, **more: Any) -> Finding:
    plain: dict[str, Any] = {
        "id": f"{kind}:{subject}",
        "pane": "cache" if subject.startswith("cache") else "database",
        "impact": "",
        "action": "",
        "since": ago(now, age_s),
        "runbook": kind,
    }
    return Finding(kind=kind, subject=subject, severity=severity, title=title, **{**plain, **more})
