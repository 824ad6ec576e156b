"""Looks at Traefik's own log for configurations that a provider could not give it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import msgspec

from console.clients.clean import clean, clean_key
from console.clients.redact import redact
from console.readings import Reading, ReloadFailure, TraefikReloads
from console.settings import Cadence, LogSource
from console.sources.base import Check, SourceError
from console.sources.logs import CommandTail
from console.sources.tail import FileTail

KEPT = timedelta(hours=1)
"""A file that cannot be read is complained of once, when it is written."""
REPEATED = timedelta(minutes=2)
"""A cluster that cannot be watched is complained of again and again: silence means that it can."""
_WATCH = re.compile(r"[Ff]ailed to (?:list|watch)|[Cc]annot connect to [Pp]rovider|unable to (?:list|watch)")
_PAIR = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|\S+)')
_COMMON = re.compile(r"^(?:\x1b\[\d+m)?(\S+Z?)(?:\x1b\[0m)? (?:\x1b\[\d+m)*(ERR|ERROR|error)(?:\x1b\[0m)* (.*)$")
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


class _Line(msgspec.Struct, frozen=True):
    level: str = ""
    time: datetime | None = None
    provider: str = msgspec.field(default="", name="providerName")
    message: str = ""
    error: str = ""
    ingress: str = ""
    namespace: str = ""
    router: str = msgspec.field(default="", name="routerName")


def failure(line: bytes) -> tuple[str, datetime, str] | None:
    """Provider, moment and words of a line that tells of a configuration not taken; None for any other.

    An object that a provider passes over (it has a namespace) is no such line: the rest of the configuration is taken,
    and the router concerned says so itself.
    """
    found = _json(line) if line.startswith(b"{") else _common(line)
    if found is None or found.level not in ("error", "fatal", "panic") or found.time is None:
        return None
    if found.time.tzinfo is None or found.ingress or found.namespace or found.router:
        return None
    words = ": ".join(part for part in (found.message.strip(), found.error) if part)
    provider = found.provider or ("kubernetes" if _WATCH.search(words) else "")
    return (
        (clean(provider, 40), found.time.astimezone(UTC), clean(redact(clean(words, 800)), 400)) if provider else None
    )


def _json(line: bytes) -> _Line | None:
    try:
        return msgspec.json.decode(line, type=_Line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _common(line: bytes) -> _Line | None:
    """``2026-11-22T04:12:02Z ERR Error occurred … error="…" providerName=file``."""
    text = _ANSI.sub("", line[:4000].decode("utf-8", "replace"))
    match = _COMMON.match(text)
    if match is None:
        return None
    try:
        at = datetime.fromisoformat(match[1])
    except ValueError:
        return None
    pairs = {key: value.strip('"') for key, value in _PAIR.findall(match[3])}
    known = {name: pairs.get(name, "") for name in ("error", "ingress", "namespace")}
    return _Line(
        "error", at, pairs.get("providerName", ""), _PAIR.sub("", match[3]).strip(), **known,
        router=pairs.get("routerName", ""),
    )  # fmt: skip


class TraefikReloadsSource:
    """The tail of one Traefik's log."""

    reading: type[Reading] = TraefikReloads
    privilege = "the engine's user may read Traefik's log, or run the command"

    def __init__(self, ingress: str, server: str, where: LogSource, cadence: Cadence) -> None:
        self.key = f"{ingress}/{server}"
        self.every_s = cadence.every_s
        self.deadline_s = cadence.deadline_s
        self._ingress = ingress
        self._server = server
        self._file = FileTail(where.path) if where.path else None
        self._command = CommandTail(where.command) if not where.path else None
        self._failures: dict[str, ReloadFailure] = {}

    async def read(self) -> TraefikReloads:
        """One look. Raises SourceError."""
        taken_at = datetime.now(UTC)
        if self._file is not None:
            _, raw = await self._file.fresh()
        else:
            assert self._command is not None
            self._failures.clear()
            raw = await self._command.output()
        for line in raw.splitlines():
            if found := failure(line):
                self._add(*found)
        self._failures = {name: each for name, each in self._failures.items() if taken_at - each.at < _kept(each)}
        return TraefikReloads(
            key=self.key,
            taken_at=taken_at,
            ingress=self._ingress,
            server=self._server,
            failures=dict(sorted(self._failures.items())[:20]),
        )

    def _add(self, provider: str, at: datetime, text: str) -> None:
        key = clean_key(provider)
        before = self._failures.get(key)
        if before is None:
            self._failures[key] = ReloadFailure(provider, at, at, 1, text)
        elif at >= before.at:
            self._failures[key] = msgspec.structs.replace(before, at=at, count=before.count + 1, text=text)

    def abandon(self) -> None:
        """End a command that runs."""
        if self._command is not None:
            self._command.abandon()

    async def close(self) -> None:
        """End a command that runs, and see it gone."""
        if self._command is not None:
            await self._command.close()

    async def examine(self) -> list[Check]:
        """Whether it can be read."""
        what = f"{self.key}: log"
        try:
            await self.read()
        except SourceError as error:
            mend = "check `log:` of this server in the environment file, and that the engine's user may read it"
            return [Check(what, "fail", error.problem, mend)]
        return [Check(what, "pass", "can be read")]


def _kept(failure: ReloadFailure) -> timedelta:
    return REPEATED if _WATCH.search(failure.text) else KEPT
