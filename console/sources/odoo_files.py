"""Looks at the attachments of one database: where they are, and, a little at each look, whether the files are there.

Only the folder is looked at, by stat; of a few small files at each look the checksum is taken. What is found missing is
looked for again at every look, together with its row: a document that was deleted in between is no loss.
"""

from __future__ import annotations

import hashlib
import os
import random
import re
import stat
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec
import psycopg
from psycopg import sql

from console.clients.clean import clean
from console.clients.postgres import Look, Row
from console.readings import Reading
from console.readings.odoo import OdooFiles
from console.settings import Cadence
from console.sources.base import Check, SourceError
from console.sources.odoo_database import Place
from console.sources.odoo_parts import Part, Parts
from console.sources.odoo_privilege import DATABASE_PRIVILEGE
from console.sources.odoo_schema import Schema, schema
from console.sources.postgres_base import judged, sentence
from console.threads import Alone

STATEMENT_S = 12.0
ROWS_PER_LOOK = 5_000
DISK_S = 1.5
SUSPECTS = 2_000
EXAMPLES = 10
SAMPLE = 5
SAMPLE_BYTES = 1 << 20
_NAME = re.compile(r"[0-9a-f]{2}/[0-9a-f]{4,64}")

Verdict = Literal["missing", "size", "checksum", ""]

_STORES = sql.SQL("""
WITH kept AS (
    SELECT CASE WHEN type = 'url' THEN 'url' WHEN store_fname IS NULL THEN 'database'
                WHEN store_fname LIKE '%://%' THEN left(split_part(store_fname, '://', 1), 60)
                WHEN store_fname LIKE '__/%' THEN 'filestore' ELSE 'other' END AS store, store_fname, file_size
    FROM public.ir_attachment)
SELECT store, count(*) AS rows, sum(file_size) FILTER (WHERE store_fname IS NULL)::bigint AS bytes_in_rows,
       (SELECT sum(each.size)::bigint FROM (SELECT max(file_size) AS size FROM kept WHERE store_fname IS NOT NULL GROUP BY store_fname)
        AS each) AS bytes_in_files
FROM kept GROUP BY store ORDER BY 2 DESC LIMIT 20
""")
_ROWS = sql.SQL("""
SELECT id, store_fname, file_size, checksum, left(name, 200) AS name FROM public.ir_attachment
WHERE store_fname LIKE '__/%' AND type = 'binary' AND {which} ORDER BY id LIMIT {limit}
""")


class Folder(msgspec.Struct, frozen=True):
    """The files of one database."""

    root: Path

    def verdicts(self, rows: Sequence[Row], until: float, sampled: frozenset[int]) -> list[Verdict]:
        """What is wrong with the files of these rows, as far as time (monotonic) allows. Raises OSError for the folder itself."""
        os.stat(self.root)  # noqa: PTH116 - an unmounted volume is no loss of every document
        found: list[Verdict] = []
        for row in rows:
            if time.monotonic() > until:
                break
            found.append(self._verdict(row, row["id"] in sampled))
        return found

    def _verdict(self, row: Row, sampled: bool) -> Verdict:
        path = self.root / row["store_fname"]
        try:
            there = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return "missing"
        if not stat.S_ISREG(there.st_mode):
            return "missing"
        if row["file_size"] is not None and there.st_size != row["file_size"]:
            return "size"
        wanted = row["checksum"] or ""
        if sampled and len(wanted) == 40 and there.st_size <= SAMPLE_BYTES and _sha1(path) not in ("", wanted):
            return "checksum"
        return ""


