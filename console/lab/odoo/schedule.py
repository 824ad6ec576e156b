"""What a tenant does by itself: its cron rows, and rows of the job queue."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Protocol

from console.lab.odoo.versions import Version

CRONS = (
    ("base", "autovacuum_job", "Base: Auto-vacuum internal data", 1, "days", "ir.autovacuum", "model._run_vacuum_cleaner()"),
    ("mail", "ir_cron_mail_scheduler_action", "Mail: Email Queue Manager", 1, "hours", "mail.mail", "model.process_email_queue()"),
    ("purchase", "purchase_send_reminder", "Purchase reminder", 10, "minutes", "purchase.order", "model._send_reminder_mail()"),
    ("account", "ir_cron_auto_post", "Account: Compute totals", 1, "minutes", "purchase.order", "model._compute_totals()"),
)  # fmt: skip
"""Module, identifier, name, every, unit, model, code."""


class _Filler(Protocol):
    version: Version
    now: datetime

    def add(self, table: str, rows: Iterable[dict[str, Any]]) -> list[int]:
        """Insert rows; their ids."""


def seed(filler: _Filler) -> None:
    """The standard crons, due at their next time."""
    for cron in CRONS:
        add_cron(filler, *cron)


def add_cron(
    filler: _Filler, module: str, ident: str, name: str, number: int, unit: str, model: str, code: str, user_id: int = 1
) -> int:
    """One cron with its server action and its external id. The id of the ``ir_cron`` row."""
    action = {
        "name": name,
        "type": "ir.actions.server",
        "usage": "ir_cron",
        "state": "code",
        "code": code,
        "model_name": model,
    }
    (server_action,) = filler.add("ir_act_server", [action])
    cron = {
        "ir_actions_server_id": server_action, "user_id": user_id, "interval_number": number, "interval_type": unit,
        "numbercall": -1, "doall": False, "priority": 5, "cron_name": name, "active": True,
        "nextcall": filler.now + after(number, unit), "failure_count": 0, "run_as_queue_job": False,
    }  # fmt: skip
    (made,) = filler.add("ir_cron", [cron])
    filler.add(
        "ir_model_data", [{"module": module, "name": ident, "model": "ir.cron", "res_id": made, "noupdate": True}]
    )
    return made


def after(number: int, unit: str) -> timedelta:
    """An interval; a month counts as 30 days here."""
    days = {"days": 1, "weeks": 7, "months": 30}
    return timedelta(days=number * days[unit]) if unit in days else timedelta(**{unit: number})


def job(model: str, method: str, ids: list[int], version: Version, now: datetime, **more: Any) -> dict[str, Any]:
    """A pending ``queue_job`` row."""
    ident = str(uuid.uuid4())
    records = {"_type": "odoo_recordset", "model": model, "ids": ids, "uid": 2, "su": False}
    text = version.major < 18
    return {
        "uuid": ident, "graph_uuid": None, "name": f"{model}.{method}", "model_name": model, "method_name": method,
        "func_string": f"{model}({', '.join(map(str, ids))},).{method}()", "state": "pending", "priority": 10, "retry": 0,
        "max_retries": 5, "channel": "root", "user_id": 2, "company_id": 1, "date_created": now,
        "records": json.dumps(records) if text else records, "args": "[]" if text else [],
        "kwargs": "{}" if text else {}, "job_function_id": None, **more,
    }  # fmt: skip
