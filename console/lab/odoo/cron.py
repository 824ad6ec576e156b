"""The cron worker: due rows of ``ir_cron``, each under its row lock, as 16, 17 and 18 run them."""

from __future__ import annotations

import os
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg2  # type: ignore[import-untyped]

from console.lab.odoo import actions, log
from console.lab.odoo.config import Config
from console.lab.odoo.database import FAILED, Cursor, Databases
from console.lab.odoo.schedule import after
from console.lab.odoo.versions import VERSIONS
from console.lab.odoo.worker import Worker

_LOGGER = "odoo.addons.base.models.ir_cron"
_FAILURES = 5
_FAILING_DAYS = 7
_TIMEOUTS = 3
_NOW = "now() at time zone 'UTC'"
_READY = f"(c.nextcall <= {_NOW} or c.id in (select cron_id from ir_cron_trigger where call_at <= {_NOW}))"  # noqa: S608


class WorkerCron(Worker):
    """Goes round its databases, then sleeps, unless a NOTIFY wakes it."""

    kind = "WorkerCron"

    def start(self) -> None:
        """Connections are this process's own."""
        self._version = VERSIONS[self.config.version]
        self._locks, self._work = Databases(self.config), Databases(self.config)
        self._filter = re.compile(self.config.dbfilter)
        self._hears: Any = None
        self._due = 0.0
        log.line("INFO", None, "odoo.service.server", f"Worker WorkerCron ({os.getpid()}) alive")

    def work(self) -> None:
        """A round when one is due; else a rest."""
        try:
            self._listen()
            if time.monotonic() >= self._due:
                self._due = time.monotonic() + self.config.cron_pause_s + os.getpid() % 10
                for database in self._locks.names():
                    if self.alive and self._filter.match(database):
                        Round(self, database, self._locks, self._work, self.config).run()
        except FAILED as error:
            log.line("ERROR", None, _LOGGER, f"Exception in cron:\n{error}".rstrip())
            self._hears = None
            self.rest(1.0)

    def _listen(self) -> None:
        """Rest, but for a NOTIFY."""
        if self._hears is None:
            self._hears = self._locks.listen(self.config.maintenance_db, "cron_trigger")
            return
        pause = max(self._due - time.monotonic(), 0.0)
        if self.rest(pause, self._hears):
            self._hears.poll()
            if self._hears.notifies:
                self._hears.notifies.clear()
                self._due = 0.0


