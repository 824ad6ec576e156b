"""What the console's own user needs on a server or a Sentinel: the exact line, and how the doctor finds out."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence

from console.clients.redis import NOT_PERMITTED, Answer, Argument, LinkError, RedisLink, refusal
from console.clients.redis_text import Info
from console.sources.base import Check

SERVER_PRIVILEGE = "a user that may PING, INFO, CLIENT LIST and SLOWLOG GET; no key is read"
KEYS_PRIVILEGE = "a user that may SCAN, MEMORY USAGE, TYPE, TTL and ask collections for their length, for all keys"
SENTINEL_PRIVILEGE = "a user that may PING, INFO and ask SENTINEL MASTER, SENTINELS, REPLICAS and CKQUORUM"

# CONFIG GET is left out on purpose: it would show passwords (masterauth). Without it `persistence` and
# `min-replicas-to-write` are known only as far as INFO tells.
_SERVER_COMMANDS = (
    "+ping +info +select +client|setname +client|no-touch +client|list +slowlog|get +scan +memory|usage"
    " +type +ttl +strlen +llen +hlen +scard +zcard +xlen"
)


def server_line(version: tuple[int, int], user: str = "banksman") -> str:
    """The line to run on every server of the cache; keys may be asked for their size, never read or written."""
    keys = "%R~*" if version >= (7, 0) else "~*"
    return f"ACL SETUSER {user} on >PASSWORD resetchannels resetkeys {keys} -@all {_SERVER_COMMANDS}"


def sentinel_line(user: str = "banksman") -> str:
    """The line to run on every Sentinel (Redis 6.2 or newer)."""
    return (
        f"ACL SETUSER {user} on >PASSWORD resetchannels -@all +ping +info +client|setname"
        " +sentinel|master +sentinel|sentinels +sentinel|replicas +sentinel|ckquorum"
    )


_SERVER_ASKED: tuple[tuple[Argument, ...], ...] = (
    ("CLIENT", "LIST"),
    ("SLOWLOG", "GET", 1),
)
_NEWEST = (7, 2)
_KEYS_ASKED: tuple[tuple[Argument, ...], ...] = (
    ("SCAN", 0, "COUNT", 1),
    ("MEMORY", "USAGE", "banksman:no-such-key"),
)
# TYPE, TTL and the lengths are not tried: a key that is not there would count as a miss on the server.


async def examine_server(link: RedisLink) -> list[Check]:
    """Connection, clock and privileges of one server."""
    return await _examine(link, _SERVER_ASKED, server_line, _settings)


async def examine_keys(link: RedisLink) -> list[Check]:
    """Privileges of the search for big keys and of queue depths, on the server that it looks on."""
    return await _examine(link, _KEYS_ASKED, server_line)


async def examine_sentinel(link: RedisLink, master: str) -> list[Check]:
    """Connection, clock and privileges of one Sentinel, and whether it knows the master."""
    asked = [("SENTINEL", word, master) for word in ("MASTER", "SENTINELS", "REPLICAS", "CKQUORUM")]
    return await _examine(link, asked, lambda _: sentinel_line())


async def _examine(
    link: RedisLink,
    asked: Sequence[Sequence[Argument]],
    line: Callable[[tuple[int, int]], str],
    *more: Callable[[RedisLink], Awaitable[Check]],
) -> list[Check]:
    """What the source asks, asked once; ``line`` makes the mending line for a version of Redis."""
    checks: list[Check] = []
    try:
        await link.open()
        sent = time.time()
        answer = (await link.many([("INFO",)]))[0]
        got = time.time()
        info = Info(answer)
        checks.append(Check("connection", "pass", f"{link.peer}, {info.flavour}".rstrip(", ")))
        if why := refusal(answer):
            return [*checks, Check("INFO", "fail", why, line(_NEWEST))]
        checks.append(_clock(info, sent, got))
        checks += await _permissions(link, asked, line(info.version))
        return checks + [await check(link) for check in more]
    except LinkError as error:
        return [*checks, Check("connection", "fail", error.problem, line(_NEWEST) if error.denied else "")]


async def _settings(link: RedisLink) -> Check:
    """A pass either way: it is refused to the very user that we ask for."""
    refused = refusal((await link.many([("CONFIG", "GET", "save")]))[0])
    why = "not permitted, and that is well: it shows passwords. How snapshots are set, and how many replicas writes need, is not known"
    return Check("CONFIG GET (optional)", "pass", why if refused else "")


def _clock(info: Info, sent: float, got: float) -> Check:
    theirs = info.server_time_s
    if theirs is None:
        return Check("clock", "cannot tell", "the server does not show its clock (Redis before 6.2)")
    off = theirs - (sent + got) / 2
    if abs(off) <= 1.0 + (got - sent):
        return Check("clock", "pass", f"{off:+.3f} s")
    return Check("clock", "fail", f"{off:+.1f} s against ours", "synchronise both hosts by NTP")


async def _permissions(link: RedisLink, commands: Sequence[Sequence[Argument]], line: str) -> list[Check]:
    checks = []
    answers: list[Answer] = await link.many(commands)
    for command, answer in zip(commands, answers, strict=True):
        name = " ".join(str(word) for word in command[:2]) if command[0] != "SCAN" else "SCAN"
        why = refusal(answer)
        checks.append(Check(name, "fail" if why else "pass", why, line if why == NOT_PERMITTED else ""))
    return checks
