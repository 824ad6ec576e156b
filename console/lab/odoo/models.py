"""Models as far as the load and the console's probes use them: tables read and written by a short list of methods."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from psycopg2.extras import Json  # type: ignore[import-untyped]

from console.lab.odoo import attachments, domains, schedule
from console.lab.odoo.database import Cursor
from console.lab.odoo.errors import AccessError, MissingError, UserError
from console.lab.odoo.schema import tables
from console.lab.odoo.versions import Version

_ORDER = {
    "project.project": "sequence, name->>'en_US', id", "purchase.order": "priority desc, id desc", "ir.attachment": "id desc"
}  # fmt: skip
_MODELS = (
    "project.project",
    "res.partner",
    "res.users",
    "purchase.order",
    "ir.attachment",
    "queue.job",
    "ir.cron",
    "mail.mail",
)
_READS = {"search", "search_count", "search_read", "read"}
_HIDDEN = {"password", "totp_secret", "db_datas"}


class Environment(msgspec.Struct):
    """For whom, and where."""

    cursor: Cursor
    version: Version
    uid: int
    data_dir: Path


class Model:
    """One model in one transaction."""

    def __init__(self, env: Environment, name: str) -> None:
        if name not in _MODELS:
            raise UserError(f"Object {name} doesn't exist")
        self.env = env
        self.name = name
        self.table = name.replace(".", "_")
        self._kinds = {c.name: c.kind for c in tables(env.version.major)[self.table] if c.name not in _HIDDEN}
        self._fields = {n: f"\"{n}\"->>'en_US'" if kind == "jsonb" else f'"{n}"' for n, kind in self._kinds.items()}

    def call(self, method: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """The method's result; None has no ``result`` in the answer."""
        known: dict[str, Callable[..., Any]] = {
            "search": self.search, "search_count": self.search_count, "search_read": self.search_read, "read": self.read,
            "create": self.create, "write": self.write, "unlink": self.unlink,
        }  # fmt: skip
        if self.name == "purchase.order":
            known |= {"button_cancel": self._cancel, "button_confirm": self._confirm}
        if method not in known:
            raise AttributeError(f"The method '{method}' does not exist on the model '{self.name}'")
        if method not in _READS:
            self._may_write()
        kwargs.pop("context", None)
        return known[method](*args, **kwargs)

    def _may_write(self) -> None:
        """The one right that is known here: users from outside (``share``) read."""
        if self.env.cursor.run("select 1 from res_users where id = %s and share", [self.env.uid]):
            raise AccessError(f"You are not allowed to modify '{self.name}' records.")

    def search(
        self,
        domain: list[Any],
        offset: int = 0,
        limit: int | None = None,
        order: str | None = None,
    ) -> list[int]:
        """Ids, in the model's order. Archived records are left out, and parts of other records' fields."""
        condition, values = self._where(domain)
        statement = f"select id from {self.table} where {condition} order by {self._order()} limit %s offset %s"  # noqa: S608
        return [int(row[0]) for row in self.env.cursor.run(statement, [*values, limit, offset])]

    def search_count(self, domain: list[Any]) -> int:
        """How many match."""
        condition, values = self._where(domain)
        return int(self.env.cursor.run(f"select count(*) from {self.table} where {condition}", values)[0][0])  # noqa: S608

    def search_read(
        self, domain: list[Any] | None = None, fields: list[str] | None = None, offset: int = 0, limit: int | None = None,
        order: str | None = None,
    ) -> list[dict[str, Any]]:  # fmt: skip
        """Search, then read."""
        return self.read(self.search(domain or [], offset, limit, order), fields)

    def read(self, ids: list[int], fields: list[str] | None = None) -> list[dict[str, Any]]:
        """Fields of these records, in the order of ``ids``; links as ``[id, name]``."""
        names = list(dict.fromkeys(["id", *(fields or self._kinds)]))
        for name in names:
            if name not in self._fields:
                raise ValueError(f"Invalid field '{name}' on model '{self.name}'")
        columns = ", ".join(f'{self._fields[name]} as "{name}"' for name in names)
        rows = self.env.cursor.rows(f"select {columns} from {self.table} where id = any(%s)", [ids])  # noqa: S608
        by_id = {row["id"]: row for row in rows}
        if missing := [each for each in ids if each not in by_id]:
            raise MissingError(
                f"Record does not exist or has been deleted.\n(Record: {self.name}({missing[0]},), User: {self.env.uid})"
            )
        return [{name: self._shown(name, by_id[each][name]) for name in names} for each in ids]

    def create(self, values: dict[str, Any] | list[dict[str, Any]]) -> int | list[int]:
        """One record, or several."""
        if isinstance(values, list):
            return [self._create(each) for each in values]
        return self._create(values)

    def _create(self, values: dict[str, Any]) -> int:
        full = {
            "create_uid": self.env.uid,
            "write_uid": self.env.uid,
            "create_date": _now(),
            "write_date": _now(),
        } | values
        if self.name == "purchase.order":
            full = _order_defaults(full, self.env)
        elif self.name == "ir.attachment":
            full = self._stored(full)
        names = list(full)
        if unknown := [name for name in names if name not in self._fields and name != "db_datas"]:
            raise ValueError(f"Invalid field {unknown[0]!r} on model {self.name!r}")
        holders = ", ".join(
            "jsonb_build_object('en_US', %s::text)" if self._kinds.get(n) == "jsonb" else "%s" for n in names
        )
        columns = ", ".join(f'"{name}"' for name in names)
        statement = f"insert into {self.table} ({columns}) values ({holders}) returning id"  # noqa: S608
        made = int(self.env.cursor.run(statement, [full[name] for name in names])[0][0])
        if self.name == "purchase.order" and full["name"] == "New":
            self.env.cursor.run("update purchase_order set name = %s where id = %s", [f"P{made:05d}", made])
        return made

    def write(self, ids: list[int], values: dict[str, Any]) -> bool:
        """Change these records."""
        full = values | {"write_uid": self.env.uid, "write_date": _now()}
        for name in full:
            if name not in self._fields or self._kinds[name] == "jsonb":
                raise ValueError(f"Invalid field {name!r} on model {self.name!r}")
        changes = ", ".join(f'"{name}" = %s' for name in full)
        self.env.cursor.run(f"update {self.table} set {changes} where id = any(%s)", [*full.values(), ids])  # noqa: S608
        return True

    def unlink(self, ids: list[int]) -> bool:
        """Delete these records; a request only once it is cancelled."""
        cursor = self.env.cursor
        if self.name == "purchase.order" and cursor.run(
            "select 1 from purchase_order where id = any(%s) and state <> 'cancel'", [ids]
        ):
            raise UserError("In order to delete a purchase order, you must cancel it first.")
        files = []
        if self.name == "ir.attachment":
            files = cursor.run(
                "select store_fname from ir_attachment where id = any(%s) and store_fname not like '%%://%%'", [ids]
            )
        cursor.run(f"delete from {self.table} where id = any(%s)", [ids])  # noqa: S608
        for (store_fname,) in files:
            attachments.mark(self.env.data_dir, cursor.database, store_fname)
        return True

    def _cancel(self, ids: list[int]) -> None:
        self.write(ids, {"state": "cancel"})

    def _confirm(self, ids: list[int]) -> bool:
        """Confirm, and leave what takes longer to the job queue."""
        job = schedule.job(self.name, "_compute_totals", ids, self.env.version, datetime.now(UTC).replace(tzinfo=None))
        names = ", ".join(f'"{name}"' for name in job)
        values = [Json(value) if isinstance(value, (dict, list)) else value for value in job.values()]
        self.env.cursor.run(
            f"insert into queue_job ({names}) values ({', '.join(['%s'] * len(values))})",  # noqa: S608
            values,
        )
        return self.write(ids, {"state": "purchase", "date_approve": _now()})

    def _stored(self, values: dict[str, Any]) -> dict[str, Any]:
        full = dict(values)
        content = base64.b64decode(full.pop("datas", "") or "")
        full = attachments.row(str(full.get("name", "")), content) | full
        where = self.env.cursor.run("select value from ir_config_parameter where key = 'ir_attachment.location'")
        if where and where[0][0] == "db":
            full["db_datas"] = content
        else:
            full["store_fname"] = attachments.write(self.env.data_dir, self.env.cursor.database, content)
        return full

    def _where(self, domain: list[Any]) -> tuple[str, list[Any]]:
        condition, values = domains.where(domain, self._fields, self.name)
        asked = {term[0] for term in domain if isinstance(term, (list, tuple)) and term}
        if "active" in self._kinds and "active" not in asked:
            condition = f"({condition}) and active"
        if self.name == "ir.attachment" and not asked & {"id", "res_field"}:
            condition = f"({condition}) and res_field is null"
        return condition, values

    def _order(self) -> str:
        if self.name == "res.partner":
            return f"{'complete_name' if self.env.version.modern else 'display_name'}, id"
        return _ORDER.get(self.name, "id")

    def _shown(self, name: str, value: Any) -> Any:
        if value is None:
            return 0 if self._kinds[name] == "integer" and not name.endswith("_id") else False
        if name in ("partner_id", "company_id"):
            table = "res_partner" if name == "partner_id" else "res_company"
            found = self.env.cursor.run(f"select name from {table} where id = %s", [value])  # noqa: S608
            return [value, found[0][0] if found else ""]
        if isinstance(value, datetime):
            return f"{value:%Y-%m-%d %H:%M:%S}"
        if isinstance(value, date):
            return value.isoformat()
        return float(value) if isinstance(value, Decimal) else value


def _order_defaults(values: dict[str, Any], env: Environment) -> dict[str, Any]:
    if not values.get("partner_id"):
        raise UserError("The operation cannot be completed: a mandatory field is not set: Vendor (partner_id)")
    return {
        "name": "New", "state": "draft", "company_id": 1, "currency_id": 1, "user_id": env.uid, "date_order": _now(),
        "amount_untaxed": 0, "amount_tax": 0, "amount_total": 0, "invoice_status": "no", "picking_type_id": 1,
        "currency_rate": 1.0, "priority": "0",
    } | values  # fmt: skip


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0)
