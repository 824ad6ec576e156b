"""An ingress on other bad days, and on good ones that look bad."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.readings import (
    AccessRow,
    Certificate,
    Reading,
    TraefikAccess,
    TraefikCertificates,
    TraefikConfig,
    TraefikReloads,
    TraefikServer,
)
from console.settings import Application
from tests.assessment.cases_traefik import DEAD, LAME, SERVER, _odd, broken, gone
from tests.assessment.scene import Scene
from tests.assessment.scene_traefik import (
    certificate,
    host,
    routers,
    rows,
    served,
    services,
    traefik,
    traffic,
    two_traefiks,
)
from tests.assessment.test_any_reading import fields


def scene() -> Scene:
    made = Scene(traefik())
    made.step(times=3)
    assert not made.ids
    return made


def shown(made: Scene, steps: int = 40) -> set[str]:
    made.step(times=steps)
    return made.ids


# -- backends ----------------------------------------------------------------------------------------------------------


def test_a_service_without_a_server_up_is_down_before_anybody_asks() -> None:
    made = scene()
    made.change(TraefikConfig, SERVER, services=services(acme=DEAD))
    assert shown(made) == {"backend-down:edge/acme"}
    finding = made.finding("backend-down:edge/acme")
    assert finding.tenants == ("acme",) and finding.affects == ("acme",)
    assert "DOWN" in finding.evidence[0].value


def test_one_server_of_two_is_enough() -> None:
    made = scene()
    made.change(TraefikConfig, SERVER, services=services(acme=LAME))
    assert shown(made) == set()


def test_a_pod_that_is_replaced_raises_nothing() -> None:
    made = scene()
    for _ in range(5):
        made.change(TraefikConfig, SERVER, services=services(acme=msgspec.structs.replace(DEAD, servers={})))
        made.step(times=3)
        made.mend(TraefikConfig, SERVER)
        made.step(times=10)
    assert made.seen == set()


def test_a_service_that_no_router_uses_is_nobodys_trouble() -> None:
    made = scene()
    spare = msgspec.structs.replace(DEAD, name="spare@file", tenant="", used_by=())
    made.change(TraefikConfig, SERVER, services={**services(), "spare@file": spare})
    assert shown(made) == set()


def test_what_a_router_that_is_off_uses_is_told_by_the_router() -> None:
    made = scene()
    made.change(
        TraefikConfig,
        SERVER,
        services=services(acme=DEAD),
        routers=routers(acme=broken('middleware "g@file" does not exist')),
    )
    assert shown(made) == {"middleware-missing:edge/acme"}


@pytest.mark.parametrize("requests", [0, 1, 2])
def test_few_failures_are_no_share(requests: int) -> None:
    made = scene()
    made.change(TraefikServer, SERVER, routers=rows(acme=gone(1.0, requests)))
    assert shown(made) == set()


@pytest.mark.parametrize("window_s", [20.1, 20.7, 23.3, 29.9])
def test_as_many_failures_as_it_takes_are_enough_in_any_window(window_s: float) -> None:
    made = scene()
    rate = float(f"{3 / window_s:.3g}")
    row = traffic("acme@file", "acme", requests=6, requests_per_s=2 * rate, errors_per_s=rate, gateway_per_s=rate)
    made.change(TraefikServer, SERVER, window_s=window_s, routers=rows(acme=row))
    assert shown(made) == {"backend-down:edge/acme"}


def test_the_access_log_says_which_backend() -> None:
    made = scene()
    made.change(TraefikServer, SERVER, routers=rows(acme=gone(1.0)))
    row = AccessRow("acme@file", 502, "acme", 40, backend="10.1.0.1:8069", path="/web")
    made.change(TraefikAccess, "edge", wrong={"502 acme@file": row})
    made.step(times=20)
    evidence = made.finding("backend-down:edge/acme").evidence
    assert any("10.1.0.1:8069" in each.value and each.text == "/web" for each in evidence)


@pytest.mark.parametrize(
    ("row", "slow"),
    [
        ({"requests": 12, "per_s": 0.6, "p95_ms": 4900.0, "slow": 1}, False),  # one report among twelve requests
        (
            {"requests": 4, "per_s": 0.2, "p50_ms": 4000.0, "p95_ms": 4900.0, "slow": 2},
            False,
        ),  # two requests are nothing
        ({"requests": 18, "per_s": 0.9, "p95_ms": 4900.0, "slow": 3}, False),  # three, of eighteen
        ({"requests": 8, "per_s": 0.4, "p95_ms": 4240.0, "slow": 4}, True),  # few, but half of them
        ({"requests": 300, "per_s": 15.0, "p95_ms": 3400.0, "usual_p95_ms": 3000.0, "slow": 200}, False),  # always so
        ({"requests": 300, "per_s": 15.0, "p95_ms": 3400.0, "usual_p95_ms": None}, True),
        ({"requests": 0, "per_s": 0.0, "p50_ms": None, "p95_ms": None}, False),
    ],
)
def test_what_counts_as_slow(row: dict[str, Any], slow: bool) -> None:
    made = scene()
    made.change(TraefikServer, SERVER, routers=rows(acme=_odd(**row)))
    assert shown(made) == ({"backend-slow:edge/acme"} if slow else set())


def test_who_waits_asks_less_and_that_is_no_recovery() -> None:
    made = scene()
    slow = {"p50_ms": 4000.0, "p95_ms": 4900.0}
    made.change(TraefikServer, SERVER, routers=rows(acme=_odd(per_s=0.3, requests=6, slow=5, **slow)))
    assert shown(made) == {"backend-slow:edge/acme"}
    made.change(TraefikServer, SERVER, routers=rows(acme=_odd(per_s=0.1, requests=2, slow=1, **slow)))
    assert shown(made) == {"backend-slow:edge/acme"}
    made.mend(TraefikServer, SERVER)
    assert shown(made) == set()


def test_very_slow_is_critical() -> None:
    made = scene()
    made.change(TraefikServer, SERVER, routers=rows(acme=_odd(p50_ms=5000.0, p95_ms=5000.0)))
    made.step(times=20)
    assert made.finding("backend-slow:edge/acme").severity == "critical"


# -- floods and rhythm -------------------------------------------------------------------------------------------------


def test_turned_away_is_a_flood_whatever_is_usual() -> None:
    made = scene()
    made.change(TraefikServer, SERVER, routers=rows(acme=_odd(per_s=30.0, limited_per_s=12.0, usual_per_s=None)))
    assert shown(made) == {"requests-flood:edge/acme"}


def test_a_flood_that_is_not_known_to_be_unusual_is_none() -> None:
    made = scene()
    made.change(TraefikServer, SERVER, routers=rows(acme=_odd(per_s=300.0, usual_per_s=None)))
    assert shown(made) == set()


def test_a_day_with_its_rhythm_raises_nothing() -> None:
    """From a night of a request in ten seconds to eighteen a second and back, within two hours; usual follows a quarter late."""
    made = Scene(traefik())

    def rate(minutes: float) -> float:
        return 0.1 + 18 * math.sin(max(0.0, minutes) / 120 * math.pi) ** 2

    for look in range(0, 720):
        minutes = look / 6
        now = rate(minutes)
        # What a rate so low makes of quantiles: one slow page is the 95th percentile.
        odd = {"p95_ms": 4800.0, "p50_ms": 120.0} if now * 20 < 8 and look % 7 == 0 else {}
        usual = sum(rate(minutes - each) for each in range(1, 16)) / 15
        row = _odd(per_s=now, requests=round(now * 20), usual_per_s=usual, **odd)
        made.change(TraefikServer, SERVER, routers=rows(acme=row))
        made.step(10)
    assert made.seen == set()


# -- errors of many ----------------------------------------------------------------------------------------------------


def test_one_tenants_errors_are_not_the_platforms() -> None:
    made = scene()
    made.change(TraefikServer, SERVER, routers=rows(acme=gone(1.0)), errors_per_s=4.0)
    assert shown(made) == {"backend-down:edge/acme"}


def test_errors_of_all_name_the_worst_first() -> None:
    made = scene()
    own = {
        name: traffic(f"{name}@file", name, errors_per_s=amount)
        for name, amount in (("acme", 1.0), ("bauhof", 3.0), ("cobalt", 2.0))
    }
    made.change(TraefikServer, SERVER, routers=rows(**own), errors_per_s=6.0)
    assert shown(made) == {"ingress-errors:edge"}
    finding = made.finding("ingress-errors:edge")
    assert finding.severity == "critical" and finding.tenants == ("bauhof", "cobalt", "acme")


def test_errors_where_routers_are_not_counted_apart() -> None:
    made = scene()
    made.change(TraefikServer, SERVER, routers={}, services={}, errors_per_s=3.0)
    assert shown(made) == {"ingress-errors:edge"}


# -- routes ------------------------------------------------------------------------------------------------------------


def test_a_tenant_without_any_route() -> None:
    made = scene()
    made.change(TraefikConfig, SERVER, routers=routers(acme=None))
    assert shown(made) == {"router-broken:edge/acme"}
    assert made.finding("router-broken:edge/acme").tenants == ("acme",)


def test_a_tenant_that_another_ingress_may_serve_is_not_missed() -> None:
    plain = traefik()
    applications = {
        name: Application(databases=[name], url="https://elsewhere.example.org") for name in plain.applications
    }
    made = Scene(msgspec.structs.replace(plain, applications=applications))
    made.change(TraefikConfig, SERVER, routers=routers(acme=None))
    assert shown(made) == set()


def test_a_route_that_is_applied_anew_raises_nothing() -> None:
    made = scene()
    made.change(TraefikConfig, SERVER, routers=routers(acme=None))
    made.step(times=6)
    made.mend(TraefikConfig, SERVER)
    assert shown(made) == set() and made.seen == set()


# -- certificates ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "severity", "words"),
    [(20, "warning", "20 d"), (2.5, "critical", "2 d"), (0.5, "critical", "12 h"), (-2, "critical", "has run out")],
)
def test_how_long_a_certificate_lasts(days: float, severity: str, words: str) -> None:
    made = scene()
    ends = made.now + timedelta(days=days, minutes=5)
    made.change(
        TraefikCertificates, "edge",
        certificates=lambda: served(made.now, acme=certificate(made.now, "acme", not_after=ends)),
    )  # fmt: skip
    assert shown(made, 12) == {f"cert-expiring:edge/{host('acme')}"}
    finding = made.finding(f"cert-expiring:edge/{host('acme')}")
    assert finding.severity == severity and words in finding.title


def test_one_certificate_for_many_names_is_one_finding() -> None:
    made = scene()
    own = {"serial": "one", "names": ("*.example.com",)}
    made.change(
        TraefikCertificates, "edge",
        certificates=lambda: {host(name): certificate(made.now, name, 5, **own) for name in ("acme", "bauhof", "cobalt")},
    )  # fmt: skip
    assert shown(made) == {f"cert-expiring:edge/{host('acme')}"}
    finding = made.finding(f"cert-expiring:edge/{host('acme')}")
    assert "2 other names" in finding.title and finding.tenants == ("acme", "bauhof", "cobalt")


def test_the_default_certificate_is_told_once_by_its_name() -> None:
    made = scene()
    own = {"default": True, "matches": False, "trusted": False, "names": ("x.traefik.default",), "serial": "d"}
    made.change(
        TraefikCertificates, "edge", certificates=lambda: served(made.now, acme=certificate(made.now, "acme", **own))
    )
    assert shown(made) == {f"cert-untrusted:edge/{host('acme')}"}
    assert "default certificate" in made.finding(f"cert-untrusted:edge/{host('acme')}").title


def test_a_name_without_any_certificate() -> None:
    made = scene()
    none = Certificate(host("acme"), "acme", problem="the handshake failed: tlsv1 unrecognized name")
    made.change(TraefikCertificates, "edge", certificates=lambda: served(made.now, acme=none))
    assert shown(made) == {f"cert-untrusted:edge/{host('acme')}"}
    assert made.finding(f"cert-untrusted:edge/{host('acme')}").tenants == ("acme",)


# -- reach -------------------------------------------------------------------------------------------------------------


def test_a_silent_traefik_that_still_serves_is_a_warning() -> None:
    made = scene()
    made.fail(TraefikServer, SERVER)
    assert shown(made) == {"ingress-unreachable:edge/traefik-1"}
    finding = made.finding("ingress-unreachable:edge/traefik-1")
    assert finding.severity == "warning" and not finding.tenants


def test_all_is_gone_is_one_finding_for_everybody() -> None:
    made = scene()
    for cls, key in ((TraefikServer, SERVER), (TraefikConfig, SERVER), (TraefikCertificates, "edge")):
        made.fail(cls, key)
    assert shown(made) == {"ingress-unreachable:edge"}
    assert made.finding("ingress-unreachable:edge").tenants == ("acme", "bauhof", "cobalt")


def test_two_traefiks_are_taken_together() -> None:
    made = Scene(two_traefiks())
    made.step(times=3)
    half = {"per_s": 12.0, "usual_per_s": 2.0}
    for server in ("edge/traefik-1", "edge/traefik-2"):
        made.change(TraefikServer, server, routers=rows(acme=_odd(**half)))
    assert shown(made) == {"requests-flood:edge/acme"}, "24/s at both"
    made.mend(TraefikServer, "edge/traefik-2")
    made.fail(TraefikServer, "edge/traefik-2")
    made.step(times=20)
    assert "ingress-unreachable:edge/traefik-2" in made.ids


# -- anything at all ---------------------------------------------------------------------------------------------------

TOPICS = (
    (TraefikServer, SERVER),
    (TraefikConfig, SERVER),
    (TraefikReloads, SERVER),
    (TraefikCertificates, "edge"),
    (TraefikAccess, "edge"),
)


@st.composite
def readings(draw: st.DrawFn) -> Reading:
    """Any reading of an ingress, as a source may send it."""
    cls, key = draw(st.sampled_from(TOPICS))
    reading: Reading = draw(st.builds(cls, **(fields(cls) | {"key": st.just(key)})))
    return reading


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(rounds=st.lists(st.lists(readings(), max_size=5), min_size=1, max_size=4), healthy=st.booleans())
def test_no_judge_raises(rounds: list[list[Reading]], healthy: bool) -> None:
    made = Scene(traefik())
    if healthy:
        made.step(times=3)
    for batch in rounds:
        made.now += timedelta(seconds=2)
        for reading in batch:
            made.board.put(msgspec.structs.replace(reading, taken_at=made.now))
        made.look()
        for finding in made.found.rows.values():
            assert len(finding.title) <= 160, finding.title
            assert len(finding.impact) <= 400, finding.impact
            assert len(finding.action) <= 400, finding.action
            assert len(finding.evidence) <= 12
        msgspec.msgpack.encode(made.found)
