"""What it costs to read the metrics of a Traefik with 300 routers, against a plain way to read the same."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from console.frames import diff
from console.readings import TraefikServer
from console.sources.traefik_metrics import Metrics
from console.sources.traefik_window import Course

pytestmark = pytest.mark.bench

ROUTERS = 300
CODES = ("200", "303", "404", "500")
BUCKETS = ("0.1", "0.3", "1.2", "5", "+Inf")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def scrape(look: int) -> bytes:
    """As Traefik prints it; a fifth of the routers has been asked since the look before."""
    lines = ["process_start_time_seconds 1.7e9"]
    for number in range(ROUTERS):
        service = f"tenant-{number:03}-odoo-8069@kubernetescrd"
        count = 100 + (7 * look if number % 5 == 0 else 0)
        for kind, subject in (
            ("router", f'router="tenant-{number:03}-odoo-0123456789abcdef@kubernetescrd",'),
            ("service", ""),
        ):
            for code in CODES:
                for method in ("GET", "POST"):
                    labels = f'code="{code}",method="{method}",protocol="http",{subject}service="{service}"'
                    lines += [
                        f'traefik_{kind}_request_duration_seconds_bucket{{{labels},le="{le}"}} {count}'
                        for le in BUCKETS
                    ]
                    lines += [
                        f"traefik_{kind}_{each}{{{labels}}} {count}"
                        for each in ("requests_total", "requests_bytes_total", "responses_bytes_total")
                    ]
    return ("\n".join(lines) + "\n").encode()


def plainly(body: bytes) -> dict[str, float]:
    """Line by line, labels and all, as a general parser does."""
    found: dict[str, float] = defaultdict(float)
    for line in body.decode().splitlines():
        name, _, rest = line.partition("{")
        inside, _, value = rest.rpartition("}")
        labels = dict(_LABEL.findall(inside))
        if name == "traefik_router_requests_total":
            found[labels["router"]] += float(value)
    return found


def cpu_of(work: Callable[[], Any]) -> float:
    began = time.thread_time()
    work()
    return time.thread_time() - began


def test_three_hundred_routers() -> None:
    bodies = [scrape(look) for look in range(6)]
    metrics, course = Metrics(), Course(longest_s=1000)
    read, figured, plain = [], [], []
    for look, body in enumerate(bodies):
        made = []
        read.append(cpu_of(lambda body=body, made=made: made.append(metrics.read(body))))  # type: ignore[misc]
        figured.append(cpu_of(lambda look=look, made=made: course.take(10.0 * look, 1, made[0])))  # type: ignore[misc]
        plain.append(cpu_of(lambda body=body: plainly(body)))  # type: ignore[misc]
        rows = course.traffic("router", made[0].routers, lambda _name: "")
    wanted = plainly(bodies[-1])
    assert {name: counts.requests for name, counts in made[0].routers.items()} == wanted
    assert sum(row.requests or 0 for row in rows.values()) > 0
    print(
        f"\n{ROUTERS} routers, {len(bodies[0]) / 1e6:.1f} MB, {bodies[0].count(10)} lines: first look {read[0] * 1e3:.0f} ms, "
        f"then {min(read[1:]) * 1e3:.0f} ms, in a thread; figures {min(figured[1:]) * 1e3:.0f} ms; "
        f"a plain parser {min(plain) * 1e3:.0f} ms"
    )
    assert min(read[1:]) < min(plain) / 2


def test_what_a_look_costs_the_stream() -> None:
    """Only routers that were asked, or have stopped being asked, travel."""
    metrics, course = Metrics(), Course(longest_s=1000)
    readings = []
    for look in range(6):
        found = metrics.read(scrape(look))
        course.take(10.0 * look, 1, found)
        rows = course.traffic("router", found.routers, lambda _name: "")
        readings.append(TraefikServer(key="edge/traefik-1", taken_at=datetime.now(UTC), routers=rows))
    whole, less = (
        len(msgspec.msgpack.encode(frame)) for frame in (diff(None, readings[-1]), diff(readings[0], readings[-1]))
    )
    again = len(msgspec.msgpack.encode(diff(readings[-2], readings[-1])))
    print(
        f"\n{ROUTERS} routers: {whole / 1e3:.0f} kB whole, {again} bytes a look while nothing changes its pace ({less / 1e3:.0f} kB at first)"
    )
    assert again < whole / 4
