"""The ingress screen: one ingress at a time, its routes, backends and certificates; what is wrong first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from console.readings import Finding, TraefikServer
from screens.base import Described
from screens.database_preview import Preview
from screens.ingress_below import below
from screens.ingress_group import Ingress, Seen, ingress_at, ingresses
from screens.ingress_head import head_lines, side, topology
from screens.ingress_preview import preview
from screens.ingress_rows import certificates, entry_points, errors, middlewares, routers, services
from screens.ingress_state import State, found_states
from screens.pane_findings import about, severities, silent_words
from screens.pane_findings import findings as findings_section
from screens.section import Section, Tab
from screens.sections import Layout, SectionsScreen
from screens.tabs import Badge
from screens.view import View
from widgets.columns import Key
from widgets.format import count
from widgets.spans import Block
from widgets.topology import Topology

TABS = (
    Tab("routers", "Routers", "Routers"),
    Tab("services", "Services", "Serv"),
    Tab("middlewares", "Middlewares", "Middl"),
    Tab("certificates", "Certificates", "Certs"),
    Tab("entry_points", "Entry points", "Entry"),
    Tab("errors", "Errors", "Errors"),
    Tab("findings", "Findings", "Findings"),
)
_NONE: Seen[Any] = Seen(None, None, False)
_COUNTED = {"routers": ("routers", "routers"), "services": ("services", "services")}
"""Tab → rows of the configuration and of the metrics."""


class IngressScreen(SectionsScreen):
    """Key 5."""

    name_of_pane = "ingress"
    tabs: ClassVar[tuple[Tab, ...]] = TABS
    nothing = "no Traefik is configured in this environment"

    def __init__(self) -> None:
        super().__init__()
        self._ingress = Ingress("", (), _NONE, _NONE)
        self._found: list[Finding] = []
        self._said: dict[str, State] = {}
        self._made: dict[str, Section] = {}

    # -- what is shown -----------------------------------------------------------------------------------------------

    def subjects(self, view: View) -> list[str]:
        """Ingresses."""
        return ingresses(view.board)

    def look(self, view: View, subject: str) -> None:
        """The ingress and its findings, once for a picture."""
        self._ingress = ingress_at(view.board, subject, view.now)
        self._found = about(view.board, "ingress", subject)
        self._said = found_states(self._found)
        self._made = {}

    def findings(self, view: View) -> list[Finding]:
        """About this ingress."""
        return self._found

    def section(self, key: str, view: View) -> Section:
        """The section of a tab, made once for a picture."""
        if key not in self._made:
            self._made[key] = self._make(key, view)
        return self._made[key]

    def _make(self, key: str, view: View) -> Section:
        board, ingress, now = view.board, self._ingress, view.now
        if key == "routers":
            return routers(board, ingress, self._said, now)
        if key == "services":
            return services(board, ingress, self._said, now)
        if key == "middlewares":
            return middlewares(ingress, now)
        if key == "certificates":
            return certificates(board, ingress, now)
        if key == "entry_points":
            return entry_points(ingress, now)
        if key == "errors":
            return errors(board, ingress, now)
        return findings_section(self._found, now, silent_words(board, "ingress", ingress.name, now))

    def badges(self, view: View) -> Mapping[str, Badge]:
        """Numbers at the tabs: how many are in trouble, else how many there are."""
        found: dict[str, Badge] = {}
        for key in ("routers", "services", "middlewares", "certificates"):
            section = self.section(key, view)
            if section.notice:
                found[key] = Badge("?", "unknown")
                continue
            # The worst is first; what is bad is counted by its state's cell, which sorts by rank.
            worst = section.rows[0] if section.rows else None
            styles = {getattr(cell, "style", "") for cell in worst.cells} if worst else set()
            style = next((each for each in ("critical", "warning") if each in styles), "")
            found[key] = Badge(count(section.count) if section.count else "", style)
        if not self._ingress.metrics:
            found["entry_points"] = Badge("?", "unknown")
        access = self._ingress.access
        if access.configured:
            wrong = sum(row.count for row in access.reading.wrong.values()) if access.reading else 0
            found["errors"] = Badge(count(wrong) if wrong else "", "") if access.reading else Badge("?", "unknown")
        if self._found:
            first = self._found[0]
            found["findings"] = Badge(str(len(self._found)), "unknown" if first.state == "unknown" else first.severity)
        return found

    def topology(self, view: View) -> Topology:
        """The Traefiks."""
        return topology(self._ingress, severities(self._found), view.now)

    def topology_lines(self, layout: Layout, height: int) -> int:
        """On a small screen a line for each Traefik, three at most: the routes need the room."""
        return (
            min(3, max(1, len(self._ingress.servers))) if layout == "small" else super().topology_lines(layout, height)
        )

    def head(self, view: View, cells: int, layout: Layout) -> Block:
        """Which ingress, what goes through it."""
        return head_lines(self._ingress, self.subjects(view), view.now, cells)

    def side(self, view: View, cells: int, height: int) -> Block:
        """Findings, who is asked most, certificates, the last minutes."""
        return side(view, self._ingress, self._found, self.tab, cells, height)

    def below(self, view: View, cells: int, layout: Layout, room: int) -> Block:
        """The row under the cursor in full, and on a wide screen other sections in brief."""
        if layout == "small" or not self._ingress.name:
            return []
        return below(
            self._preview(view), lambda key: self.section(key, view), self.section(self.tab, view), self.tab, cells, room,
            wide=layout == "wide",
        )  # fmt: skip

    def _preview(self, view: View) -> Preview | None:
        key = self.table.cursor
        if key is None:
            return None
        if self.tab != "findings":
            return preview(view, self._ingress, self.tab, key)
        finding = next((each for each in self._found if each.id == key), None)
        return Preview(finding.title, (), f"{finding.impact} {finding.action}") if finding else None

    # -- rows --------------------------------------------------------------------------------------------------------

    def struct_at(self, tab: str, key: Any) -> Described | None:
        """What a row is made of."""
        ingress, name = self._ingress, self._ingress.name
        if tab == "findings":
            return next((Described(finding.title, finding) for finding in self._found if finding.id == key), None)
        if tab == "certificates":
            reading = ingress.certificates.reading
            row = reading.certificates.get(key) if reading else None
            return None if row is None else Described(f"certificate of {key}", row)
        if tab == "errors":
            access = ingress.access.reading
            found = (access.slow if key[0] == "slow" else access.wrong).get(key[1]) if access else None
            return None if found is None else Described(f"requests {key[1]} of {name}", found)
        if tab == "entry_points":
            server = self.host.view.board.get(TraefikServer, f"{name}/{key[0]}")
            entry = server.entry_points.get(key[1]) if server else None
            return None if entry is None else Described(f"entry point {key[1]} of {name}/{key[0]}", entry)
        configs = {server.name: server.config.reading for server in ingress.servers if server.config.reading}
        parts: dict[str, Any] = {
            where: row for where, config in configs.items() if (row := getattr(config, tab).get(key))
        }
        if tab in _COUNTED:
            counted = {
                f"traffic of {metrics.server}": row
                for metrics in ingress.metrics
                if (row := getattr(metrics, _COUNTED[tab][1]).get(key))
            }
            parts |= counted
        return Described(f"{tab.rstrip('s')} {key} of {name}", parts) if parts else None

    def log_of(self, tab: str, key: Key | None) -> str:
        """Errors: the access log; else that of the Traefik that the row comes from."""
        ingress = self._ingress
        if not ingress.servers:
            return ""
        if tab == "errors":
            return f"traefik {ingress.name}"
        if tab == "entry_points" and isinstance(key, tuple):
            return f"traefik {ingress.name}/{key[0]}"
        if tab in ("routers", "services", "middlewares"):
            for server in ingress.servers:
                config = server.config.reading
                if config is not None and key in getattr(config, tab):
                    return f"traefik {ingress.name}/{server.name}"
        return f"traefik {ingress.name}/{ingress.servers[0].name}"
