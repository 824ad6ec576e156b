"""What the console's role may read in a tenant's database: columns, one by one, and the statements that allow it.

Never a whole table, never ``pg_read_all_data``: passwords, secrets of ``ir_config_parameter``, bodies of mails and
contents of documents are in the same tables.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from console.sources.postgres_facts import quoted

_ALL = range(14, 100)
_COLUMNS: tuple[tuple[str, range, str], ...] = (
    ("ir_module_module", _ALL, "name state latest_version write_date"),
    ("ir_config_parameter", _ALL, "key"),
    ("ir_cron", _ALL, "id cron_name active interval_number interval_type nextcall lastcall write_date"),
    ("ir_cron", range(14, 18), "numbercall"),
    ("ir_cron", range(18, 100), "failure_count first_failure_date"),
    ("ir_cron_trigger", range(15, 100), "cron_id call_at"),
    ("ir_cron_progress", range(18, 100), "id cron_id timed_out_counter deactivate create_date"),
    ("ir_attachment", _ALL, "id name type store_fname file_size checksum"),
    ("res_users", _ALL, "id active share"),
    ("res_users_log", _ALL, "create_uid create_date"),
    ("bus_presence", range(14, 19), "user_id last_poll"),
    ("mail_presence", range(19, 100), "user_id last_poll"),
    ("mail_mail", _ALL, "id state failure_type failure_reason scheduled_date create_date write_date"),
    (
        "queue_job",
        _ALL,
        "id state channel model_name method_name exc_name exc_message eta date_created date_enqueued date_started "
        "date_done worker_pid",
    ),
    ("queue_job_channel", _ALL, "complete_name"),
    ("queue_job_channel", range(18, 100), "capacity paused"),
)
OPTIONAL = frozenset({"queue_job", "queue_job_channel", "bus_presence", "mail_presence", "mail_mail"})
"""Tables of modules that a database need not have."""

DATABASE_PRIVILEGE = (
    "pg_monitor, CONNECT on each tenant's database, and SELECT on single columns (`doctor` prints them)"
)


def columns(major: int | None = None, *, without: Collection[str] = ()) -> dict[str, tuple[str, ...]]:
    """Table → columns that are read of a database of this version; of any version where ``major`` is None.

    Args:
        major: 14 to 19.
        without: Tables that are not there.
    """
    found: dict[str, list[str]] = {}
    for table, majors, names in _COLUMNS:
        if table not in without and (major is None or major in majors):
            found.setdefault(table, []).extend(names.split())
    return {table: tuple(names) for table, names in found.items()}


def grants(major: int, role: str, database: str, *, queue_job: bool = True) -> list[str]:
    """The statements for a database of this version, to be run in it by its owner or a superuser.

    ``pg_monitor`` is not among them: it belongs to the cluster (``grant_monitor``).
    """
    without = () if queue_job else ("queue_job", "queue_job_channel")
    return [
        f"GRANT CONNECT ON DATABASE {quoted(database)} TO {quoted(role)};",
        f"GRANT USAGE ON SCHEMA public TO {quoted(role)};",
        *column_grants(columns(major, without=without), role),
    ]


def column_grants(wanted: Mapping[str, Iterable[str]], role: str) -> list[str]:
    """One statement per table."""
    return [
        f"GRANT SELECT ({', '.join(quoted(name) for name in names)}) ON public.{quoted(table)} TO {quoted(role)};"
        for table, names in wanted.items()
    ]
