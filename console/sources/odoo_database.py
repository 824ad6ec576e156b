"""Looks at one tenant's Odoo database: modules, scheduled jobs, queue, mail, users. Reads columns, locks nothing."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

import psycopg

from console.clients.clean import clean
from console.readings import Reading
from console.readings.odoo import OdooDatabase, OdooUsers
from console.sources import odoo_sql
from console.sources.base import Check, SourceError
from console.sources.odoo_facts import Holding, channels, crons, failed_jobs, holding, mail, modules
from console.sources.odoo_parts import Part, Parts
from console.sources.odoo_privilege import DATABASE_PRIVILEGE
from console.sources.odoo_schema import Schema, schema
from console.sources.odoo_visits import Visit, Visits, names, plain
from console.sources.postgres_base import judged, sentence, utc
from console.sources.postgres_facts import quoted
from console.sources.rates import Counted, Meter, rate

_NAMES_AGAIN_S = 300.0
_PARTS = (
    Part("sessions", lambda _schema: odoo_sql.SESSIONS),
    Part("activity", lambda _schema: odoo_sql.ACTIVITY),
    Part("modules", odoo_sql.modules),
    Part("crons", odoo_sql.crons),
    Part("triggers", odoo_sql.triggers),
    Part("progress", odoo_sql.progress),
    Part("queue", odoo_sql.channels),
    Part("held jobs", odoo_sql.held),
    Part("channels", odoo_sql.channel_settings),
    Part("mail", odoo_sql.mail),
    Part("neutralized", odoo_sql.neutralized, 60.0),
    Part("failed jobs", odoo_sql.failed_jobs, 30.0),
    Part("mail reasons", odoo_sql.mail_reasons, 30.0),
    Part("jobs done", odoo_sql.jobs_done, 20.0),
    Part("users", odoo_sql.users, 60.0),
    Part("log-ins", odoo_sql.log_ins, 60.0),
    Part("online", odoo_sql.online, 60.0),
    Part("size", lambda _schema: odoo_sql.SIZE, 300.0),
)


class Place:
    """A tenant's database: by its name, or as what a pattern of the environment file means now."""

    def __init__(self, tenant: str, database: str, visits: Visits, maintenance: str) -> None:
        self.tenant = tenant
        self.key = f"{tenant}/{database}"
        self.visits = visits
        self._named = database
        self._maintenance = maintenance
        self._found: list[str] = []
        self._asked_at = -_NAMES_AGAIN_S

    async def database(self, owner: object) -> str:
        """Its name. Raises SourceError, psycopg.Error."""
        if plain(self._named):
            return self._named
        if not self._found or time.monotonic() - self._asked_at > _NAMES_AGAIN_S:
            known = await names(self.visits, owner, self._maintenance)
            self._found = [name for name in known if fnmatchcase(name, self._named)]
            self._asked_at = time.monotonic()
        if not self._found:
            raise SourceError(
                f"no database of {self.visits.cluster} that we may connect to is named like {self._named}"
            )
        return self._found[0]

    def known(self) -> str:
        """Its name as far as it is known without asking; empty: a pattern that nobody has looked up yet."""
        return self._named if plain(self._named) else next(iter(self._found), "")

    def forget(self) -> None:
        """Find out anew what the pattern means: what it meant is gone."""
        self._found = []

    @property
    def untold(self) -> dict[str, str]:
        """Other databases that the pattern means, too."""
        more = len(self._found) - 1
        if more < 1:
            return {}
        return {"other databases": f"{more} more are named like {self._named}: name each in the environment file"}


