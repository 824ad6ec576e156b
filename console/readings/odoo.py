"""What an Odoo tenant's databases, pages and log say. Moments are aware UTC (Odoo itself writes naive UTC)."""

from __future__ import annotations

from datetime import datetime

import msgspec

from console.readings.base import PrivateText, Reading, topic


class OdooCron(msgspec.Struct, frozen=True, omit_defaults=True):
    """A scheduled job that is late, has failed, has been switched off by failing, or runs."""

    id: int
    name: str = ""
    active: bool = True
    every: str = ""
    """``1 days``."""
    next_at: datetime | None = None
    last_at: datetime | None = None
    running: bool = False
    failures: int | None = None
    """In a row. None: a database of this version does not tell; the log may."""
    failing_since: datetime | None = None
    timed_out: int | None = None
    """Times in a row that its worker was killed over it. None: as above."""


class OdooChannel(msgspec.Struct, frozen=True, omit_defaults=True):
    """Jobs of one queue_job channel, by state."""

    name: str
    waiting: int = 0
    """pending, and due."""
    later: int = 0
    """pending with a moment still to come, or waiting for others."""
    running: int = 0
    """enqueued or started, held by a living worker where that can be told."""
    dead: int = 0
    """enqueued or started, and nobody holds them."""
    failed: int = 0
    done_last_hour: int = 0
    oldest_at: datetime | None = None
    """When the oldest waiting one was created or fell due."""
    paused: bool | None = None
    """None: a database of this version does not tell."""


class OdooFailedJob(msgspec.Struct, frozen=True, omit_defaults=True):
    """Failed jobs of one function for one reason, taken together."""

    function: str
    channel: str = ""
    reason: PrivateText = ""
    """Name of the exception and the newest message."""
    count: int = 1
    last_at: datetime | None = None


class OdooModule(msgspec.Struct, frozen=True, omit_defaults=True):
    """A module in a state of passage: ``to upgrade``, ``to install``, ``to remove``."""

    name: str
    state: str
    version: str = ""
    since: datetime | None = None
    """When its row was last written."""


class OdooMail(msgspec.Struct, frozen=True, omit_defaults=True):
    """The outgoing mail queue."""

    outgoing: int = 0
    """Due."""
    oldest_at: datetime | None = None
    failed: int = 0
    """In state exception."""
    failed_last_hour: int = 0
    last_failed_at: datetime | None = None
    reasons: dict[str, PrivateText] = {}
    """``<number of mails>`` sorted highest first → reason, the five most frequent; as text because people's addresses may be in it."""


class OdooAttachments(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where attachments are, and whether they are there. Bytes count each stored file once."""

    files: int = 0
    """In the folder of the server (``ab/abcdef…``)."""
    in_database: int = 0
    in_objects: int = 0
    """In an object store (``s3://…``, ``CODE://…``)."""
    urls: int = 0
    bytes: int = 0
    by_store: dict[str, int] = {}
    """``filestore``, ``database``, ``url``, or the scheme of the object store → rows."""
    checked: int = 0
    """Files looked for by now in the present round through all of them."""
    missing: int | None = None
    """Of those checked. None: not looked for (no access to the folder)."""
    differing: int | None = None
    """Whose size or checksum is not what the row says."""
    examples: dict[str, PrivateText] = {}
    """``store_fname`` → name of the document, at most ten of the missing or differing."""
    round_began_at: datetime | None = None


class OdooUsers(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who uses it."""

    active: int = 0
    logged_in_last_hour: int = 0
    last_log_in_at: datetime | None = None
    online: int | None = None
    """Seen within the last minutes, from bus_presence. None: no such table."""


@topic("odoo", "application")
class OdooDatabase(Reading, frozen=True, kw_only=True, omit_defaults=True):
    """One tenant's database, as its tables tell. Key ``tenant/database``."""

    tenant: str = ""
    database: str = ""
    cluster: str = ""
    member: str = ""
    """Of the cluster, that was asked."""
    version: str = ""
    """Of module base: ``18.0.1.3``. Empty: no Odoo database."""
    size_bytes: int | None = None
    neutralized: bool = False
    modules_installed: int = 0
    modules: dict[str, OdooModule] = {}
    """In passage. While there is one, no scheduled job of this database runs."""
    crons: dict[str, OdooCron] = {}
    """By id: late, failed, switched off or running; at most 100."""
    crons_active: int = 0
    crons_late: int = 0
    """Active, due for longer than a cron worker's pause, and not running."""
    cron_latest_s: float | None = None
    """How late the latest is, in seconds."""
    crons_off: int = 0
    """Switched off after failing."""
    triggers_due: int | None = None
    channels: dict[str, OdooChannel] = {}
    """Empty and ``queue_job`` False: no queue_job here."""
    queue_job: bool = False
    failed_jobs: dict[str, OdooFailedJob] = {}
    """The ten most frequent."""
    mail: OdooMail | None = None
    attachments: OdooAttachments | None = None
    users: OdooUsers | None = None
    connections: int = 0
    """Backends of this database that call themselves ``odoo-…``."""
    busy: int = 0
    """Of them, those in a statement or a transaction."""
    untold: dict[str, str] = {}
    """What this version, or our privilege, does not tell → why: ``failed scheduled jobs`` → ``17.0 keeps no trace in the database``."""


class OdooStep(msgspec.Struct, frozen=True, omit_defaults=True):
    """One synthetic transaction."""

    ok: bool | None = None
    """None: not asked this time; ``problem`` says why."""
    ms: float | None = None
    p50_ms: float | None = None
    """Over the last fifteen minutes, of those that went well."""
    p95_ms: float | None = None
    problem: PrivateText = ""
    at: datetime | None = None
    """When it was last asked."""


@topic("odoo.pages", "application")
class OdooPages(Reading, frozen=True, kw_only=True, omit_defaults=True):
    """What a user of one tenant would get. Key: the tenant."""

    tenant: str = ""
    url: str = ""
    server_version: str = ""
    steps: dict[str, OdooStep] = {}
    """By name, in this order: ``health`` (a web worker answers; proves no database), ``log in``, ``project``, ``document``, ``purchase``."""
    session_since: datetime | None = None
    """Of the one session that is kept and reused."""
    sessions: int | None = None
    """Web sessions of logged-in users of this tenant. None: cannot be told."""
    sessions_anonymous: int | None = None
    untold: dict[str, str] = {}


class OdooEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """Lines of the log about one thing, taken together."""

    what: str
    """``worker timeout``, ``worker CPU limit``, ``worker memory limit``, ``cron failed``, ``cron switched off``, ``error``, ``database skipped``."""
    subject: str = ""
    """Which kind of worker, job or logger."""
    count: int = 1
    """Since the engine began to read the log, or within the last hour, whichever is less."""
    last_at: datetime | None = None
    message: PrivateText = ""
    """The newest."""


@topic("odoo.log", "application")
class OdooLog(Reading, frozen=True, kw_only=True, omit_defaults=True):
    """What one tenant's log tells that no table does. Key: the tenant. Rates are since the previous look."""

    tenant: str = ""
    origin: str = ""
    requests_per_s: float | None = None
    errors_per_s: float | None = None
    """Requests answered with 5xx."""
    sql_ms: float | None = None
    """Mean time in SQL of a request."""
    p95_ms: float | None = None
    """Whole time of requests since the previous look."""
    events: dict[str, OdooEvent] = {}
