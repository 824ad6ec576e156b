"""Looks at an ingress's access log: what was answered badly, or late, within the last minutes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import msgspec

from console.clients.clean import clean, clean_key
from console.clients.redact import redact
from console.readings import AccessRow, Reading, TraefikAccess
from console.settings import Cadence, LogSource
from console.sources.base import Check, SourceError
from console.sources.logs import CommandTail
from console.sources.tail import FileTail
from console.sources.traefik_routing import Routing
from console.threads import in_daemon

SPAN = timedelta(minutes=5)
SLOW_MS = 5_000.0
_WINDOW = 4 * 1024 * 1024
"""Bytes that one look reads: some ten thousand requests."""
_MOST_KEPT = 20_000
_MOST_ROWS = 200
_INLINE = 200_000


class _Line(msgspec.Struct, frozen=True):
    """A line of the JSON format, as far as it is used; times in nanoseconds."""

    status: int = msgspec.field(default=0, name="DownstreamStatus")
    origin: int = msgspec.field(default=0, name="OriginStatus")
    origin_size: int = msgspec.field(default=0, name="OriginContentSize")
    took: int = msgspec.field(default=0, name="Duration")
    origin_took: int = msgspec.field(default=0, name="OriginDuration")
    router: str = msgspec.field(default="", name="RouterName")
    server: str = msgspec.field(default="", name="ServiceAddr")
    path: str = msgspec.field(default="", name="RequestPath")
    method: str = msgspec.field(default="", name="RequestMethod")
    protocol: str = msgspec.field(default="", name="RequestProtocol")
    at: datetime | None = msgspec.field(default=None, name="StartUTC")


class Entry(msgspec.Struct, frozen=True):
    """A request worth keeping."""

    at: datetime
    slow: bool
    row: AccessRow


_OWN = {502: len("Bad Gateway"), 504: len("Gateway Timeout")}
"""Length of what Traefik answers itself where a backend cannot be reached; it logs that as if the backend had."""
_DECODER = msgspec.json.Decoder(_Line)


def entry(line: bytes, routing: Routing) -> tuple[datetime | None, Entry | None]:
    """When a request began, and what of it is kept; neither of what is no line of the JSON format."""
    try:
        found = _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None, None
    at = found.at
    if at is None or at.tzinfo is None or not 100 <= found.status <= 999:
        return None, None
    took_ms = found.took / 1e6
    wrong = found.status >= 500 or found.status in (429, 499)
    # A WebSocket lasts as long as its page is open: that is not slow.
    slow = not wrong and found.status != 101 and took_ms >= SLOW_MS
    if not (wrong or slow):
        return at, None
    name = found.router
    row = AccessRow(
        router=clean(name) or "(no router)",
        status=found.status,
        tenant=routing.tenant_of_router(name),
        first_at=at,
        last_at=at,
        method=clean(found.method, 12),
        path=clean(redact(clean(found.path.partition("?")[0], 400)), 200),
        backend=clean(found.server, 80),
        by_traefik=not found.origin or (found.origin == found.status and found.origin_size == _OWN.get(found.status)),
        slowest_ms=round(took_ms, 1),
        origin_slowest_ms=round(found.origin_took / 1e6, 1) if found.server else None,
    )
    return at, Entry(at, slow, row)


def together(entries: Iterable[Entry]) -> tuple[dict[str, AccessRow], dict[str, AccessRow]]:
    """Rows of what went wrong, and of what was slow."""
    wrong: dict[str, AccessRow] = {}
    slow: dict[str, AccessRow] = {}
    for each in entries:
        rows = slow if each.slow else wrong
        key = clean_key(each.row.router if each.slow else f"{each.row.status} {each.row.router}")
        before = rows.get(key)
        if before is None and len(rows) < _MOST_ROWS:
            rows[key] = each.row
        elif before is not None:
            rows[key] = _joined(before, each.row)
    return wrong, slow


def _joined(before: AccessRow, row: AccessRow) -> AccessRow:
    newest = row if (row.last_at or _NEVER) >= (before.last_at or _NEVER) else before
    oldest = min((at for at in (before.first_at, row.first_at) if at), default=None)
    origins = [took for took in (before.origin_slowest_ms, row.origin_slowest_ms) if took is not None]
    return msgspec.structs.replace(
        newest,
        count=before.count + row.count,
        first_at=oldest,
        slowest_ms=max(before.slowest_ms or 0.0, row.slowest_ms or 0.0),
        origin_slowest_ms=max(origins, default=None),
    )


_NEVER = datetime.min.replace(tzinfo=UTC)


class TraefikAccessSource:
    """The tail of one access log in JSON."""

    reading: type[Reading] = TraefikAccess
    privilege = "the engine's user may read the access log (`accessLog: {format: json}`)"

    def __init__(self, ingress: str, where: LogSource, routing: Routing, cadence: Cadence) -> None:
        self.key = ingress
        self.every_s = cadence.every_s
        self.deadline_s = cadence.deadline_s
        self._routing = routing
        self._file = FileTail(where.path, _WINDOW) if where.path else None
        self._command = CommandTail(where.command) if not where.path else None
        self._kept: deque[Entry] = deque(maxlen=_MOST_KEPT)
        self._counts: deque[tuple[datetime, int]] = deque()
        """Requests by the second."""
        self._skipped_at = -float("inf")
        self._is_json = False
        """Requests have been read from it: beside them Traefik's own log may be there too."""

    async def read(self) -> TraefikAccess:
        """One look. Raises SourceError."""
        taken_at = datetime.now(UTC)
        raw = await self._fresh()
        if len(raw) <= _INLINE:
            lines, counted = self._take(raw)
        else:
            lines, counted = await in_daemon(lambda: self._take(raw), f"access log {self.key}")
        self._is_json = self._is_json or counted > 0
        if lines and not self._is_json:
            raise SourceError("the access log is not in JSON: set `accessLog: {format: json}` in Traefik")
        oldest = taken_at - SPAN
        while self._counts and self._counts[0][0] < oldest:
            self._counts.popleft()
        wrong, slow = together(each for each in list(self._kept) if each.at >= oldest)
        total = sum(count for _, count in self._counts)
        return TraefikAccess(
            key=self.key,
            taken_at=taken_at,
            ingress=self.key,
            wrong=wrong,
            slow=slow,
            lines=int(float(f"{total:.2g}")),
            partly=time.monotonic() - self._skipped_at < SPAN.total_seconds(),
        )

    async def _fresh(self) -> bytes:
        if self._file is not None:
            _, raw = await self._file.fresh()
            if self._file.skipped:
                self._skipped_at = time.monotonic()
            return raw
        assert self._command is not None
        # It prints what it printed before too: begun anew each time.
        output = await self._command.output()
        self._kept.clear()
        self._counts.clear()
        return output

    def _take(self, raw: bytes) -> tuple[int, int]:
        """Lines, and how many of them are requests."""
        lines = raw.splitlines()
        counted = 0
        for line in lines:
            at, kept = entry(line, self._routing)
            if at is None:
                continue
            counted += 1
            second = at.replace(microsecond=0)
            if self._counts and self._counts[-1][0] >= second:
                self._counts[-1] = (self._counts[-1][0], self._counts[-1][1] + 1)
            else:
                self._counts.append((second, 1))
            if kept is not None:
                self._kept.append(kept)
        return len(lines), counted

    def abandon(self) -> None:
        """End a command that runs."""
        if self._command is not None:
            self._command.abandon()

    async def close(self) -> None:
        """End a command that runs, and see it gone."""
        if self._command is not None:
            await self._command.close()

    async def examine(self) -> list[Check]:
        """Whether it can be read, and is in JSON."""
        what = f"{self.key}: access log"
        try:
            reading = await self.read()
        except SourceError as error:
            mend = "check `access_log:` of this ingress in the environment file, and that the engine's user may read it"
            return [Check(what, "fail", error.problem, "" if "accessLog" in error.problem else mend)]
        return [Check(what, "pass", f"{reading.lines} requests within five minutes")]