class OdooDatabaseSource:
    """One database of one tenant."""

    reading: type[Reading] = OdooDatabase
    privilege = DATABASE_PRIVILEGE

    def __init__(self, place: Place, *, deadline_s: float) -> None:
        self.key = place.key
        self.deadline_s = deadline_s
        self.transactions_per_s: float | None = None
        self._place = place
        self._parts = Parts(_PARTS)
        self._meter: Meter[str] = Meter(longest_s=600.0)
        self._of = ""
        place.visits.join(self)
        self.every_s = place.visits.every_s(self)

    async def read(self) -> OdooDatabase:
        """One look. Raises SourceError."""
        try:
            database = await self._place.database(self)
            if database != self._of:  # a pattern has come to mean another one
                self._parts, self._of = Parts(_PARTS), database
            async with self._place.visits.visit(self, database) as visit:
                asked_at = datetime.now(UTC)
                known = await schema(visit.look)
                await self._parts.ask(visit.look, known)
        except psycopg.Error as error:
            raise SourceError(
                f"{self.key}: {sentence(error)}", denied=(error.sqlstate or "").startswith("42501")
            ) from None
        except SourceError as error:
            if error.denied:
                self._place.forget()
            raise
        return self._reading(database, visit, known, asked_at)

    def _reading(self, database: str, visit: Visit, known: Schema, asked_at: datetime) -> OdooDatabase:
        visits = self._place.visits
        transactions = self._rate()
        self.every_s = visits.every_s(self)  # longer for quiet databases, where there are many
        common: dict[str, Any] = {
            "key": self.key,
            "taken_at": asked_at,
            "tenant": self._place.tenant,
            "database": clean(database, 63),
            "asked": f"{visits.cluster}/{visit.member}",
            "standby": visit.standby,
            "size_bytes": self._parts.one("size").get("bytes"),
            "transactions_per_s": transactions,
        }
        if not known.is_odoo:
            why = "no Odoo database: it has no tables ir_module_module and ir_cron"
            return OdooDatabase(**common, **judged([why]), untold={"everything": why, **self._place.untold})
        told = _Told(self._parts, known, visit, asked_at)
        untold = {**told.untold, **self._place.untold}
        return OdooDatabase(**common, **told.content(), untold=untold, **judged(told.problems(visits.role)))

    def _rate(self) -> float | None:
        row = self._parts.one("activity")
        if not row:
            self._meter.forget()
            return None
        step = self._meter.step(
            row["now"].timestamp(), {"": Counted(row["stats_reset"], (float(row["transactions"]),))}
        )
        self.transactions_per_s = rate(step.deltas[""][0], step.window_s) if "" in step.deltas else None
        return self.transactions_per_s

    def abandon(self) -> None:
        """Drop the connection now."""
        self._place.visits.abandon(self)

    async def close(self) -> None:
        """No connection is held between looks."""
        self._place.visits.abandon(self)

    async def examine(self) -> list[Check]:
        """For the doctor: connection, and every column."""
        try:
            database = await self._place.database(self)
            async with self._place.visits.visit(self, database) as visit:
                known = await schema(visit.look)
        except SourceError as error:
            return [Check("connect", "fail", error.problem, _mend(error, self._place.visits.role, self.key))]
        except psycopg.Error as error:
            return [Check("ask", "fail", sentence(error))]
        what = f"{visit.member}, database {clean(database, 63)}{', a standby' if visit.standby else ''}"
        return [Check("connect", "pass", what), *_columns(known, self._place.visits.role or "banksman", database)]


def _mend(error: SourceError, role: str, key: str) -> str:
    database = key.partition("/")[2]
    if "permission denied for database" in error.problem:
        return f"GRANT CONNECT ON DATABASE {quoted(database)} TO {quoted(role or 'banksman')};"
    if "does not exist" in error.problem or "named like" in error.problem:
        return "check `databases` and `cluster` of this application in the environment file"
    return "see the checks of this cluster's members" if error.denied else ""


def _columns(known: Schema, role: str, database: str) -> list[Check]:
    if not known.is_odoo:
        what = f"database {clean(database, 63)} has no tables ir_module_module and ir_cron"
        return [Check("Odoo", "fail", what, "take `odoo: true` from this application, or name its Odoo database")]
    missing = known.missing()
    if not missing:
        return [Check("columns", "pass", f"all that is read may be read, in {len(known.granted)} tables")]
    tables = ", ".join(sorted(missing))
    mend = f"in database {clean(database, 63)}: " + " ".join(known.grants(role))
    return [Check("columns", "fail", f"role {clean(role, 63)} may not read all columns of {tables}", mend)]


