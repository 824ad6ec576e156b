"""One cache as the board knows it: servers, Sentinels, and what they make of one another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from console.board import Board
from console.readings import RedisServer, Sentinel, believed


@dataclass(frozen=True, slots=True)
class Server:
    """One server: raw reading, and what of it may be believed now."""

    name: str
    raw: RedisServer | None
    reading: RedisServer | None

    @property
    def address(self) -> str:
        """``host:port`` as it told us; empty while it is silent."""
        return self.raw.address if self.raw else ""

    @property
    def is_primary(self) -> bool:
        """Whether it says so itself."""
        return self.reading is not None and self.reading.role == "primary"


@dataclass(frozen=True, slots=True)
class Watch:
    """One Sentinel."""

    name: str
    raw: Sentinel | None
    reading: Sentinel | None


@dataclass(frozen=True, slots=True)
class Cache:
    """A cache at one moment."""

    name: str
    servers: tuple[Server, ...]
    sentinels: tuple[Watch, ...]

    @property
    def primaries(self) -> tuple[Server, ...]:
        """Servers that call themselves primary. One is right."""
        return tuple(server for server in self.servers if server.is_primary)

    def server(self, name: str) -> Server | None:
        """The server of that name."""
        return next((server for server in self.servers if server.name == name), None)

    def at(self, address: str) -> Server | None:
        """The server at ``host:port``; the only one whose address nobody told us, where it is nobody else's."""
        if not address:
            return None
        for server in self.servers:
            if server.address == address:
                return server
        untold = [server for server in self.servers if not server.address]
        return untold[0] if len(untold) == 1 else None

    @property
    def named_by_sentinels(self) -> str:
        """Address that most answering Sentinels call the primary's; empty: none answers."""
        names = [watch.reading.primary_address for watch in self.sentinels if watch.reading]
        return max(sorted(set(names)), key=names.count, default="")

    @property
    def main(self) -> str:
        """The server whose clients and slow calls matter most: the one that the Sentinels name, else the primary."""
        named = self.at(self.named_by_sentinels)
        if named is not None and (named.is_primary or not self.primaries):
            return named.name
        if self.primaries:
            return self.primaries[0].name
        silent = [server.name for server in self.servers if server.reading is None]
        return silent[0] if silent else self.servers[0].name if self.servers else ""


def caches(board: Board) -> list[str]:
    """Names of the caches that are configured, in order of the environment file."""
    environment = board.environment
    pairs = environment.panes.get("cache", ()) if environment else ()
    names = [pair.split(" ", 1)[1].split("/", 1)[0] for pair in pairs if " " in pair]
    return list(dict.fromkeys(names))


def cache_at(board: Board, name: str, now: datetime) -> Cache:
    """The cache ``name`` at ``now``."""
    environment = board.environment
    pairs = environment.panes.get("cache", ()) if environment else ()
    servers: dict[str, None] = {}
    watches: dict[str, None] = {}
    for topic, key in (pair.split(" ", 1) for pair in pairs):
        cache, _, member = key.partition("/")
        if cache == name and member:
            if topic == RedisServer.topic:
                servers[member] = None
            elif topic == Sentinel.topic:
                watches[member] = None
    return Cache(
        name,
        tuple(
            Server(member, raw := board.get(RedisServer, f"{name}/{member}"), believed(raw, now)) for member in servers
        ),
        tuple(
            Watch(member, seen := board.get(Sentinel, f"{name}/{member}"), believed(seen, now)) for member in watches
        ),
    )
