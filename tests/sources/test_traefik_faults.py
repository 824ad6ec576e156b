"""What goes wrong between the console and a Traefik: hang, cut, slow and garbage, half bodies, refusals, hostile answers."""

from __future__ import annotations

import asyncio
import http.server
import json
import threading
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from console.clients.certificate import covers
from console.clients.web import Web, WebError
from console.readings import Reading, TraefikCertificates
from console.settings import Cadence, LogSource
from console.sources.base import Source, SourceError
from console.sources.traefik_access import TraefikAccessSource, entry, together
from console.sources.traefik_config import TraefikConfigSource
from console.sources.traefik_reloads import TraefikReloadsSource, failure
from console.sources.traefik_routing import Routing
from console.sources.traefik_server import TraefikServerSource
from tests.rigs_traefik import Ingress
from tests.tools.proxy import TO_CLIENT, Cut, Fault, FaultProxy, Garbage, Hang, Refuse, Slow

SOON, DEADLINE = 20.0, 0.3
CADENCE = Cadence(every_s=10, deadline_s=5)


class Problem(str):
    """What a look ended with instead of a reading."""


async def look(source: Source, deadline: float = DEADLINE) -> Reading | Problem:
    """One look as the scheduler makes it. Anything but these two ends is a mistake, and fails the test."""
    try:
        async with asyncio.timeout(deadline):
            return await source.read()
    except TimeoutError:
        source.abandon()
        return Problem("deadline")
    except SourceError as error:
        assert error.problem and len(error.problem) < 500
        return Problem(error.problem)


async def well(source: Source) -> Reading:
    reading = await look(source, SOON)
    assert isinstance(reading, Reading), reading
    return reading


# -- through a proxy ---------------------------------------------------------------------------------------------------

PORTS = {"traefik": "metrics", "traefik.config": "api", "traefik.certificates": "tls"}


@pytest_asyncio.fixture(params=sorted(PORTS))
async def proxied(request: pytest.FixtureRequest, traefik_rig: Ingress) -> AsyncIterator[tuple[FaultProxy, Source]]:
    """A source, and the proxy between it and its Traefik."""
    part = PORTS[request.param]
    async with FaultProxy("127.0.0.1", getattr(traefik_rig, part)) as proxy:
        found = traefik_rig.sources(**{part: proxy.port}, hosts=["acme.lab.test"])
        yield proxy, found[request.param]
        for source in found.values():
            await source.close()


FAULTS: dict[str, Fault] = {
    "hang": Hang(0),
    "hang in the middle": Hang(300),
    "reset": Cut(0, "reset"),
    "half a body": Cut(700, "end"),
    "reset in the middle": Cut(700, "reset"),
    "garbage": Garbage(0, 400),
    "garbage in the middle": Garbage(300, 200, seed=3),
    "slow": Slow(bytes_per_s=400),
    "refused": Refuse(),
}


def _not_served(reading: Reading) -> bool:
    """Whether it says of the only name that there was an answer, and no certificate."""
    return isinstance(reading, TraefikCertificates) and all(row.problem for row in reading.certificates.values())


@pytest.mark.server
@pytest.mark.parametrize("fault", FAULTS)
async def test_it_ends_in_a_sentence_and_recovers(proxied: tuple[FaultProxy, Source], fault: str) -> None:
    proxy, source = proxied
    await well(source)
    if hasattr(source, "_due"):
        source._due.clear()  # a certificate that is well is not asked again for a minute
    proxy.set(FAULTS[fault], TO_CLIENT)
    ended = await look(source)
    if fault != "garbage in the middle":  # that may fall into a text, where it is only text
        assert isinstance(ended, Problem) or _not_served(ended), ended
    if fault == "refused":
        assert ended != "deadline"
    proxy.heal()
    await well(source)


# -- answers of a server that is none -------------------------------------------------------------------------------------


class Answers:
    """A server that answers everything in one way."""

    def __init__(self) -> None:
        self.status, self.body, self.kind = 200, b"", "text/plain"
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1

            def do_GET(self) -> None:
                self.send_response(outer.status)
                self.send_header("Content-Type", outer.kind)
                self.send_header("Content-Length", str(len(outer.body)))
                self.end_headers()
                self.wfile.write(outer.body)

            def log_message(self, *_: Any) -> None:
                return

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_: Any) -> None:
                return  # a client that hangs up is what is tested

        self.server = Server(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, name="answers", daemon=True).start()


@pytest.fixture(scope="module")
def answers() -> Iterator[Answers]:
    found = Answers()
    yield found
    found.server.shutdown()
    found.server.server_close()


