"""The database screen: one cluster at a time, everything that SQL and Patroni say of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from console.readings import (
    Activity,
    Finding,
    PatroniMember,
    PostgresIo,
    PostgresMember,
    PostgresSettings,
    PostgresStatements,
)
from screens.base import Described
from screens.database_cluster import Cluster, cluster_at, clusters
from screens.database_head import head_lines
from screens.database_keep import roles, settings, slots
from screens.database_members import members
from screens.database_preview import preview, preview_box
from screens.database_sessions import blocking, sessions
from screens.database_side import side
from screens.database_topology import topology
from screens.database_work import databases, io, statements
from screens.pane_findings import about, severities, silent_words
from screens.pane_findings import findings as findings_section
from screens.section import Section, Tab
from screens.sections import Layout, SectionsScreen
from screens.tabs import Badge
from screens.view import View
from widgets.columns import Key
from widgets.spans import Block, Line, line
from widgets.topology import Topology

TABS = (
    Tab("sessions", "Sessions", "Sess"),
    Tab("blocking", "Blocking", "Locks"),
    Tab("statements", "Statements", "SQL"),
    Tab("io", "I/O", "I/O"),
    Tab("databases", "Databases", "DBs"),
    Tab("slots", "Slots, archive", "Slots"),
    Tab("settings", "Settings", "Conf"),
    Tab("roles", "Roles", "Roles"),
    Tab("members", "Members", "Memb"),
    Tab("findings", "Findings", "Findings"),
)
_OF_A_MEMBER = {
    "sessions": Activity,
    "blocking": Activity,
    "statements": PostgresStatements,
    "io": PostgresIo,
    "databases": PostgresIo,
    "slots": PostgresMember,
    "roles": PostgresSettings,
}
"""Tab → the topic that it shows of one member."""


class DatabaseScreen(SectionsScreen):
    """Key 3."""

    name_of_pane = "database"
    tabs: ClassVar[tuple[Tab, ...]] = TABS
    nothing = "no PostgreSQL is configured in this environment"

    def __init__(self) -> None:
        super().__init__()
        self._cluster = Cluster("", (), None)
        self._found: list[Finding] = []

    # -- what is shown -----------------------------------------------------------------------------------------------

    def subjects(self, view: View) -> list[str]:
        """Clusters."""
        return clusters(view.board)

    def look(self, view: View, subject: str) -> None:
        """The cluster and its findings, once for a picture."""
        self._cluster = cluster_at(view.board, subject, view.now)
        self._found = about(view.board, "database", subject)

    @property
    def shown(self) -> str:
        """Name of the member whose figures the tables show."""
        return self.chosen_member if self._cluster.member(self.chosen_member) else self._cluster.main

    def members(self) -> list[str]:
        """Names of the members."""
        return [member.name for member in self._cluster.members]

    def findings(self, view: View) -> list[Finding]:
        """About this cluster."""
        return self._found

    def section(self, key: str, view: View) -> Section:
        """The section of a tab."""
        board, cluster, now = view.board, self._cluster, view.now
        if key == "settings":
            return settings(board, cluster, now)
        if key == "members":
            return members(cluster, now)
        if key == "findings":
            return findings_section(self._found, now, silent_words(board, "database", cluster.name, now))
        make = {
            "sessions": sessions,
            "blocking": blocking,
            "statements": statements,
            "io": io,
            "databases": databases,
            "slots": slots,
            "roles": roles,
        }[key]
        return make(board, cluster.name, self.shown, now)

    def badges(self, view: View) -> Mapping[str, Badge]:
        """Numbers at the tabs."""
        where = f"{self._cluster.name}/{self.shown}"
        found: dict[str, Badge] = {}
        activity = view.board.get(Activity, where)
        if activity is not None and activity.readable and not activity.is_stale(view.now):
            waits = len(activity.blocked)
            found["sessions"] = Badge(str(activity.sessions_total))
            found["blocking"] = Badge(str(waits), "warning" if waits else "")
        else:
            found["sessions"] = found["blocking"] = Badge("?", "unknown")
        if self._found:
            worst = self._found[0]
            found["findings"] = Badge(str(len(self._found)), "unknown" if worst.state == "unknown" else worst.severity)
        silent = sum(member.sql is None for member in self._cluster.members)
        if silent:
            found["members"] = Badge(f"{silent} ?", "unknown")
        return found

    def source_words(self) -> Line:
        """Whose figures these are."""
        if self.tab not in _OF_A_MEMBER or not self._cluster.members:
            return ()
        member = self._cluster.member(self.shown)
        role = "" if member is None or member.sql is None else "primary" if member.is_primary else "standby"
        whose = line(("of ", "muted"), (self.shown, "strong"), (f" {role}" if role else "", "muted"), " ")
        return whose if self.layout_now == "small" else line(whose, (" m ", "key"), ("other", "muted"), " ")

    def topology(self, view: View) -> Topology:
        """Members and what flows between them."""
        return topology(self._cluster, severities(self._found), view.now)

    def head(self, view: View, cells: int, layout: Layout) -> Block:
        """Which cluster, who leads, how Patroni is."""
        names = self.subjects(view)
        return head_lines(self._cluster, names, view.now, cells, layout)

    def side(self, view: View, cells: int, height: int) -> Block:
        """Findings, who waits for whom, and the last quarter of an hour."""
        return side(view, self._cluster, self.shown, self._found, self.tab, cells, height)

    def below(self, view: View, cells: int, layout: Layout, room: int) -> Block:
        """The whole text of the row under the cursor."""
        key = self.table.cursor
        if key is None or layout == "small":
            return []
        found = preview(view, self._cluster, self.shown, self._found, self.tab, key)
        return [] if found is None else preview_box(found, cells, min(room, 7 if layout == "wide" else 5))

    # -- rows --------------------------------------------------------------------------------------------------------

    def struct_at(self, tab: str, key: Any) -> Described | None:
        """What a row is made of."""
        view, name = self.host.view, self._cluster.name
        if tab == "members":
            where = f"{name}/{key}"
            return Described(
                f"member {where}",
                {"postgres": view.board.get(PostgresMember, where), "patroni": view.board.get(PatroniMember, where)},
            )
        if tab == "findings":
            return next((Described(finding.title, finding) for finding in self._found if finding.id == key), None)
        if tab == "settings":
            every = {member: view.board.get(PostgresSettings, f"{name}/{member}") for member in self.members()}
            values = {member: each.settings[key] for member, each in every.items() if each and key in each.settings}
            return Described(f"setting {key} of {name}", values)
        where = f"{name}/{self.shown}"
        reading: Any = view.board.get(_OF_A_MEMBER[tab], where)
        if reading is None:
            return None
        if tab in ("sessions", "blocking"):
            parts = {"session": reading.sessions.get(key), "waits": reading.blocked.get(key)}
            return Described(
                f"session {key} of {where}", {name: part for name, part in parts.items() if part is not None}
            )
        rows = {"statements": "rows", "io": "io", "databases": "databases", "slots": "slots", "roles": "roles"}
        row = getattr(reading, rows[tab]).get(key)
        if row is None:
            row = next(
                (each for each in getattr(reading, rows[tab]).values() if getattr(each, "name", None) == key), None
            )
        return None if row is None else Described(f"{tab.rstrip('s')} of {where}", row)

    def log_of(self, tab: str, key: Key | None) -> str:
        """The log of the member that the row comes from."""
        member = str(key) if tab == "members" and key is not None else self.shown
        return f"postgres {self._cluster.name}/{member}" if member else ""
