"""Statements to an Odoo database, made of the columns that it has. None takes a lock on a row or writes anything.

A running scheduled job holds its row of ``ir_cron``, a running queue job that of ``queue_job_lock``; trying those locks
would need rights and could make a worker pass its job over. What runs is told by the sessions instead.
"""

from __future__ import annotations

from psycopg import sql

from console.sources.odoo_schema import Schema

CRONS = 2000
CHANNELS = 50
HELD = 500
FAILED = 10
MODULES = 50
REASONS = 5

_NOW = sql.SQL("timezone('UTC', now())")
"""As Odoo writes it: without a zone, in UTC."""


def moment(schema: Schema, table: str, column: str) -> sql.Composable:
    """A column of moments as such; NULL where it is not there, is none (a text up to 15), or is beyond all calendars."""
    kind = schema.types.get(table, {}).get(column, "")
    name = sql.Identifier(column)
    if kind == "timestamp":
        return sql.SQL("CASE WHEN {0} BETWEEN '1970-01-02' AND '9000-01-01' THEN timezone('UTC', {0}) END").format(name)
    if kind == "timestamptz":
        return sql.SQL("CASE WHEN {0} BETWEEN '1970-01-02' AND '9000-01-01' THEN {0} END").format(name)
    return sql.SQL("NULL::timestamptz")


def _or_null(schema: Schema, table: str, column: str, kind: str) -> sql.Composable:
    if schema.may(table, column):
        return sql.Identifier(column)
    return sql.SQL("NULL::{}").format(sql.SQL(kind))


SESSIONS = sql.SQL("""
SELECT application_name AS name, state <> 'idle' AS busy, xact_start, now() AS now,
       CASE WHEN state LIKE 'idle in%' AND query LIKE '%ir_cron%' THEN left(query, 2000) END AS query
FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
LIMIT 2000
""")

ACTIVITY = sql.SQL("""
SELECT xact_commit + xact_rollback AS transactions, stats_reset, now() AS now FROM pg_stat_database
WHERE datname = current_database()
""")

SIZE = sql.SQL("SELECT pg_database_size(current_database()) AS bytes")


def modules(schema: Schema) -> sql.Composed | None:
    """Version of base, how many are installed, and those in passage: one row each, at most ``MODULES``."""
    if not schema.may("ir_module_module", "name", "state"):
        return None
    return sql.SQL("""
SELECT name, state, {version} AS version, {since} AS since,
       count(*) FILTER (WHERE state LIKE 'to %') OVER () AS in_passage,
       (SELECT count(*) FROM public.ir_module_module WHERE state IN ('installed', 'to upgrade', 'to remove')) AS installed
FROM public.ir_module_module WHERE state LIKE 'to %' OR name = 'base' ORDER BY name = 'base' DESC, name LIMIT {limit}
""").format(
        version=_or_null(schema, "ir_module_module", "latest_version", "varchar"),
        since=moment(schema, "ir_module_module", "write_date")
        if schema.may("ir_module_module", "write_date")
        else sql.SQL("NULL::timestamptz"),
        limit=sql.Literal(MODULES + 1),
    )


def neutralized(schema: Schema) -> sql.Composable | None:
    """Whether it was neutralised: a copy that must do nothing outside."""
    if not schema.may("ir_config_parameter", "key"):
        return None
    return sql.SQL(
        "SELECT EXISTS (SELECT 1 FROM public.ir_config_parameter WHERE key = 'database.is_neutralized') AS neutralized"
    )


def crons(schema: Schema) -> sql.Composed | None:
    """All scheduled jobs, the active ones first."""
    if not schema.may("ir_cron", "id", "active", "nextcall", "lastcall"):
        return None
    name = schema.types["ir_cron"].get("cron_name", "")
    if not schema.may("ir_cron", "cron_name"):
        shown: sql.Composable = sql.SQL("NULL::text")
    elif name in ("json", "jsonb"):
        shown = sql.SQL("coalesce(cron_name->>'en_US', cron_name::text)")
    else:
        shown = sql.SQL("cron_name::text")
    return sql.SQL("""
SELECT id, {name} AS name, active, {number} AS number, {unit} AS unit, {next_at} AS next_at, {last_at} AS last_at,
       {written} AS written_at, {left} AS calls_left, {failures} AS failures, {failing_since} AS failing_since
FROM public.ir_cron ORDER BY active DESC, nextcall LIMIT {limit}
""").format(
        name=shown,
        number=_or_null(schema, "ir_cron", "interval_number", "int"),
        unit=_or_null(schema, "ir_cron", "interval_type", "varchar"),
        next_at=moment(schema, "ir_cron", "nextcall"),
        last_at=moment(schema, "ir_cron", "lastcall"),
        written=_moment_if_granted(schema, "ir_cron", "write_date"),
        left=_or_null(schema, "ir_cron", "numbercall", "int"),
        failures=_or_null(schema, "ir_cron", "failure_count", "int"),
        failing_since=_moment_if_granted(schema, "ir_cron", "first_failure_date"),
        limit=sql.Literal(CRONS),
    )


