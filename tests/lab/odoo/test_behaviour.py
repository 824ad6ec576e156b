"""What a tenant does to its database, its session store and its log."""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.lab.odoo.rig import Tenant, until

pytestmark = [pytest.mark.server]


def _log_in(client: httpx.Client, odoo: Tenant) -> Any:
    params = {"db": odoo.database, "login": "admin", "password": "admin"}
    got = client.post("/web/session/authenticate", json={"jsonrpc": "2.0", "params": params})
    assert got.json()["result"]["uid"] == 2
    return client.cookies["session_id"]


def _cron(odoo: Tenant, name: str, code: str, **more: str) -> int:
    shown = f"jsonb_build_object('en_US', '{name}')"
    action = odoo.run(
        "insert into ir_act_server (name, type, usage, state, code) "
        f"values ({shown}, 'ir.actions.server', 'ir_cron', 'code', $c${code}$c$) returning id"
    )[0][0]
    columns = {
        "ir_actions_server_id": str(action), "user_id": "1", "interval_number": "1", "interval_type": "'days'",
        "active": "true", "cron_name": shown if odoo.major == 16 else f"'{name}'", "nextcall": "now() at time zone 'UTC'",
        **({"numbercall": "-1"} if odoo.major < 18 else {"failure_count": "0"}), **more,
    }  # fmt: skip
    made = odoo.run(f"insert into ir_cron ({', '.join(columns)}) values ({', '.join(columns.values())}) returning id")[
        0
    ][0]
    odoo.postgres.run("notify cron_trigger")
    return int(made)


def test_a_session_is_where_its_version_keeps_it(odoo: Tenant) -> None:
    before = odoo.run("select count(*) from res_users_log where create_uid = 2")[0][0]
    with odoo.client() as client:
        sid = _log_in(client, odoo)
    assert odoo.run("select count(*) from res_users_log where create_uid = 2")[0][0] == before + 1
    if odoo.major == 18:
        assert re.fullmatch(r"[A-Za-z0-9_-]{84}", sid)
        kept = json.loads(Path(odoo.config.data_dir, "sessions", sid[:2], sid).read_text())
    else:
        assert re.fullmatch(r"[0-9a-f]{40}", sid)
        cache = odoo.cache.client()
        assert 604000 < cache.ttl(f"session:{sid}") <= 604800
        kept = json.loads(cache.get(f"session:{sid}"))
    assert (kept["db"], kept["login"], kept["uid"]) == (odoo.database, "admin", 2)


def test_what_is_watched_is_named_and_logged(odoo: Tenant) -> None:
    with odoo.client() as client:
        _log_in(client, odoo)
    names = {
        name for (name,) in odoo.run("select application_name from pg_stat_activity where datname = current_database()")
    }
    pids = {child.pid for child in psutil.Process(odoo.process.pid).children()}
    assert {int(name.removeprefix("odoo-")) for name in names if name.startswith("odoo-")} <= pids
    assert any(name.startswith("odoo-") for name in names)
    line = rf' INFO {odoo.database} werkzeug: 127\.0\.0\.1 - - \[[^]]+\] "POST /web/session/authenticate HTTP/1\.1" 200 - \d+ [\d.]+ [\d.]+\n'
    assert re.search(line, odoo.log())


def test_a_failing_cron_leaves_what_its_version_leaves(odoo: Tenant) -> None:
    made = _cron(odoo, "Fails", 'raise UserError("no ink")')
    ran = until(
        lambda: odoo.run(f"select lastcall, nextcall, active from ir_cron where id = {made} and lastcall is not null")
    )
    assert ran[0][1] > ran[0][0]
    assert f"failed in Job #{made}" in odoo.log()
    if odoo.major == 18:
        told = odoo.run(f"select failure_count, first_failure_date is not null from ir_cron where id = {made}")
        assert told == [(1, True)]
        week = "first_failure_date = now() at time zone 'UTC' - interval '8 days', failure_count = 4"
        odoo.run(f"update ir_cron set {week}, nextcall = now() at time zone 'UTC' where id = {made}")
        odoo.postgres.run("notify cron_trigger")
        state = f"select active, failure_count, first_failure_date from ir_cron where id = {made} and not active"
        assert until(lambda: odoo.run(state)) == [(False, 0, None)]
        assert "has been deactivated after failing 5 times" in odoo.log()
    odoo.run(f"delete from ir_cron where id = {made}")


def test_jobs_are_done_or_failed_with_their_reason(odoo: Tenant) -> None:
    empty = "'{\"ids\": [1]}'"
    for name, method in (("good", "_compute_totals"), ("bad", 'raise UserError("no concrete")')):
        odoo.run(
            "insert into queue_job (uuid, name, model_name, method_name, state, priority, channel, retry, records, date_created) "
            f"values ('{name}', '{name}', 'purchase.order', $c${method}$c$, 'pending', 10, 'root', 0, {empty}, now() at time zone 'UTC')"
        )
    done = "select state, exec_time is not null, date_done is not null, worker_pid > 0 from queue_job where uuid = 'good' and state = 'done'"
    assert until(lambda: odoo.run(done)) == [("done", True, True, True)]
    failed = "select exc_name, exc_message, date_done from queue_job where uuid = 'bad' and state = 'failed'"
    assert until(lambda: odoo.run(failed)) == [("odoo.exceptions.UserError", "no concrete", None)]
    assert odoo.run(
        "select count(*) from queue_job_lock l join queue_job j on j.id = l.queue_job_id where j.uuid = 'good'"
    ) == [(1,)]


@pytest.mark.parametrize("odoo", [17], indirect=True)
def test_a_worker_that_takes_too_long_is_killed_and_replaced(odoo: Tenant) -> None:
    with odoo.postgres.connect(odoo.database) as holder:
        holder.autocommit = False
        holder.execute("lock table project_project in access exclusive mode")
        call = {
            "service": "object",
            "method": "execute_kw",
            "args": [odoo.database, 2, "admin", "project.project", "search", [[]]],
        }
        with odoo.client() as client, pytest.raises(httpx.RemoteProtocolError):
            client.post("/jsonrpc", json={"jsonrpc": "2.0", "id": 1, "params": call})
        holder.rollback()
    assert re.search(r"ERROR \? odoo\.service\.server: WorkerHTTP \(\d+\) timeout after 4s", odoo.log())
    with odoo.client() as client:
        until(lambda: client.get("/web/health").status_code == 200)


def test_a_restarted_primary_is_found_again(odoo: Tenant) -> None:
    """A connection that was cut is made anew for the next request."""
    call = {
        "service": "object",
        "method": "execute_kw",
        "args": [odoo.database, 2, "admin", "project.project", "search", [[]]],
    }
    body = {"jsonrpc": "2.0", "id": 1, "params": call}
    with odoo.client() as client:
        assert client.post("/jsonrpc", json=body).json()["result"]
        odoo.run(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'odoo-%' and datname = current_database()"
        )
        with contextlib.suppress(KeyError):
            until(lambda: client.post("/jsonrpc", json=body).json().get("result"))
        assert client.post("/jsonrpc", json=body).json()["result"]
