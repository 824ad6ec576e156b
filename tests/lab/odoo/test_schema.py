"""Tables of the three versions, column for column as real servers had them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.lab.odoo.rig import Tenant

pytestmark = [pytest.mark.server]
_LISTED = Path(__file__).with_name("columns.txt").read_text()
_SHORT = {"timestamp without time zone": "timestamp", "double precision": "float8"}


def _expected(major: int) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for block in _LISTED.split("## ")[1:]:
        head, *lines = block.strip().splitlines()
        name, versions = re.fullmatch(r"(\w+) \[([\d,]+)\]", head).groups()  # type: ignore[union-attr]
        if str(major) not in versions.split(","):
            continue
        columns = found[name] = {}
        for text in lines:
            column, kind = text.split(maxsplit=1)
            if re.match(r"\d\d:", kind):
                mine = re.search(rf"\b{major}:([^;]+)", kind)
                if not mine:
                    continue
                kind = mine[1].strip()
            columns[column] = kind
    return found


def test_every_listed_column_is_there_and_no_other(odoo: Tenant) -> None:
    expected = _expected(odoo.major)
    rows = odoo.run(
        "select table_name, column_name, udt_name, data_type, character_maximum_length, is_nullable "
        "from information_schema.columns where table_schema = 'public'"
    )
    found: dict[str, dict[str, str]] = {}
    for table, column, short, long, length, nullable in rows:
        kind = {"varchar": "varchar", "float8": "float8"}.get(short) or _SHORT.get(long, long)
        kind += f"({length})" if length else ""
        found.setdefault(table, {})[column] = kind + ("" if nullable == "YES" else " NN")
    assert len(expected) >= 20
    for table, columns in expected.items():
        assert found[table] == columns, table
    assert ("ir_cron_progress" in found) == (odoo.major == 18)
    assert ("res_device_log" in found) == (odoo.major == 18)


def test_a_seeded_database_says_what_it_is(odoo: Tenant) -> None:
    base = odoo.run("select latest_version from ir_module_module where name = 'base'")
    assert base == [(f"{odoo.major}.0.1.3",)]
    stores = odoo.run(
        "select count(*) filter (where store_fname like '%://%'), count(*) filter (where db_datas is not null), "
        "count(*) filter (where store_fname is not null and store_fname not like '%://%') from ir_attachment"
    )[0]
    assert all(count >= 4 for count in stores)
    files = odoo.run("select distinct store_fname from ir_attachment where store_fname not like '%://%'")
    store = Path(odoo.config.data_dir, "filestore", odoo.database)
    assert all(store.joinpath(name).is_file() for (name,) in files)
    kind = odoo.run("select pg_typeof(cron_name)::text from ir_cron limit 1")[0][0]
    assert kind == ("jsonb" if odoo.major == 16 else "character varying")
