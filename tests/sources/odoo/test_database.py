"""What the tables of real tenants of 16, 17 and 18 tell, as a role that may read single columns and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest

from console.readings.odoo import OdooDatabase
from console.sources.base import SourceError
from console.sources.odoo_database import OdooDatabaseSource
from console.sources.odoo_privilege import columns
from tests.lab.odoo.rig import Tenant, until
from tests.rigs_postgres import MONITOR, Postgres, free_port, standby_of
from tests.sources.odoo.rig import database_source, granted, visits

pytestmark = pytest.mark.server
newest = pytest.mark.parametrize("odoo", [18], indirect=True)
UTC_NOW = "date_trunc('second', now() at time zone 'UTC')"


@pytest.fixture
def allowed(odoo: Tenant) -> Iterator[Tenant]:
    with granted(odoo):
        yield odoo


async def look(tenant: Tenant, source: OdooDatabaseSource | None = None) -> OdooDatabase:
    reading = await (source or database_source(tenant)).read()
    assert reading.status == "ok", reading.problem
    assert reading.unread == ()
    return reading


async def test_a_tenant_that_is_well(allowed: Tenant) -> None:
    ours = "select count(*) from pg_stat_activity where datname = current_database() and application_name like 'odoo-%'"
    until(lambda: allowed.run(ours)[0][0])  # a worker connects when it first has something to do
    reading = await look(allowed)
    major = allowed.major
    assert reading.version == f"{major}.0.1.3"
    assert (reading.tenant, reading.database, reading.asked) == ("acme", allowed.database, "main/pg-1")
    assert reading.modules == {}
    assert reading.modules_installed == 11
    assert {row.name for row in reading.crons.values()} >= {"Mail: Email Queue Manager", "Account: Compute totals"}
    assert {row.every for row in reading.crons.values()} >= {"1 hours", "1 minutes"}
    assert reading.crons_off == reading.crons_late == 0
    assert reading.queue_job
    assert reading.jobs_done_last_hour is not None
    assert reading.mail is not None
    assert reading.users is not None
    assert reading.users.active == 4
    assert reading.users.online == 0
    assert reading.connections
    assert not reading.neutralized
    tells = major >= 18
    assert (reading.crons_failing is None) is not tells
    assert all((row.failures is None) is not tells for row in reading.crons.values())
    assert set(reading.untold) == (
        set() if tells else {"failed scheduled jobs", "killed scheduled jobs", "paused channels"}
    )


@pytest.mark.parametrize("odoo", [16, 18], indirect=True)
async def test_a_job_that_runs_is_seen_without_touching_its_row(allowed: Tenant) -> None:
    source = database_source(allowed)
    made = _cron(allowed, "Sleeps", "time.sleep(1.5)")
    try:
        until(
            lambda: allowed.run(
                "select 1 from pg_stat_activity where query like 'select pg_sleep(1.5)%' and state = 'active'"
            )
        )
        row = (await look(allowed, source)).crons[str(made)]
        assert row.running
        assert row.running_since is not None
        assert not row.late
        until(lambda: allowed.run(f"select 1 from ir_cron where id = {made} and lastcall is not null"))
        row = (await look(allowed, source)).crons[str(made)]
        assert not row.running
        assert row.last_at is not None
    finally:
        allowed.run(f"delete from ir_cron where id = {made}")


@newest
async def test_what_18_keeps_of_failures(allowed: Tenant) -> None:
    fails = _cron(allowed, "Fails", 'raise UserError("no")')
    try:
        until(lambda: allowed.run(f"select 1 from ir_cron where id = {fails} and failure_count > 0"))
        reading = await look(allowed)
        row = reading.crons[str(fails)]
        assert row.failures is not None
        assert row.failures >= 1
        assert row.failing_since is not None
        assert reading.crons_failing == 1
        # Five failures over a week, as Odoo itself ends them: nothing is left but that it is off.
        allowed.run(
            f"update ir_cron set write_date = {UTC_NOW} - interval '9 days', failure_count = 4, first_failure_date = {UTC_NOW} - interval '8 days', nextcall = {UTC_NOW} where id = {fails}"
        )
        allowed.postgres.run("notify cron_trigger")
        until(lambda: allowed.run(f"select 1 from ir_cron where id = {fails} and not active"))
        reading = await look(allowed)
        assert reading.crons[str(fails)].switched_off
        assert not reading.crons[str(fails)].failures
        assert reading.crons_off == 1
        # A person who switches it off writes the row.
        allowed.run(f"update ir_cron set write_date = {UTC_NOW} where id = {fails}")
        reading = await look(allowed)
        assert str(fails) not in reading.crons
    finally:
        allowed.run(f"delete from ir_cron where id = {fails}")


@newest
async def test_a_job_whose_worker_was_killed(allowed: Tenant) -> None:
    cron = allowed.run("select id from ir_cron where cron_name = 'Purchase reminder'")[0][0]
    progress = allowed.run(
        f"insert into ir_cron_progress (cron_id, timed_out_counter) values ({cron}, 2) returning id"
    )[0][0]
    reading = await look(allowed)
    assert reading.crons[str(cron)].timed_out == 2
    allowed.run(f"delete from ir_cron_progress where id = {progress}")


async def test_late_jobs_triggers_and_modules_in_passage(allowed: Tenant) -> None:
    # While a module is in passage Odoo itself skips every job: nothing runs them from under the test.
    allowed.run(f"update ir_module_module set state = 'to upgrade', write_date = {UTC_NOW} where name = 'stock'")
    allowed.postgres.run("notify cron_trigger")
    late = _cron(allowed, "Late", "model._compute_totals()", nextcall=f"{UTC_NOW} - interval '10 minutes'")
    called = _cron(allowed, "Called", "model._compute_totals()", nextcall=f"{UTC_NOW} + interval '1 day'")
    allowed.run(f"insert into ir_cron_trigger (cron_id, call_at) values ({called}, {UTC_NOW} - interval '5 minutes')")
    try:
        reading = await look(allowed)
    finally:
        allowed.run(
            f"delete from ir_cron_trigger where cron_id = {called}",
            f"delete from ir_cron where id in ({late}, {called})",
        )
        allowed.run("update ir_module_module set state = 'installed' where name = 'stock'")
    assert list(reading.modules) == ["stock"]
    assert (reading.modules["stock"].state, reading.modules_in_passage) == ("to upgrade", 1)
    assert reading.modules["stock"].since is not None
    assert {row.name for row in reading.crons.values() if row.late} >= {"Late", "Called"}
    assert reading.triggers_due == 1
    assert reading.crons_late_since is not None
    assert reading.taken_at - reading.crons_late_since >= timedelta(minutes=9)


async def test_the_queue(allowed: Tenant) -> None:
    rows = {
        "failed": "'failed', 1, null, now() at time zone 'UTC' - interval '2 minutes'",
        "failed before": "'failed', 1, null, now() at time zone 'UTC' - interval '2 days'",
        "later": "'pending', null, now() at time zone 'UTC' + interval '1 day', null",
        "dead": "'started', 999999, null, now() at time zone 'UTC'",
    }
    for name, values in rows.items():
        allowed.run(
            "insert into queue_job (uuid, name, model_name, method_name, channel, exc_name, exc_message, date_created, date_enqueued,"
            f" state, worker_pid, eta, date_started) select '{name}', '{name}', 'purchase.order', '_compute_totals', 'root.purchase',"
            f" 'odoo.exceptions.UserError', 'no such order', {UTC_NOW}, {UTC_NOW}, {values}"
        )
    try:
        reading = await look(allowed)
    finally:
        allowed.run(f"delete from queue_job where uuid in ({', '.join(repr(name) for name in rows)})")
    channel = reading.channels["root.purchase"]
    assert (channel.failed, channel.failed_last_hour, channel.later, channel.dead, channel.waiting) == (2, 1, 1, 1, 0)
    assert channel.paused is (False if allowed.major >= 18 else None)
    (failed,) = reading.failed_jobs.values()
    assert (failed.function, failed.error, failed.count) == (
        "purchase.order._compute_totals",
        "odoo.exceptions.UserError",
        2,
    )
    assert failed.message == "no such order"


@newest
async def test_a_paused_channel_is_told_though_it_is_empty(allowed: Tenant) -> None:
    allowed.run("update queue_job_channel set paused = true, capacity = 0 where complete_name = 'root.purchase'")
    try:
        channel = (await look(allowed)).channels["root.purchase"]
        assert (channel.paused, channel.capacity) == (True, 0)
    finally:
        allowed.run("update queue_job_channel set paused = null, capacity = null")


async def test_mail(allowed: Tenant) -> None:
    message = allowed.run(
        "insert into mail_message (message_type, email_from) values ('email', 'a@example.com') returning id"
    )[0][0]
    for state, reason, when in (
        ("exception", "111\nConnection refused", "0"), ("exception", "111\nConnection refused", "2 hours"),
        ("exception", "550 unknown user", "1 minute"), ("outgoing", "", "30 minutes"), ("outgoing", "", "-1 day"),
    ):  # fmt: skip
        allowed.run(
            f"insert into mail_mail (mail_message_id, state, failure_reason, create_date, write_date, scheduled_date) values ({message},"
            f" '{state}', nullif('{reason}', ''), {UTC_NOW} - interval '30 minutes', {UTC_NOW} - interval '{when}',"
            f" {UTC_NOW} - interval '{when}')"
        )
    try:
        mail = (await look(allowed)).mail
    finally:
        allowed.run(f"delete from mail_message where id = {message}")
    assert mail is not None
    assert (mail.outgoing, mail.later, mail.failed, mail.failed_last_hour) == (1, 1, 3, 2)
    assert mail.oldest_at is not None
    assert [(row.reason, row.count) for row in mail.reasons.values()] == [
        ("111 Connection refused", 2),
        ("550 unknown user", 1),
    ]


async def test_a_neutralised_copy_is_told(allowed: Tenant) -> None:
    allowed.run("insert into ir_config_parameter (key, value) values ('database.is_neutralized', 'True')")
    try:
        assert (await look(allowed)).neutralized
    finally:
        allowed.run("delete from ir_config_parameter where key = 'database.is_neutralized'")


async def test_the_grants_are_enough_and_nothing_more(allowed: Tenant) -> None:
    """Each column that is read may be read; secrets beside them may not."""
    await look(allowed)
    checks = await database_source(allowed).examine()
    assert [check.answer for check in checks] == ["pass", "pass"], checks
    with allowed.postgres.connect(allowed.database, user=MONITOR) as connection:
        for column, table in (
            ("value", "ir_config_parameter"), ("password", "res_users"), ("login", "res_users"), ("body_html", "mail_mail"),
            ("email_to", "mail_mail"), ("db_datas", "ir_attachment"), ("args", "queue_job"), ("options", "fs_storage"),
            ("name", "res_partner"), ("amount_total", "purchase_order"),
        ):  # fmt: skip
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"select {column} from public.{table}")  # type: ignore[arg-type]
        for statement in (
            "update ir_cron set active = false",
            "select 1 from ir_cron for update",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)  # type: ignore[arg-type]


async def test_what_may_not_be_read_is_said_with_its_grant(odoo: Tenant) -> None:
    with granted(odoo):
        odoo.run(
            f"revoke select (nextcall) on ir_cron from {MONITOR}", f"revoke select (state) on queue_job from {MONITOR}"
        )
        source = database_source(odoo)
        reading = await source.read()
        assert reading.status == "partial"
        assert "ir_cron, queue_job" in reading.problem
        assert set(reading.unread) == {"crons", "queue"}
        assert reading.version
        assert reading.mail is not None
        (check,) = [check for check in await source.examine() if check.answer == "fail"]
        assert '"nextcall"' in check.mend
        # What it prints mends it.
        odoo.run(check.mend.partition(": ")[2])
        assert (await source.read()).status == "ok"


async def test_without_any_grant_nothing_is_taken_for_good(odoo: Tenant) -> None:
    reading = await database_source(odoo).read()
    assert reading.status == "partial"
    assert set(reading.unread) == {"modules", "crons", "queue", "mail"}
    assert set(columns(odoo.major)) <= {name.partition(" ")[0] for name in reading.untold}


@newest
async def test_no_odoo_no_database_no_password_nobody(odoo: Tenant) -> None:
    reading = await database_source(odoo, "postgres").read()
    assert reading.status == "partial"
    assert "no Odoo database" in reading.problem
    with pytest.raises(SourceError, match="does not exist") as caught:
        await database_source(odoo, "renamed").read()
    assert caught.value.denied
    place = database_source(odoo)._place
    place.visits = visits(odoo.postgres, password="wrong")
    with pytest.raises(SourceError, match="authentication failed") as caught:
        await OdooDatabaseSource(place, deadline_s=5.0).read()
    assert caught.value.denied
    odoo.run(f"revoke connect on database {odoo.database} from public")
    try:
        with pytest.raises(SourceError, match="permission denied for database"):
            await database_source(odoo).read()
        (check,) = await database_source(odoo).examine()
        assert f'GRANT CONNECT ON DATABASE "{odoo.database}"' in check.mend
    finally:
        odoo.run(f"grant connect on database {odoo.database} to public")


@newest
async def test_a_pattern_is_the_busiest_database_of_that_name(allowed: Tenant) -> None:
    source = database_source(allowed, "acm?")
    reading = await source.read()
    assert reading.database == "acme"
    with pytest.raises(SourceError, match="is named like nobody"):
        await database_source(allowed, "nobody*").read()


@newest
async def test_no_connection_is_held_between_looks(allowed: Tenant) -> None:
    sources = [database_source(allowed) for _ in range(3)]
    for source in sources:
        await look(allowed, source)
    mine = f"select count(*) from pg_stat_activity where usename = '{MONITOR}' and backend_type = 'client backend'"
    until(lambda: allowed.postgres.run(mine) == [(0,)])


@newest
async def test_the_primary_is_found_and_a_standby_will_do(allowed: Tenant) -> None:
    with standby_of(allowed.postgres, "pg-9") as standby:
        until(lambda: _follows(standby, allowed))
        source = database_source(allowed, "", standby, allowed.postgres)
        reading = await look(allowed, source)
        assert (reading.asked, reading.standby) == ("main/pg-1", False)
        gone = Postgres.__new__(Postgres)
        gone.name, gone.port = "pg-1", free_port()
        source = database_source(allowed, "", gone, standby)
        reading = await source.read()
        assert (reading.asked, reading.standby) == ("main/pg-9", True)
        assert reading.version == "18.0.1.3"
        assert reading.busy is None
        assert "running jobs" in reading.untold


def _follows(standby: Postgres, tenant: Tenant) -> bool:
    try:
        return bool(standby.run("select 1 from ir_cron", database=tenant.database)) and bool(
            standby.run(
                f"select has_column_privilege('{MONITOR}', 'ir_cron', 'nextcall', 'SELECT')", database=tenant.database
            )[0][0]
        )
    except psycopg.Error:
        return False


@newest
async def test_tables_that_somebody_locks_are_unread_and_the_rest_is_not(allowed: Tenant) -> None:
    source = database_source(allowed)
    with allowed.postgres.connect(allowed.database) as other, other.transaction():
        other.execute("lock table ir_cron in access exclusive mode")
        reading = await source.read()
    assert reading.status == "partial"
    assert "crons" in reading.unread
    assert reading.mail is not None
    assert (await source.read()).unread == ()


@newest
async def test_a_tenant_can_make_us_run_nothing(allowed: Tenant) -> None:
    """Its tables are its own: a view, a policy or a type of its making in their place is not asked."""
    allowed.run(
        "create function public.spy() returns boolean language plpgsql as $$ begin raise exception 'run as %', current_user; end $$",
        "alter table mail_mail rename to mail_kept",
        "create view mail_mail as select *, public.spy() from mail_kept",
        f"grant select on mail_mail to {MONITOR}",
        "alter table res_users_log enable row level security",
        f"create policy spying on res_users_log for select to {MONITOR} using (public.spy())",
    )
    try:
        reading = await database_source(allowed).read()
    finally:
        allowed.run(
            "drop view mail_mail", "alter table mail_kept rename to mail_mail", "drop policy spying on res_users_log",
            "alter table res_users_log disable row level security", "drop function public.spy()",
        )  # fmt: skip
    assert reading.status == "ok"
    assert reading.mail is None
    assert reading.users is not None
    assert reading.users.last_log_in_at is None


def _cron(tenant: Tenant, name: str, code: str, nextcall: str = UTC_NOW) -> int:
    from tests.lab.odoo.test_behaviour import _cron as made

    return int(made(tenant, name, code, nextcall=nextcall))
