"""Traefik's metrics: from the Prometheus text format to counters by router, service and entry point. Pure.

https://prometheus.io/docs/instrumenting/exposition_formats/ says the format; of it only the families below are read.
300 routers make some 40,000 lines, asked for again and again with the same labels: what a line counts towards is worked
out once for each series and remembered, so that a scrape costs one look-up a line.
"""

from __future__ import annotations

import enum
import math
import re
from typing import Literal, NamedTuple

Kind = Literal["router", "service", "entrypoint"]

_MOST_SERIES = 500_000
_LABELS = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")
_FAMILY = re.compile(r"traefik_(router|service|entrypoint)_(requests_total|request_duration_seconds_bucket)$")
_LINE = re.compile(
    rb"^((?:traefik_(?:(?:router|service|entrypoint)_request(?:s_total|_duration_seconds_bucket)|open_connections"
    rb"|config_(?:reloads_total|last_reload_success))|process_(?:start_time_seconds|resident_memory_bytes))"
    rb"(?:\{[^\n]*\})?) +(\S+)",
    re.MULTILINE,
)

_PLAIN = {
    "process_start_time_seconds": "started",
    "process_resident_memory_bytes": "memory",
    "traefik_config_reloads_total": "reloads",
    "traefik_config_last_reload_success": "reloaded",
}


class Counts(NamedTuple):
    """Counters of one router, service or entry point."""

    requests: float
    errors: float
    """5xx."""
    gateway: float
    """502, 503, 504."""
    limited: float
    """429."""
    refused: float
    """Other 4xx but for 401 and 404."""
    buckets: tuple[float, ...]
    """Cumulative, by bound; the last one is everything."""

    @property
    def vector(self) -> tuple[float, ...]:
        """All of them in a row."""
        return (self.requests, self.errors, self.gateway, self.limited, self.refused, *self.buckets)


class Scrape(NamedTuple):
    """What one scrape tells."""

    routers: dict[str, Counts]
    services: dict[str, Counts]
    entry_points: dict[str, Counts]
    bounds: dict[Kind, tuple[float, ...]]
    """Upper bounds of the buckets, seconds; the last one is infinite."""
    plain: dict[str, float]
    """``started`` and ``reloaded`` (Unix seconds), ``memory`` (bytes), ``reloads``."""
    connections: dict[str, float]
    """Open ones by entry point."""
    series: int
    """Lines read."""


class _Counter(enum.Enum):
    """What requests are counted as, by place in ``Counts``. No numbers: as a key, 1 would be the bucket of one second."""

    REQUESTS = 0
    ERRORS = 1
    GATEWAY = 2
    LIMITED = 3
    REFUSED = 4


