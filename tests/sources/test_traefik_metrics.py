"""Counters out of the text format, and figures out of counters, against straightforward ways to do the same."""

from __future__ import annotations

import math
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.settings import Application
from console.sources.traefik_metrics import Metrics, quantile
from console.sources.traefik_routing import Routing, hosts_of
from console.sources.traefik_server import untold
from console.sources.traefik_window import MINUTE_S, WINDOW_S, Course, slower

BOUNDS = ("0.1", "0.3", "1.2", "5", "+Inf")


def line(kind: str, name: str, code: str, requests: int, took: tuple[int, ...] = (), protocol: str = "http") -> str:
    """What Traefik prints of one router (or service, or entry point) and status code; ``took``: requests by bucket."""
    labels = f'code="{code}",{kind}="{name}",method="GET",protocol="{protocol}"'
    lines = [f"traefik_{kind}_requests_total{{{labels}}} {requests}"]
    total = 0
    for bound, count in zip(BOUNDS, took, strict=False):
        total += count
        lines.append(f'traefik_{kind}_request_duration_seconds_bucket{{{labels},le="{bound}"}} {total}')
    lines.append(f"traefik_{kind}_request_duration_seconds_sum{{{labels}}} 1.5")
    return "\n".join(lines) + "\n"


def body(*lines: str, started: float = 1e9) -> bytes:
    return ("# HELP x y\n" + "".join(lines) + f"process_start_time_seconds {started}\n").encode()


def test_counts_by_what_matters() -> None:
    scrape = Metrics().read(
        body(
            line("router", "a@file", "200", 5),
            line("router", "a@file", "502", 3),
            line("router", "a@file", "500", 2),
            line("router", "a@file", "429", 4),
            line("router", "a@file", "403", 1),
            line("router", "a@file", "404", 9),
            'traefik_open_connections{entrypoint="websecure",protocol="TCP"} 7\n',
            "traefik_config_reloads_total 2\ntraefik_config_last_reload_success 1.79532072e+09\n",
        )
    )
    counts = scrape.routers["a@file"]
    assert (counts.requests, counts.errors, counts.gateway, counts.limited, counts.refused) == (24, 5, 3, 4, 1)
    assert scrape.connections == {"websecure": 7}
    assert (scrape.plain["reloads"], scrape.plain["reloaded"], scrape.plain["started"]) == (2, 1795320720, 1e9)


def test_buckets_of_whole_seconds_are_no_counters() -> None:
    """``le="1"`` is neither the number of errors nor that of what was refused."""
    labels = 'code="200",router="a@file",method="GET",protocol="http"'
    lines = [f"traefik_router_requests_total{{{labels}}} 10"]
    lines += [
        f'traefik_router_request_duration_seconds_bucket{{{labels},le="{bound}"}} {count}'
        for bound, count in (("0", 1), ("1", 7), ("2", 8), ("3", 9), ("4", 10), ("+Inf", 10))
    ]
    failed = 'traefik_router_requests_total{code="502",router="a@file",method="GET",protocol="http"} 6'
    for body_ in ("\n".join([*lines, failed]), "\n".join([failed, *lines])):
        counts = Metrics().read(body_.encode() + b"\n").routers["a@file"]
        assert (counts.requests, counts.errors, counts.gateway, counts.limited, counts.refused) == (16, 6, 6, 0, 0)
        assert list(counts.buckets) == [1, 7, 8, 9, 10, 10]


def test_labels_with_quotes_blanks_braces_and_line_ends() -> None:
    hostile = r"a \"b\" \\ } 5\n@file"
    scrape = Metrics().read(body(f'traefik_router_requests_total{{code="200",router="{hostile}"}} 3\n'))
    assert scrape.routers['a "b" \\ } 5\n@file'].requests == 3


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-1", "x", "1e999"])
def test_values_that_are_none_are_passed_over(value: str) -> None:
    metrics = Metrics()
    text = body(
        line("router", "a@file", "200", 5), f'traefik_router_requests_total{{code="500",router="a@file"}} {value}\n'
    )
    assert metrics.read(text).routers["a@file"][:2] == (5, 0)


@given(st.binary(max_size=400))
def test_any_bytes(raw: bytes) -> None:
    Metrics().read(raw)
    Metrics().read(b"traefik_router_requests_total{" + raw + b"} 1\n")


names = st.sampled_from(["a@file", "b@file", "tenant-c-odoo@kubernetescrd"])
codes = st.sampled_from(["200", "303", "401", "403", "404", "429", "500", "502", "503", "504"])
rows = st.lists(
    st.tuples(st.sampled_from(["router", "service", "entrypoint"]), names, codes, st.integers(0, 999)), max_size=25
)