def _sha1(path: Path) -> str:
    """Empty where it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    with os.fdopen(descriptor, "rb") as file:
        return hashlib.sha1(file.read(SAMPLE_BYTES + 1)).hexdigest()  # noqa: S324 - as Odoo names its files


class Suspect(msgspec.Struct, frozen=True):
    """A file that is not as its row says."""

    name: str
    """``store_fname``."""
    verdict: Verdict
    document: str


class Rounds:
    """The walk through all rows, by id."""

    def __init__(self) -> None:
        self.last_id = 0
        self.checked = 0
        self.began_at: datetime | None = None
        self.ended_at: datetime | None = None
        self.suspects: dict[int, Suspect] = {}
        """By the row's id."""
        self._under_way = False

    def begin(self, now: datetime) -> None:
        """Where no round is under way, a new one begins."""
        if not self._under_way:
            self._under_way, self.last_id, self.checked, self.began_at = True, 0, 0, now

    def again(self, rows: Sequence[Row], verdicts: Sequence[Verdict]) -> None:
        """Suspects were looked for again; a row that has gone is none any more."""
        there = {row["id"]: verdict for row, verdict in zip(rows, verdicts, strict=False)}
        unseen = {row["id"] for row in rows[len(verdicts) :]}
        self.suspects = {
            ident: suspect for ident, suspect in self.suspects.items() if ident in unseen or there.get(ident)
        }

    def on(self, rows: Sequence[Row], verdicts: Sequence[Verdict], now: datetime, *, last_id: int | None) -> None:
        """So many more were looked for.

        Args:
            rows: Those that were to be looked for.
            verdicts: Of the first of them, as far as time allowed.
            now: When.
            last_id: Where the next ones begin once all of these have been looked for; None: there are no more.
        """
        for row, verdict in zip(rows, verdicts, strict=False):
            self.last_id = row["id"]
            self.checked += 1
            if verdict and len(self.suspects) < SUSPECTS:
                self.suspects[row["id"]] = Suspect(row["store_fname"], verdict, clean(row["name"], 100))
        if len(verdicts) < len(rows):
            return
        if last_id is None:
            self._under_way, self.ended_at = False, now
        else:
            self.last_id = last_id

    @property
    def sampled(self) -> frozenset[int]:
        """Rows whose content is another one: it is read again each time."""
        return frozenset(ident for ident, each in self.suspects.items() if each.verdict == "checksum")

    def files(self, *verdicts: Verdict) -> dict[str, Suspect]:
        """Suspects by file: many rows may share one."""
        return {each.name: each for each in self.suspects.values() if each.verdict in verdicts}


