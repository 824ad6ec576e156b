"""Faults of what a tenant's Odoo keeps and sends: mail, modules, documents."""

from __future__ import annotations

import shutil
from pathlib import Path

from console.lab import health
from console.lab.faults import platform, tools
from console.lab.faults.base import Deed, Fault, Parameter, Signs, Stroke, Truth
from console.lab.state import Lab
from console.lab.tenants import TENANTS, Tenant

_NOW = "now() at time zone 'UTC'"
_REFUSED = "select count(*) > 2 from mail_mail where state = 'exception' and failure_reason is not null"


# -- mail ----------------------------------------------------------------------------------------------------------------


def _send_now(lab: Lab, each: Tenant) -> None:
    """Wake the tenant's mail job, as Odoo does when a user sends one: a trigger, and a word to the cron workers."""
    platform.tell(
        lab,
        each.name,
        f"insert into ir_cron_trigger (cron_id, call_at, create_uid, create_date) select c.id, {_NOW}, 1, {_NOW} "  # noqa: S608
        "from ir_cron c join ir_act_server a on a.id = c.ir_actions_server_id where a.code = 'model.process_email_queue()'",
    )
    platform.tell(lab, "postgres", f"select pg_notify('cron_trigger', '{each.name}')")


def _write(lab: Lab, each: Tenant, mails: int) -> None:
    """Somebody writes to vendors."""
    platform.tell(
        lab,
        each.name,
        "with message as (insert into mail_message (subject, model, res_id, author_id, message_type, email_from, date, create_uid, create_date) "  # noqa: S608
        f"values ('Delivery dates', 'res.partner', 1, 3, 'email', 'purchase@example.com', {_NOW}, 2, {_NOW}) returning id) "
        "insert into mail_mail (mail_message_id, state, email_to, body_html, auto_delete, create_uid, create_date) "
        f"select id, 'outgoing', 'vendor@example.com', '<p>When?</p>', true, 2, {_NOW} from message, generate_series(1, {mails})",
    )


def _refuse(stroke: Stroke) -> None:
    tools.hold(stroke, "mail")
    for each in TENANTS:
        _write(stroke.lab, each, stroke.number("mails"))
        _send_now(stroke.lab, each)


def _deliver(stroke: Stroke) -> None:
    """Let the server run again and send what it refused, as an administrator does."""
    tools.release(stroke, "mail")
    health.wait_for(lambda: "the mail server does not listen" if tools.refused(stroke.lab.servers["mail"]) else "", 20)
    for each in TENANTS:
        again = "update mail_mail set state = 'outgoing', failure_reason = null where state = 'exception'"
        platform.tell(stroke.lab, each.name, again)
        _send_now(stroke.lab, each)


MAIL_REFUSED = Fault(
    name="mail-refused",
    does="SIGKILL to the mail server that all tenants send through, held down until heal; in each tenant somebody writes some mails, which its "
    "mail job cannot send. Healed, what was refused is sent again",
    observable_from="every tenant has more than two mails in state exception, with their reason",
    needs_platform=True,
    parameters=(Parameter("mails", 5, "written in each tenant"),),
    signs=Signs(
        findings=("mail-refused",),
        panes={"application": "warning"},
        latency_s=40,
        tenants=("*",),
        truth=Truth(
            broken="the mail server takes no connections",
            felt="every tenant: no mail goes out, and nobody is told",
            cause="mail-refused",
        ),
    ),
)


# -- modules -------------------------------------------------------------------------------------------------------------


def _begin_upgrade(stroke: Stroke) -> None:
    name, module = platform.of(stroke).name, stroke.text("module")
    found = platform.ask(
        stroke.lab, name, "select state, write_date::text from ir_module_module where name = %s", module
    )
    stroke.notes |= {"state": str(found[0][0]), "written": str(found[0][1])}
    _set_module(stroke, "to upgrade", f"{_NOW}")


def _end_upgrade(stroke: Stroke) -> None:
    if "state" in stroke.notes:
        _set_module(stroke, stroke.notes["state"], f"'{stroke.notes['written']}'")


