"""Parts of scripted boards: eight tenants of three Odoo versions, their traffic and their pods; well, broken, silent, many."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec

from console.board import Board
from console.readings import Evidence, PostgresMember, Reading, Trend
from console.readings.environment import Tenant
from console.readings.odoo import (
    OdooChannel,
    OdooCron,
    OdooDatabase,
    OdooEvent,
    OdooFailedJob,
    OdooFiles,
    OdooLog,
    OdooMail,
    OdooMailReason,
    OdooModule,
    OdooPages,
    OdooSessions,
    OdooStep,
    OdooUsers,
)
from console.readings.traefik import TraefikConfig, TraefikRouter, TraefikServer, TraefikService, Traffic
from tests.screens.board_ground import NOW, ago, change, environment, failed, finding, findings, healthy, put

GB = 1024**3
NAMES = ("acme", "bauhof", "cobalt", "delta", "ebene", "fjord", "granit", "hafen")
LABELS = (
    "Acme Hochbau", "Bauhof Nord", "Cobalt Steelwork", "Delta Tiefbau", "Ebene Architekten", "Fjord Timber",
    "Granit Naturstein", "Hafenbau West",
)  # fmt: skip
VERSIONS = ("18.0.1.3", "17.0.1.3", "16.0.1.3", "18.0.1.3", "17.0.1.3", "16.0.1.3", "18.0.1.3", "17.0.1.3")
STEPS = {"health": 4.0, "log in": 96.0, "project": 310.0, "document": 82.0}
TOPICS = (OdooDatabase, OdooFiles, OdooLog, OdooPages, OdooSessions)


def about(name: str, label: str) -> Tenant:
    return Tenant(label, (name,), "", (f"{name}.example.com",), "", f"tenant-{name}", True)


def _stamp(now: datetime, key: str, every_s: float) -> dict[str, Any]:
    taken = ago(now, 2)
    return {"key": key, "taken_at": taken, "every_s": every_s, "good_at": taken, "took_ms": 12.0}


def database(now: datetime, name: str, number: int) -> OdooDatabase:
    version = VERSIONS[number % 8]
    old = not version.startswith("18")
    channels = {
        "root": OdooChannel("root", 2, 1, 1),
        "root.mail": OdooChannel("root.mail", 1, oldest_at=ago(now, 4)),
    }
    return OdooDatabase(
        **_stamp(now, f"{name}/{name}", 10),
        tenant=name,
        database=name,
        asked="main/pg-2",
        version=version,
        size_bytes=(number + 1) * GB,
        modules_installed=120 + number,
        crons={
            "7": OdooCron(7, "Mail: Email Queue Manager", every="1 hours", next_at=now + timedelta(minutes=20), last_at=ago(now, 2400)),
            "9": OdooCron(9, "Procurement: run scheduler", every="1 days", next_at=now + timedelta(hours=7), last_at=ago(now, 61_000)),
        },
        crons_active=24,
        crons_failing=None if old else 0,
        crons_ran_at=ago(now, 31),
        queue_job=number % 4 != 3,
        channels=channels if number % 4 != 3 else {},
        jobs_done_last_hour=412,
        mail=OdooMail(outgoing=2, oldest_at=ago(now, 50)),
        users=OdooUsers(40 + number, 12, ago(now, 300), 9),
        connections=6,
        busy=1,
        transactions_per_s=40.0 - number,
        untold={"failed scheduled jobs": f"{version[:4]} keeps no trace of them in the database; its log tells"} if old else {},
    )  # fmt: skip


def pages(now: datetime, name: str, number: int) -> OdooPages:
    steps = {
        step: OdooStep(True, level * (1 + number / 20), level * (1 + number / 25), level * 2.1, at=ago(now, 9))
        for step, level in STEPS.items()
    }
    return OdooPages(
        **_stamp(now, name, 15),
        tenant=name,
        url=f"https://{name}.example.com",
        database=name,
        server_version=VERSIONS[number % 8][:4],
        steps=steps,
        session_since=ago(now, 7000),
        untold={"purchase": "no writer is configured"},
    )


def of_tenant(now: datetime, name: str, number: int) -> list[Reading]:
    """Everything read of one tenant."""
    return [
        database(now, name, number),
        OdooFiles(
            **_stamp(now, f"{name}/{name}", 60), tenant=name, database=name, rows=9200, bytes=3 * GB,
            by_store={"filestore": 9000, "database": 200}, checked=9000, missing=0, differing=0,
            round_began_at=ago(now, 900), round_ended_at=ago(now, 600),
        ),
        pages(now, name, number),
        OdooSessions(**_stamp(now, name, 60), tenant=name, store="cache/cache-1", logged_in=14 + number, anonymous=3),
        OdooLog(
            **_stamp(now, name, 10), tenant=name, origin=f"/var/log/odoo/{name}.log", last_line_at=ago(now, 3),
            requests_per_s=4.0, errors_per_s=0.0, sql_ms=11.0, p95_ms=420.0,
        ),
    ]  # fmt: skip


def traffic(now: datetime, names: tuple[str, ...]) -> list[Reading]:
    """One Traefik before all of them."""
    routers = {
        f"{name}@kubernetescrd": Traffic(
            f"{name}@kubernetescrd", tenant=name, requests=60, requests_per_s=4.0 + at % 5, errors_per_s=0.0,
            gateway_per_s=0.0, limited_per_s=0.0, refused_per_s=0.0, p50_ms=90.0, p95_ms=400.0, p99_ms=700.0,
            usual_per_s=4.2, usual_p95_ms=390.0,
        )
        for at, name in enumerate(names)
    }  # fmt: skip
    config = {
        f"{name}@kubernetescrd": TraefikRouter(
            f"{name}@kubernetescrd", name, f"Host(`{name}.example.com`)", (f"{name}.example.com",),
            service=f"tenant-{name}-odoo-8069", entry_points=("websecure",), tls=True, state="enabled",
        )
        for name in names
    }  # fmt: skip
    services = {
        f"tenant-{name}-odoo-8069@kubernetescrd": TraefikService(
            f"tenant-{name}-odoo-8069@kubernetescrd", name, "loadBalancer", {"http://10.42.0.7:8069": "UP"}
        )
        for name in names
    }
    return [
        TraefikServer(
            **_stamp(now, "edge/traefik-1", 5),
            ingress="edge",
            server="traefik-1",
            window_s=15,
            requests_per_s=48.0,
            errors_per_s=0.0,
            requests=720,
            p50_ms=90.0,
            p95_ms=400.0,
            p99_ms=700.0,
            routers=routers,
        ),
        TraefikConfig(
            **_stamp(now, "edge/traefik-1", 10), ingress="edge", server="traefik-1", routers=config, services=services
        ),
    ]


def trends(now: datetime, names: tuple[str, ...]) -> list[Reading]:
    step = int(now.timestamp()) // 10
    return [
        Trend(
            key=f"application/{name}/{series}",
            taken_at=ago(now, 2),
            unit=unit,
            points={step - 90 + i: level * (0.8 + 0.4 * ((i * 37 % 90) / 90)) for i in range(90)},
        )
        for name in names
        for series, unit, level in (("page", "ms", 310.0), ("requests", "/s", 4.2), ("waiting", "", 3.0))
    ]


def with_tenants(
    now: datetime, names: tuple[str, ...] = NAMES, labels: tuple[str, ...] = LABELS, *, ingress: bool = True
) -> Board:
    """The healthy board with these tenants."""
    board = healthy(now)
    more = [reading for at, name in enumerate(names) for reading in of_tenant(now, name, at)]
    more += traffic(now, names) if ingress else []
    everything = [reading for reading in board if reading.pane is not None] + more
    applications = {name: about(name, labels[at % len(labels)]) for at, name in enumerate(names)}
    put(board, *more, *trends(now, names), environment(now, everything, applications=applications))
    return put(board, findings(now, board, []))


def tenants_well(now: datetime = NOW) -> Board:
    """Eight tenants, nothing wrong."""
    return with_tenants(now)


def tenants_many(now: datetime = NOW) -> Board:
    """Sixty tenants; one of them is slow."""
    names = tuple(f"{name}-{at}" if at else name for at in range(8) for name in NAMES)[:60]
    board = with_tenants(now, names)
    slow(board, now, "delta-4")
    rows = [slow_finding(now, "delta-4")]
    return put(board, findings(now, board, rows))


def slow(board: Board, now: datetime, name: str) -> None:
    """Its workers are all busy: pages take long, the log-in too."""
    steps = {
        "health": OdooStep(True, 5.0, 4.0, 9.0, at=ago(now, 9)),
        "log in": OdooStep(True, 2900.0, 98.0, 3000.0, at=ago(now, 9)),
        "project": OdooStep(True, 6800.0, 320.0, 6800.0, at=ago(now, 9)),
        "document": OdooStep(False, 10_000.0, 84.0, 210.0, "no answer within 10 s", ago(now, 9), True),
    }
    change(board, OdooPages, name, steps=steps)
    change(board, OdooDatabase, f"{name}/{name}", connections=9, busy=8)
    step = int(now.timestamp()) // 10
    points = {step - 90 + i: 310.0 if i < 60 else 310.0 + (i - 60) * 220.0 for i in range(90)}
    board.put(Trend(key=f"application/{name}/page", taken_at=ago(now, 2), unit="ms", points=points))


def slow_finding(now: datetime, name: str) -> Any:
    return finding(
        now, "workers-busy", name, "critical", f"All 8 workers of {name} are busy", 340, pane="application",
        impact=f"{name}: pages wait for a worker; project records take 6.8 s, documents do not open.",
        action=f"See what the sessions of {name} do; restart its pod where they hang.",
        affects=(name,), tenants=(name,), scope="tenant",
        evidence=(Evidence("project page", "6.8 s", "1.5 s", f"odoo.pages {name}", ago(now, 9)),),
    )  # fmt: skip


def stuck(board: Board, now: datetime, name: str) -> None:
    """A module waits for an upgrade: no scheduled job runs, the queue and the mail grow."""
    crons = {
        "7": OdooCron(7, "Mail: Email Queue Manager", every="1 hours", next_at=ago(now, 2900), last_at=ago(now, 6500), late=True),
        "12": OdooCron(12, "Payroll: compute slips of the month", every="1 hours", next_at=ago(now, 1900), last_at=ago(now, 5500), late=True),
        "9": OdooCron(9, "Procurement: run scheduler", every="1 days", next_at=ago(now, 600), last_at=ago(now, 87_000), late=True),
    }  # fmt: skip
    change(
        board, OdooDatabase, f"{name}/{name}", crons=crons, crons_late=3, crons_late_since=ago(now, 2900),
        crons_ran_at=ago(now, 3100), modules={"sale_stock": OdooModule("sale_stock", "to upgrade", "17.0.1.0", ago(now, 3100))},
        modules_in_passage=1,
        channels={
            "root": OdooChannel("root", 130, oldest_at=ago(now, 2800), failed=4, failed_last_hour=4),
            "root.mail": OdooChannel("root.mail", 12, dead=2, oldest_at=ago(now, 1200)),
        },
        failed_jobs={
            "a1": OdooFailedJob("purchase.order._compute_totals", "root", "ValueError", "division by zero", 3, ago(now, 2000)),
            "b2": OdooFailedJob("account.move.send_edi", "root", "ConnectionError", "refused", 1, ago(now, 2500)),
        },
        mail=OdooMail(
            outgoing=34, oldest_at=ago(now, 2900), failed=7, failed_last_hour=7, last_failed_at=ago(now, 900),
            reasons={"x": OdooMailReason("111 Connection refused", 6, ago(now, 900)), "y": OdooMailReason("550 no such user", 1)},
        ),
    )  # fmt: skip
    change(
        board, OdooLog, name,
        events={
            "database skipped": OdooEvent("database skipped", "odoo.service.server", name, 48, ago(now, 40), "Skipping database bauhof because of modules to install/upgrade/remove."),
            "job failed": OdooEvent("job failed", "Mail: Email Queue Manager", name, 2, ago(now, 3300), "ConnectionRefusedError"),
        },
    )  # fmt: skip


def tenants_broken(now: datetime = NOW) -> Board:
    """Jobs stand still at bauhof, workers are busy at acme, the ingress answers 502 at fjord, files are gone at cobalt."""
    board = with_tenants(now)
    slow(board, now, "acme")
    stuck(board, now, "bauhof")
    gone = {
        "1c/1cf4aa": "missing: Baugenehmigung Los 3.pdf",
        "9e/9e01b7": "missing: Lieferschein 2211.pdf",
        "a0/a04411": "size differs: Vertrag Kran.pdf",
    }
    change(board, OdooFiles, "cobalt/cobalt", missing=2, differing=1, examples=gone)
    server = board.get(TraefikServer, "edge/traefik-1")
    config = board.get(TraefikConfig, "edge/traefik-1")
    assert server is not None and config is not None
    name, service = "fjord@kubernetescrd", "tenant-fjord-odoo-8069@kubernetescrd"
    bad = msgspec.structs.replace(
        server.routers[name], errors_per_s=3.8, gateway_per_s=3.8, requests_per_s=4.0, p95_ms=30.0
    )
    change(board, TraefikServer, "edge/traefik-1", errors_per_s=3.8, routers={**server.routers, name: bad})
    down = msgspec.structs.replace(config.services[service], servers={"http://10.42.0.7:8069": "DOWN"})
    change(board, TraefikConfig, "edge/traefik-1", services={**config.services, service: down})
    failed(board, OdooPages, "fjord", now, "502 Bad Gateway", 140)
    rows = [
        slow_finding(now, "acme"),
        finding(
            now, "backend-down", "edge/fjord", "critical", "95 % of requests to fjord are answered with 502", 130, pane="ingress",
            impact="Fjord Timber cannot work: its pages are not served.", action="See the pods of tenant-fjord: the service has no server that answers.",
            affects=("fjord",), tenants=("fjord",), scope="tenant",
        ),
        finding(
            now, "module-to-upgrade", "bauhof", "warning", "sale_stock of bauhof is to upgrade: no scheduled job runs", 3100, pane="application",
            impact="Bauhof Nord: mail, payroll slips and 142 queued jobs wait.", action="Finish the upgrade with odoo -u sale_stock, or set the module back.",
            affects=("bauhof",), tenants=("bauhof",), scope="tenant",
        ),
        finding(
            now, "cron-stuck", "bauhof", "warning", "3 scheduled jobs of bauhof are late, the longest for 48 min", 2900, pane="application",
            affects=("bauhof",), tenants=("bauhof",), scope="tenant", caused_by="module-to-upgrade:bauhof",
        ),
        finding(
            now, "mail-refused", "bauhof", "warning", "7 mails of bauhof were refused within the hour", 900, pane="application",
            affects=("bauhof",), tenants=("bauhof",), scope="tenant",
        ),
        finding(
            now, "attachment-missing", "cobalt/cobalt", "warning", "3 attachments of cobalt are gone or changed", 700, pane="application",
            impact="Cobalt Steelwork cannot open these documents.", action="Restore the files from the backup of the file store.",
            affects=("cobalt",), tenants=("cobalt",), scope="tenant",
        ),
    ]  # fmt: skip
    return put(board, findings(now, board, rows))


def tenants_silent(now: datetime = NOW) -> Board:
    """Nobody answers of some: delta's database, ebene's pages, everything of granit, the ingress."""
    board = with_tenants(now)
    failed(board, OdooDatabase, "delta/delta", now, "permission denied for table ir_cron", 70)
    failed(board, OdooPages, "ebene", now, "no answer within 10 s", 25)
    for cls in TOPICS:
        key = "granit/granit" if cls in (OdooDatabase, OdooFiles) else "granit"
        failed(board, cls, key, now, "no answer within 10 s", None if cls is OdooLog else 95)
    failed(board, TraefikServer, "edge/traefik-1", now, "connection refused", 40)
    failed(board, TraefikConfig, "edge/traefik-1", now, "connection refused", 40)
    return put(board, findings(now, board, []))


def tenants_without_primary(now: datetime = NOW) -> Board:
    """The database's primary is gone: everybody feels it."""
    board = with_tenants(now)
    failed(board, PostgresMember, "main/pg-2", now, "no answer within 2 s", 31)
    for name in NAMES:
        failed(board, OdooDatabase, f"{name}/{name}", now, "the primary of main does not answer", 31)
    rows = [
        finding(
            now, "primary-unreachable", "main/pg-2", "critical", "Primary pg-2 of main does not answer", 31,
            impact="Nothing can be read or saved by all eight tenants.", action="Fail over to pg-1.",
            affects=NAMES, tenants=NAMES,
        )
    ]  # fmt: skip
    return put(board, findings(now, board, rows))
