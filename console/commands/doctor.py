"""``banksman doctor``: examines every source and says what is missing and how to mend it. Never prints a secret."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

import msgspec

from console.settings import EnvironmentFile, Loaded, load_defaults, load_environment
from console.settings.secrets import SecretError, resolve
from console.sources.base import Check, Source

Answer = Literal["pass", "fail", "cannot tell"]

DEADLINE_S = 10.0
"""Seconds that the examination of one source may take."""
CLOSE_S = 1.0
_AT_ONCE = 12
EXIT_CODES: dict[Answer, int] = {"pass": 0, "fail": 2, "cannot tell": 3}
SIGNS: dict[Answer, str] = {"pass": "✓", "fail": "✗", "cannot tell": "?"}
_STATES: dict[Answer, str] = {"pass": "ok", "fail": "critical", "cannot tell": "unknown"}


class Examined(msgspec.Struct, frozen=True):
    """What came out for one source, or for the environment file."""

    subject: str
    """``postgres main/pg-1``."""
    privilege: str
    """What it needs, in one sentence."""
    checks: list[Check]


def run(args: argparse.Namespace) -> int:
    """Examine; exit 0 nothing is missing, 2 something fails, 3 something cannot be told."""
    # What clients log on the way is told as checks; the terminal is for the answer.
    logging.getLogger("console").addHandler(logging.NullHandler())
    loaded = load_environment(args.environment)
    asyncio.run(_fetch_secrets(loaded.environment))
    found = [Examined("environment file", "", _references(loaded.environment)), *asyncio.run(examine_all(loaded))]
    answer = verdict([check for examined in found for check in examined.checks])
    if args.json:
        sys.stdout.write(_as_json(loaded, found, answer) + "\n")
    else:
        sys.stdout.write("\n".join(_lines(loaded, found, answer)) + "\n")
    return EXIT_CODES[answer]


async def _fetch_secrets(environment: EnvironmentFile) -> None:
    """Those that a cluster keeps, so that they can be looked at like every other."""
    from console.sources.kubernetes_secrets import fetch

    await fetch(environment)


def verdict(checks: Sequence[Check]) -> Answer:
    """fail before cannot tell before pass; where nothing was looked at, nothing can be told."""
    answers = {check.answer for check in checks}
    for answer in ("fail", "cannot tell", "pass"):
        if answer in answers:
            return answer
    return "cannot tell"


async def examine_all(loaded: Loaded) -> list[Examined]:
    """Every source of the environment, each within its deadline.

    Several at once, though not all: on a slow host a hundred that begin together would wait for each other, and be told
    as servers that do not answer.
    """
    from console.engine.registry import sources_of

    try:
        sources = sources_of(loaded.environment, load_defaults())
    except SecretError as error:  # also told by the references, but then there is nothing to examine
        return [Examined("sources", "", [Check("set up", "fail", str(error))])]
    if not sources:
        return [Examined("sources", "", [Check("configured", "cannot tell", "the environment file names no server")])]
    turns = asyncio.Semaphore(_AT_ONCE)

    async def examined(source: Source) -> Examined:
        async with turns:
            return await _examine(source)

    found = await asyncio.gather(*(examined(source) for source in sources))
    # Not before all have been examined: several sources of a server share one connection.
    await asyncio.gather(*(_close(source) for source in sources))
    return list(found)


async def _examine(source: Source) -> Examined:
    try:
        checks = await asyncio.wait_for(source.examine(), DEADLINE_S)
    except TimeoutError:
        source.abandon()
        checks = [
            Check(
                "answer",
                "fail",
                f"nothing within {DEADLINE_S:.0f} s: the server hangs, or a firewall drops what we send",
                "look at the server itself; compare with a connection from another machine",
            )
        ]
    except Exception as error:  # noqa: BLE001 - a source that breaks must not keep the others from being told
        checks = [Check("examine", "cannot tell", _harmless(error))]
    subject = f"{source.reading.topic} {source.key}"
    return Examined(subject, source.privilege, [_without_key(check, source.key) for check in checks])


async def _close(source: Source) -> None:
    with contextlib.suppress(Exception):  # what was to be told has been told
        await asyncio.wait_for(source.close(), CLOSE_S)


def _without_key(check: Check, key: str) -> Check:
    """The subject stands in the heading already."""
    return msgspec.structs.replace(check, what=check.what.removeprefix(f"{key}: "))


def _harmless(error: BaseException) -> str:
    """An unexpected error without what a client may have put into it."""
    from console.clients.clean import clean
    from console.clients.redact import redact

    problem = getattr(error, "problem", "") or str(error)
    return clean(redact(f"{type(error).__name__}: {problem}"), 300)


def _references(environment: EnvironmentFile) -> list[Check]:
    """Whether each secret is where its reference says."""
    places: dict[str, str | None] = {}
    for name, cluster in environment.postgres.items():
        places[f"password of postgres {name}"] = cluster.password
    for name, cache in environment.redis.items():
        places[f"password of redis {name}"] = cache.password
        if cache.sentinel is not None:
            places[f"password of the Sentinels of {name}"] = cache.sentinel.password
    for name, kubernetes in environment.kubernetes.items():
        places[f"token of kubernetes {name}"] = kubernetes.token
    for name, application in environment.applications.items():
        for user in (application.user, application.writer):
            if user is not None:
                places[f"password of {user.login} at {name}"] = user.password
    return [_reference(what, reference) for what, reference in places.items() if reference is not None]


def _reference(what: str, reference: str) -> Check:
    try:
        secret = resolve(reference)
    except SecretError as error:
        return Check(what, "fail", str(error), "set it, or change the reference in the environment file")
    if secret.warning:
        path = reference.partition(":")[2]
        return Check(what, "fail", f"{reference} can be read by everybody", f"chmod 600 {path}")
    return Check(what, "pass", reference)


def _as_json(loaded: Loaded, found: list[Examined], answer: Answer) -> str:
    content = {
        "environment": loaded.environment.name,
        "file": str(loaded.path),
        "taken_at": datetime.now(UTC),
        "verdict": answer,
        "subjects": [msgspec.structs.asdict(examined) for examined in found],
    }
    return msgspec.json.format(msgspec.json.encode(content), indent=2).decode()


def _lines(loaded: Loaded, found: list[Examined], answer: Answer) -> list[str]:
    from console.commands.text import Paint, indented, painted, width_of
    from widgets.spans import plain

    width, paint = width_of(sys.stdout), Paint(painted(sys.stdout))
    lines = [f"{loaded.environment.name}  {plain(str(loaded.path))}"]
    for examined in found:
        if not examined.checks:
            continue
        lines += ["", paint("strong", plain(examined.subject))]
        for check in examined.checks:
            first, *rest = indented(f"{check.what}: {check.detail}".removesuffix(": "), width, "    ", "      ")
            lines += [f"  {paint(_STATES[check.answer], SIGNS[check.answer])} {first.lstrip()}", *rest]
            if check.answer == "cannot tell":
                lines += indented("cannot be told", width, "      ")
            # Whole, however long: it is there to be copied.
            lines += [f"      → {plain(check.mend)}"] if check.mend else []
    total = [check.answer for examined in found for check in examined.checks]
    summary = ", ".join(f"{total.count(kind)} {kind}" for kind in EXIT_CODES if kind in total)
    return [*lines, "", f"{paint(_STATES[answer], SIGNS[answer])} {summary or 'nothing was examined'}"]
