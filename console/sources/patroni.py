"""One member's Patroni: of itself, and of the cluster as its DCS shows it."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Any

from console.clients.clean import clean, clean_key
from console.clients.patroni import Patroni, PatroniError
from console.readings import DcsMember, PatroniMember, Reading
from console.settings import Cadence
from console.sources.base import Check, SourceError
from console.sources.postgres_base import Member, judged

_RARELY_S = 30.0
_SPARE_S = 5.0
"""Between two requests for something that did not answer."""
_HISTORY = 10

Json = dict[str, Any]


class PatroniSource:
    """``GET /patroni`` and ``/cluster`` at each look, ``/config`` and ``/history`` every half minute.

    ``/patroni`` asks PostgreSQL, ``/cluster`` the DCS; either may hang by itself, and then the other still tells what it
    knows. One that hangs is spared for a while, since each request that waits holds a thread in Patroni.
    """

    reading: type[Reading] = PatroniMember
    privilege = "GET on Patroni's REST API (a client certificate where `verify_client: required` is set)"

    def __init__(self, api: Patroni, member: Member, cadence: Cadence) -> None:
        self.api = api
        self.member = member
        self.key = member.key
        self.every_s = cadence.every_s
        self.deadline_s = cadence.deadline_s
        self._spared: dict[str, tuple[float, str]] = {}
        self._kept: dict[str, Any] = {}
        self._kept_at: dict[str, float] = {}

    async def read(self) -> PatroniMember:
        """One look. Raises SourceError where nothing answered."""
        taken_at = datetime.now(UTC)
        paths = ["/patroni", "/cluster", *self._due()]
        answers = await asyncio.gather(*(self._ask(path) for path in paths))
        found = {
            path: answer for path, answer in zip(paths, answers, strict=True) if not isinstance(answer, PatroniError)
        }
        failed = {path: error for path, error in zip(paths, answers, strict=True) if isinstance(error, PatroniError)}
        if "/patroni" not in found and "/cluster" not in found:
            error = failed["/patroni"]
            raise SourceError(f"{self.api.base}: {error.problem}", denied=error.denied)
        self._keep(found)
        status, cluster = _object(found.get("/patroni")), _object(found.get("/cluster"))
        problems = [error.problem for error in failed.values()]
        if "/patroni" in failed and failed["/patroni"].silent:
            problems.insert(0, "Patroni answers, but not for its PostgreSQL")
        if "/patroni" in found and not status.get("state"):
            problems.append("GET /patroni: an answer without a state")
        return PatroniMember(
            key=self.key,
            taken_at=taken_at,
            cluster=self.member.cluster,
            member=self.member.name,
            **_itself(status),
            **_dcs_view(cluster, status),
            **_config(_object(self._kept.get("/config"))),
            history=_history(self._kept.get("/history")),
            **judged(problems),
        )

    def abandon(self) -> None:
        """End every request now."""
        self.api.drop()

    async def close(self) -> None:
        """End the connections."""
        await self.api.close()

    async def examine(self) -> list[Check]:
        """Whether Patroni answers, and whether the DCS answers it."""
        what = f"{self.key}: Patroni"
        checks: list[Check] = []
        for path in ("/patroni", "/cluster", "/config"):
            try:
                answer = await self.api.get(path, self.deadline_s)
            except PatroniError as error:
                checks.append(
                    Check(f"{what} {path}", "fail", f"{self.api.base}: {error.problem}", _mend(error, self.api))
                )
                continue
            version = clean(_text(_object(_object(answer).get("patroni")).get("version")), 20)
            checks.append(
                Check(f"{what} {path}", "pass", f"{self.api.base}{f', Patroni {version}' if version else ''}")
            )
        return checks

    async def _ask(self, path: str) -> Any:
        until, problem = self._spared.get(path, (0.0, ""))
        if time.monotonic() < until:
            return PatroniError(problem, silent=True)
        try:
            # A little less than the deadline, so that the other answers still make a reading.
            return await self.api.get(path, self.deadline_s * 0.75)
        except PatroniError as error:
            if error.silent:
                problem = f"{error.problem}, asked at {datetime.now(UTC):%H:%M:%S}Z"
                self._spared[path] = (time.monotonic() + _SPARE_S, problem)
            return error

    def _due(self) -> list[str]:
        now = time.monotonic()
        return [path for path in ("/config", "/history") if now - self._kept_at.get(path, -_RARELY_S) >= _RARELY_S]

    def _keep(self, found: Json) -> None:
        for path in ("/config", "/history"):
            if path in found:
                self._kept[path], self._kept_at[path] = found[path], time.monotonic()


def _itself(status: Json) -> Json:
    patroni = _object(status.get("patroni"))
    role = _text(status.get("role"))
    return {
        "scope": clean(_text(patroni.get("scope")), 64),
        "version": clean(_text(patroni.get("version")), 30),
        "role": {"master": "primary", "promoted": "primary"}.get(role, clean(role, 40)),
        "state": clean(_text(status.get("state")), 60),
        "timeline": _whole(status.get("timeline")),
        "postmaster_started_at": _moment(status.get("postmaster_start_time")),
        "system_identifier": clean(_text(status.get("database_system_identifier")), 30),
        "cluster_unlocked": status.get("cluster_unlocked") is True,
        "failsafe_active": status.get("failsafe_mode_is_active") is True,
        "watchdog_failed": status.get("watchdog_failed") is True,
        "pending_restart": status.get("pending_restart") is True,
        "synchronous_standby": status.get("sync_standby") is True or status.get("quorum_standby") is True,
        "dcs_last_seen": _epoch(status.get("dcs_last_seen")),
    }


def _dcs_view(cluster: Json, status: Json) -> Json:
    rows = cluster.get("members")
    found = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    members = {clean_key(_text(row.get("name")), 64): _member(row) for row in found}
    leaders = [member.name for member in members.values() if member.role in ("leader", "standby_leader", "master")]
    return {
        "paused": cluster.get("pause") is True or status.get("pause") is True,
        "leader": leaders[0] if leaders else "",
        "members": members,
    }


def _member(row: Json) -> DcsMember:
    tags = row.get("tags")
    return DcsMember(
        name=clean(_text(row.get("name")), 64),
        role=clean(_text(row.get("role")), 40),
        state=clean(_text(row.get("state")), 60),
        timeline=_whole(row.get("timeline")),
        lag_bytes=_whole(row.get("lag")),
        host=clean(_text(row.get("host")), 100),
        port=_whole(row.get("port")) or 0,
        api_url=clean(_text(row.get("api_url")), 200),
        pending_restart=row.get("pending_restart") is True,
        tags={clean_key(name, 40): clean(_text(value), 60) for name, value in tags.items()}
        if isinstance(tags, dict)
        else {},
    )


def _config(config: Json) -> Json:
    if not config:
        return {}
    return {
        "ttl_s": _number(config.get("ttl")),
        "loop_wait_s": _number(config.get("loop_wait")),
        "synchronous_mode": _synchronous(config),
        "maximum_lag_bytes": _whole(config.get("maximum_lag_on_failover")),
    }


def _synchronous(config: Json) -> str:
    mode = config.get("synchronous_mode")
    if mode == "quorum":
        name = "quorum"
    elif mode is True or (isinstance(mode, str) and mode.lower() in ("on", "true", "yes", "1")):
        name = "on"
    else:
        return "off"
    return f"{name} strict" if config.get("synchronous_mode_strict") is True else name


def _history(rows: Any) -> dict[int, str]:
    """Timeline that ended → ``REASON at TIME``; the newest."""
    found: dict[int, str] = {}
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, list) or len(row) < 3 or _whole(row[0]) is None:
            continue
        at = f" at {_text(row[3])}" if len(row) > 3 and row[3] else ""
        leader = f", then {_text(row[4])}" if len(row) > 4 and row[4] else ""
        found[int(row[0])] = clean(f"{_text(row[2])}{at}{leader}", 200)
    return {timeline: found[timeline] for timeline in sorted(found)[-_HISTORY:]}


def _mend(error: PatroniError, api: Patroni) -> str:
    if error.denied:
        return "set `patroni: {cert_file: …, key_file: …}` of this cluster in the environment file"
    if "certificate" in error.problem.lower() or "ssl" in error.problem.lower():
        return "set `patroni: {ca_file: …}` of this cluster in the environment file"
    return f"check `restapi: {{listen, connect_address}}` of this member, and that {api.base} can be reached from here"


def _object(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63 else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _epoch(value: Any) -> datetime | None:
    seconds = _number(value)
    if not seconds or not 0 < seconds < 10**11:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def _moment(value: Any) -> datetime | None:
    """A moment as PostgreSQL prints it (``2026-11-22 00:51:02.1+00:00``)."""
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (TypeError, ValueError, OverflowError):
        return None
