"""Looks at one Redis or Valkey server."""

from __future__ import annotations

import time
from collections import deque
from datetime import UTC, datetime
from typing import Any

from console.clients.redis import NOT_PERMITTED, RedisLink
from console.clients.redis_text import Info
from console.readings import Reading, RedisServer
from console.sources.base import Check, SourceError
from console.sources.echo import Echo, without_own
from console.sources.rates import Counted, Meter, Step, rate, ratio, three_digits
from console.sources.redis_clients import SLOW_CALLS, Seldom, applications, slow_calls
from console.sources.redis_common import REFUSED, Asker, Footprint, told
from console.sources.redis_facts import (
    REFUSALS,
    SETTINGS,
    Settings,
    enough_replicas,
    memory,
    persistence,
    replication,
    settings,
    started_at,
    write_refused,
)
from console.sources.redis_privilege import SERVER_PRIVILEGE, examine_server

_PINGS = 5
_PINGS_MS = 50.0
"""No more PINGs in this look once they have taken so long: a distant server keeps its deadline for the rest."""
_SETTINGS_AGAIN_S = 60.0
_COUNTERS = {
    "evicted_per_s": "evicted_keys",
    "expired_per_s": "expired_keys",
    "net_in_per_s": "total_net_input_bytes",
    "net_out_per_s": "total_net_output_bytes",
    "errors_per_s": "total_error_replies",
    "rejected_per_s": "rejected_connections",
}