class _Told:
    """What the parts told, as content of a reading."""

    def __init__(self, parts: Parts, known: Schema, visit: Visit, asked_at: datetime) -> None:
        self._parts = parts
        self._schema = known
        self._visit = visit
        sessions = parts.rows("sessions")
        self._sessions: Holding | None = None
        if sessions is not None and not visit.standby:
            self._sessions = holding(sessions, parts.one("activity").get("now") or asked_at)
        self._now = self._sessions.now if self._sessions else parts.one("activity").get("now") or asked_at
        base = next((row for row in parts.rows("modules") or () if row["name"] == "base"), {})
        self.version = clean(base.get("version"), 30)
        self._counts_failures = known.may("ir_cron", "failure_count", "first_failure_date")

    def content(self) -> dict[str, Any]:
        """Fields of the reading."""
        rows, one = self._parts.rows, self._parts.one
        passing = rows("modules") or []
        sessions = self._sessions
        return {
            "version": self.version,
            "neutralized": bool(one("neutralized").get("neutralized")),
            "modules_installed": passing[0]["installed"] if passing else 0,
            "modules": modules(passing),
            "modules_in_passage": passing[0]["in_passage"] if passing else 0,
            **self._crons(),
            "queue_job": self._schema.has("queue_job"),
            "channels": channels(rows("queue") or (), rows("held jobs") or (), rows("channels"), sessions),
            "failed_jobs": failed_jobs(rows("failed jobs") or ()),
            "jobs_done_last_hour": one("jobs done").get("count"),
            "jobs_done_at": utc(one("jobs done").get("last_at")),
            "mail": mail(one("mail"), rows("mail reasons") or ()) if one("mail") else None,
            "users": self._users(),
            "connections": sessions.connections if sessions else None,
            "busy": sessions.busy if sessions else None,
            "unread": self._unread(),
        }

    def _unread(self) -> tuple[str, ...]:
        """Parts of which a field at its default would say that all is well."""
        needed = {"modules": ("modules",), "crons": ("crons",), "queue": ("queue", "held jobs"), "mail": ("mail",)}
        tables = {"queue": "queue_job", "mail": "mail_mail"}
        return tuple(
            name
            for name, parts in needed.items()
            if any(self._parts.rows(part) is None for part in parts)
            and (name not in tables or self._schema.has(tables[name]))
        )

    def _crons(self) -> dict[str, Any]:
        rows = self._parts.rows
        triggers = rows("triggers")
        found = crons(
            rows("crons") or (),
            triggers or (),
            rows("progress"),
            self._sessions,
            self._now,
            counts_failures=self._counts_failures,
            neutralized=bool(self._parts.one("neutralized").get("neutralized")),
        )
        return {**found.fields(), "triggers_due": None if triggers is None else len(triggers)}

    def _users(self) -> OdooUsers | None:
        one = self._parts.one
        if not one("users"):
            return None
        return OdooUsers(
            active=one("users")["active"],
            logged_in_last_hour=one("log-ins").get("last_hour"),
            last_log_in_at=utc(one("log-ins").get("last_at")),
            online=one("online").get("online"),
        )

    def problems(self, role: str) -> list[str]:
        """Why the reading is partial; empty: it is whole."""
        found = list(self._parts.problems)
        missing = self._schema.missing()
        if missing:
            tables = ", ".join(sorted(missing))
            found.insert(
                0,
                f"role {clean(role, 63) or '?'} may not read all columns of {tables}: `banksman doctor` has the grants",
            )
        if not missing and not self.version:
            found.append("its module base is not installed")
        return found

    @property
    def untold(self) -> dict[str, str]:
        """What this version, our privilege, or the member that was asked does not tell."""
        known = self._schema
        series = ".".join(self.version.split(".")[:2]) or "this version"
        found = _without_column(known, series)
        if self._visit.standby:
            found["running jobs"] = f"{self._visit.member} is a standby: sessions are on the primary"
        elif self._sessions is not None and not self._sessions.workers and known.has("queue_job"):
            found["dead jobs"] = "no session calls itself odoo-PID, so nobody can say whose worker is gone"
        for table, lacking in known.missing().items():
            found[f"{table} ({', '.join(lacking)})"] = "not granted"
        return found


_SINCE: Mapping[str, tuple[str, str, str]] = {
    "failed scheduled jobs": ("ir_cron", "failure_count", "{} keeps no trace of them in the database: the log does"),
    "killed scheduled jobs": (
        "ir_cron_progress",
        "timed_out_counter",
        "{} keeps no trace of them in the database: the log does",
    ),
    "paused channels": ("queue_job_channel", "paused", "in {} they are in the server's configuration"),
}


def _without_column(known: Schema, series: str) -> dict[str, str]:
    return {
        what: why.format(series)
        for what, (table, column, why) in _SINCE.items()
        if column not in known.types.get(table, {}) and (known.has("queue_job") or table != "queue_job_channel")
    }
