"""Containers' logs, as files that their processes write themselves.

So a line has no time but the one that its program gives it. Asked for times, a line that begins with one has that, every
other the one of the line before it, and the first lines the time at which the container started.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from console.lab.kube import ages
from console.lab.kube.cluster import Cluster
from console.lab.kube.errors import ApiError, bad_request
from console.lab.kube.kinds import Json
from console.lab.kube.providers import LogOptions
from console.lab.platform.kinds import POD
from console.lab.platform.settings import Files

_POLL_S = 0.25
_PIECE = 1 << 16
_LONGEST = 10 << 20
"""Bytes, as a kubelet's default."""
_TIME = re.compile(rb'^\W{0,3}(?:"?time"?[=:]\s*"?)?(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?')


def time_of(line: bytes) -> datetime | None:
    """The time that a line begins with, taken as UTC."""
    match = _TIME.match(line)
    if match is None:
        return None
    day, clock, part = (each.decode() if each else "" for each in match.groups())
    try:
        found = datetime.fromisoformat(f"{day}T{clock}+00:00")
    except ValueError:
        return None
    return found + timedelta(seconds=float(f"0.{part}")) if part else found


class Stamps:
    """Gives each line its time, in order."""

    def __init__(self, began: datetime) -> None:
        self._last = began

    def of(self, line: bytes) -> datetime:
        """The time of the next line."""
        self._last = time_of(line) or self._last
        return self._last


def _stamp(moment: datetime) -> bytes:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f").encode() + b"000Z "


def trim(path: Path) -> None:
    """Begin a log anew that has become too long; what was in it is kept once, beside it.

    Its program goes on writing to the same file, which is open for appending.
    """
    with suppress(FileNotFoundError):
        if path.stat().st_size > _LONGEST:
            shutil.copyfile(path, path.with_suffix(".log.1"))
            os.truncate(path, 0)


class PodLogs:
    """Reads them for the API."""

    def __init__(self, cluster: Cluster, files: Files, reports: Callable[[str], bool]) -> None:
        """``reports``: whether the node of this name can be asked."""
        self._cluster = cluster
        self._files = files
        self._reports = reports

    def lines(self, namespace: str, pod: str, container: str, options: LogOptions) -> AsyncIterator[bytes]:
        """The log, in pieces of whole lines; when following, until the container ends or whoever reads it goes.

        Raises:
            ApiError: 400: the container has not run, or not before. 500: its node is lost.
        """
        self._check_node(namespace, pod, container)
        status = self._status(namespace, pod, container)
        path = self._files.log(namespace, pod, container, previous=options.previous)
        if not path.exists():
            if options.previous:
                raise bad_request(f'previous terminated container "{container}" in pod "{pod}" not found')
            reason = ((status.get("state") or {}).get("waiting") or {}).get("reason", "ContainerCreating")
            raise bad_request(f'container "{container}" in pod "{pod}" is waiting to start: {reason}')
        return self._limited(path, status, options, (namespace, pod, container))

    async def _limited(
        self, path: Path, status: Json, options: LogOptions, where: tuple[str, str, str]
    ) -> AsyncIterator[bytes]:
        left = options.limit_bytes
        async for piece in self._pieces(path, status, options, where):
            part = piece if left is None else piece[:left]
            if part:
                yield part
            if left is not None:
                left -= len(part)
                if left <= 0:
                    return

    def _check_node(self, namespace: str, pod: str, container: str) -> None:
        stored = self._cluster.store.get(POD.key, namespace, pod)
        node = stored.data["spec"].get("nodeName", "") if stored else ""
        if node and not self._reports(node):
            asked = f"https://{node}:10250/containerLogs/{namespace}/{pod}/{container}"
            raise ApiError(500, "InternalError", f'Get "{asked}": dial tcp: connect: no route to host', {})

    def _status(self, namespace: str, pod: str, container: str) -> Json:
        stored = self._cluster.store.get(POD.key, namespace, pod)
        listed = (stored.data.get("status") or {}).get("containerStatuses") or [] if stored else []
        return next((each for each in listed if each["name"] == container), {})

    async def _pieces(
        self, path: Path, status: Json, options: LogOptions, where: tuple[str, str, str]
    ) -> AsyncIterator[bytes]:
        stamps = Stamps(_began(status))
        run = status.get("containerID")
        with path.open("rb") as stream:
            rest = stream.read()
            whole = rest.splitlines(keepends=True)
            rest = whole.pop() if options.follow and whole and not whole[-1].endswith(b"\n") else b""
            yield b"".join(_selected(whole, options, stamps))
            while options.follow and not options.previous:
                current = self._status(*where)
                ended = current.get("containerID") != run or "running" not in (current.get("state") or {})
                more = stream.read(_PIECE)
                if not more:
                    if ended:
                        return
                    if os.fstat(stream.fileno()).st_size < stream.tell():
                        stream.seek(0)  # it was begun anew
                    await asyncio.sleep(_POLL_S)
                    continue
                *lines, rest = (rest + more).split(b"\n")
                fresh = [line + b"\n" for line in lines]
                yield b"".join(_stamp(stamps.of(line)) + line if options.timestamps else line for line in fresh)


def _began(status: Json) -> datetime:
    state = status.get("state") or {}
    text = next((each.get("startedAt") for each in state.values() if each.get("startedAt")), None)
    return ages.parse(text) or datetime.now(UTC)


def _selected(lines: list[bytes], options: LogOptions, stamps: Stamps) -> list[bytes]:
    """Those lines of what is there that are asked for."""
    timed = [(stamps.of(line), line) for line in lines] if options.timestamps or options.since_s else []
    if options.since_s is not None and timed:
        oldest = datetime.now(UTC) - timedelta(seconds=options.since_s)
        timed = [(moment, line) for moment, line in timed if moment >= oldest]
        lines = [line for _, line in timed]
    if options.timestamps:
        lines = [_stamp(moment) + line for moment, line in timed]
    if options.tail is None:
        return lines
    return lines[-options.tail :] if options.tail else []