class RedisServerSource:
    """One server, one connection: PING, INFO, SLOWLOG, CLIENT LIST, and CONFIG GET where that is permitted."""

    reading: type[Reading] = RedisServer
    privilege = SERVER_PRIVILEGE

    def __init__(
        self, cache: str, server: str, link: RedisLink, *, every_s: float, deadline_s: float, footprint: Footprint
    ) -> None:
        self.key = f"{cache}/{server}"
        self.every_s = every_s
        self.deadline_s = deadline_s
        self._cache = cache
        self._server = server
        self._link = link
        self._asker = Asker(link)
        self._footprint = footprint
        footprint.watch(server, link)
        self._own = (0.0, 0.0)
        """Our own look-ups and commands, as of the last INFO."""
        self._rtt_ms: deque[float] = deque(maxlen=100)
        self._echo = Echo()
        self._echo_ms: deque[float] = deque(maxlen=100)
        """Beside each round trip what the engine itself took to hear an answer then."""
        self._meter: Meter[str] = Meter(longest_s=10 * every_s)
        self._started: tuple[str, datetime | None] = ("", None)
        self._settings = Settings()
        self._settings_at = 0.0
        self._clients = Seldom()

    async def read(self) -> RedisServer:
        """One look."""
        asked_at = datetime.now(UTC)
        with told():
            if await self._link.open():
                self._asker.forget()
                self._settings_at = 0.0
            await self._ping()
            info = Info((await self._asker.ask([("INFO",)]))[0])
            self._own = float(self._footprint.hits(self._server)), float(self._footprint.commands(self._server))
            if "run_id" not in info:
                # Without it nearly every field would stand at its default: zeros that nobody measured.
                why = self._asker.refused("INFO") or "INFO: not what a Redis server answers"
                raise SourceError(f"{self._link.where}: {why}", denied=NOT_PERMITTED in why)
            slow = await self._details(info)
        return self._reading(info, slow, asked_at)

    async def _ping(self) -> None:
        began = time.perf_counter()
        for _ in range(_PINGS):
            sent = time.perf_counter()
            answer = (await self._asker.ask([("PING",)]))[0]
            now = time.perf_counter()
            if answer == b"PONG":
                self._echo_ms.append(await self._echo.round_trip_ms())
                self._rtt_ms.append((now - sent) * 1e3)
            if answer is REFUSED or (now - began) * 1e3 > _PINGS_MS:
                return

    async def _details(self, info: Info) -> Any:
        """Clients and settings where they are due; the answer to SLOWLOG."""
        now = time.monotonic()
        commands: list[tuple[str | int, ...]] = [("SLOWLOG", "GET", SLOW_CALLS)]
        if clients_due := self._clients.due(now, info.count("connected_clients")):
            commands.append(("CLIENT", "LIST"))
        settings_due = now >= self._settings_at
        if settings_due:
            # One by one: several names in one call need Redis 7.
            commands += [("CONFIG", "GET", name) for name in SETTINGS]
        answers = await self._asker.ask(commands)
        if clients_due:
            self._clients.rows = applications(answers[1])
        if settings_due:
            self._settings = settings(answers[-len(SETTINGS) :])
            self._settings_at = now + _SETTINGS_AGAIN_S
        return answers[0]

    def _reading(self, info: Info, slow: Any, asked_at: datetime) -> RedisServer:
        run_id = info.text("run_id")
        if run_id != self._started[0]:  # computed once: INFO counts whole seconds, and the sum would jump to and fro
            self._started = (run_id, started_at(info, asked_at))
        step = self._step(info, run_id)
        turned_away = {code: int(step.deltas.get(f"errorstat_{code}", (0.0,))[0]) for code in REFUSALS}
        keys = info.databases().values()
        # CONFIG is no part of the least privilege, and PING is refused while the server loads: neither makes it partial.
        problem = self._asker.refused("CLIENT LIST", "SLOWLOG GET", *(() if info.flag("loading") else ("PING",)))
        return RedisServer(
            key=self.key,
            taken_at=asked_at,
            status="partial" if problem else "ok",
            problem=problem,
            cache=self._cache,
            server=self._server,
            address=self._link.peer,
            flavour=info.flavour,
            run_id=run_id,
            started_at=self._started[1],
            loading=info.flag("loading"),
            clients=info.count("connected_clients"),
            maxclients=info.integer("maxclients") or self._settings.maxclients or 0,
            blocked_clients=info.count("blocked_clients"),
            keys=sum(count for count, _ in keys),
            keys_with_ttl=sum(expiring for _, expiring in keys),
            min_replicas_ok=enough_replicas(info, self._settings, turned_away),
            write_refused=write_refused(info, self._settings, turned_away),
            apps=self._clients.rows,
            slow=slow_calls(slow),
            **self._round_trips(),
            **self._rates(step),
            **memory(info),
            **replication(info),
            **persistence(info, self._settings, self._started[1]),
        )

    def _step(self, info: Info, run_id: str) -> Step[str]:
        """Counters since the look before, none where the server was started anew or its counters were reset."""
        now = {
            name: Counted(run_id, (float(info.count(name)),))
            for name in _COUNTERS.values()
            if info.real(name) is not None
        }
        counts = [float(info.count(name)) for name in ("keyspace_hits", "keyspace_misses", "total_commands_processed")]
        now["asked"] = Counted(run_id, (*self._own, *counts))
        for code in REFUSALS:
            now[f"errorstat_{code}"] = Counted(run_id, (float(info.errors(code)),))
        return self._meter.step(info.server_time_s or time.time(), now)

    def _rates(self, step: Step[str]) -> dict[str, Any]:
        rates = {
            field: rate(step.deltas[name][0] if name in step.deltas else None, step.window_s)
            for field, name in _COUNTERS.items()
        }
        if "asked" not in step.deltas:
            return rates
        own_hits, own_commands, hits, misses, commands = step.deltas["asked"]
        # Our own part is known to the command, but not to the microsecond at which it was counted.
        return {
            **rates,
            "hit_ratio": ratio(max(0.0, hits - own_hits), misses),
            "ops_per_s": rate(max(0.0, commands - own_commands), step.window_s),
        }

    def _round_trips(self) -> dict[str, Any]:
        if not self._rtt_ms:
            return {"rtt_p50_ms": None, "rtt_p99_ms": None}
        return {
            f"rtt_p{round(100 * share)}_ms": three_digits(without_own(self._rtt_ms, self._echo_ms, share))
            for share in (0.50, 0.99)
        }

    def abandon(self) -> None:
        """Drop the connection now."""
        self._link.abandon()
        self._echo.close()

    async def close(self) -> None:
        """Orderly end."""
        self._echo.close()
        await self._link.close()

    async def examine(self) -> list[Check]:
        """For the doctor."""
        return await examine_server(self._link)