@given(st.lists(rows, min_size=1, max_size=3))
def test_sums_are_those_of_a_plain_count(scrapes: list[list[tuple[str, str, str, int]]]) -> None:
    """The same parser reads scrape after scrape; what it remembers of one must not leak into the next."""
    metrics = Metrics()
    for found in scrapes:
        distinct = {(kind, name, code): number for kind, name, code, number in found}
        wanted: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
        for (kind, name, code), number in distinct.items():
            sums = wanted[kind, name]
            sums[0] += number
            sums[1] += number if code >= "500" else 0
            sums[2] += number if code in ("502", "503", "504") else 0
        text = body(*(line(kind, name, code, number) for (kind, name, code), number in distinct.items()))
        scrape = metrics.read(text)
        got = {
            (kind, name): [counts.requests, counts.errors, counts.gateway]
            for kind, each in (
                ("router", scrape.routers),
                ("service", scrape.services),
                ("entrypoint", scrape.entry_points),
            )
            for name, counts in each.items()
        }
        assert got == wanted


def test_websockets_do_not_count_as_slow() -> None:
    scrape = Metrics().read(
        body(line("router", "a@file", "200", 3, (3,)), line("router", "a@file", "101", 2, (0, 0, 0, 0, 2), "websocket"))
    )
    assert scrape.routers["a@file"].requests == 5
    assert scrape.routers["a@file"].buckets[-1] == 3


# -- quantiles ---------------------------------------------------------------------------------------------------------


def by_the_book(q: float, bounds: tuple[float, ...], counts: tuple[float, ...]) -> float | None:
    """Prometheus's bucketQuantile, step by step (promql/quantile.go)."""
    observations = counts[-1]
    if observations == 0:
        return None
    rank = q * observations
    b = 0
    while b < len(bounds) - 1 and counts[b] < rank:
        b += 1
    if b == len(bounds) - 1:
        return bounds[-2]
    if b == 0 and bounds[0] <= 0:
        return bounds[0]
    start, end, count = 0.0, bounds[b], counts[b]
    if b > 0:
        start = bounds[b - 1]
        count -= counts[b - 1]
        rank -= counts[b - 1]
    return start + (end - start) * (rank / count)


@given(
    st.lists(st.floats(0.001, 100), min_size=1, max_size=8, unique=True).map(sorted),
    st.data(),
    st.sampled_from([0.5, 0.95, 0.99, 0.1]),
)
def test_quantiles_are_those_of_prometheus(finite: list[float], data: st.DataObject, q: float) -> None:
    bounds = (*finite, math.inf)
    own = data.draw(st.lists(st.integers(0, 50), min_size=len(bounds), max_size=len(bounds)))
    counts = tuple(float(sum(own[: at + 1])) for at in range(len(own)))
    wanted, got = by_the_book(q, bounds, counts), quantile(q, bounds, counts)
    assert (wanted is None) == (got is None)
    if wanted is not None and got is not None:
        assert got == pytest.approx(wanted)
        assert 0 <= got <= bounds[-2]


def test_how_many_took_longer_than_a_second() -> None:
    assert slower((0.1, 0.5, 1.0, 5.0, math.inf), (3.0, 5.0, 6.0, 8.0, 9.0)) == 3
    assert slower((0.1, 1.2, math.inf), (3.0, 5.0, 6.0)) == 1, "the next bound above a second"
    assert slower((0.1, math.inf), (3.0, 5.0)) is None and slower((), ()) is None


def test_quantiles_of_what_is_no_histogram() -> None:
    assert quantile(0.5, (), ()) is None
    assert quantile(0.5, (math.inf,), (3.0,)) is None
    assert quantile(0.5, (1.0, math.inf), ()) is None


# -- the window, and what is usual -------------------------------------------------------------------------------------


class Clock:
    """Scrapes of one router, look after look."""

    def __init__(self) -> None:
        self.course, self.metrics = Course(longest_s=100), Metrics()
        self.now, self.total, self.slow = 0.0, 0, 0

    def look(self, per_s: float, every_s: float = 10.0, started: float = 1.0, slow: bool = False) -> None:
        """So many requests a second since the last look."""
        more = round(per_s * every_s)
        self.total += 0 if slow else more
        self.slow += more if slow else 0
        self.now += every_s
        text = body(
            line("router", "a@file", "200", self.total + self.slow, (self.total, 0, 0, self.slow, 0)), started=started
        )
        scrape = self.metrics.read(text)
        self.course.take(self.now, scrape.plain["started"], scrape)
        self.row = self.course.traffic("router", scrape.routers, lambda _name: "")["a@file"]


def test_the_first_look_knows_nothing_and_the_window_is_a_window() -> None:
    clock = Clock()
    clock.look(5)
    assert clock.row.requests is None and clock.course.window_s == 0
    for _ in range(5):
        clock.look(5)
    assert clock.row.requests_per_s == 5 and clock.course.window_s == WINDOW_S
    clock.look(50, every_s=5)
    assert 20 <= clock.course.window_s <= 25
    clock.look(0, every_s=10)
    clock.look(0, every_s=10)
    assert clock.row.requests == 0 and clock.row.p95_ms is None


