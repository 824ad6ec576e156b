"""Two Odoo tenants that are well: acme of 18 and bauhof of 17."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from console.readings import (
    OdooChannel,
    OdooCron,
    OdooDatabase,
    OdooFiles,
    OdooLog,
    OdooMail,
    OdooPages,
    OdooSessions,
    OdooStep,
    Reading,
)
from console.settings import (
    Application,
    EnvironmentFile,
    PostgresCluster,
    PostgresServer,
    SessionStore,
    TraefikIngress,
    TraefikServer,
)

LABELS = {"acme": "Acme Hochbau", "bauhof": "Bauhof Nord"}


MANY = LABELS | {"cobalt": "Cobalt Steelwork", "delta": "Delta Tiefbau", "ebene": "Ebene Architekten"}


def odoo(labels: Mapping[str, str] = LABELS) -> EnvironmentFile:
    """Of a platform with one database cluster and these tenants."""
    return EnvironmentFile(
        name="test",
        postgres={"main": PostgresCluster(servers={"pg-1": PostgresServer(host="10.0.0.1")})},
        applications={
            name: Application(
                databases=[name], label=label, odoo=True, url=f"https://{name}.example.com", namespace=f"tenant-{name}"
            )
            for name, label in labels.items()
        },
    )


def odoo_behind() -> EnvironmentFile:
    """The same behind an ingress, with sessions in a cache that is none of this environment's."""
    plain = odoo()
    server = TraefikServer(metrics="http://10.0.0.31:9100/metrics")
    applications = {
        name: msgspec.structs.replace(each, sessions=SessionStore(cache="elsewhere"))
        for name, each in plain.applications.items()
    }
    return msgspec.structs.replace(
        plain, traefik={"edge": TraefikIngress(servers={"traefik-1": server})}, applications=applications
    )


def cron(now: datetime, **changes: object) -> OdooCron:
    """The job that sends mail: due in half an hour."""
    row = OdooCron(
        2, "Mail: Email Queue Manager", every="1 hours", next_at=now + timedelta(minutes=30),
        last_at=now - timedelta(minutes=30), failures=0, timed_out=0,
    )  # fmt: skip
    return msgspec.structs.replace(row, **changes)


def minutely(now: datetime, **changes: object) -> OdooCron:
    """A job of every minute, as a worker that pauses for over a minute leaves it."""
    row = OdooCron(
        4, "Account: Compute totals", every="1 minutes", next_at=now - timedelta(seconds=65),
        last_at=now - timedelta(seconds=69), failures=0, timed_out=0,
    )  # fmt: skip
    return msgspec.structs.replace(row, **changes)


def channel(now: datetime, **changes: object) -> OdooChannel:
    """Jobs are worked off."""
    row = OdooChannel("root", waiting=12, running=1, oldest_at=now - timedelta(seconds=30), paused=False)
    return msgspec.structs.replace(row, **changes)


def step(ms: float, **changes: object) -> OdooStep:
    """One that went well."""
    row = OdooStep(ok=True, ms=ms, p50_ms=40.0, p95_ms=90.0)
    return msgspec.structs.replace(row, **changes)


def failed(problem: str, *, silent: bool = False) -> OdooStep:
    """One that did not."""
    return OdooStep(ok=False, problem=problem, p50_ms=40.0, silent=silent)


STEPS = {"health": step(4.0), "project": step(41.0), "document": step(30.0)}


def odoo_readings(now: datetime, settings: EnvironmentFile) -> list[Reading]:
    """What the tenants say now."""
    names = [name for name, each in settings.applications.items() if each.odoo]
    return [reading for name in names for reading in _of(now, name)]


def _of(now: datetime, name: str) -> list[Reading]:
    key = f"{name}/{name}"
    newest = name == "acme"
    old = {} if newest else {"failures": None, "timed_out": None}
    database = OdooDatabase(
        key=key, taken_at=now, tenant=name, database=name, asked="main/pg-1", version="18.0.1.3" if newest else "17.0.1.3",
        modules_installed=60, crons={"2": cron(now, **old), "4": minutely(now, **old)}, crons_active=40, crons_late=0,
        crons_failing=0 if newest else None, crons_ran_at=now - timedelta(seconds=69), triggers_due=0, queue_job=True,
        channels={"root": channel(now, paused=False if newest else None)}, jobs_done_last_hour=900,
        jobs_done_at=now - timedelta(seconds=5), mail=OdooMail(outgoing=3, oldest_at=now - timedelta(minutes=20)),
        connections=9, busy=1,
    )  # fmt: skip
    files = OdooFiles(
        key=key, taken_at=now, tenant=name, database=name, rows=900, by_store={"filestore": 600, "database": 300},
        checked=600, missing=0, differing=0,
    )  # fmt: skip
    pages = OdooPages(key=name, taken_at=now, tenant=name, url=f"https://{name}.example.com", steps=STEPS)
    log = OdooLog(key=name, taken_at=now, tenant=name, origin="odoo.log", requests_per_s=3.0, errors_per_s=0.0)
    return [database, files, pages, log, OdooSessions(key=name, taken_at=now, tenant=name, logged_in=20, anonymous=3)]
