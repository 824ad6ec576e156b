"""Lines of Odoo's log, from real servers and from nowhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.settings import Cadence, LogSource
from console.sources.base import SourceError
from console.sources.odoo_log import History, OdooLogSource
from console.sources.odoo_log_lines import MESSAGE, WHATS, Access, More, Noted, Plain, Run, parse
from tests.lab.odoo.rig import Tenant, until
from tests.lab.odoo.test_behaviour import _cron

CADENCE = Cadence(every_s=10, deadline_s=5)
NOW = datetime(2026, 11, 21, 22, 36, 35, tzinfo=UTC)
HEAD = "2026-11-21 22:36:35,123 4711"


def line(level: str, database: str, logger: str, message: str, at: datetime = NOW) -> bytes:
    return f"{at:%Y-%m-%d %H:%M:%S},{at.microsecond // 1000:03d} 4711 {level} {database} {logger}: {message}".encode()


SERVER, CRON = "odoo.service.server", "odoo.addons.base.models.ir_cron"


@pytest.mark.parametrize(
    ("logger", "message", "what", "subject"),
    [
        (SERVER, "WorkerHTTP (15375) timeout after 6s", "worker timeout", "WorkerHTTP"),
        (SERVER, "WorkerCron (15375) timeout after 120.0s", "worker timeout", "WorkerCron"),
        (SERVER, "Thread <Thread(odoo.service.http.request.1, started 1)> virtual real time limit (130/120s) reached.", "worker timeout", "Thread"),
        (SERVER, "Worker (15374) CPU time limit (4) reached.", "worker CPU limit", "Worker"),
        (SERVER, "Worker (15374) virtual memory limit (2147483649) reached.", "worker memory limit", "Worker"),
        (SERVER, "Worker (15374) Exception occurred, exiting...", "worker failed", "Worker"),
        (CRON, "Call from cron Mail: Queue for server action #419 failed in Job #20", "job failed", "Mail: Queue"),
        (CRON, "Job 'Mail: Queue' (20) timed out", "job timed out", "Mail: Queue"),
        (CRON, "Cron job 'Mail: Queue' (20) has been deactivated after failing 5 times. More information", "job switched off", "Mail: Queue"),
        (CRON, "Job 'Mail: Queue' (20) has been deactivated after failing 5 times", "job switched off", "Mail: Queue"),
        (CRON, "Skipping database acme because of modules to install/upgrade/remove.", "database skipped", ""),
        (CRON, "Skipping database acme as its base version is not 18.0.1.3.", "database skipped", ""),
        ("odoo.addons.queue_job.jobrunner.runner", "3 dead jobs requeued", "dead jobs requeued", ""),
    ],
)  # fmt: skip
def test_what_is_counted(logger: str, message: str, what: str, subject: str) -> None:
    found = parse(line("ERROR", "acme", logger, message))
    assert isinstance(found, Noted)
    assert (found.what, found.subject, found.database, found.at) == (what, subject, "acme", NOW)
    assert what in WHATS


@pytest.mark.parametrize(
    ("message", "ended"),
    [
        ("Starting job `Mail: Queue`.", False), ("Job `Mail: Queue` done.", True), ("Job done: `Mail: Queue` (0.008s).", True),
        ("Job 'Mail: Queue' (24) starting", False), ("Job 'Mail: Queue' (24) done in 0.009s", True),
    ],
)  # fmt: skip
def test_runs_of_scheduled_jobs(message: str, ended: bool) -> None:
    assert parse(line("INFO", "acme", CRON, message)) == Run(NOW, "acme", "Mail: Queue", ended)


def test_requests() -> None:
    begin = '10.0.0.1 - - [21/Nov/2026 22:36:35] "POST /web/dataset/call_kw/res.partner/read?db=acme HTTP/1.1"'
    path = "/web/dataset/call_kw/res.partner/read"
    assert parse(line("INFO", "acme", "werkzeug", f"{begin} 200 - 23 0.020 0.682")) == Access(
        NOW, path, 200, 0.02, pytest.approx(0.702)
    )
    assert parse(line("INFO", "?", "werkzeug", f"{begin} 502 -")) == Access(NOW, path, 502, None, None)


def test_any_other_line() -> None:
    assert parse(line("INFO", "acme", "odoo.modules.loading", "3 modules loaded")) == Plain(NOW)
    assert isinstance(parse(line("ERROR", "?", "odoo.http", "Exception during request handling.")), Noted)
    assert parse(b"Traceback (most recent call last):") == More(b"Traceback (most recent call last):")
    assert isinstance(parse(b"2026-13-45 22:36:35,123 1 INFO x y: z"), More)
    coloured = b"2026-11-21 22:36:35,123 4711 \x1b[1;31m\x1b[1;49mERROR\x1b[0m acme odoo.sql_db: bad query"
    assert isinstance(parse(coloured), Noted)
    assert isinstance(parse(b"2026-11-21T22:36:35.1Z stdout F " + line("ERROR", "acme", "odoo.sql_db", "x")), Noted)


@given(
    raw=st.binary(max_size=400),
    prefix=st.sampled_from(
        [
            "",
            f"{HEAD} ERROR acme ",
            f"{HEAD} INFO ? werkzeug: ",
            f"{HEAD} ERROR db {CRON}: ",
            f"{HEAD} ERROR db {SERVER}: Worker",
        ]
    ),
)
def test_no_line_is_too_strange(raw: bytes, prefix: str) -> None:
    found = parse(prefix.encode() + raw)
    if isinstance(found, Noted):
        assert found.what in WHATS
        assert len(found.message) <= MESSAGE
        assert found.message.isprintable()
        assert found.subject.isprintable()
    if isinstance(found, Access):
        assert found.path.isprintable()
    History().take([prefix.encode() + raw, raw])


@given(
    events=st.lists(
        st.tuples(st.sampled_from(("fail", "good", "start", "request", "kill")), st.integers(0, 7000)), max_size=40
    )
)
def test_counts_are_those_of_the_last_hour(events: list[tuple[str, int]]) -> None:
    texts = {
        "fail": ("ERROR", CRON, "Call from cron X for server action #1 failed in Job #2"),
        "good": ("INFO", CRON, "Job `X` done."), "start": ("INFO", CRON, "Starting job `X`."),
        "request": ("INFO", "werkzeug", '1.1.1.1 - - [] "GET /web HTTP/1.1" 503 - 1 0.010 0.020'),
        "kill": ("ERROR", SERVER, "WorkerHTTP (7) timeout after 6s"),
    }  # fmt: skip
    ordered = sorted(events, key=lambda each: -each[1])
    history = History()
    history.take(
        line(level, "acme", logger, text, NOW - timedelta(seconds=ago))
        for what, ago in ordered
        for level, logger, text in [texts[what]]
    )
    found = history.events(NOW)
    failed = [ago for what, ago in ordered if what == "fail" and ago <= 3600]
    assert (found["job failed X acme"].count if failed else 0) == len(failed)
    if failed:
        assert found["job failed X acme"].last_at == NOW - timedelta(seconds=min(failed))
    rates = history.rates(NOW)
    if ordered:
        minute = sum(what == "request" and ago <= 60 for what, ago in ordered)
        assert rates["requests_per_s"] == pytest.approx(minute / 60, rel=0.01)
        assert rates["errors_per_s"] == rates["requests_per_s"]


def test_a_worker_that_is_ended_is_counted_once() -> None:
    """The parent says it until the worker has gone."""
    history = History()
    lines = [
        line("ERROR", "?", SERVER, f"WorkerHTTP ({pid}) timeout after 6s", NOW + timedelta(seconds=after))
        for pid, after in ((7, 0), (7, 4), (8, 5), (7, 900))
    ]
    history.take(lines)
    (event,) = history.events(NOW + timedelta(seconds=901)).values()
    assert event.count == 3


def test_a_job_was_good_when_no_failure_came_between_its_start_and_its_end() -> None:
    def told(*texts: str) -> datetime | None:
        history = History()
        moments = [NOW + timedelta(seconds=number) for number in range(len(texts))]
        history.take(line("INFO", "acme", CRON, text, at) for text, at in zip(texts, moments, strict=True))
        return history.events(NOW + timedelta(seconds=60))["job failed X acme"].good_at

    fail = "Call from cron X for server action #1 failed in Job #2"
    assert told("Starting job `X`.", fail, "Job `X` done.") is None
    assert told("Starting job `X`.", "Job `X` done.", "Starting job `X`.", fail, "Job `X` done.") == NOW + timedelta(
        seconds=1
    )
    assert told(fail, "Job `X` done.", "Starting job `X`.", "Job `X` done.") == NOW + timedelta(seconds=3)


def test_the_end_of_a_traceback_is_the_reason() -> None:
    history = History()
    history.take([
        line("ERROR", "acme", CRON, "Call from cron X for server action #1 failed in Job #2"), b"Traceback (most recent call last):",
        b'  File "/opt/odoo/http.py", line 1, in x', b"odoo.exceptions.UserError: no such account, password=hunter2",
        line("INFO", "acme", CRON, "Job `X` done."), b"unheard of: after the next line nothing is its reason",
    ])  # fmt: skip
    (event,) = history.events(NOW).values()
    assert "UserError: no such account" in event.message
    assert "hunter2" not in event.message
    assert "unheard" not in event.message


@pytest.mark.server
async def test_a_real_log(odoo: Tenant) -> None:
    failing = _cron(odoo, "Fails", 'raise UserError("no account")')
    source = OdooLogSource("acme", LogSource(path=odoo.config.log_file), CADENCE)
    until(lambda: odoo.run(f"select 1 from ir_cron where id = {failing} and lastcall is not null"))
    with odoo.client() as client:
        for _ in range(6):
            client.get("/web/login")
            client.get("/web/health")
    reading = await source.read()
    odoo.run(f"delete from ir_cron where id = {failing}")
    assert reading.status == "ok"
    event = reading.events[f"job failed Fails {odoo.database}"]
    assert event.good_at is None
    assert "no account" in event.message
    assert reading.requests_per_s is not None
    assert reading.requests_per_s >= 6 / 60 * 0.99
    assert reading.p95_ms is not None
    assert reading.sql_ms is not None
    assert reading.last_line_at is not None
    assert (await source.examine())[0].answer == "pass"
    await source.close()


async def test_a_log_that_is_none_or_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "log"
    source = OdooLogSource("acme", LogSource(path=str(path)), CADENCE)
    with pytest.raises(SourceError, match="No such file"):
        await source.read()
    path.write_text("hello\nworld\n")
    reading = await source.read()
    assert reading.status == "partial"
    assert "not the log of an Odoo" in reading.problem
    assert reading.requests_per_s is None
    with path.open("ab") as file:
        file.write(line("ERROR", "?", SERVER, "WorkerHTTP (7) timeout after 6s", datetime.now(UTC)) + b"\n")
    assert list((await source.read()).events) == ["worker timeout WorkerHTTP"]
    path.unlink()
    path.write_bytes(line("INFO", "acme", "odoo.http", "rotated", datetime.now(UTC)) + b"\n")
    assert list((await source.read()).events) == ["worker timeout WorkerHTTP"]


async def test_a_command_prints_the_same_lines_again_and_nothing_counts_twice() -> None:
    text = line("ERROR", "?", SERVER, "WorkerHTTP (7) timeout after 6s", datetime.now(UTC)).decode()
    source = OdooLogSource("acme", LogSource(command=["printf", "%s\\n", text]), CADENCE)
    for _ in range(3):
        reading = await source.read()
        assert [event.count for event in reading.events.values()] == [1]
    await source.close()


def test_workers_that_go_on_being_recycled_do_not_fill_the_memory() -> None:
    history = History()
    began = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
    for number in range(2_000):
        at = began + timedelta(seconds=number)
        line = f"{at:%Y-%m-%d %H:%M:%S},000 {100 + number} INFO ? odoo.service.server: Worker ({100 + number}) virtual memory limit (9999999) reached."
        assert history.take([line.encode()] * 2) == 2
    (kept,) = history._events.values()
    assert len(kept.at) == 1000 and len(kept.pids) <= 200