def test_a_restart_makes_no_spike() -> None:
    clock = Clock()
    for _ in range(4):
        clock.look(5)
    clock.total = 0
    clock.look(3, started=2.0)
    assert clock.row.requests_per_s is None or clock.row.requests_per_s <= 5
    clock.look(3, started=2.0)
    clock.look(3, started=2.0)
    assert clock.row.requests_per_s == 3


def test_counters_that_fall_without_a_restart_are_left_out() -> None:
    """Traefik drops the metrics of routers that are gone; one that comes back begins at zero."""
    clock = Clock()
    for _ in range(4):
        clock.look(5)
    clock.total = 0
    for _ in range(3):
        clock.look(2)
        assert clock.row.requests_per_s is None or 0 <= clock.row.requests_per_s <= 5


def test_usual_is_known_after_minutes_and_does_not_follow_a_flood() -> None:
    clock = Clock()
    for _ in range(int(2 * MINUTE_S // 10)):
        clock.look(4)
    assert clock.row.usual_per_s is None
    for _ in range(int(3 * MINUTE_S // 10)):
        clock.look(4)
    assert clock.row.usual_per_s == 4
    for _ in range(int(30 * MINUTE_S // 10)):
        clock.look(200)
    assert clock.row.usual_per_s == 4, "half an hour of flood is no custom"
    for _ in range(int(50 * MINUTE_S // 10)):
        clock.look(200)
    assert clock.row.usual_per_s == 200, "but what goes on for an hour is"


def test_usual_latency_does_not_follow_a_slow_backend() -> None:
    clock = Clock()
    for _ in range(int(6 * MINUTE_S // 10)):
        clock.look(4)
    before = clock.row.usual_p95_ms
    for _ in range(int(20 * MINUTE_S // 10)):
        clock.look(4, slow=True)
    assert before == clock.row.usual_p95_ms == 95.0
    assert clock.row.p95_ms is not None and clock.row.p95_ms > 4000


def test_a_rhythm_of_the_day_becomes_usual() -> None:
    clock = Clock()
    for minute in range(240):
        for _ in range(6):
            clock.look(4 + 30 * math.sin(minute / 240 * math.pi) ** 2)
    assert clock.row.usual_per_s is not None
    assert clock.row.requests_per_s is not None
    assert clock.row.usual_per_s == pytest.approx(clock.row.requests_per_s, rel=0.3, abs=2)


# -- labels that are missing, rules, tenants ---------------------------------------------------------------------------


def test_what_metrics_do_not_tell_names_the_setting() -> None:
    only = Metrics().read(body(line("entrypoint", "websecure", "502", 4)))
    assert set(untold(only)) == {"routers", "services"}
    assert "addRoutersLabels" in untold(only)["routers"]
    assert untold(Metrics().read(body(line("entrypoint", "websecure", "404", 4)))) == {}, "nothing was routed"
    assert set(untold(Metrics().read(body(line("service", "a@file", "200", 1))))) == {"routers", "entry points"}


@pytest.mark.parametrize(
    ("rule", "hosts", "open_ended"),
    [
        ("Host(`acme.lab.test`)", ("acme.lab.test",), False),
        ("Host(`a.x`) || Host(`b.x`) && PathPrefix(`/web`)", ("a.x", "b.x"), False),
        ("Host(`a.x`, `B.x`)", ("a.x", "b.x"), False),
        ('Host("a.x")', ("a.x",), False),
        ("PathPrefix(`/`)", (), True),
        ("HostRegexp(`.+`)", (), True),
        ("Host(`a.x`) && !Host(`b.x`)", ("a.x",), True),
        ("HostSNI(`*`)", (), True),
        ("", (), True),
    ],
)
def test_hosts_of_a_rule(rule: str, hosts: tuple[str, ...], open_ended: bool) -> None:
    assert hosts_of(rule) == (hosts, open_ended)


@given(st.text(max_size=200))
def test_any_rule(rule: str) -> None:
    hosts, open_ended = hosts_of(rule)
    assert open_ended or hosts


def test_whose_a_router_is() -> None:
    routing = Routing(
        {
            "acme": Application(databases=["acme"], url="https://Acme.Lab.test:8443/web", namespace="tenant-acme"),
            "acme-test": Application(databases=["t"], namespace="tenant-acme-test"),
        }
    )
    assert routing.tenant_at(["other", "acme.lab.test"]) == "acme"
    assert routing.tenant_at(["other"]) == ""
    assert routing.tenant_named("tenant-acme-odoo-8069@kubernetescrd") == "acme"
    assert routing.tenant_named("tenant-acme-test-odoo-8069@kubernetescrd") == "acme-test", "the longer namespace"
    assert routing.tenant_named("websecure-tenant-acme-odoo-0f3a@kubernetescrd") == "acme"
    assert routing.tenant_named("tenant-acme-odoo@file") == "", "only Kubernetes puts namespaces into names"
