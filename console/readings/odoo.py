"""What an Odoo tenant's databases, pages, files and log say. Moments are aware UTC (Odoo itself writes naive UTC)."""

from __future__ import annotations

from datetime import datetime

import msgspec

from console.readings.base import PrivateText, Reading, topic


class OdooCron(msgspec.Struct, frozen=True, omit_defaults=True):
    """A scheduled job."""

    id: int
    name: str = ""
    active: bool = True
    every: str = ""
    """``1 days``."""
    next_at: datetime | None = None
    """When it is due, by its row or by a trigger, whichever is earlier."""
    last_at: datetime | None = None
    late: bool = False
    """Active, due for longer than a cron worker's pause, and not running."""
    running: bool = False
    """A worker holds its row, as far as sessions tell."""
    running_since: datetime | None = None
    failures: int | None = None
    """In a row. None: a database of this version does not tell; the log may."""
    failing_since: datetime | None = None
    timed_out: int | None = None
    """Times in a row that its worker was killed over it; the run under way is not counted. None: as above."""
    switched_off: bool = False
    """By Odoo itself, after failing: it is inactive, and it ran after anybody last wrote its row."""

    @property
    def troubled(self) -> bool:
        """Late, failing, killed over, or switched off."""
        return self.late or bool(self.failures) or bool(self.timed_out) or self.switched_off


class OdooChannel(msgspec.Struct, frozen=True, omit_defaults=True):
    """Jobs of one queue_job channel, by state."""

    name: str
    waiting: int = 0
    """pending, and due."""
    later: int = 0
    """pending with a moment still to come, or waiting for others."""
    running: int = 0
    """enqueued or started, but for the dead ones."""
    dead: int = 0
    """started by a worker that is gone, or enqueued for minutes without being started."""
    failed: int = 0
    failed_last_hour: int = 0
    """Failed ones that were last started within the last hour (when a job failed is not kept)."""
    oldest_at: datetime | None = None
    """When the oldest waiting one was created or fell due."""
    started_at: datetime | None = None
    """When a job was last started, of those that run now."""
    paused: bool | None = None
    """Paused, or with a capacity of 0. None: a database of this version does not tell."""
    capacity: int | None = None
    """None: not set in the database; the server's configuration may."""


class OdooFailedJob(msgspec.Struct, frozen=True, omit_defaults=True):
    """Failed jobs of one function for one reason, taken together."""

    function: str
    """``purchase.order._compute_totals``."""
    channel: str = ""
    error: str = ""
    """Name of the exception."""
    message: PrivateText = ""
    """The newest."""
    count: int = 1
    last_at: datetime | None = None
    """When one was last started (when it failed is not kept)."""


class OdooModule(msgspec.Struct, frozen=True, omit_defaults=True):
    """A module in a state of passage: ``to upgrade``, ``to install``, ``to remove``."""

    name: str
    state: str
    version: str = ""
    since: datetime | None = None
    """When its row was last written."""


class OdooMailReason(msgspec.Struct, frozen=True, omit_defaults=True):
    """Mails that were refused for one reason."""

    reason: PrivateText = ""
    """As the mail server or Odoo said it; people's addresses may be in it."""
    count: int = 1
    last_at: datetime | None = None


class OdooMail(msgspec.Struct, frozen=True, omit_defaults=True):
    """The outgoing mail queue."""

    outgoing: int = 0
    """Due."""
    later: int = 0
    """Scheduled for a moment still to come."""
    oldest_at: datetime | None = None
    """When the oldest due one was created or fell due."""
    failed: int = 0
    """In state exception."""
    failed_last_hour: int = 0
    last_failed_at: datetime | None = None
    reasons: dict[str, OdooMailReason] = {}
    """The five most frequent; the key is a digest."""


