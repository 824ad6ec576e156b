"""What the laboratory plugs in: pods' logs and the metrics of pods and nodes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import NamedTuple, Protocol

from console.lab.kube.kinds import Json


class LogOptions(NamedTuple):
    """How much of a log is asked for.

    Attributes:
        tail: So many of the last lines; None for all.
        since_s: Not older than so many seconds.
        limit_bytes: No more than so much.
    """

    follow: bool = False
    previous: bool = False
    timestamps: bool = False
    tail: int | None = None
    since_s: int | None = None
    limit_bytes: int | None = None


class Logs(Protocol):
    """Where pods' logs come from."""

    def lines(self, namespace: str, pod: str, container: str, options: LogOptions) -> AsyncIterator[bytes]:
        """The log, in pieces; when following, until whoever reads it goes."""


class Metrics(Protocol):
    """Where metrics.k8s.io gets its answers. Each item has ``metadata``, ``timestamp``, ``window`` and ``usage`` or ``containers``."""

    def nodes(self) -> list[Json]: ...

    def pods(self, namespace: str) -> list[Json]:
        """Of one namespace, or of all if ""."""
