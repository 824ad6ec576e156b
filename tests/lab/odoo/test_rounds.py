"""Locks while something runs, what is left of the dead, and rounds that are skipped."""

from __future__ import annotations

import pytest

from tests.lab.odoo.rig import Tenant, until
from tests.lab.odoo.test_behaviour import _cron
from tests.rigs_postgres import free_port

pytestmark = [pytest.mark.server]


def test_a_running_cron_holds_its_row(odoo: Tenant) -> None:
    made = _cron(odoo, "Sleeps", "time.sleep(1.5)")
    until(
        lambda: odoo.run("select 1 from pg_stat_activity where query like 'select pg_sleep(1.5)%' and state = 'active'")
    )
    assert odoo.run(f"select id from ir_cron where id = {made} for no key update skip locked") == []
    until(lambda: odoo.run(f"select 1 from ir_cron where id = {made} and lastcall is not null"))
    assert odoo.run(f"select id from ir_cron where id = {made} for no key update skip locked") == [(made,)]
    odoo.run(f"delete from ir_cron where id = {made}")


def test_a_trigger_runs_a_cron_before_its_time(odoo: Tenant) -> None:
    made = _cron(odoo, "Triggered", "model._compute_totals()", nextcall="now() at time zone 'UTC' + interval '1 day'")
    odoo.run(f"insert into ir_cron_trigger (cron_id, call_at) values ({made}, now() at time zone 'UTC')")
    odoo.postgres.run("notify cron_trigger")
    until(lambda: odoo.run(f"select 1 from ir_cron where id = {made} and lastcall is not null"))
    assert odoo.run(f"select count(*) from ir_cron_trigger where cron_id = {made}") == [(0,)]
    odoo.run(f"delete from ir_cron where id = {made}")


def test_modules_to_upgrade_stop_the_crons(odoo: Tenant) -> None:
    odoo.run("update ir_module_module set state = 'to upgrade' where name = 'stock'")
    odoo.postgres.run("notify cron_trigger")
    said = f"Skipping database {odoo.database} because of modules to install/upgrade/remove."
    until(lambda: said in odoo.log())
    odoo.run("update ir_module_module set state = 'installed' where name = 'stock'")


def test_mail_that_is_refused_keeps_the_reason(odoo: Tenant) -> None:
    odoo.run(
        "insert into ir_mail_server (name, smtp_host, smtp_port, smtp_authentication, smtp_encryption, active) "
        f"values ('out', '127.0.0.1', {free_port()}, 'login', 'none', true)"
    )
    message = odoo.run(
        "insert into mail_message (message_type, email_from) values ('email', 'a@example.com') returning id"
    )[0][0]
    mail = odoo.run(
        f"insert into mail_mail (mail_message_id, state, email_to) values ({message}, 'outgoing', 'b@example.com') returning id"
    )[0][0]
    made = _cron(odoo, "Mail", "model.process_email_queue()")
    state = f"select failure_type, failure_reason from mail_mail where id = {mail} and state = 'exception'"
    assert until(lambda: odoo.run(state)) == [(None, "111\nConnection refused")]
    odoo.run(f"delete from ir_cron where id = {made}")


@pytest.mark.parametrize("odoo", [18], indirect=True)
def test_a_job_whose_worker_died_is_done_again(odoo: Tenant) -> None:
    ident = odoo.run(
        "insert into queue_job (uuid, name, model_name, method_name, state, priority, channel, retry, records, date_created, "
        "date_enqueued) values ('dead', 'dead', 'purchase.order', '_compute_totals', 'started', 10, 'root', 1, '{\"ids\": []}', "
        "now() at time zone 'UTC', now() at time zone 'UTC' - interval '1 minute') returning id"
    )[0][0]
    odoo.run(f"insert into queue_job_lock (queue_job_id) values ({ident})")
    until(lambda: odoo.run(f"select 1 from queue_job where id = {ident} and state = 'done'"))
    assert "1 dead jobs requeued" in odoo.log()
