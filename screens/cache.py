"""The cache screen: one cache at a time, its servers, Sentinels, clients and keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from console.readings import Finding, RedisKeys, RedisServer, Sentinel, believed
from screens.base import Described
from screens.cache_group import Cache, cache_at, caches
from screens.cache_members import sentinels, servers
from screens.cache_rows import clients, keys, queues, slow
from screens.cache_side import below, figures, side
from screens.cache_topology import failover_words, primary_words, quorum_words, topology
from screens.database_head import subject_words
from screens.pane_findings import about, severities, silent_words
from screens.pane_findings import findings as findings_section
from screens.section import Section, Tab
from screens.sections import Layout, SectionsScreen
from screens.tabs import Badge
from screens.view import View
from widgets.columns import Key
from widgets.format import number
from widgets.spans import Block, Line, joined, line, spread, width
from widgets.topology import Topology

TABS = (
    Tab("servers", "Servers", "Servers"),
    Tab("clients", "Clients", "Clients"),
    Tab("keys", "Big keys", "Keys"),
    Tab("queues", "Queues", "Queues"),
    Tab("slow", "Slow log", "Slow"),
    Tab("sentinels", "Sentinels", "Sentinels"),
    Tab("findings", "Findings", "Findings"),
)
_OF_A_SERVER = ("clients", "slow")


class CacheScreen(SectionsScreen):
    """Key 4."""

    name_of_pane = "cache"
    tabs: ClassVar[tuple[Tab, ...]] = TABS
    nothing = "no Redis or Valkey is configured in this environment"

    def __init__(self) -> None:
        super().__init__()
        self._cache = Cache("", (), ())
        self._found: list[Finding] = []

    # -- what is shown -----------------------------------------------------------------------------------------------

    def subjects(self, view: View) -> list[str]:
        """Caches."""
        return caches(view.board)

    def look(self, view: View, subject: str) -> None:
        """The cache and its findings, once for a picture."""
        self._cache = cache_at(view.board, subject, view.now)
        self._found = about(view.board, "cache", subject)

    @property
    def shown(self) -> str:
        """Name of the server whose clients and slow calls the tables show."""
        return self.chosen_member if self._cache.server(self.chosen_member) else self._cache.main

    def members(self) -> list[str]:
        """Names of the servers."""
        return [server.name for server in self._cache.servers]

    def findings(self, view: View) -> list[Finding]:
        """About this cache."""
        return self._found

    def section(self, key: str, view: View) -> Section:
        """The section of a tab."""
        board, cache, now = view.board, self._cache, view.now
        if key == "servers":
            return servers(cache, now)
        if key == "clients":
            return clients(cache, self.shown, now)
        if key == "keys":
            return keys(board, cache, now)
        if key == "queues":
            return queues(board, cache, now)
        if key == "slow":
            return slow(cache, self.shown, now)
        if key == "sentinels":
            return sentinels(cache, now)
        return findings_section(self._found, now, silent_words(board, "cache", cache.name, now))

    def badges(self, view: View) -> Mapping[str, Badge]:
        """Numbers at the tabs."""
        cache = self._cache
        found: dict[str, Badge] = {}
        silent = sum(server.reading is None for server in cache.servers)
        found["servers"] = Badge(f"{silent} ?", "unknown") if silent else Badge(str(len(cache.servers)))
        quiet = sum(watch.reading is None for watch in cache.sentinels)
        if cache.sentinels:
            found["sentinels"] = Badge(f"{quiet} ?", "unknown") if quiet else Badge(str(len(cache.sentinels)))
        sampled = believed(view.board.get(RedisKeys, cache.name), view.now)
        if sampled is not None and sampled.queues:
            found["queues"] = Badge(number(sum(queue.depth for queue in sampled.queues.values())))
        main = cache.server(self.shown)
        if main is not None and main.reading is not None:
            found["slow"] = Badge(str(len(main.reading.slow)) if main.reading.slow else "")
            found["clients"] = Badge(number(main.reading.clients))
        if self._found:
            worst = self._found[0]
            found["findings"] = Badge(str(len(self._found)), "unknown" if worst.state == "unknown" else worst.severity)
        return found

    def source_words(self) -> Line:
        """Whose figures these are."""
        if self.tab not in _OF_A_SERVER or not self._cache.servers:
            return ()
        return line(("of ", "muted"), (self.shown, "strong"), ("  m ", "key"), ("other", "muted"), " ")

    def topology(self, view: View) -> Topology:
        """Servers and what flows between them."""
        return topology(self._cache, severities(self._found), view.now)

    def head(self, view: View, cells: int, layout: Layout) -> Block:
        """Which cache, who is primary, whether the Sentinels could fail over; then the primary's figures."""
        cache = self._cache
        right = subject_words(self.subjects(view), cache.name)
        parts = [line((cache.name, "title")), primary_words(cache)]
        failover = failover_words(cache)
        parts += [failover] if failover else []
        parts.append(quorum_words(cache))
        while len(parts) > 2 and width(joined(parts, "   ")) + width(right) + 3 > cells:
            parts.pop()
        return [spread(line(" ", joined(parts, "   ")), right, cells)]

    def side(self, view: View, cells: int, height: int) -> Block:
        """Findings, the primary in figures, the last minutes."""
        return side(view, self._cache, self._found, cells, height)

    def below(self, view: View, cells: int, layout: Layout, room: int) -> Block:
        """The other sections in brief; on a small screen the primary in figures, under the servers."""
        if layout != "small":
            return below(view, self._cache, self.tab, cells, room)
        drawn = figures(self._cache, view.now, cells) if self.tab == "servers" else []
        return [*drawn[: room - 1], drawn[-1]] if len(drawn) > room > 3 else drawn if len(drawn) <= room else []

    # -- rows --------------------------------------------------------------------------------------------------------

    def struct_at(self, tab: str, key: Any) -> Described | None:
        """What a row is made of."""
        board, name = self.host.view.board, self._cache.name
        if tab == "servers":
            return Described(f"server {name}/{key}", board.get(RedisServer, f"{name}/{key}"))
        if tab == "sentinels":
            return Described(f"Sentinel {name}/{key}", board.get(Sentinel, f"{name}/{key}"))
        if tab == "findings":
            return next((Described(finding.title, finding) for finding in self._found if finding.id == key), None)
        if tab in ("keys", "queues"):
            sampled = board.get(RedisKeys, name)
            rows: list[Any] = (
                [*sampled.big.values()] if sampled and tab == "keys" else [*sampled.queues.values()] if sampled else []
            )
            wanted = key[1] if tab == "keys" else key
            row = next((row for row in rows if row.name == wanted and (tab == "queues" or row.db == key[0])), None)
            return None if row is None else Described(f"{tab.rstrip('s')} {wanted} of {name}", row)
        server = board.get(RedisServer, f"{name}/{self.shown}")
        found: Any = None if server is None else (server.apps if tab == "clients" else server.slow).get(key)
        return None if found is None else Described(f"{tab} of {name}/{self.shown}", found)

    def log_of(self, tab: str, key: Key | None) -> str:
        """The log of the server that the row comes from."""
        name = self._cache.name
        if tab == "sentinels":
            return f"sentinel {name}/{key}" if key is not None else ""
        server = str(key) if tab == "servers" and key is not None else self.shown
        return f"redis {name}/{server}" if server else ""