def _set_module(stroke: Stroke, state: str, written: str) -> None:
    name, module = platform.of(stroke).name, stroke.text("module")
    platform.tell(
        stroke.lab,
        name,
        f"update ir_module_module set state = '{state}', write_date = {written} where name = '{module}'",  # noqa: S608
    )


MODULE_TO_UPGRADE = Fault(
    name="module-to-upgrade",
    does="a module of the tenant is set to state 'to upgrade', as an upgrade that was ordered and never finished leaves it. From then on no "
    "scheduled job of its database runs, and nothing but a line in the log says so",
    observable_from="its row says so",
    needs_platform=True,
    parameters=(
        platform.whose("granit"),
        Parameter("module", "purchase_stock", "which", ("purchase", "purchase_stock", "stock", "account", "project")),
    ),
    signs=Signs(
        findings=("module-to-upgrade",),
        panes={"application": "warning"},
        latency_s=140,
        lingers_s=120,
        scope="tenant",
        tenants=("{tenant}",),
        truth=Truth(
            broken="a module upgrade was begun and not finished: Odoo skips the database's scheduled jobs",
            felt="the tenant: mails, reminders and totals stand still",
            cause="module-to-upgrade",
        ),
    ),
)


# -- documents -----------------------------------------------------------------------------------------------------------


def _store(stroke: Stroke) -> Path:
    each = platform.of(stroke)
    return platform.volume(stroke.lab, each) / "data" / "filestore" / each.name


def _aside(stroke: Stroke) -> Path:
    return stroke.lab.path / "load" / f"aside-{ATTACHMENT_MISSING.name}-{platform.of(stroke).name}"


def _take_away(stroke: Stroke) -> None:
    rows = platform.ask(
        stroke.lab,
        platform.of(stroke).name,
        "select distinct store_fname from ir_attachment where store_fname not like '%%://%%' order by 1 limit %s",
        stroke.number("files"),
    )
    names = [str(name) for (name,) in rows]
    stroke.notes["files"] = " ".join(names)
    for name in names:
        kept = _aside(stroke) / name
        kept.parent.mkdir(parents=True, exist_ok=True)
        (_store(stroke) / name).rename(kept)


def _put_back(stroke: Stroke) -> None:
    for name in stroke.notes.get("files", "").split():
        kept = _aside(stroke) / name
        if kept.exists():
            (_store(stroke) / name).parent.mkdir(parents=True, exist_ok=True)
            kept.rename(_store(stroke) / name)
    shutil.rmtree(_aside(stroke), ignore_errors=True)


ATTACHMENT_MISSING = Fault(
    name="attachment-missing",
    does="files of the tenant's file store are moved away, their rows stay; heal puts them back",
    observable_from="they are gone",
    needs_platform=True,
    parameters=(platform.whose("acme"), Parameter("files", 6, "how many")),
    signs=Signs(
        findings=("attachment-missing",),
        allowed=("transaction-failing",),
        panes={"application": "warning"},
        latency_s=140,
        lingers_s=140,
        scope="tenant",
        tenants=("{tenant}",),
        truth=Truth(
            broken="files of the tenant's documents are gone from the file store, their rows are not",
            felt="the tenant: whoever opens one of these documents gets an error",
            cause="attachment-missing",
        ),
    ),
)

DEEDS = {
    MAIL_REFUSED.name: (
        MAIL_REFUSED,
        Deed(
            _refuse,
            lambda stroke: all(platform.counted(stroke.lab, each.name, _REFUSED) for each in TENANTS),
            _deliver,
            visible_within_s=60,
        ),
    ),
    MODULE_TO_UPGRADE.name: (
        MODULE_TO_UPGRADE,
        Deed(
            _begin_upgrade,
            lambda stroke: (
                platform.counted(
                    stroke.lab,
                    platform.of(stroke).name,
                    "select count(*) from ir_module_module where state = 'to upgrade'",
                )
                > 0
            ),
            _end_upgrade,
        ),
    ),
    ATTACHMENT_MISSING.name: (
        ATTACHMENT_MISSING,
        Deed(
            _take_away,
            lambda stroke: not any((_store(stroke) / name).exists() for name in stroke.notes["files"].split()),
            _put_back,
        ),
    ),
}
