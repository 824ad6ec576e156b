"""Watching leaves every tenant as it was, but for one session and one log-in of the console's own user."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from console.lab.control import Ask, ask
from console.lab.state import Lab, read
from console.lab.tenants import MONITOR, TENANTS
from tests.tools.contents import connect, contents
from tests.tools.watch import watching

pytestmark = [pytest.mark.lab]

OWN_DOING = {
    "ir_cron": "when scheduled jobs ran and run next",
    "ir_cron_progress": "18 notes each run",
    "ir_cron_trigger": "triggers go when their job ran",
    "mail_mail": "sent by a scheduled job",
    "mail_message": "goes with its mail",
    "purchase_order": "a scheduled job computes totals, another sends reminders",
    "queue_job": "jobs run",
    "queue_job_lock": "jobs run",
}
"""Tables that a tenant's own workers write while nobody uses it."""
OF_A_LOG_IN = {"res_users_log", "res_device_log", "res_users"}
"""Tables that a log-in writes: compared but for rows of the console's user."""


@pytest.fixture
def still(laboratory: Path) -> Iterator[Lab]:
    """A whole laboratory that nobody uses."""
    ask(laboratory, Ask("hold", "load"))
    yield read(laboratory)
    ask(laboratory, Ask("release", "load"))


def rows(lab: Lab) -> dict[str, Any]:
    """Digests of tables of the tenants' databases that nobody but a user writes."""
    names = {tenant.name for tenant in TENANTS}
    found = {}
    for what, value in contents(lab).items():
        database, _, rest = what.partition(": rows of ")
        table = rest.rpartition(".")[2]
        if database in names and table and table not in OWN_DOING | dict.fromkeys(OF_A_LOG_IN, ""):
            found[what] = value
    for name in names:
        with connect(lab, name) as database:
            found[f"{name}: orders"] = database.execute(
                "select md5(string_agg(concat_ws('|', id, name, partner_id, state, amount_untaxed), ',' order by id)), count(*)"
                " from purchase_order"
            ).fetchone()
    return found


def log_ins(lab: Lab) -> dict[str, tuple[int, int]]:
    """Tenant → rows of the log-in table: of the console's user, and of others."""
    found = {}
    for tenant in TENANTS:
        with connect(lab, tenant.name) as database:
            found[tenant.name] = database.execute(
                "select count(*) filter (where u.login = %s), count(*) filter (where u.login <> %s)"
                " from res_users_log l join res_users u on u.id = l.create_uid",
                (MONITOR, MONITOR),
            ).fetchone()
    return found  # type: ignore[return-value]


def sessions(lab: Lab) -> dict[str, dict[str, str]]:
    """Tenant → session → whose it is (a log-in, or empty where nobody has logged in), on disk and in the cache."""
    found: dict[str, dict[str, str]] = {tenant.name: {} for tenant in TENANTS}
    texts: dict[str, str | bytes] = {}
    for file in lab.path.glob("tenants/*/data/sessions/*/*"):
        texts[file.name] = file.read_text()
    for server in lab.of_kind("cache"):
        with redis.Redis(port=server.ports["cache"], password=lab.secret("cache")) as link:
            if link.info("replication")["role"] != "master":
                continue
            for key in link.scan_iter(match="session:*", count=1000):
                text = link.get(key)
                if text is not None:
                    texts[key.decode()] = text
    for name, text in texts.items():
        try:
            session = json.loads(text)
        except ValueError:
            continue  # the laboratory's own cache load keeps keys of the same name
        if session.get("db") in found:
            found[session["db"]][name] = session.get("login") or ""
    return found


@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param(45, id="45 s"),
        pytest.param(600, id="ten minutes", marks=[pytest.mark.matrix, pytest.mark.timeout(1200)]),
    ],
)
async def test_watching_leaves_tenants_as_they_were(still: Lab, seconds: int) -> None:
    await asyncio.sleep(3)  # what users began is done
    before, logged_in, had = rows(still), log_ins(still), sessions(still)
    assert len(before) > 8 * len(TENANTS)
    async with watching(still.path / "environment.yaml") as watch:
        await watch.until(lambda: "application" in watch.panes(), 90, "the tenants' pane")
        wanted = {pair for pairs in watch.board.environment.panes.values() for pair in pairs}  # type: ignore[union-attr]
        looked: set[str] = set()
        watch.feed.listen(lambda change: looked.update(f"{each.topic} {each.key}" for each in change.addresses))
        await asyncio.sleep(seconds)
        await watch.until(lambda: wanted <= looked, 120, "every source has looked")
    differ = {key: (value, now) for key, now in rows(still).items() if (value := before.get(key)) != now}
    assert not differ
    for name, (own, others) in log_ins(still).items():
        assert others == logged_in[name][1], f"somebody else logged in at {name}"
        assert own - logged_in[name][0] <= 1, f"the console logged in at {name} more than once"
    for name, now in sessions(still).items():
        new = {session: login for session, login in now.items() if session not in had[name]}
        assert list(new.values()) in ([], [MONITOR]), f"sessions that came at {name}: {sorted(new.values())}"
