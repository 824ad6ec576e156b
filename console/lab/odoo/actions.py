"""What cron rows and queue jobs do: the words of ``ir_act_server.code`` that this laboratory understands, with real effects."""

from __future__ import annotations

import contextlib
import re
import smtplib
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import msgspec

from console.lab.odoo import attachments
from console.lab.odoo.database import Cursor
from console.lab.odoo.errors import UserError

_MAIL_WAITING_AT_MOST = 50
_SMTP_S = 5.0


class Task(msgspec.Struct):
    """In whose transaction, and on which records."""

    cursor: Cursor
    data_dir: Path
    ids: list[int]


def run(code: str, task: Task) -> None:
    """Do it. What it raises is the failure of the cron or job."""
    if found := re.fullmatch(r"""raise UserError\(["'](.*)["']\)""", code):
        raise UserError(found[1])
    if found := re.fullmatch(
        r"""(?:env\.cr\.execute\(["']select pg_sleep\(|time\.sleep\()([\d.]+)\)(?:["']\))?""", code
    ):
        task.cursor.run("select pg_sleep(%s)", [float(found[1])])
        return
    known: dict[str, Callable[[Task], None]] = {
        "_run_vacuum_cleaner": _vacuum, "process_email_queue": _mail, "_send_reminder_mail": _remind, "_compute_totals": _totals,
    }  # fmt: skip
    found = re.fullmatch(r"model\.(\w+)\(\)", code)
    if not found or found[1] not in known:
        raise NameError(f"forbidden or unknown in server action: {code[:60]}")
    known[found[1]](task)


def _vacuum(task: Task) -> None:
    """Daily clean-up: old log-ins but each user's newest, old jobs, listed files that no row needs."""
    cursor = task.cursor
    cursor.run(
        "delete from res_users_log a using res_users_log b where a.create_uid = b.create_uid and a.create_date < b.create_date"
    )
    cursor.run(
        "delete from queue_job j using queue_job_channel c where c.complete_name = j.channel and j.state in ('done', 'cancelled') "
        "and coalesce(j.date_done, j.date_cancelled) < now() at time zone 'UTC' - make_interval(days => c.removal_interval)"
    )
    cursor.run("delete from ir_cron_trigger where call_at < now() at time zone 'UTC' - interval '7 days'")
    if cursor.run("select to_regclass('ir_cron_progress')")[0][0]:
        cursor.run("delete from ir_cron_progress where create_date < now() at time zone 'UTC' - interval '7 days'")
    needed = cursor.run("select distinct store_fname from ir_attachment where store_fname is not null")
    attachments.sweep(task.data_dir, cursor.database, {name for (name,) in needed})


def _totals(task: Task) -> None:
    """Add up requests: the given ones, or the newest."""
    which = "id = any(%s)" if task.ids else "id in (select id from purchase_order order by id desc limit 20)"
    task.cursor.run(
        f"update purchase_order set amount_total = amount_untaxed + amount_tax, write_uid = 1, "  # noqa: S608
        f"write_date = date_trunc('second', now() at time zone 'UTC') where {which}",
        [task.ids] if task.ids else None,
    )


def _remind(task: Task) -> None:
    """Write a reminder for the oldest order not yet reminded of, unless mail piles up."""
    cursor = task.cursor
    waiting = cursor.run("select count(*) from mail_mail where state in ('outgoing', 'exception')")[0][0]
    found = cursor.run(
        "select id, name, partner_id from purchase_order where state = 'purchase' and mail_reminder_confirmed is not true "
        "order by id limit 1"
    )
    if not found or waiting >= _MAIL_WAITING_AT_MOST:
        return
    ident, name, partner = found[0]
    (message,) = cursor.run(
        "insert into mail_message (subject, model, res_id, author_id, message_type, email_from, date, create_uid, create_date) "
        "values (%s, 'purchase.order', %s, 3, 'email', 'purchase@example.com', now() at time zone 'UTC', 1, now() at time zone 'UTC') "
        "returning id",
        [f"Reminder of {name}", ident],
    )[0]
    cursor.run(
        "insert into mail_mail (mail_message_id, state, email_to, body_html, auto_delete, create_uid, create_date) "
        "values (%s, 'outgoing', %s, %s, true, 1, now() at time zone 'UTC')",
        [message, f"vendor{partner}@example.com", f"<p>Please confirm {name}.</p>"],
    )
    cursor.run("update purchase_order set mail_reminder_confirmed = true where id = %s", [ident])


def _mail(task: Task) -> None:
    """Send what waits, through the outgoing mail server; what it refuses stays with its reason."""
    cursor = task.cursor
    server = cursor.rows("select smtp_host, smtp_port from ir_mail_server where active order by sequence, id limit 1")
    waiting = cursor.rows(
        "select m.id, m.email_to, m.body_html, m.auto_delete, g.subject, g.email_from from mail_mail m "
        "join mail_message g on g.id = m.mail_message_id where m.state = 'outgoing' "
        "and (m.scheduled_date is null or m.scheduled_date < now() at time zone 'UTC') order by m.id limit 100"
    )
    if not waiting:
        return
    host, port = (server[0]["smtp_host"], server[0]["smtp_port"]) if server else ("localhost", 25)
    refused = ""
    line: smtplib.SMTP | None = None
    try:
        line = smtplib.SMTP(str(host), int(port or 25), timeout=_SMTP_S)
    except OSError as error:
        refused = f"{error.errno}\n{error.strerror}" if error.errno else str(error)
    try:
        for mail in waiting:
            reason = refused or _sent(line, mail)
            if reason:
                cursor.run(
                    "update mail_mail set state = 'exception', failure_reason = %s, write_uid = 1, "
                    "write_date = date_trunc('second', now() at time zone 'UTC') where id = %s",
                    [reason, mail["id"]],
                )
            elif mail["auto_delete"]:
                cursor.run("delete from mail_mail where id = %s", [mail["id"]])
            else:
                cursor.run("update mail_mail set state = 'sent' where id = %s", [mail["id"]])
    finally:
        if line is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                line.quit()


def _sent(line: smtplib.SMTP | None, mail: dict[str, object]) -> str:
    """Why it could not be sent; nothing when it was."""
    assert line is not None
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = (
        str(mail["subject"]),
        str(mail["email_from"]),
        str(mail["email_to"]),
    )
    message.set_content(str(mail["body_html"]), subtype="html")
    try:
        line.send_message(message)
    except (smtplib.SMTPException, OSError) as error:
        return str(error)
    return ""