class OdooFilesSource:
    """Attachments of one database."""

    reading: type[Reading] = OdooFiles
    privilege = f"{DATABASE_PRIVILEGE}; the engine's user may read the folder of files"

    def __init__(self, place: Place, filestore: str, cadence: Cadence) -> None:
        self.key = place.key
        self.every_s = cadence.every_s
        self.deadline_s = cadence.deadline_s
        self._place = place
        self._filestore = filestore
        self._of = ""
        self._alone = Alone()
        self._begin()

    def _begin(self) -> None:
        self._parts = Parts([Part("attachments", lambda _schema: _STORES)])
        self._rounds = Rounds()
        self._counted_at: datetime | None = None

    async def read(self) -> OdooFiles:
        """One look. Raises SourceError."""
        asked_at = datetime.now(UTC)
        try:
            database = await self._place.database(self)
            if database != self._of:
                self._of = database
                self._begin()
            async with self._place.visits.visit(self, database, statement_s=STATEMENT_S) as visit:
                known = await schema(visit.look)
                problem = _unreadable(known)
                if problem:
                    return self._reading(asked_at, [problem])
                await self._parts.ask(visit.look, known)
                again, fresh = await self._rows(visit.look, asked_at) if self._filestore else ([], [])
        except psycopg.Error as error:
            raise SourceError(f"{self.key}: {sentence(error)}") from None
        problems = list(self._parts.problems)
        if self._filestore:
            problems += await self._check(again, fresh)
        return self._reading(asked_at, problems)

    async def _rows(self, look: Look, now: datetime) -> tuple[list[Row], list[Row]]:
        """Rows of suspects, and the next rows of the round."""
        self._rounds.begin(now)
        ask = look.ask
        after = sql.SQL("id > {}").format(sql.Literal(self._rounds.last_id))
        fresh = (await ask(_ROWS.format(which=after, limit=sql.Literal(ROWS_PER_LOOK)))).rows[0]
        if not self._rounds.suspects:
            return [], fresh
        wanted = sql.SQL("id IN ({})").format(sql.SQL(", ").join(map(sql.Literal, self._rounds.suspects)))
        again = (await ask(_ROWS.format(which=wanted, limit=sql.Literal(SUSPECTS)))).rows[0]
        return again, fresh

    async def _check(self, again: list[Row], fresh: list[Row]) -> list[str]:
        last_id = None if len(fresh) < ROWS_PER_LOOK else fresh[-1]["id"]
        named_again, named = _well_named(again), _well_named(fresh)
        folder = Folder(Path(self._filestore).expanduser() / _folder(self._of))
        sampled = frozenset(row["id"] for row in random.sample(named, min(SAMPLE, len(named))))
        until = time.monotonic() + DISK_S
        try:
            first, then = await self._alone.run(
                lambda: (
                    folder.verdicts(named_again, until, self._rounds.sampled),
                    folder.verdicts(named, until, sampled),
                ),
                f"files {self.key}",
            )
        except OSError as error:
            self._rounds = Rounds()
            return [f"{folder.root}: {error.strerror or error}"] if named or named_again else []
        self._rounds.again(named_again, first)
        self._rounds.on(named, then, datetime.now(UTC).replace(microsecond=0), last_id=last_id)
        return []

    def _reading(self, asked_at: datetime, problems: list[str]) -> OdooFiles:
        rows = self._parts.rows("attachments")
        rounds = self._rounds
        looked = bool(self._filestore) and rounds.checked > 0
        nothing = bool(self._filestore) and rounds.ended_at is not None
        missing = rounds.files("missing")
        differing = rounds.files("size", "checksum")
        untold = dict(self._place.untold)
        if not self._filestore:
            untold["missing files"] = "no `filestore` in the environment file"
        stores = {clean(row["store"], 60): row["rows"] for row in rows or ()}
        if any(name not in _OWN for name in stores):
            untold["missing objects"] = "objects of a bucket are not looked for"
        return OdooFiles(
            key=self.key,
            taken_at=asked_at,
            tenant=self._place.tenant,
            database=clean(self._of, 63),
            rows=sum(stores.values()) if rows is not None else None,
            bytes=_bytes(rows),
            by_store=stores,
            counted_at=asked_at.replace(microsecond=0) if rows is not None else None,
            checked=rounds.checked if looked or nothing else None,
            missing=len(missing) if looked or nothing else None,
            differing=len(differing) if looked or nothing else None,
            examples={
                each.name: f"{_WORDS[each.verdict]}: {each.document or 'without a name'}"
                for each in [*missing.values(), *differing.values()][:EXAMPLES]
            },
            round_began_at=rounds.began_at,
            round_ended_at=rounds.ended_at,
            untold=untold,
            **judged(problems),
        )

    def abandon(self) -> None:
        """Drop the connection now."""
        self._place.visits.abandon(self)

    async def close(self) -> None:
        """No connection is held between looks."""
        self._place.visits.abandon(self)

    async def examine(self) -> list[Check]:
        """For the doctor: whether the folder can be read; columns are examined with the database."""
        if not self._filestore:
            return [Check("files", "pass", "no `filestore` in the environment file: they are not looked for")]
        try:
            reading = await self.read()
        except SourceError as error:
            return [Check("files", "fail", error.problem, "see the checks of the database")]
        if reading.problem:
            mend = (
                "check `filestore` of this application in the environment file, and that the engine's user may read it"
            )
            return [Check("files", "fail", reading.problem, mend)]
        return [Check("files", "pass", f"{reading.checked or 0} files looked for in {self._filestore}")]


_OWN = frozenset({"filestore", "database", "url", "other"})
_WORDS: dict[Verdict, str] = {"missing": "missing", "size": "another size", "checksum": "another content", "": ""}


def _unreadable(known: Schema) -> str:
    if not known.has("ir_attachment"):
        return "no Odoo database: it has no table ir_attachment"
    if not known.may("ir_attachment", "id", "name", "type", "store_fname", "file_size", "checksum"):
        return "not all columns of ir_attachment may be read: `banksman doctor` has the grants"
    return ""


def _bytes(rows: Iterable[Row] | None) -> int | None:
    if rows is None:
        return None
    found = list(rows)
    in_files = (found[0]["bytes_in_files"] or 0) if found else 0
    return int(in_files + sum(row["bytes_in_rows"] or 0 for row in found))


def _well_named(rows: list[Row]) -> list[Row]:
    """A tenant writes these names: only what Odoo itself makes is looked for."""
    return [row for row in rows if _NAME.fullmatch(row["store_fname"] or "")]


def _folder(database: str) -> str:
    if "/" in database or database in (".", "..", ""):
        raise SourceError("a database of this name has no folder")
    return database