def of(answers: Answers) -> tuple[TraefikServerSource, TraefikConfigSource]:
    routing = Routing({})
    metrics = TraefikServerSource("edge", "traefik-1", Web(f"{answers.address}/metrics"), routing, CADENCE)
    return metrics, TraefikConfigSource("edge", "traefik-1", Web(answers.address), routing, CADENCE)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "refuses us (401)"),
        (403, "refuses us (403)"),
        (404, "nothing there (404)"),
        (500, "HTTP 500"),
        (302, "HTTP 302"),
    ],
)
async def test_refusals_are_sentences(answers: Answers, status: int, said: str) -> None:
    answers.status, answers.body = status, b"<html>\x1b[31mno"
    for source in of(answers):
        ended = await look(source, SOON)
        assert isinstance(ended, Problem) and said in ended and "\x1b" not in ended
        with pytest.raises(SourceError) as caught:
            await source.read()
        assert caught.value.denied == (status in (401, 403))
        (check,) = await source.examine()
        assert check.answer == "fail" and check.mend
        await source.close()


BODIES = [
    b"", b"{}", b"[]", b"null", b"{" * 5000, b"\xff\xfe", b"not json", b'{"routers": []}', b'{"routers": {"a": null}}',
    b'{"services": {"a": {"serverStatus": 5}}}', b'{"middlewares": {"a": []}}', b'{"routers": {"a": {"rule": 7}}}', b"x" * 300_000,
]  # fmt: skip


@pytest.mark.parametrize("body", BODIES)
async def test_bodies_that_are_none(answers: Answers, body: bytes) -> None:
    answers.status, answers.body = 200, body
    metrics, config = of(answers)
    assert isinstance(await look(metrics, SOON), Problem)
    ended = await look(config, SOON)
    assert isinstance(ended, Problem) == (body not in (b"{}",))
    await metrics.close()
    await config.close()


async def test_a_body_without_end_is_not_kept(answers: Answers) -> None:
    answers.status, answers.body = 200, b"y" * 200_000
    web = Web(answers.address, most=100_000)
    with pytest.raises(WebError, match="more than"):
        await web.get("/x", SOON)
    await web.close()


HOSTILE = "[red]\x1b[2J\u202e{0}" + "x" * 400


async def test_hostile_names_are_cleaned_and_stay_apart(answers: Answers) -> None:
    answers.status = 200
    answers.body = json.dumps(
        {
            "routers": {HOSTILE + "1@file": {"rule": f"Host(`{HOSTILE}`)", "status": HOSTILE, "error": [HOSTILE] * 50, "using": None},
                        HOSTILE + "2@file": {"rule": "Host(`a`)", "service": HOSTILE}},
            "services": {HOSTILE: {"loadBalancer": {"servers": [{"url": HOSTILE}, {"url": 5}]}, "serverStatus": {HOSTILE: HOSTILE}}},
            "middlewares": {HOSTILE: {HOSTILE: {}, "status": 5, "usedBy": [1, None, HOSTILE]}},
        }
    ).encode()  # fmt: skip
    _, config = of(answers)
    reading = await well(config)
    text = msgspec.json.encode(reading).decode()
    assert "\\u001b" not in text and "\u202e" not in text
    assert len(reading.routers) == 2  # type: ignore[attr-defined]
    await config.close()
    text = f'traefik_router_requests_total{{code="200",router="{HOSTILE}"}} 3\nprocess_start_time_seconds 5\n'
    answers.body = text.encode()
    metrics, _ = of(answers)
    reading = await well(metrics)
    assert "\x1b" not in str(reading)
    await metrics.close()


# -- logs --------------------------------------------------------------------------------------------------------------


@given(st.binary(max_size=300))
def test_any_line_of_a_log(line: bytes) -> None:
    routing = Routing({})
    entry(line, routing)
    entry(b'{"StartUTC":"2026-11-22T04:12:01Z",' + line + b"}", routing)
    failure(line)
    failure(b"2026-11-22T04:12:02Z ERR " + line)
    failure(b'{"level":"error",' + line)


statuses = st.sampled_from([200, 404, 429, 499, 500, 502, 503, 504])


@settings(max_examples=60)
@given(st.lists(st.tuples(statuses, st.sampled_from(["a@file", "b@file", ""]), st.integers(0, 9_000)), max_size=40))
def test_rows_are_those_of_a_plain_count(requests: list[tuple[int, str, int]]) -> None:
    routing = Routing({})
    lines = [
        msgspec.json.encode(
            {
                "DownstreamStatus": status,
                "RouterName": router,
                "Duration": took * 1_000_000,
                "StartUTC": "2026-11-22T04:12:01.5Z",
            }
        )
        for status, router, took in requests
    ]
    found = [kept for line in lines if (kept := entry(line, routing)[1]) is not None]
    wrong, slow = together(found)
    bad = [(status, router or "(no router)") for status, router, _ in requests if status >= 500 or status in (429, 499)]
    assert {(row.status, row.router): row.count for row in wrong.values()} == {pair: bad.count(pair) for pair in bad}
    late = [router or "(no router)" for status, router, took in requests if status in (200, 404) and took >= 5000]
    assert {row.router: row.count for row in slow.values()} == {router: late.count(router) for router in late}


