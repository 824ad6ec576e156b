"""Attachments of real tenants against their folder: by store, missing, changed, and what only seems to be gone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from console.settings import Cadence
from console.sources import odoo_files
from console.sources.odoo_database import Place
from console.sources.odoo_files import OdooFilesSource
from tests.lab.odoo.rig import SMALL, Tenant
from tests.sources.odoo.rig import granted, visits

pytestmark = pytest.mark.server
newest = pytest.mark.parametrize("odoo", [18], indirect=True)
CADENCE = Cadence(every_s=60, deadline_s=20)


@pytest.fixture
def allowed(odoo: Tenant) -> Iterator[Tenant]:
    with granted(odoo):
        yield odoo


def source_of(tenant: Tenant, filestore: str | None = None) -> OdooFilesSource:
    place = Place("acme", tenant.database, visits(tenant.postgres), "postgres")
    return OdooFilesSource(
        place, str(Path(tenant.config.data_dir, "filestore")) if filestore is None else filestore, CADENCE
    )


def files(tenant: Tenant) -> list[Path]:
    root = Path(tenant.config.data_dir, "filestore", tenant.database)
    return [
        root / name
        for (name,) in tenant.run(
            "select distinct store_fname from ir_attachment where store_fname like '__/%' order by 1"
        )
    ]


async def test_where_attachments_are(allowed: Tenant) -> None:
    reading = await source_of(allowed).read()
    assert reading.status == "ok"
    assert reading.by_store == {
        "filestore": SMALL.attachments // 3,
        "database": SMALL.attachments // 3,
        "s3": SMALL.attachments // 3,
    }
    assert reading.rows == SMALL.attachments
    assert reading.checked == SMALL.attachments // 3
    assert (reading.missing, reading.differing) == (0, 0)
    assert reading.round_ended_at is not None
    assert "missing objects" in reading.untold
    expected = allowed.run(
        "select sum(file_size) from (select distinct on (coalesce(store_fname, id::text)) file_size from ir_attachment) as x"
    )
    assert reading.bytes == expected[0][0]


@newest
async def test_missing_and_changed_and_mended(allowed: Tenant) -> None:
    gone, changed, *_ = files(allowed)
    kept = gone.read_bytes(), changed.read_bytes()
    source = source_of(allowed)
    gone.unlink()
    changed.write_bytes(kept[1] + b"x")
    try:
        for _ in range(2):
            reading = await source.read()
            assert (reading.missing, reading.differing) == (1, 1)
        assert {name: text.partition(":")[0] for name, text in reading.examples.items()} == {
            f"{gone.parent.name}/{gone.name}": "missing", f"{changed.parent.name}/{changed.name}": "another size",
        }  # fmt: skip
    finally:
        gone.write_bytes(kept[0])
        changed.write_bytes(kept[1])
    reading = await source.read()
    assert (reading.missing, reading.differing, reading.examples) == (0, 0, {})


@newest
async def test_another_content_of_the_same_size_is_found_by_a_sample(
    allowed: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(odoo_files, "SAMPLE", 1000)
    changed = files(allowed)[0]
    kept = changed.read_bytes()
    source = source_of(allowed)
    changed.write_bytes(b"?" + kept[1:])
    try:
        reading = await source.read()
        assert (reading.missing, reading.differing) == (0, 1)
        monkeypatch.setattr(odoo_files, "SAMPLE", 0)
        assert (await source.read()).differing == 1, "it is read again, sample or not"
    finally:
        changed.write_bytes(kept)
    assert (await source.read()).differing == 0


@newest
async def test_a_document_that_was_deleted_is_no_loss(allowed: Tenant) -> None:
    source = source_of(allowed)
    content = "ab/" + "ab" * 20
    ident = allowed.run(
        f"insert into ir_attachment (name, type, store_fname, file_size) values ('x', 'binary', '{content}', 3) returning id"
    )[0][0]
    assert (await source.read()).missing == 1
    allowed.run(f"delete from ir_attachment where id = {ident}")
    assert (await source.read()).missing == 0


@newest
async def test_rounds_go_on_where_they_stopped(allowed: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(odoo_files, "ROWS_PER_LOOK", 3)
    source = source_of(allowed)
    found = [await source.read() for _ in range(4)]
    assert [reading.checked for reading in found] == [3, 4, 3, 4]
    assert [reading.round_ended_at is not None for reading in found] == [False, True, True, True]
    assert len({reading.round_began_at for reading in found}) == 2


@newest
async def test_names_that_odoo_never_makes_are_not_looked_for(allowed: Tenant) -> None:
    """A tenant writes these names: none may lead out of its folder."""
    names = ("../secret", "ab/../../../etc/passwd", "/etc/passwd", "ab/zz", "ab/" + "é" * 4)
    ids = [
        allowed.run(
            f"insert into ir_attachment (name, type, store_fname, file_size) values ('x', 'binary', '{name}', 3) returning id"
        )[0][0]
        for name in names
    ]
    reading = await source_of(allowed).read()
    allowed.run(f"delete from ir_attachment where id in ({', '.join(map(str, ids))})")
    assert (reading.checked, reading.missing) == (SMALL.attachments // 3, 0)
    assert reading.by_store["other"] == 1


@newest
async def test_a_folder_that_is_not_there_is_no_loss_of_every_document(allowed: Tenant, tmp_path: Path) -> None:
    source = source_of(allowed, str(tmp_path))
    reading = await source.read()
    assert reading.status == "partial"
    assert "No such file or directory" in reading.problem
    assert (reading.checked, reading.missing) == (None, None)
    assert reading.rows == SMALL.attachments
    (check,) = await source.examine()
    assert check.answer == "fail"
    reading = await source_of(allowed, "").read()
    assert reading.status == "ok"
    assert reading.missing is None
    assert "missing files" in reading.untold
