"""Faults of what works in a tenant's Odoo: web, cron and queue workers."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import partial

import msgspec

from console.lab.faults import platform, tools
from console.lab.faults.base import Deed, Fault, Parameter, Signs, Stroke, Truth
from console.lab.manifests import tenant as manifests
from console.lab.odoo import config
from console.lab.platform.admin import Admin
from console.lab.servers.odoo import CONFIG
from console.lab.state import write_file

_DUE = "select count(*) from ir_cron where active and nextcall < (now() at time zone 'UTC') - interval '2 minutes'"
_PENDING = (
    "select count(*) from queue_job where state = 'pending' and (eta is null or eta < now() at time zone 'UTC') "
    "and date_created < (now() at time zone 'UTC') - interval '30 seconds'"
)
_ROLLED_OUT_WITHIN_S = 60.0


# -- web -----------------------------------------------------------------------------------------------------------------


def _waits_long(stroke: Stroke) -> bool:
    """Whether a request that costs nothing waited for a worker, twice in a row."""
    for _ in range(2):
        begun = time.monotonic()
        platform.visit(stroke.lab, platform.of(stroke))
        if time.monotonic() - begun < 2.0:
            return False
    return True


WORKERS_BUSY = Fault(
    name="workers-busy",
    does="clients inside the cluster upload photographs to the tenant's Odoo over a thin line, until heal or for ten minutes: each upload "
    "holds one of the two web workers for a second, and a request waits until those before it are through",
    observable_from="/web/health through Traefik has taken longer than two seconds twice in a row",
    needs_platform=True,
    parameters=(platform.whose("cobalt"), Parameter("uploads", 7, "at once")),
    signs=Signs(
        findings=("workers-busy",),
        allowed=("backend-slow",),
        panes={"application": "warning"},
        latency_s=60,
        lingers_s=60,
        scope="tenant",
        tenants=("{tenant}",),
        truth=Truth(
            broken="all web workers of the tenant are held by slow uploads; every request waits for one",
            felt="the tenant: every click takes seconds; nobody else",
            cause="workers-busy",
        ),
    ),
)


def _stall(stroke: Stroke) -> None:
    each = platform.of(stroke)
    stroke.notes["begin"] = str(platform.log_size(stroke.lab, each))
    tools.run_worker(stroke, WORKER_KILLED.name)


def _killed(stroke: Stroke) -> bool:
    told = platform.logged_since(stroke.lab, platform.of(stroke), int(stroke.notes["begin"]))
    return any("WorkerHTTP" in line and " timeout after " in line for line in told.splitlines())


WORKER_KILLED = Fault(
    name="worker-killed",
    does="a client inside the cluster sends a request to the tenant's Odoo a byte every two seconds, without end: a web worker reads it until "
    "it has taken limit_time_real (60 s), and is killed by its parent, which forks another; the client begins again, until heal or "
    "for ten minutes",
    observable_from="the log says that a WorkerHTTP timed out",
    needs_platform=True,
    parameters=(platform.whose("ebene"),),
    signs=Signs(
        findings=("worker-killed",),
        panes={"application": "warning"},
        latency_s=30,
        lingers_s=620,
        scope="tenant",
        tenants=("{tenant}",),
        truth=Truth(
            broken="requests of the tenant take longer than limit_time_real, and their workers are killed over them",
            felt="the tenant: whoever sent such a request gets no answer",
            cause="worker-killed",
        ),
    ),
)


# -- what works by itself ------------------------------------------------------------------------------------------------


def _configure(stroke: Stroke, **workers: int) -> None:
    """Have the tenant's Odoo run with other numbers of workers: its configuration is changed, and it is restarted."""
    each = platform.of(stroke)
    file = platform.volume(stroke.lab, each) / CONFIG
    changed = msgspec.structs.replace(config.read(file), **workers)
    write_file(file, msgspec.json.format(msgspec.json.encode(changed), indent=1))
    restarted = {"kubectl.kubernetes.io/restartedAt": datetime.now(UTC).isoformat()}
    with Admin.of(stroke.lab.path) as admin:
        patch = {"spec": {"template": {"metadata": {"annotations": restarted}}}}
        admin.patch("Deployment", manifests.NAME, patch, each.namespace)
        admin.rolled_out(manifests.NAME, each.namespace, _ROLLED_OUT_WITHIN_S)


def _waits_for_cron(stroke: Stroke) -> bool:
    return platform.counted(stroke.lab, platform.of(stroke).name, _DUE) > 0


def _waits_for_runner(stroke: Stroke) -> bool:
    return platform.counted(stroke.lab, platform.of(stroke).name, _PENDING) > 0


CRON_STUCK = Fault(
    name="cron-stuck",
    does="the tenant's Odoo is restarted without a cron worker (max_cron_threads = 0) until heal restarts it with one",
    observable_from="an active scheduled job has been due for two minutes",
    needs_platform=True,
    parameters=(platform.whose("cobalt"),),
    signs=Signs(
        findings=("cron-stuck",),
        panes={"application": "warning"},
        latency_s=145,
        lingers_s=60,
        scope="tenant",
        tenants=("{tenant}",),
        truth=Truth(
            broken="the tenant's Odoo has no cron worker: no scheduled job runs",
            felt="the tenant: mails are not sent, reminders not written, totals not brought up to date",
            cause="cron-stuck",
        ),
    ),
)

QUEUE_BLOCKED = Fault(
    name="queue-blocked",
    does="the tenant's Odoo is restarted without a job runner (queue_job not among server_wide_modules) until heal restarts it with one; "
    "what its users queue waits",
    observable_from="a job has waited for half a minute",
    needs_platform=True,
    parameters=(platform.whose("acme"),),
    signs=Signs(
        findings=("queue-blocked",),
        panes={"application": "warning"},
        latency_s=115,
        lingers_s=60,
        scope="tenant",
        tenants=("{tenant}",),
        truth=Truth(
            broken="the tenant's Odoo runs no job runner: nobody takes what is queued",
            felt="the tenant: what is worked on in the background does not come",
            cause="queue-blocked",
        ),
    ),
)

DEEDS = {
    WORKERS_BUSY.name: (
        WORKERS_BUSY,
        Deed(
            partial(tools.run_worker, fault=WORKERS_BUSY.name),
            _waits_long,
            partial(tools.end_worker, fault=WORKERS_BUSY.name),
            visible_within_s=60,
        ),
    ),
    WORKER_KILLED.name: (
        WORKER_KILLED,
        Deed(_stall, _killed, partial(tools.end_worker, fault=WORKER_KILLED.name), visible_within_s=100),
    ),
    CRON_STUCK.name: (
        CRON_STUCK,
        Deed(
            partial(_configure, cron=0),
            _waits_for_cron,
            partial(_configure, cron=1),
            visible_within_s=240,
        ),
    ),
    QUEUE_BLOCKED.name: (
        QUEUE_BLOCKED,
        Deed(
            partial(_configure, queue=0),
            _waits_for_runner,
            partial(_configure, queue=1),
            visible_within_s=150,
        ),
    ),
}
