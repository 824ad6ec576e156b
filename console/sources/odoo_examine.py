"""The doctor's questions to a tenant's pages: address, certificate, clock, and whether the console's user may do what it must."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from console.clients.clean import clean
from console.clients.odoo import OdooError, OdooWeb, Timed
from console.settings import Application
from console.settings.environment import OdooUser
from console.settings.secrets import SecretError, resolve
from console.sources.base import Check

_PATIENCE_S = 3.0
_CLOCK_LIMIT_S = 3.0


async def examine_pages(application: Application, web: OdooWeb, database: str) -> list[Check]:
    """Open the first page, log in once, read once, and end that session again."""
    try:
        answer = await web.page("/web/health", _PATIENCE_S)
    except OdooError as error:
        mend = "check `url`, `connect` and `ca_file` of this application in the environment file"
        return [Check("pages", "fail", f"{web.url}: {error.problem}", mend)]
    if answer.status not in (200, 404):
        return [
            Check("pages", "fail", f"{web.url}/web/health: HTTP {answer.status}", "look at the ingress and its route")
        ]
    checks = [Check("pages", "pass", f"{web.url}, {answer.ms:.0f} ms"), *_clock(answer)]
    if application.user is None:
        return [*checks, Check("user", "pass", "none in the environment file: records and documents are not asked for")]
    checks += await _user(application.user, web, database)
    if application.writer is not None and application.writer.login == application.user.login:
        mend = "give `writer` a user of its own, so that its requests can be told from others"
        checks.append(Check("writer", "fail", "the same user reads and writes", mend))
    return checks


async def _user(user: OdooUser, web: OdooWeb, database: str) -> list[Check]:
    what = f"user {clean(user.login, 60)}"
    if not database:
        return [Check(what, "cannot tell", "its database is not known")]
    try:
        await web.log_in(database, user.login, resolve(user.password).reveal(), _PATIENCE_S)
    except SecretError as error:
        return [Check(what, "fail", str(error), "put the password where the environment file says")]
    except OdooError as error:
        mend = (
            "make this user in Odoo (Settings, Users) with the password behind the reference, without a second factor"
        )
        return [Check(what, "fail", f"log-in: {error.problem}", mend)]
    checks = [Check(what, "pass", "logs in")]
    for model, why in (("project.project", "Project: User"), ("ir.attachment", "an internal user")):
        try:
            await web.method(model, "search", [[]], _PATIENCE_S, limit=1)
            checks.append(Check(f"{what}: {model}", "pass", "may be read"))
        except OdooError as error:
            mend = f"give this user the group {why}"
            checks.append(Check(f"{what}: {model}", "fail", error.problem, mend))
    try:
        await web.call("/web/session/destroy", {}, _PATIENCE_S)
    except OdooError as error:
        checks.append(Check(f"{what}: log-out", "cannot tell", error.problem))
    web.sid = ""
    return checks


def _clock(answer: Timed) -> list[Check]:
    try:
        theirs = parsedate_to_datetime(answer.date)
    except (TypeError, ValueError):
        return []
    off = (theirs - datetime.now(UTC)).total_seconds()
    if abs(off) > _CLOCK_LIMIT_S:
        return [Check("clock", "fail", f"the server's clock is {off:+.0f} s from ours", "synchronise both by NTP")]
    return [Check("clock", "pass", "within a second or two of ours")]
