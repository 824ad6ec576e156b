"""For every kind about Odoo: what makes it, and what is just not enough to make it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from console.readings import (
    OdooDatabase,
    OdooEvent,
    OdooFailedJob,
    OdooFiles,
    OdooLog,
    OdooMail,
    OdooMailReason,
    OdooModule,
    OdooPages,
    Reading,
)
from tests.assessment.cases import Act, Case
from tests.assessment.scene import Scene
from tests.assessment.scene_odoo import STEPS, channel, cron, failed, minutely, odoo, step

_KEYS: dict[type[Reading], str] = {
    OdooDatabase: "acme/acme",
    OdooFiles: "acme/acme",
    OdooPages: "acme",
    OdooLog: "acme",
}


def tenant(cls: type[Reading], **fields: object) -> Act:
    """These fields of acme's reading differ; what is a function of the scene is asked at each look."""

    def act(scene: Scene) -> None:
        found = {name: _bound(scene, value) for name, value in fields.items()}
        scene.change(cls, _KEYS[cls], **found)

    return act


def _bound(scene: Scene, value: object) -> object:
    return (lambda: value(scene)) if callable(value) else value


def well(scene: Scene) -> None:
    """All is as it was."""
    for cls, key in _KEYS.items():
        scene.mend(cls, key)


def steps(**changes: object) -> Act:
    return tenant(OdooPages, steps={**STEPS, **changes})


def crons(**rows: Callable[[Scene], object]) -> Callable[[Scene], object]:
    return lambda scene: {name: made(scene) for name, made in rows.items()}


def late(minutes: float) -> Callable[[Scene], object]:
    return crons(a=lambda scene: minutely(scene.now, late=True, next_at=scene.now - timedelta(minutes=minutes)))


def runs(minutes: float) -> Callable[[Scene], object]:
    return crons(
        a=lambda scene: minutely(scene.now, running=True, running_since=scene.now - timedelta(minutes=minutes))
    )


def queue(minutes: float, **fields: object) -> Callable[[Scene], object]:
    return lambda scene: {
        "root": channel(scene.now, oldest_at=scene.now - timedelta(minutes=minutes), **fields),
    }


def ago(**span: float) -> Callable[[Scene], object]:
    return lambda scene: scene.now - timedelta(**span)


def event(what: str, count: int, minutes: float, subject: str = "WorkerHTTP") -> Callable[[Scene], object]:
    return lambda scene: {
        what: OdooEvent(
            what, subject, count=count, last_at=scene.now - timedelta(minutes=minutes), message="WorkerHTTP (7) …"
        )
    }


def mails(refused: int = 0, waits_minutes: float = 20.0) -> Callable[[Scene], object]:
    return lambda scene: OdooMail(
        outgoing=3, oldest_at=scene.now - timedelta(minutes=waits_minutes), failed=refused, failed_last_hour=refused,
        last_failed_at=scene.now, reasons={"a": OdooMailReason("111 Connection refused", refused)} if refused else {},
    )  # fmt: skip


MODULES = {"purchase": OdooModule("purchase", "to upgrade")}
JOBS = {"a": OdooFailedJob("purchase.order._compute_totals", "root", "odoo.exceptions.UserError", "no", 7)}