class OdooUsers(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who uses it. Log-ins are one row per user at least a day back: the clean-up leaves the newest."""

    active: int = 0
    """Internal users that may log in."""
    logged_in_last_hour: int | None = None
    """Users with a log-in within the last hour, the console's own among them. None: may not be read."""
    last_log_in_at: datetime | None = None
    online: int | None = None
    """Seen within the last five minutes. None: no table of presence that may be read."""


@topic("odoo", "application")
class OdooDatabase(Reading, frozen=True, kw_only=True, omit_defaults=True):
    """One tenant's database, as its tables tell. Key ``tenant/database``."""

    tenant: str = ""
    database: str = ""
    asked: str = ""
    """``cluster/member`` that was asked."""
    standby: bool = False
    """That member is a standby: what runs, and who is connected, cannot be told there."""
    version: str = ""
    """Of module base: ``18.0.1.3``. Empty: no Odoo database."""
    size_bytes: int | None = None
    neutralized: bool = False
    modules_installed: int = 0
    modules: dict[str, OdooModule] = {}
    """In passage, at most 50. While there is one, no scheduled job of this database runs."""
    modules_in_passage: int = 0
    crons: dict[str, OdooCron] = {}
    """By id: those in trouble or running first, then the next ones due; at most 100."""
    crons_active: int = 0
    crons_late: int = 0
    crons_late_since: datetime | None = None
    """When the one that waits longest fell due."""
    crons_failing: int | None = None
    """With failures in a row. None: a database of this version does not tell."""
    crons_off: int = 0
    """Switched off by Odoo after failing."""
    crons_ran_at: datetime | None = None
    """When any scheduled job last ran."""
    triggers_due: int | None = None
    """Scheduled jobs that are due by a trigger. None: no such table (14)."""
    queue_job: bool = False
    """Whether queue_job is installed."""
    channels: dict[str, OdooChannel] = {}
    jobs_done_last_hour: int | None = None
    """None: not counted yet, or too expensive."""
    jobs_done_at: datetime | None = None
    """When the last one was done, as of the last count."""
    failed_jobs: dict[str, OdooFailedJob] = {}
    """The ten most frequent; the key is a digest."""
    mail: OdooMail | None = None
    users: OdooUsers | None = None
    connections: int | None = None
    """Backends of this database that call themselves ``odoo-…``. None: a standby was asked."""
    busy: int | None = None
    """Of them, those in a statement or a transaction."""
    transactions_per_s: float | None = None
    """Of the database, whoever asked; the busiest databases are asked first."""
    unread: tuple[str, ...] = ()
    """Of ``modules``, ``crons``, ``queue`` and ``mail`` those that could not be read this time: their fields stand at their
    defaults and tell nothing."""
    untold: dict[str, str] = {}
    """What this version, or our privilege, does not tell → why: ``failed scheduled jobs`` → ``17.0 keeps no trace in the database``."""


@topic("odoo.files", "application")
class OdooFiles(Reading, frozen=True, kw_only=True, omit_defaults=True):
    """Where attachments of one database are, and whether they are there. Key ``tenant/database``."""

    tenant: str = ""
    database: str = ""
    rows: int | None = None
    """Attachments with content. None: not counted (yet), ``untold`` may say why."""
    bytes: int | None = None
    """What the rows say, each stored file once."""
    by_store: dict[str, int] = {}
    """``filestore``, ``database``, ``url``, ``other``, or the scheme of the object store (``s3``) → rows."""
    counted_at: datetime | None = None
    checked: int | None = None
    """Attachments whose file in the folder was looked for by now, in the present round through all of them. None: no folder
    is configured, or it cannot be read."""
    missing: int | None = None
    """Files of this round and of the one before that are still not there. None: not looked for."""
    differing: int | None = None
    """Whose size, or for a small sample whose checksum, is not what the row says."""
    examples: dict[str, PrivateText] = {}
    """``store_fname`` → what it is and the name of the document, at most ten of the missing or differing."""
    round_began_at: datetime | None = None
    round_ended_at: datetime | None = None
    """Of the last whole round."""
    untold: dict[str, str] = {}


class OdooStep(msgspec.Struct, frozen=True, omit_defaults=True):
    """One synthetic transaction."""

    ok: bool | None = None
    """None: not asked this time; ``problem`` says why."""
    ms: float | None = None
    """Of the last one that was answered, well or not."""
    p50_ms: float | None = None
    """Over the last fifteen minutes, of those that went well."""
    p95_ms: float | None = None
    problem: PrivateText = ""
    at: datetime | None = None
    """When it was last asked."""
    silent: bool = False
    """It failed for want of an answer."""


@topic("odoo.pages", "application")
class OdooPages(Reading, frozen=True, kw_only=True, omit_defaults=True):
    """What a user of one tenant would get. Key: the tenant.

    ``unreachable``: nobody answers there. An Odoo that answers and fails is in ``steps``.
    """

    tenant: str = ""
    url: str = ""
    database: str = ""
    """That the console's own user logs in to."""
    server_version: str = ""
    steps: dict[str, OdooStep] = {}
    """By name, in this order: ``health`` (a web worker answers; proves no database), ``log in``, ``project``, ``document``, ``purchase``."""
    session_since: datetime | None = None
    """Of the one session that is kept and reused."""
    untold: dict[str, str] = {}
    """Step → why it is not asked at all."""


@topic("odoo.sessions", "application")
class OdooSessions(Reading, frozen=True, kw_only=True, omit_defaults=True):
    """Web sessions of one tenant that have not expired. Key: the tenant."""

    tenant: str = ""
    store: str = ""
    """``cache/cache-1`` or the folder."""
    logged_in: int | None = None
    """None: none of them was counted yet."""
    anonymous: int | None = None
    """Of no database, or of nobody. In a store that tenants share they are everybody's."""
    used_last_hour: int | None = None
    """Sessions used within the last hour, the anonymous ones among them. None: this store does not tell."""
    shared: bool = False
    """Nothing that we may read tells whose they are: the numbers are of every tenant that keeps its sessions there."""
    complete: bool = True
    """Whether the whole store was gone through. False: the numbers are of the part that the budget allows."""
    counted_at: datetime | None = None


class OdooEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """Lines of the log about one thing, taken together."""

    what: str
    """``worker timeout``, ``worker CPU limit``, ``worker memory limit``, ``worker failed``, ``job failed``, ``job timed out``,
    ``job switched off``, ``database skipped``, ``dead jobs requeued``, ``error``."""
    subject: str = ""
    """Which kind of worker, job or logger."""
    database: str = ""
    """Empty: the line does not say."""
    count: int = 1
    """Within the last hour, or since the engine began to read the log, whichever is less."""
    last_at: datetime | None = None
    message: PrivateText = ""
    """The newest."""
    good_at: datetime | None = None
    """A scheduled job: when it last ended without a failure, as the log tells."""


@topic("odoo.log", "application")
class OdooLog(Reading, frozen=True, kw_only=True, omit_defaults=True):
    """What one tenant's log tells that no table does. Key: the tenant. Rates are over the last minute, without probes."""

    tenant: str = ""
    origin: str = ""
    last_line_at: datetime | None = None
    requests_per_s: float | None = None
    errors_per_s: float | None = None
    """Requests answered with 5xx."""
    sql_ms: float | None = None
    """Mean time in SQL of a request."""
    p95_ms: float | None = None
    """Whole time of a request."""
    events: dict[str, OdooEvent] = {}
    """``what``, subject and database joined by blanks → event; the fifty newest."""
