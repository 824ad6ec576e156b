"""The tables of an Odoo database that the console reads, column for column as 16.0, 17.0 and 18.0 have them."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from console.lab.odoo.versions import Version

_TYPES = {"timestamp": "timestamp without time zone", "float8": "double precision"}
_REFERENCES = """
ir_cron_trigger.cron_id ir_cron cascade
ir_cron_progress.cron_id ir_cron cascade
ir_cron.ir_actions_server_id ir_act_server restrict
ir_cron.user_id res_users restrict
res_users.partner_id res_partner restrict
res_users.company_id res_company restrict
res_company.partner_id res_partner restrict
res_partner.parent_id res_partner set null
mail_mail.mail_message_id mail_message cascade
purchase_order.partner_id res_partner restrict
purchase_order.company_id res_company restrict
queue_job_lock.queue_job_id queue_job cascade
queue_job_channel.parent_id queue_job_channel restrict
queue_job_function.channel_id queue_job_channel restrict
res_users_apikeys.user_id res_users cascade
"""
_UNIQUE = ("res_users.login", "ir_config_parameter.key", "ir_module_module.name", "queue_job_lock.queue_job_id")
_INDEXES = (
    "ir_cron_trigger.call_at", "ir_attachment.checksum", "ir_attachment.res_model, res_id", "queue_job.uuid",
    "queue_job.state", "mail_mail.mail_message_id", "purchase_order.date_order", "purchase_order.user_id",
    "res_users_log.create_uid",
)  # fmt: skip
_NOTIFY = """
create function queue_job_notify() returns trigger as $$
begin
  if tg_op = 'DELETE' then
    if old.state != 'done' then perform pg_notify('queue_job', old.uuid); end if;
  else
    perform pg_notify('queue_job', new.uuid);
  end if;
  return null;
end; $$ language plpgsql;
create trigger queue_job_notify after insert or update or delete on queue_job for each row execute procedure queue_job_notify()
"""


class Column(msgspec.Struct, frozen=True):
    """One column of one version."""

    name: str
    kind: str
    required: bool


@cache
def tables(major: int) -> dict[str, tuple[Column, ...]]:
    """Every table that this version has, with its columns in order."""
    found: dict[str, list[Column]] = {}
    here: list[Column] = []
    for text in _lines():
        if head := re.fullmatch(r"## (\w+) \[([\d,]+)\]", text):
            here = []
            if str(major) in head[2].split(","):
                found[head[1]] = here
            continue
        name, _, rest = text.strip().partition(" ")
        kind = _of(rest, major)
        if kind is not None:
            here.append(Column(name, kind.removesuffix(" NN"), kind.endswith(" NN")))
    return {name: tuple(columns) for name, columns in found.items()}


def _lines() -> list[str]:
    here = files("console.lab.odoo")
    return [
        text for name in ("columns.txt", "columns_more.txt") for text in here.joinpath(name).read_text().splitlines()
    ]


def _of(rest: str, major: int) -> str | None:
    if not rest[:2].isdigit():
        return rest
    each = dict(part.strip().split(":", 1) for part in rest.split(";"))
    return each.get(str(major))


def signals(version: Version) -> list[str]:
    """Sequences by which workers tell each other that the registry or a cache is out of date."""
    if not version.modern:
        return ["base_registry_signaling", "base_cache_signaling"]
    caches = ["default", "assets", "templates", "routing"] + (["groups"] if version.major >= 18 else [])
    return ["base_registry_signaling", *(f"base_cache_signaling_{name}" for name in caches)]


def create(cursor: Any, version: Version) -> None:
    """Make the tables in the database that ``cursor`` (of psycopg2) is connected to. The caller commits."""
    there = tables(version.major)
    for name, columns in there.items():
        cursor.execute(f"create table {name} ({', '.join(_declared(column) for column in columns)})")
    for text in _REFERENCES.split("\n"):
        if text and text.partition(".")[0] in there:
            where, target, action = text.split(" ", 2)
            table, column = where.split(".")
            cursor.execute(
                f"alter table {table} add foreign key ({column}) references {target} (id) "
                f"on delete {action} deferrable initially deferred"
            )
    for where in _UNIQUE:
        table, column = where.split(".")
        cursor.execute(f"alter table {table} add unique ({column})")
    for where in _INDEXES:
        table, column = where.split(".")
        cursor.execute(f"create index on {table} ({column})")
    cursor.execute(_NOTIFY)
    for sequence in signals(version):
        cursor.execute(f"create sequence {sequence} start 1")
    if version.device_log:
        cursor.execute(
            "create view res_device as select distinct on (user_id, session_identifier, platform, browser) * "
            "from res_device_log order by user_id, session_identifier, platform, browser, last_activity desc"
        )


def _declared(column: Column) -> str:
    if column.name == "id":
        return "id serial primary key"
    kind = _TYPES.get(column.kind, column.kind)
    return f'"{column.name}" {kind}{" not null" if column.required else ""}'