def _moment_if_granted(schema: Schema, table: str, column: str) -> sql.Composable:
    return moment(schema, table, column) if schema.may(table, column) else sql.SQL("NULL::timestamptz")


def triggers(schema: Schema) -> sql.Composed | None:
    """Scheduled jobs that a trigger has made due."""
    if not schema.may("ir_cron_trigger", "cron_id", "call_at"):
        return None
    return sql.SQL(
        "SELECT cron_id, min({at}) AS call_at FROM public.ir_cron_trigger WHERE call_at <= {now} AND cron_id IS NOT NULL GROUP BY cron_id LIMIT {limit}"
    ).format(at=moment(schema, "ir_cron_trigger", "call_at"), now=_NOW, limit=sql.Literal(CRONS))


def progress(schema: Schema) -> sql.Composed | None:
    """Of each scheduled job its last run, where that goes on, was killed, or has ended the job itself."""
    if not schema.may("ir_cron_progress", "id", "cron_id", "timed_out_counter", "deactivate"):
        return None
    return sql.SQL("""
SELECT cron_id, timed_out_counter, deactivate, {began} AS began_at FROM (
    SELECT DISTINCT ON (cron_id) * FROM (SELECT id, cron_id, timed_out_counter, deactivate{more} FROM public.ir_cron_progress) AS runs
    ORDER BY cron_id, id DESC
) AS last WHERE timed_out_counter > 0 OR deactivate LIMIT 2000
""").format(
        began=_moment_if_granted(schema, "ir_cron_progress", "create_date"),
        more=sql.SQL(", create_date") if schema.may("ir_cron_progress", "create_date") else sql.SQL(""),
    )


_DUE = sql.SQL("state = 'pending' AND (eta IS NULL OR eta <= {})").format(_NOW)


def channels(schema: Schema) -> sql.Composed | None:
    """Jobs that are not over, by channel."""
    if not schema.may("queue_job", "state", "channel", "eta", "date_created", "date_started"):
        return None
    return sql.SQL("""
SELECT coalesce(channel, 'root') AS channel,
       count(*) FILTER (WHERE {due}) AS waiting,
       count(*) FILTER (WHERE state = 'wait_dependencies' OR (state = 'pending' AND eta > {now})) AS later,
       count(*) FILTER (WHERE state = 'failed') AS failed,
       count(*) FILTER (WHERE state = 'failed' AND coalesce(date_started, date_created) > {now} - interval '1 hour') AS failed_last_hour,
       min(greatest({created}, {eta})) FILTER (WHERE {due}) AS oldest_at
FROM public.queue_job WHERE state IN ('wait_dependencies', 'pending', 'enqueued', 'started', 'failed')
GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {limit}
""").format(
        due=_DUE,
        now=_NOW,
        created=moment(schema, "queue_job", "date_created"),
        eta=moment(schema, "queue_job", "eta"),
        limit=sql.Literal(CHANNELS),
    )


def held(schema: Schema) -> sql.Composed | None:
    """Jobs that somebody took."""
    if not schema.may("queue_job", "state", "channel", "date_enqueued", "date_started"):
        return None
    return sql.SQL("""
SELECT coalesce(channel, 'root') AS channel, state, {pid} AS pid, {enqueued} AS enqueued_at, {started} AS started_at
FROM public.queue_job WHERE state IN ('enqueued', 'started') ORDER BY id LIMIT {limit}
""").format(
        pid=_or_null(schema, "queue_job", "worker_pid", "int"),
        enqueued=moment(schema, "queue_job", "date_enqueued"),
        started=moment(schema, "queue_job", "date_started"),
        limit=sql.Literal(HELD),
    )


def channel_settings(schema: Schema) -> sql.Composed | None:
    """What the database says of channels, where it says anything (18)."""
    if not schema.may("queue_job_channel", "complete_name", "capacity", "paused"):
        return None
    return sql.SQL(
        "SELECT complete_name AS name, capacity, paused FROM public.queue_job_channel WHERE complete_name IS NOT NULL LIMIT {}"
    ).format(sql.Literal(CHANNELS * 4))


