"""Fills a fresh database with a construction company's data: the same seed gives the same rows."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from psycopg2.extras import Json, execute_values  # type: ignore[import-untyped]

from console.lab.odoo import attachments, passwords, schedule
from console.lab.odoo.schema import tables
from console.lab.odoo.versions import Version

_SITES = (
    "Hafen West",
    "Ringbahn",
    "Gymnasium Nord",
    "Spreebogen",
    "Kieswerk",
    "Depot Süd",
    "Brücke A7",
    "Wohnpark Linde",
)
_PROJECTS = ("Office Design", "Research & Development", "Renovations")
_VENDORS = (
    "Ready-mix Ltd",
    "Stahl & Co",
    "Crane Hire",
    "Timber Yard",
    "Gerüstbau Ost",
    "Kies und Sand",
    "Elektro Blitz",
)
_PAPERS = ("permit", "drawing", "invoice", "site-report", "certificate", "delivery-note")
_MODULES = (
    "base",
    "web",
    "mail",
    "project",
    "purchase",
    "purchase_stock",
    "stock",
    "account",
    "bus",
    "queue_job",
    "base_setup",
)


class Size(msgspec.Struct, frozen=True):
    """How much there is of what."""

    users: int = 20
    projects: int = 12
    vendors: int = 30
    orders: int = 400
    attachments: int = 120
    jobs: int = 200
    seed: int = 1
    object_store: bool = True
    """A third of the documents is in object storage; else in the file store."""


class Filler:
    """Inserts rows by dictionaries; who and when are added to every model's row."""

    def __init__(self, cursor: Any, version: Version, now: datetime) -> None:
        self.cursor = cursor
        self.version = version
        self.now = now.replace(tzinfo=None)
        self._tables = tables(version.major)

    def add(self, table: str, rows: Iterable[dict[str, Any]]) -> list[int]:
        """The new rows' ids. Columns that this version lacks are left out."""
        known = {column.name: column.kind for column in self._tables[table]}
        kept = [self._row(row, known) for row in rows]
        if not kept:
            return []
        names = list(kept[0])
        columns = ", ".join(f'"{name}"' for name in names)
        values = [[row[name] for name in names] for row in kept]
        statement = f"insert into {table} ({columns}) values %s returning id"  # noqa: S608 - our own names
        return [int(row[0]) for row in execute_values(self.cursor, statement, values, fetch=True)]

    def _row(self, row: dict[str, Any], known: dict[str, str]) -> dict[str, Any]:
        who = {"create_uid": 1, "write_uid": 1, "create_date": self.now, "write_date": self.now}
        full = {name: value for name, value in (who | row).items() if name in known}
        for name, value in full.items():
            if known[name] == "jsonb" and value is not None:
                full[name] = Json({"en_US": value} if isinstance(value, str) else value)
        return full


def fill(
    cursor: Any, version: Version, database: str, data_dir: Path, size: Size, password: str, address: str
) -> dict[str, bytes]:
    """Put a company into the empty tables. The caller commits.

    ``password`` is everybody's. Returned are the documents that belong into object storage, by ``store_fname``.
    """
    chance = random.Random(size.seed)
    filler = Filler(cursor, version, datetime.now(UTC).replace(microsecond=0))
    _people(filler, size, chance, password)
    _settings(filler, chance, address)
    vendors = filler.add(
        "res_partner", (_partner(version, name, is_company=True) for name in _names(_VENDORS, size.vendors))
    )
    projects = [*_PROJECTS, *(["", "Home Construction"] if version.major >= 18 else [])]
    for name in projects:
        if name:
            filler.add(
                "project_project", [{"name": name, "active": True, "company_id": 1, "user_id": 2, "sequence": 10}]
            )
        else:
            cursor.execute("select nextval('project_project_id_seq')")
    sites = _names(_SITES, size.projects)
    filler.add(
        "project_project", ({"name": n, "active": True, "company_id": 1, "user_id": 2, "sequence": 20} for n in sites)
    )
    _orders(filler, size, chance, vendors)
    objects = _documents(filler, size, chance, database, data_dir)
    schedule.seed(filler)
    _jobs(filler, size, chance)
    return objects


def _names(stems: Sequence[str], count: int) -> list[str]:
    return [stems[n % len(stems)] + (f" {n // len(stems) + 1}" if n >= len(stems) else "") for n in range(count)]


def _partner(version: Version, name: str, *, shown: str = "", **more: Any) -> dict[str, Any]:
    shown = shown or name
    base = {"name": name, "display_name": shown, "complete_name": shown, "active": True, "is_company": False}
    return {
        **base,
        "email": "",
        "lang": "en_US",
        "tz": "Europe/Brussels",
        "parent_id": None,
        "company_id": None,
        **more,
    }


def _people(filler: Filler, size: Size, chance: random.Random, password: str) -> None:
    partner, version = _partner, filler.version
    filler.add("res_partner", [partner(version, "My Company (San Francisco)", is_company=True)])
    companies = [{"name": "My Company (San Francisco)", "sequence": 0, "partner_id": 1, "currency_id": 1}]
    companies += [{"name": "My Company (Chicago)", "sequence": 10, "partner_id": 1, "currency_id": 1}]
    filler.add("res_company", companies)
    filler.add("res_partner", [partner(version, "OdooBot", active=False, email="odoobot@example.com")])
    admin = partner(
        version, "Mitchell Admin", shown="YourCompany, Mitchell Admin", email="admin@example.com", parent_id=1
    )
    filler.add("res_partner", [admin])
    stored = passwords.hashed(password)
    _users(filler, [("__system__", 2, False, None), ("admin", 3, True, stored)])
    for n in range(size.users):
        (who,) = filler.add("res_partner", [partner(version, f"Site user {n + 1}", email=f"user{n + 1}@example.com")])
        _users(filler, [(f"user{n + 1}", who, True, stored)])
    ago = (filler.now - timedelta(minutes=chance.randrange(60 * 24 * 5)) for _ in range(size.users))
    filler.add("res_users_log", ({"create_uid": n + 3, "create_date": when} for n, when in enumerate(ago)))


