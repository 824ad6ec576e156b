"""Lines of Odoo's log as 14 to 18 write them: ``2026-11-21 22:36:35,123 4711 INFO acme werkzeug: …``.

Odoo sets its own clock's zone to UTC. Formats were taken from running 16.0, 17.0 and 18.0.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

import msgspec

from console.clients.clean import clean
from console.clients.redact import redact

MESSAGE = 300
_LINE = 4000
_HEAD = re.compile(
    rb"^.{0,60}?(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),(\d{3}) (\d{1,9}) (?:\x1b\[[\d;]{0,20}m){0,4}([A-Z]{4,8})(?:\x1b\[[\d;]{0,20}m){0,4}"
    rb" (\S{1,200}) ([\w.]{1,200}): (.*)$",
    re.DOTALL,
)
_ACCESS = re.compile(
    rb'"(?:[A-Z]{1,10}) (\S{1,3000}) HTTP/[\d.]{1,4}" (\d{3}) \S{1,20}(?: (\d{1,9}) (\d{1,6}\.\d{1,6}) (\d{1,6}\.\d{1,6}))?'
)
_COLOUR = re.compile(rb"\x1b\[[\d;]{0,20}m")

_SERVER = "odoo.service.server"
_TIMEOUT = re.compile(r"(Worker\w*) \((\d+)\) timeout after")
_THREAD = re.compile(r"(Thread).{0,200} virtual real time limit \(.{1,40}\) reached")
_CPU = re.compile(r"(Worker\w*) \((\d+)\) CPU time limit")
_MEMORY = re.compile(r"(Worker\w*|Server)(?: \((\d+)\))? (?:virtual )?memory limit \(")
_BROKEN = re.compile(r"(Worker\w*) \((\d+)\) Exception occurred, exiting")
_CRON_FAILED = re.compile(r"Call from cron (.{1,300}) for server action #\d+ failed in Job #\d+")
_CRON_KILLED = re.compile(r"Job ['\"`](.{1,300}?)['\"`] \(\d+\) timed out")
_CRON_OFF = re.compile(r"[Jj]ob ['\"`](.{1,300}?)['\"`].{0,60}has been deactivated after failing")
_CRON_STARTS = re.compile(r"Starting job [`'](.{1,300})[`']|Job ['\"](.{1,300})['\"] \(\d+\) starting")
_CRON_ENDS = re.compile(
    r"Job [`](.{1,300})[`] done|Job done: [`](.{1,300})[`] \(|Job ['\"](.{1,300})['\"] \(\d+\) (?:fully )?(?:done in|completed)"
)
_SKIPPED = re.compile(r"Skipping database (\S{1,100}) (?:because of modules|as its base version)")
_REQUEUED = re.compile(r"dead jobs? requeued|requeue.{0,40}dead job", re.IGNORECASE)

WHATS = (
    "worker timeout", "worker CPU limit", "worker memory limit", "worker failed", "job failed", "job timed out",
    "job switched off", "database skipped", "dead jobs requeued", "error",
)  # fmt: skip


class Access(msgspec.Struct, frozen=True):
    """A request that was answered."""

    at: datetime
    path: str
    """Without its question; cut."""
    status: int
    sql_s: float | None
    """None: the line does not tell (a log of werkzeug alone)."""
    total_s: float | None


class Noted(msgspec.Struct, frozen=True):
    """Something worth counting."""

    at: datetime
    what: str
    subject: str
    database: str
    message: str
    pid: int = 0
    """Of the worker that it is about; 0: of none."""


class Run(msgspec.Struct, frozen=True):
    """A scheduled job began or ended."""

    at: datetime
    database: str
    name: str
    ended: bool


class Plain(msgspec.Struct, frozen=True):
    """Any other line of the log."""

    at: datetime


class More(msgspec.Struct, frozen=True):
    """A line without a head: it goes on what was before, a traceback mostly."""

    text: bytes


def parse(raw: bytes) -> Access | Noted | Run | Plain | More:
    """One line without its end. Whatever it holds, it is something of these; texts are cleaned."""
    head = _HEAD.match(raw[:_LINE])
    at = _moment(head[1], head[2]) if head else None
    if head is None or at is None:
        return More(raw[:_LINE])
    level, database, logger = head[4], _name(head[5]), head[6].decode("ascii", "replace")
    if logger == "werkzeug" and (found := _access(at, head[7])):
        return found
    text = _COLOUR.sub(b"", head[7]).decode("utf-8", "backslashreplace")
    return _noted(at, level, database, logger, text) or Plain(at)


def _moment(stamp: bytes, millis: bytes) -> datetime | None:
    try:
        return datetime.strptime(stamp.decode("ascii"), "%Y-%m-%d %H:%M:%S").replace(
            microsecond=int(millis) * 1000, tzinfo=UTC
        )
    except ValueError:
        return None


def _name(raw: bytes) -> str:
    return "" if raw in (b"?", b"None") else clean(raw, 63)


def _access(at: datetime, message: bytes) -> Access | None:
    found = _ACCESS.search(message)
    if found is None:
        return None
    sql, rest = found[4], found[5]
    sql_s = float(sql) if sql else None
    total_s = sql_s + float(rest) if sql_s is not None else None
    return Access(at, clean(found[1].split(b"?", 1)[0], 100), int(found[2]), sql_s, total_s)


def _noted(at: datetime, level: bytes, database: str, logger: str, text: str) -> Noted | Run | None:
    if logger == _SERVER and (found := _worker(at, database, text)):
        return found
    if logger.endswith(".ir_cron") and (job := _job(at, database, text)):
        return job
    if ".queue_job" in logger and _REQUEUED.search(text):
        return Noted(at, "dead jobs requeued", "", database, _message(text))
    if level in (b"ERROR", b"CRITICAL"):
        return Noted(at, "error", clean(logger, 100), database, _message(text))
    return None


def _worker(at: datetime, database: str, text: str) -> Noted | None:
    for what, pattern in (
        ("worker timeout", _TIMEOUT),
        ("worker timeout", _THREAD),
        ("worker CPU limit", _CPU),
        ("worker memory limit", _MEMORY),
        ("worker failed", _BROKEN),
    ):
        found = pattern.search(text)
        if found:
            pid = found[2] if pattern.groups > 1 else None
            return Noted(at, what, clean(found[1], 40), database, _message(text), int(pid) if pid else 0)
    return None


def _job(at: datetime, database: str, text: str) -> Noted | Run | None:
    for what, pattern in (
        ("job failed", _CRON_FAILED),
        ("job timed out", _CRON_KILLED),
        ("job switched off", _CRON_OFF),
    ):
        if found := pattern.search(text):
            return Noted(at, what, clean(found[1], 100), database, _message(text))
    if found := _SKIPPED.search(text):
        return Noted(at, "database skipped", "", clean(found[1], 63), _message(text))
    if found := _CRON_STARTS.search(text):
        return Run(at, database, clean(found[1] or found[2], 100), False)
    if found := _CRON_ENDS.search(text):
        return Run(at, database, clean(found[1] or found[2] or found[3], 100), True)
    return None


def _message(text: str) -> str:
    return clean(redact(clean(text, 2 * MESSAGE)), MESSAGE)


def reason(text: bytes) -> str:
    """What the last line of a traceback says; empty where it is no line of that kind."""
    said = text.decode("utf-8", "backslashreplace")
    if not said or said[0].isspace() or said.startswith("Traceback"):
        return ""
    return _message(said)
