"""The queue worker: ``queue_job`` rows from pending to done or failed, each under a lock that outlives no process."""

from __future__ import annotations

import json
import os
import re
import time
import traceback
from pathlib import Path
from typing import Any

from console.lab.odoo import actions, log
from console.lab.odoo.database import FAILED, Cursor, Databases
from console.lab.odoo.errors import OdooError
from console.lab.odoo.worker import Worker

_LOGGER = "odoo.addons.queue_job.jobrunner.runner"
_NOW = "now() at time zone 'UTC'"
_LOOK_EVERY_S = 10.0
"""Jobs with an ETA, and dead ones, send no NOTIFY when their time comes."""


class WorkerJobs(Worker):
    """Runner and worker in one: takes the next job, runs it, and takes the next."""

    kind = "WorkerJobRunner"

    def start(self) -> None:
        """Connections are this process's own."""
        self._databases = Databases(self.config)
        self._filter = re.compile(self.config.dbfilter)
        self._hears: dict[str, Any] = {}
        self._listed = float("-inf")
        log.line("INFO", None, _LOGGER, "starting")

    def work(self) -> None:
        """Listen first, look then: no job comes between unheard."""
        try:
            self._listen()
            if self._round():
                return
            pause = max(self._listed + _LOOK_EVERY_S - time.monotonic(), 0.0)
            for connection in self.rest(pause, *self._hears.values()):
                connection.poll()
                connection.notifies.clear()
        except FAILED as error:
            log.line("ERROR", None, _LOGGER, f"exception: {error}, sleeping 5s and retrying".replace("\n", " "))
            self._hears.clear()
            self._listed = float("-inf")
            self.rest(1.0)

    def _round(self) -> bool:
        """One job of every database that has any: none waits for another's backlog."""
        found = False
        for database in self._hears:
            found = self._next(database) or found
        return found

    def _listen(self) -> None:
        if time.monotonic() - self._listed < _LOOK_EVERY_S:
            return
        self._listed = time.monotonic()
        for database in self._databases.names():
            if not self._filter.match(database) or not self._has_queue(database):
                continue
            if database not in self._hears:
                self._hears[database] = self._databases.listen(database, "queue_job")
            self._requeue_dead(database)

    def _has_queue(self, database: str) -> bool:
        with self._databases.cursor(database) as cursor:
            return bool(cursor.run("select to_regclass('queue_job_lock')")[0][0])

    def _requeue_dead(self, database: str) -> None:
        """Jobs that were running when their worker was killed: their rows are no longer locked."""
        with self._databases.cursor(database) as cursor:
            cursor.run(
                f"update queue_job set state = 'pending', date_enqueued = null, date_started = null where id in (select queue_job_id "  # noqa: S608
                f"from queue_job_lock where queue_job_id in (select id from queue_job where state in ('enqueued', 'started') "
                f"and date_enqueued < {_NOW} - interval '10 sec') for update skip locked) returning uuid"
            )
            if cursor.changed > 0:
                log.line("WARNING", database, _LOGGER, f"{cursor.changed} dead jobs requeued")

    def _next(self, database: str) -> bool:
        """Whether there was a job."""
        with self._databases.cursor(database) as cursor:
            cursor.run("set transaction isolation level read committed")
            found = cursor.rows(
                f"update queue_job set state = 'enqueued', date_enqueued = date_trunc('second', {_NOW}) where id = (select id "  # noqa: S608
                f"from queue_job where state = 'pending' and (eta is null or eta <= {_NOW}) order by priority, date_created, id "
                "limit 1 for update skip locked) returning id, uuid, model_name, method_name, records, retry"
            )
        if not found:
            return False
        job = found[0]
        with self._databases.cursor(database) as cursor:
            cursor.run(
                f"update queue_job set state = 'started', date_started = {_NOW}, worker_pid = %s, retry = %s where id = %s",  # noqa: S608
                [os.getpid(), int(job["retry"] or 0) + 1, job["id"]],
            )
            cursor.run("insert into queue_job_lock (queue_job_id) values (%s) on conflict do nothing", [job["id"]])
        self._run(database, job)
        self.requests += 1
        return True

    def _run(self, database: str, job: dict[str, Any]) -> None:
        started = time.monotonic()
        try:
            with self._databases.cursor(database) as cursor:
                cursor.run("select 1 from queue_job_lock where queue_job_id = %s for update", [job["id"]])
                self._perform(cursor, job)
                cursor.run(
                    f"update queue_job set state = 'done', date_done = {_NOW}, exec_time = %s, exc_info = null, exc_name = null, "  # noqa: S608
                    "exc_message = null where id = %s",
                    [time.monotonic() - started, job["id"]],
                )
        except FAILED:
            raise  # The job stays as it is, and is found dead.
        except Exception as error:  # noqa: BLE001 - whatever a job raises is its failure
            log.line("ERROR", database, "odoo.addons.queue_job.controllers.main", f"Job {job['uuid']} failed: {error}")
            name = error.name if isinstance(error, OdooError) else f"builtins.{type(error).__qualname__}"
            with self._databases.cursor(database) as cursor:
                cursor.run(
                    "update queue_job set state = 'failed', exc_name = %s, exc_message = %s, exc_info = %s, exec_time = %s where id = %s",
                    [name, str(error), traceback.format_exc(), time.monotonic() - started, job["id"]],
                )

    def _perform(self, cursor: Cursor, job: dict[str, Any]) -> None:
        records = job["records"]
        ids = (json.loads(records) if isinstance(records, str) else records or {}).get("ids", [])
        method = str(job["method_name"])
        code = method if "(" in method else f"model.{method}()"
        actions.run(code, actions.Task(cursor, Path(self.config.data_dir), ids))