ODOO = (
    Case(
        "tenant-unreachable:acme",
        tenant(OdooPages, status="unreachable", problem="https://acme.example.com: connection refused", steps={}),
        well,
        steps(health=step(500.0)),
        severity="critical",
    ),
    Case("tenant-unreachable:acme", steps(health=failed("HTTP 503")), well, steps(document=step(900.0)), severity="critical"),
    Case(
        "workers-busy:acme",
        steps(health=failed("no answer within 3.0 s", silent=True)),
        well,
        steps(health=step(1500.0)),
        severity="critical",
    ),
    Case("workers-busy:acme", steps(health=step(2600.0)), well, steps(health=step(1900.0))),
    Case(
        "worker-killed:acme",
        tenant(OdooLog, events=event("worker timeout", 1, 2)),
        well,
        tenant(OdooLog, events=event("worker memory limit", 1, 2, "Worker")),
    ),
    Case(
        "worker-killed:acme",
        tenant(OdooLog, events=event("worker memory limit", 6, 1, "Worker")),
        well,
        tenant(OdooLog, events=event("worker timeout", 3, 30)),
    ),
    Case(
        "transaction-failing:acme",
        steps(project=failed("OperationalError: server closed the connection unexpectedly")),
        well,
        steps(project=step(900.0)),
        severity="critical",
    ),
    Case("transaction-failing:acme", steps(document=failed("HTTP 404")), well, steps(document=step(50.0))),
    Case("transaction-slow:acme", steps(project=step(2500.0)), well, steps(project=step(1700.0))),
    Case(
        "module-to-upgrade:acme",
        tenant(OdooDatabase, modules=MODULES, modules_in_passage=1),
        well,
        tenant(OdooDatabase, modules={}, modules_in_passage=0),
        steps=90,
    ),
    Case(
        "cron-stuck:acme",
        tenant(OdooDatabase, crons=late(5), crons_late=1, crons_late_since=ago(minutes=5)),
        well,
        tenant(OdooDatabase, crons=late(3), crons_late=1, crons_late_since=ago(minutes=3)),
    ),
    Case("cron-stuck:acme", tenant(OdooDatabase, crons=runs(40)), well, tenant(OdooDatabase, crons=runs(20))),
    Case(
        "cron-failing:acme",
        tenant(OdooDatabase, crons=crons(a=lambda scene: minutely(scene.now, failures=3)), crons_failing=1),
        well,
        tenant(OdooDatabase, crons=crons(a=lambda scene: minutely(scene.now, failures=1)), crons_failing=1),
    ),
    Case(
        "cron-failing:acme",
        tenant(OdooDatabase, crons=crons(a=lambda scene: cron(scene.now, active=False, switched_off=True)), crons_off=1),
        well,
        tenant(OdooDatabase, crons=crons(a=lambda scene: cron(scene.now, active=False))),
    ),
    Case(
        "queue-blocked:acme",
        tenant(OdooDatabase, channels=queue(5, running=0), jobs_done_at=ago(minutes=10)),
        well,
        tenant(OdooDatabase, channels=queue(5, running=1), jobs_done_at=ago(minutes=10)),
    ),
    Case(
        "queue-blocked:acme",
        tenant(OdooDatabase, channels=queue(5, running=0, paused=True)),
        well,
        tenant(OdooDatabase, channels=queue(1, running=0, paused=True)),
    ),
    Case(
        "jobs-failing:acme",
        tenant(OdooDatabase, channels=queue(0.5, failed_last_hour=7, failed=7), failed_jobs=JOBS),
        well,
        tenant(OdooDatabase, channels=queue(0.5, failed_last_hour=3, failed=300), failed_jobs=JOBS),
    ),
    Case("mail-refused:acme", tenant(OdooDatabase, mail=mails(refused=9)), well, tenant(OdooDatabase, mail=mails(refused=1))),
    Case(
        "mail-stuck:acme",
        tenant(OdooDatabase, mail=mails(waits_minutes=150)),
        well,
        tenant(OdooDatabase, mail=mails(waits_minutes=70)),
    ),
    Case(
        "attachment-missing:acme",
        tenant(OdooFiles, missing=2, examples={"ab/abc": "missing: permit.txt"}),
        well,
        tenant(OdooFiles, missing=None, checked=None),
    ),
    Case("attachment-missing:acme", tenant(OdooFiles, differing=1), well, tenant(OdooFiles, missing=0, differing=0)),
)  # fmt: skip
ODOO = tuple(case._replace(platform=odoo) for case in ODOO)