class Metrics:
    """Reads scrape after scrape of one Traefik."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[int, ...]] = {}
        """Series → where its value is added; empty: nowhere."""
        self._forget()

    def _forget(self) -> None:
        self._known.clear()
        self._places: dict[tuple[str, str, object], int] = {}
        """Kind, name, and which counter or bucket (its bound) → place in the list of sums."""

    def read(self, body: bytes) -> Scrape:
        """The sums of this scrape. What is no line of ours is passed over."""
        if len(self._known) > _MOST_SERIES:
            self._forget()
        known = self._known
        sums: list[float] = [0.0] * len(self._places)
        seen = bytearray(len(self._places))
        series = 0
        for head, value in _LINE.findall(body):
            places = known.get(head)
            if places is None:
                places = known[head] = self._learn(head)
                more = len(self._places) - len(sums)
                sums += [0.0] * more
                seen += bytes(more)
            if not places:
                continue
            try:
                number = float(value)
            except ValueError:
                continue
            if not 0 <= number < math.inf:
                continue
            series += 1
            for at in places:
                sums[at] += number
                seen[at] = 1
        scrape = self._scrape(sums, seen, series)
        if len(known) > 2 * series + 10_000:  # most of what is remembered is gone from the metrics
            self._forget()
        return scrape

    def _learn(self, head: bytes) -> tuple[int, ...]:
        """Where a series is added."""
        text = head.decode("utf-8", "replace")
        name, brace, rest = text.partition("{")
        if name in _PLAIN:
            return (self._place("", "", _PLAIN[name]),)
        labels = {key: _ESCAPED.sub(_unescape, value) for key, value in _LABELS.findall(rest)} if brace else {}
        if name == "traefik_open_connections":
            return (self._place("connections", labels.get("entrypoint", ""), ""),)
        family = _FAMILY.match(name)
        if family is None:
            return ()
        kind, what = family.groups()
        subject = labels.get(kind, "")
        if not subject:
            return ()
        if what == "requests_total":
            return tuple(self._place(kind, subject, counter) for counter in _counters(labels.get("code", "")))
        if labels.get("protocol") == "websocket":
            return ()
        try:
            bound = float(labels.get("le", ""))
        except ValueError:
            return ()
        return (self._place(kind, subject, bound),) if not math.isnan(bound) else ()

    def _place(self, kind: str, name: str, what: object) -> int:
        return self._places.setdefault((kind, name, what), len(self._places))

    def _scrape(self, sums: list[float], seen: bytearray, series: int) -> Scrape:
        plain: dict[str, float] = {}
        connections: dict[str, float] = {}
        counters: dict[str, dict[str, list[float]]] = {"router": {}, "service": {}, "entrypoint": {}}
        buckets: dict[str, dict[str, dict[float, float]]] = {"router": {}, "service": {}, "entrypoint": {}}
        for (kind, name, what), at in self._places.items():
            if not seen[at]:
                continue
            if kind == "":
                plain[str(what)] = sums[at]
            elif kind == "connections":
                connections[name] = sums[at]
            elif isinstance(what, float):
                buckets[kind].setdefault(name, {})[what] = sums[at]
            elif isinstance(what, _Counter):
                counters[kind].setdefault(name, [0.0] * len(_Counter))[what.value] = sums[at]
        bounds = {kind: _bounds(each) for kind, each in buckets.items()}
        made = {
            kind: {
                name: _counts(values, _ordered(buckets[kind].get(name), bounds[kind]))
                for name, values in counters[kind].items()
            }
            for kind in counters
        }
        of_kinds: dict[Kind, tuple[float, ...]] = {
            "router": bounds["router"],
            "service": bounds["service"],
            "entrypoint": bounds["entrypoint"],
        }
        return Scrape(made["router"], made["service"], made["entrypoint"], of_kinds, plain, connections, series)


def _counts(values: list[float], buckets: tuple[float, ...]) -> Counts:
    requests, errors, gateway, limited, refused = values
    return Counts(requests, errors, gateway, limited, refused, buckets)


def _counters(code: str) -> list[_Counter]:
    """Towards what a request with this status code counts."""
    found = [_Counter.REQUESTS]
    if code[:1] == "5":
        found.append(_Counter.ERRORS)
        if code in ("502", "503", "504"):
            found.append(_Counter.GATEWAY)
    elif code == "429":
        found.append(_Counter.LIMITED)
    elif code[:1] == "4" and code not in ("401", "404"):
        found.append(_Counter.REFUSED)
    return found


def _unescape(match: re.Match[str]) -> str:
    return "\n" if match[1] == "n" else match[1]


def _bounds(subjects: dict[str, dict[float, float]]) -> tuple[float, ...]:
    """Bounds that any subject has: within one process all have the same."""
    return tuple(sorted(set().union(*subjects.values()))) if subjects else ()


def _ordered(buckets: dict[float, float] | None, bounds: tuple[float, ...]) -> tuple[float, ...]:
    """Cumulative counts by bound, never falling: what is missing or too low has the count before it."""
    counts: list[float] = []
    highest = 0.0
    for bound in bounds:
        highest = max(highest, buckets.get(bound, 0.0) if buckets else 0.0)
        counts.append(highest)
    return tuple(counts)


def quantile(q: float, bounds: tuple[float, ...], counts: tuple[float, ...]) -> float | None:
    """The ``q``-quantile in seconds of a classic histogram with these cumulative counts; None: nothing was counted.

    As ``histogram_quantile`` of Prometheus does it (https://prometheus.io/docs/prometheus/latest/querying/functions/):
    linear within the bucket, the first one from zero; what lies in the infinite bucket is the bound before it.
    """
    if len(bounds) < 2 or not counts or counts[-1] <= 0:
        return None
    rank = q * counts[-1]
    at = next((index for index, count in enumerate(counts) if count >= rank), len(counts) - 1)
    if at == len(bounds) - 1:
        return bounds[-2]
    if at == 0 and bounds[0] <= 0:
        return bounds[0]
    low = bounds[at - 1] if at else 0.0
    below = counts[at - 1] if at else 0.0
    inside = counts[at] - below
    return low + (bounds[at] - low) * ((rank - below) / inside) if inside > 0 else low