def failed_jobs(schema: Schema) -> sql.Composed | None:
    """Failed jobs by function and exception, the most frequent first."""
    if not schema.may(
        "queue_job", "id", "state", "channel", "model_name", "method_name", "exc_name", "exc_message", "date_created"
    ):
        return None
    return sql.SQL("""
SELECT concat_ws('.', model_name, method_name) AS function, min(coalesce(channel, 'root')) AS channel, exc_name AS error,
       count(*) AS count, max(coalesce({started}, {created})) AS last_at,
       (array_agg(left(exc_message, 600) ORDER BY id DESC))[1] AS message
FROM public.queue_job WHERE state = 'failed' GROUP BY 1, exc_name ORDER BY 4 DESC, 1 LIMIT {limit}
""").format(
        started=_moment_if_granted(schema, "queue_job", "date_started"),
        created=moment(schema, "queue_job", "date_created"),
        limit=sql.Literal(FAILED),
    )


def jobs_done(schema: Schema) -> sql.Composed | None:
    """How many were done within the last hour, and when the last one: of a table that keeps them for a month."""
    if not schema.may("queue_job", "state", "date_done"):
        return None
    return sql.SQL("""
SELECT count(*) FILTER (WHERE date_done > {now} - interval '1 hour') AS count, max({at}) AS last_at
FROM public.queue_job WHERE state = 'done'
""").format(now=_NOW, at=moment(schema, "queue_job", "date_done"))


def mail(schema: Schema) -> sql.Composed | None:
    """The outgoing queue in numbers."""
    if not schema.may("mail_mail", "state", "scheduled_date", "create_date", "write_date"):
        return None
    planned = schema.types["mail_mail"]["scheduled_date"] == "timestamp"  # a text, as people typed it, up to 15
    due = sql.SQL("(scheduled_date IS NULL OR scheduled_date <= {})").format(_NOW) if planned else sql.SQL("true")
    return sql.SQL("""
SELECT count(*) FILTER (WHERE state = 'outgoing' AND {due}) AS outgoing,
       count(*) FILTER (WHERE state = 'outgoing' AND NOT {due}) AS later,
       min(greatest({created}, {scheduled})) FILTER (WHERE state = 'outgoing' AND {due}) AS oldest_at,
       count(*) FILTER (WHERE state = 'exception') AS failed,
       count(*) FILTER (WHERE state = 'exception' AND coalesce(write_date, create_date) > {now} - interval '1 hour') AS failed_last_hour,
       max(coalesce({written}, {created})) FILTER (WHERE state = 'exception') AS last_failed_at
FROM public.mail_mail WHERE state IN ('outgoing', 'exception')
""").format(
        due=due,
        now=_NOW,
        created=moment(schema, "mail_mail", "create_date"),
        written=moment(schema, "mail_mail", "write_date"),
        scheduled=moment(schema, "mail_mail", "scheduled_date"),
    )


def mail_reasons(schema: Schema) -> sql.Composed | None:
    """Why mails were refused, the most frequent first."""
    if not schema.may("mail_mail", "state", "failure_type", "failure_reason", "create_date", "write_date"):
        return None
    return sql.SQL("""
SELECT left(coalesce(nullif(failure_reason, ''), failure_type::text, ''), 300) AS reason, count(*) AS count,
       max(coalesce({written}, {created})) AS last_at
FROM public.mail_mail WHERE state = 'exception' GROUP BY 1 ORDER BY 2 DESC, 3 DESC NULLS LAST LIMIT {limit}
""").format(
        written=moment(schema, "mail_mail", "write_date"),
        created=moment(schema, "mail_mail", "create_date"),
        limit=sql.Literal(REASONS),
    )


def users(schema: Schema) -> sql.Composed | None:
    """Internal users."""
    if not schema.may("res_users", "active", "share"):
        return None
    return sql.SQL(
        "SELECT count(*) FILTER (WHERE active AND share IS NOT TRUE) AS active FROM public.res_users"
    ).format()


def log_ins(schema: Schema) -> sql.Composed | None:
    """Log-ins within the last hour, and the last one."""
    if not schema.may("res_users_log", "create_uid", "create_date"):
        return None
    return sql.SQL("""
SELECT count(DISTINCT create_uid) FILTER (WHERE create_date > {now} - interval '1 hour') AS last_hour, max({at}) AS last_at
FROM public.res_users_log
""").format(now=_NOW, at=moment(schema, "res_users_log", "create_date"))


def online(schema: Schema) -> sql.Composed | None:
    """Users seen within the last five minutes."""
    for table in ("mail_presence", "bus_presence"):
        if schema.may(table, "user_id", "last_poll"):
            return sql.SQL(
                "SELECT count(DISTINCT user_id) AS online FROM public.{table} WHERE last_poll > {now} - interval '5 minutes'"
            ).format(table=sql.Identifier(table), now=_NOW)
    return None