@pytest.mark.parametrize(
    ("line", "provider"),
    [
        (b'{"level":"error","providerName":"file","error":"collecting file configs: x.yml: yaml: line 1","time":"2026-11-22T04:12:02Z","message":"Error occurred during watcher callback"}', "file"),
        (b'2026-11-22T04:12:02Z ERR Error occurred during watcher callback error="collecting file configs: x.yml" providerName=file', "file"),
        (b'2026-11-22T04:12:02Z ERR Failed to watch error="failed to list *v1alpha1.IngressRoute: Unauthorized" logger=reflector', "kubernetes"),
        (b'{"level":"error","message":"k8s.io/client-go: Failed to watch *v1.Secret: connection refused","time":"2026-11-22T04:12:02Z"}', "kubernetes"),
        (b'{"level":"error","providerName":"kubernetescrd","ingress":"odoo","namespace":"tenant-acme","error":"service not found","time":"2026-11-22T04:12:02Z"}', ""),
        (b'{"level":"error","routerName":"bad@file","error":"middleware \\"m@file\\" does not exist","time":"2026-11-22T04:12:02Z"}', ""),
        (b'{"level":"warn","providerName":"file","message":"slow","time":"2026-11-22T04:12:02Z"}', ""),
        (b'{"level":"error","providerName":"file","message":"x"}', ""),
        (b"2026-11-22T04:12:02Z INF Starting provider *file.Provider", ""),
    ],
)  # fmt: skip
def test_which_lines_tell_of_a_configuration_not_taken(line: bytes, provider: str) -> None:
    found = failure(line)
    assert (found[0] if found else "") == provider


async def test_logs_that_are_not_there(tmp_path: Path) -> None:
    missing = LogSource(path=str(tmp_path / "none.log"))
    for source in (
        TraefikAccessSource("edge", missing, Routing({}), CADENCE),
        TraefikReloadsSource("edge", "traefik-1", missing, CADENCE),
    ):
        ended = await look(source, SOON)
        assert "No such file" in str(ended)
        (check,) = await source.examine()
        assert check.answer == "fail" and check.mend
        await source.close()


async def test_an_access_log_by_command_is_counted_once(tmp_path: Path) -> None:
    """A command prints its tail anew each time; no request is counted twice, and a log that is rotated is followed."""

    def lines(number: int) -> bytes:
        now = datetime.now(UTC).isoformat()
        row = {"DownstreamStatus": 502, "RouterName": "a@file", "Duration": 5, "StartUTC": now}
        return (msgspec.json.encode(row) + b"\n") * number

    path = tmp_path / "access.log"
    path.write_bytes(lines(3))
    by_command = TraefikAccessSource("edge", LogSource(command=["cat", str(path)]), Routing({}), CADENCE)
    by_file = TraefikAccessSource("edge", LogSource(path=str(path)), Routing({}), CADENCE)
    for source in (by_command, by_file):
        for _ in range(3):
            reading = await well(source)
            assert reading.wrong["502 a@file"].count == 3  # type: ignore[attr-defined]
    path.rename(tmp_path / "access.log.1")
    path.write_bytes(lines(2))
    reading = await well(by_file)
    assert reading.wrong["502 a@file"].count == 5  # type: ignore[attr-defined]
    for source in (by_command, by_file):
        await source.close()


async def test_traefiks_own_lines_beside_the_requests_are_no_other_format(tmp_path: Path) -> None:
    """Both on standard output: in a quiet while only the log itself goes on."""
    path = tmp_path / "out.log"
    request = {"DownstreamStatus": 502, "RouterName": "a@file", "StartUTC": datetime.now(UTC).isoformat()}
    path.write_bytes(msgspec.json.encode(request) + b"\n")
    source = TraefikAccessSource("edge", LogSource(path=str(path)), Routing({}), CADENCE)
    assert (await well(source)).wrong  # type: ignore[attr-defined]
    with path.open("a") as file:
        file.write('{"level":"info","time":"2026-11-22T04:00:00Z","message":"Configuration loaded"}\nplain words\n')
    assert (await well(source)).wrong  # type: ignore[attr-defined]
    await source.close()


# -- names of certificates ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "host", "right"),
    [
        (("acme.lab.test",), "acme.lab.test", True),
        (("ACME.lab.test.",), "acme.Lab.test", True),
        (("*.lab.test",), "acme.lab.test", True),
        (("*.lab.test",), "a.acme.lab.test", False),
        (("*.lab.test",), "lab.test", False),
        (("*",), "acme", False),
        (("*.test",), "lab.test", True),
        (("a*.lab.test",), "acme.lab.test", False),
        ((), "acme.lab.test", False),
    ],
)
def test_for_whom_a_certificate_is(names: tuple[str, ...], host: str, right: bool) -> None:
    assert covers(names, host) is right