class Round:
    """One look at one database."""

    def __init__(self, worker: Worker, database: str, locks: Databases, work: Databases, config: Config) -> None:
        self._worker = worker
        self._database = database
        self._locks = locks
        self._work = work
        self._version = VERSIONS[config.version]
        self._data_dir = Path(config.data_dir)
        self._active = "c.active" if self._version.major >= 18 else "c.active and c.numbercall <> 0"

    def run(self) -> None:
        """Run what is due, one after the other, each in a transaction that holds its row."""
        try:
            with self._locks.cursor(self._database) as cursor:
                if not self._fit(cursor):
                    return
                order = "c.failure_count, c.priority, c.id" if self._version.major >= 18 else "c.priority, c.id"
                due = cursor.run(f"select c.id from ir_cron c where {self._active} and {_READY} order by {order}")  # noqa: S608
        except psycopg2.errors.UndefinedTable:
            self._say("WARNING", "Tried to poll an undefined table on database %s." % self._database)  # noqa: UP031
            return
        for (ident,) in due:
            if self._worker.alive:
                self._worker.beat()
                with self._locks.cursor(self._database) as cursor:
                    self._one(cursor, int(ident))

    def _say(self, level: str, text: str) -> None:
        log.line(level, self._database, _LOGGER, text)

    def _fit(self, cursor: Cursor) -> bool:
        rows = dict(cursor.run("select name, latest_version from ir_module_module where name = 'base'"))
        if rows.get("base") != self._version.base:
            self._say("WARNING", f"Skipping database {self._database} as its base version is not {self._version.base}.")
            return False
        if cursor.run("select 1 from ir_module_module where state like 'to %%' limit 1", []):
            self._say("WARNING", f"Skipping database {self._database} because of modules to install/upgrade/remove.")
            return False
        return True

    def _one(self, cursor: Cursor, ident: int) -> None:
        cursor.run("set transaction isolation level read committed")
        rows = cursor.rows(
            f"select c.*, a.code, a.name->>'en_US' as action from ir_cron c join ir_act_server a on a.id = c.ir_actions_server_id "  # noqa: S608
            f"where c.id = %s and {self._active} and {_READY} for no key update of c skip locked",
            [ident],
        )
        if not rows:
            return  # Another worker has it, or had it.
        cron = rows[0]
        name = cron["cron_name"]["en_US"] if self._version.major == 16 else cron["cron_name"]
        modern = self._version.major >= 18
        timed_out = self._progress(cursor, ident) if modern else 0
        self._say("INFO", f"Job {name!r} ({ident}) starting" if modern else f"Starting job `{name}`.")
        if timed_out >= _TIMEOUTS:
            self._say("WARNING", f"Job {name!r} ({ident}) timed out")
        started = time.monotonic()
        good = timed_out < _TIMEOUTS and self._call(cron, name)
        seconds = time.monotonic() - started
        if modern:
            self._say("INFO", f"Job {name!r} ({ident}) done in {seconds:.3f}s")
            self._say("INFO", f"Job {name!r} ({ident}) processed 0 records, 0 records remaining")
            self._say("INFO", f"Job {name!r} ({ident}) completed")
            cursor.run(
                "update ir_cron_progress set timed_out_counter = 0 where cron_id = %s and timed_out_counter > 0",
                [ident],
            )
            self._count(cursor, cron, name, good)
        else:
            self._say(
                "INFO", f"Job `{name}` done." if self._version.major == 16 else f"Job done: `{name}` ({seconds:.3f}s)."
            )
        self._move(cursor, cron)

    def _call(self, cron: dict[str, Any], name: str) -> bool:
        """Whether the action went well. Its transaction is not the one that holds the row."""
        try:
            with self._work.cursor(self._database) as cursor:
                actions.run(str(cron["code"] or ""), actions.Task(cursor, self._data_dir, []))
            return True
        except Exception as error:  # noqa: BLE001 - whatever an action raises is its failure
            which = (
                f"Call from cron {name} for server action #{cron['ir_actions_server_id']} failed in Job #{cron['id']}"
            )
            self._say("ERROR", f"{which}\n{error}".rstrip())
            return False

    def _progress(self, cursor: Cursor, ident: int) -> int:
        """18: note the start where a killed worker leaves it; how often in a row that was its last trace."""
        last = cursor.run(
            "select timed_out_counter from ir_cron_progress where cron_id = %s order by id desc limit 1", [ident]
        )
        counter = int(last[0][0] or 0) if last else 0
        with self._work.cursor(self._database) as other:
            other.run(
                "insert into ir_cron_progress (cron_id, remaining, done, timed_out_counter, create_uid, create_date) "
                "values (%s, 0, 0, %s, 1, now() at time zone 'UTC')",
                [ident, 0 if counter >= _TIMEOUTS else counter + 1],
            )
        return counter

    def _count(self, cursor: Cursor, cron: dict[str, Any], name: str, good: bool) -> None:
        if good:
            cursor.run("update ir_cron set failure_count = 0, first_failure_date = null where id = %s", [cron["id"]])
            return
        count, now = int(cron["failure_count"] or 0) + 1, datetime.now(UTC).replace(tzinfo=None, microsecond=0)
        first = cron["first_failure_date"] or now
        if count >= _FAILURES and (now - first).days >= _FAILING_DAYS:
            self._say("WARNING", f"Job {name!r} ({cron['id']}) has been deactivated after failing {count} times")
            cursor.run(
                "update ir_cron set active = false, failure_count = 0, first_failure_date = null where id = %s",
                [cron["id"]],
            )
            return
        cursor.run(
            "update ir_cron set failure_count = %s, first_failure_date = %s where id = %s", [count, first, cron["id"]]
        )

    def _move(self, cursor: Cursor, cron: dict[str, Any]) -> None:
        """When next, and since when: the same after a failure. Due triggers have been answered."""
        now = datetime.now(UTC).replace(tzinfo=None)
        every = after(cron["interval_number"] or 1, cron["interval_type"] or "months")
        following = cron["nextcall"]
        if following <= now:
            following += every * (1 + (now - following) // every)
        cursor.run(
            "update ir_cron set nextcall = %s, lastcall = %s where id = %s",
            [following, now.replace(microsecond=0), cron["id"]],
        )
        if cron.get("numbercall", -1) > 0:
            left = cron["numbercall"] - 1
            cursor.run("update ir_cron set numbercall = %s, active = %s where id = %s", [left, left > 0, cron["id"]])
        cursor.run(f"delete from ir_cron_trigger where cron_id = %s and call_at <= {_NOW}", [cron["id"]])  # noqa: S608