def _users(filler: Filler, users: Iterable[tuple[str, int, bool, str | None]], *, share: bool = False) -> None:
    """By login, partner, whether active, stored password."""
    filler.add(
        "res_users",
        (
            {"login": login, "partner_id": who, "active": active, "password": secret, "company_id": 1, "share": share,
             "notification_type": "email", "odoobot_state": "not_initialized" if login == "__system__" else "onboarding_emoji",
             "tour_enabled": False, "signature": ""}
            for login, who, active, secret in users
        ),
    )  # fmt: skip


def add_reader(filler: Filler, login: str, password: str) -> None:
    """A user from outside, who reads and changes nothing."""
    (who,) = filler.add("res_partner", [_partner(filler.version, login, email=f"{login}@example.com")])
    _users(filler, [(login, who, True, passwords.hashed(password))], share=True)


def _settings(filler: Filler, chance: random.Random, address: str) -> None:
    base = filler.version.series
    modules = ({"name": name, "state": "installed", "latest_version": filler.version.base if name == "base" else f"{base}.1.0",
                "shortdesc": name.replace("_", " ").title(), "author": "Odoo S.A.", "application": False, "license": "LGPL-3"}
               for name in _MODULES)  # fmt: skip
    filler.add("ir_module_module", modules)
    known = {
        "database.uuid": str(uuid.UUID(int=chance.getrandbits(128))),
        "database.secret": str(uuid.UUID(int=chance.getrandbits(128))),
        "database.create_date": f"{filler.now:%Y-%m-%d %H:%M:%S}",
        "web.base.url": address,
    }
    filler.add("ir_config_parameter", ({"key": key, "value": value} for key, value in known.items()))


def _orders(filler: Filler, size: Size, chance: random.Random, vendors: list[int]) -> None:
    states = ("draft", "sent", "to approve", "purchase", "purchase", "done", "cancel")

    def order(n: int) -> dict[str, Any]:
        state, when = chance.choice(states), filler.now - timedelta(minutes=chance.randrange(60 * 24 * 60))
        net = round(chance.lognormvariate(7, 1.1), 2)
        return {
            "name": f"P{n:05d}", "state": state, "partner_id": chance.choice(vendors), "company_id": 1, "currency_id": 1,
            "user_id": 2 + n % (size.users + 1), "date_order": when, "date_approve": when if state in ("purchase", "done") else None,
            "amount_untaxed": net, "amount_tax": round(net * 0.19, 2), "amount_total": round(net * 1.19, 2),
            "invoice_status": "to invoice" if state == "purchase" else "no", "picking_type_id": 1, "currency_rate": 1.0,
            "create_date": when, "write_date": when, "priority": "0",
        }  # fmt: skip

    filler.add("purchase_order", (order(n) for n in range(1, size.orders + 1)))


def _documents(filler: Filler, size: Size, chance: random.Random, database: str, data_dir: Path) -> dict[str, bytes]:
    if size.object_store:
        options = Json({"note": "endpoint and keys are the platform's"}).dumps({"endpoint_url": ""})
        storage = {"name": "S3", "code": "s3", "protocol": "s3", "directory_path": f"{database}-documents"}
        filler.add("fs_storage", [storage | {"options": options}])
    objects: dict[str, bytes] = {}
    rows = []
    for n in range(size.attachments):
        name = f"{chance.choice(_PAPERS)}-{n}.txt"
        content = f"{name} for {chance.choice(_SITES)}\n".encode() * chance.randrange(1, 40)
        row = attachments.row(name, content)
        row |= {
            "res_model": "project.project",
            "res_id": 1 + n % max(size.projects, 1),
            "company_id": 1,
            "db_datas": None,
        }
        if n % 3 == 0 or (n % 3 == 2 and not size.object_store):
            row["store_fname"] = attachments.write(data_dir, database, content)
        elif n % 3 == 1:
            row["store_fname"], row["db_datas"] = None, content
        else:
            checksum = row["checksum"]
            row["store_fname"] = f"s3://{checksum[:2]}/{checksum[2:4]}/{name.removesuffix('.txt')}-{n}-0.txt"
            objects[row["store_fname"]] = content
        rows.append(row)
    filler.add("ir_attachment", rows)
    return objects


def _jobs(filler: Filler, size: Size, chance: random.Random) -> None:
    filler.add("queue_job_channel", [{"name": "root", "complete_name": "root", "removal_interval": 30}])
    (channel,) = filler.add(
        "queue_job_channel",
        [{"name": "purchase", "complete_name": "root.purchase", "removal_interval": 30, "parent_id": 1}],
    )
    filler.add(
        "queue_job_function",
        [{"name": "<purchase.order>._compute_totals", "method": "_compute_totals", "channel_id": channel}],
    )

    def job(n: int) -> dict[str, Any]:
        made = filler.now - timedelta(seconds=chance.randrange(60, 86400 * 5))
        seconds = round(chance.lognormvariate(-2, 1), 6)
        new = schedule.job("purchase.order", "_compute_totals", [1 + n % max(size.orders, 1)], filler.version, made)
        ident = str(uuid.UUID(int=chance.getrandbits(128), version=4))
        return new | {"uuid": ident, "state": "done", "date_enqueued": made, "date_started": made, "exec_time": seconds,
                      "date_done": made + timedelta(seconds=seconds)}  # fmt: skip

    filler.add("queue_job", (job(n) for n in range(size.jobs)))
