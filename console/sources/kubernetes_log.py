"""The log of a pod: its tail, and what comes while somebody reads it."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime
from urllib.parse import quote

import msgspec

from console.clients import kubernetes_kinds as kinds
from console.clients.clean import clean
from console.clients.kubernetes import Kubernetes, KubernetesError
from console.clients.kubernetes_mirror import page_type
from console.clients.redact import redact
from console.readings import LogTail, Reading
from console.readings.kubernetes import KubePod
from console.sources import kubernetes_rows as rows
from console.sources.base import Check, SourceError
from console.sources.kubernetes_target import WantedLog

LINES = 500
LINE_LIMIT = 2000
_SILENCE_S = 600.0
"""A log that says nothing for so long is asked for anew: the other end may be gone."""
_FIRST_S = 0.3
"""The first look at a log waits so long for what is there already."""
_AGAIN_S = 3.0
"""A log that ended is asked for again after so long: the container may have been started anew."""
_STAMP = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:Z|[+-]\d\d:\d\d) ")
"""What ``timestamps=true`` puts before each line, the same for every container runtime."""

_page = msgspec.json.Decoder(page_type(kinds.PODS))


class PodLogSource:
    """Follows the log of one container: a stream in the background, whose last lines each look tells."""

    reading: type[Reading] = LogTail
    privilege = "get pods/log, and list pods"

    def __init__(self, api: Kubernetes, wanted: WantedLog, key: str, *, every_s: float, deadline_s: float) -> None:
        self.key = key
        self.every_s = every_s
        self.deadline_s = deadline_s
        self._api = api
        self._wanted = wanted
        self._lines: deque[tuple[int, str]] = deque(maxlen=LINES)
        self._fresh: deque[bytes] = deque(maxlen=LINES)
        """What came since the last look: only what is still there by then is worth cleaning."""
        self._taken = 0
        """Lines that came so far."""
        self._task: asyncio.Task[None] | None = None
        self._open = asyncio.Event()
        self._pod = ""
        self._container = ""
        self._containers: tuple[str, ...] = ()
        self._problem: KubernetesError | None = None
        self._ended = ""
        self._last = (b"", b"")
        """Moment of the last line: seconds, and what is behind the point."""

    async def read(self) -> LogTail:
        """The last lines. Raises SourceError."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._follow(), name=self.key)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.deadline_s * 0.8):
                await self._open.wait()
        if self._problem is not None:
            raise SourceError(self._problem.problem, denied=self._problem.denied)
        if not self._open.is_set():
            raise SourceError(f"no log of {self._wanted.namespace}/{self._wanted.pod or self._wanted.owner} yet")
        self._clean_fresh()
        return LogTail(
            key=self.key,
            taken_at=datetime.now(UTC),
            origin=clean(f"{self._wanted.namespace}/{self._pod} {self._container}", 400),
            containers=self._containers,
            ended=self._ended,
            lines=dict(self._lines),
        )

    def abandon(self) -> None:
        """Begin anew with the next look."""
        if self._task is not None:
            self._task.cancel()

    async def close(self) -> None:
        """End the stream and the connection."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._api.close()

    async def examine(self) -> list[Check]:
        """It is made for one reader of one log: nothing to examine."""
        return []

    async def _follow(self) -> None:
        while True:
            try:
                await self._choose()
                await self._stream()
            except KubernetesError as error:
                self._problem = error
            self._open.set()
            await asyncio.sleep(_AGAIN_S)

    async def _choose(self) -> None:
        """Which pod and which container, as they are now."""
        wanted = self._wanted
        query = {"fieldSelector": f"metadata.name={wanted.pod}"} if wanted.pod else {}
        body = await self._api.get(
            f"/api/v1/namespaces/{quote(wanted.namespace, safe='')}/pods", self.deadline_s, **query
        )
        try:
            found: list[kinds.Pod] = _page.decode(body).items or []
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise KubernetesError(f"pods of {wanted.namespace}: {clean(str(error), 160)}") from None
        pod = _worst(found, wanted.owner) if wanted.owner else next(iter(found), None)
        if pod is None:
            raise KubernetesError(
                f"there is no {wanted.pod or f'pod of {wanted.owner}'} in namespace {wanted.namespace}"
            )
        containers = tuple(clean(each.name, 63) for each in pod.spec.containers or ())
        container = wanted.container or next(iter(containers), "")
        if (pod.metadata.name, container) != (self._pod, self._container):
            self._lines.clear()
            self._fresh.clear()
            self._taken = 0
            self._last = (b"", b"")
        self._pod, self._container, self._containers = pod.metadata.name, container, containers

    async def _stream(self) -> None:
        wanted = self._wanted
        path = f"/api/v1/namespaces/{quote(wanted.namespace, safe='')}/pods/{quote(self._pod, safe='')}/log"
        query = {"container": self._container, "tailLines": str(LINES), "timestamps": "true"}
        query |= {"previous": "true"} if wanted.previous else {"follow": "true"}
        async with self._api.lines(path, _SILENCE_S, **query) as lines:
            self._problem, self._ended = None, ""
            first = asyncio.get_running_loop().call_later(_FIRST_S, self._open.set)
            try:
                async for line in lines:
                    self._take(line)
            finally:
                first.cancel()
                self._open.set()
        self._ended = "the container before the last restart" if wanted.previous else "the container has ended"

    def _take(self, line: bytes) -> None:
        """Append a line, unless it was there before the stream was opened anew."""
        found = _STAMP.match(line)
        if found is not None:
            moment = (found[1], (found[2] or b"").ljust(9, b"0"))
            if moment <= self._last:
                return
            self._last = moment
            line = line[found.end() :]
        self._taken += 1
        self._fresh.append(line[: 8 * LINE_LIMIT])

    def _clean_fresh(self) -> None:
        """A pod may write a hundred thousand lines a second; of them nobody sees more than the last."""
        for number, line in enumerate(self._fresh, self._taken - len(self._fresh) + 1):
            self._lines.append((number, clean(redact(clean(line.rstrip(b"\r"), 2 * LINE_LIMIT)), LINE_LIMIT)))
        self._fresh.clear()


def _worst(found: Iterable[kinds.Pod], owner: str) -> kinds.Pod | None:
    """Of a workload's pods the one that is worst off; the newest of those that are equally so."""

    def order(pair: tuple[KubePod, kinds.Pod]) -> tuple[bool, bool, float]:
        row = pair[0]
        begun = row.started_at is not None  # one that was never placed has no log
        created = row.created_at.timestamp() if row.created_at else 0.0
        return begun, row.ready < row.containers, created

    pairs = [(row, pod) for pod in found if (row := rows.pod(pod)).owner == owner]
    return max(pairs, key=order)[1] if pairs else None
