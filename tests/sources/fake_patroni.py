"""Patroni's REST API over real HTTP, with answers recorded from Patroni 4.1.5 and room for wrong ones."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import Any

PRIMARY: dict[str, Any] = {
    "state": "running",
    "postmaster_start_time": "2026-11-22 00:56:47.105524+00:00",
    "role": "primary",
    "server_version": 180006,
    "xlog": {"location": 124113984},
    "timeline": 3,
    "replication": [
        {
            "usename": "replicator",
            "application_name": "pg-1",
            "client_addr": "127.0.0.1",
            "state": "streaming",
            "sync_state": "sync",
            "sync_priority": 1,
        }
    ],
    "dcs_last_seen": 1795310461,
    "database_system_identifier": "7710793468463023251",
    "patroni": {"version": "4.1.5", "scope": "main", "name": "pg-3"},
}
CLUSTER: dict[str, Any] = {
    "members": [
        {
            "name": "pg-1", "role": "sync_standby", "state": "streaming", "api_url": "http://127.0.0.1:23124/patroni",
            "host": "127.0.0.1", "port": 24079, "timeline": 3, "receive_lag": 9240, "receive_lsn": "0/765B028",
            "replay_lag": 9240, "replay_lsn": "0/765B028", "lag": 9240, "lsn": "0/765B028",
        },
        {
            "name": "pg-2", "role": "replica", "state": "stopped", "api_url": "http://127.0.0.1:28924/patroni",
            "host": "127.0.0.1", "port": 27342, "receive_lag": "unknown", "lag": "unknown", "lsn": "unknown",
            "tags": {"nofailover": True, "clonefrom": True}, "pending_restart": True,
        },
        {
            "name": "pg-3", "role": "leader", "state": "running", "api_url": "http://127.0.0.1:31656/patroni",
            "host": "127.0.0.1", "port": 17462, "timeline": 3,
        },
    ],
    "scope": "main",
}  # fmt: skip
CONFIG: dict[str, Any] = {
    "ttl": 20,
    "loop_wait": 1,
    "retry_timeout": 3,
    "maximum_lag_on_failover": 1048576,
    "synchronous_mode": True,
    "postgresql": {"parameters": {"max_connections": 60}},
}
HISTORY = [
    [1, 83886880, "no recovery target specified", "2026-11-22T01:10:11.5+00:00", "pg-2"],
    [2, 100664096, "no recovery target specified", "2026-11-22T01:12:00.5+00:00", "pg-3"],
]


class FakePatroni:
    """A server whose answers a test chooses: JSON, (status, bytes), or None for an answer that never comes."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {
            "/patroni": PRIMARY,
            "/cluster": CLUSTER,
            "/config": CONFIG,
            "/history": HISTORY,
        }
        self.asked: Counter[str] = Counter()
        self.hosts: set[str] = set()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> FakePatroni:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def stop(self) -> None:
        """Listen no more, and leave whoever waits."""
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()

    @property
    def port(self) -> int:
        """Where it listens."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            request = (await reader.readuntil(b"\r\n\r\n")).decode()
            path = request.split(" ", 2)[1]
            self.hosts |= {line[6:] for line in request.split("\r\n") if line.lower().startswith("host: ")}
            self.asked[path] += 1
            answer = self.answers.get(path, (404, b""))
            if answer is None:
                await asyncio.Event().wait()
            status, body = answer if isinstance(answer, tuple) else (200, json.dumps(answer).encode())
            # As Patroni does: HTTP/1.0, one answer a connection.
            writer.write(b"HTTP/1.0 %d x\r\nContent-Type: application/json\r\n\r\n" % status + body)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            self._tasks.discard(task)
