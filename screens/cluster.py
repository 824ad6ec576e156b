"""The cluster screen: one Kubernetes cluster at a time, what is wrong with it first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from console.readings import Finding
from screens.base import Described
from screens.cluster_facts import Platform, Seen, platform_at, platforms
from screens.cluster_head import head_lines
from screens.cluster_limits import budget_state, budgets, quotas, scaler_state, scalers
from screens.cluster_nodes import nodes, zones
from screens.cluster_pods import Owned, WorkloadRows, pods
from screens.cluster_rows import database_state, databases, events, images, poolers
from screens.cluster_side import Trouble, preview, preview_strip, side, troubles
from screens.cluster_state import Counted, by_owner, counted
from screens.database_preview import preview_box
from screens.kept import Kept, KeptRows
from screens.pane_findings import about, severities, silent_words
from screens.pane_findings import findings as findings_section
from screens.section import Section, Tab
from screens.sections import Layout, SectionsScreen
from screens.tabs import Badge
from screens.view import View
from widgets.columns import Key
from widgets.spans import Block
from widgets.table import LiveTable
from widgets.topology import Topology

TABS = (
    Tab("workloads", "Workloads", "Work"),
    Tab("pods", "Pods", "Pods"),
    Tab("nodes", "Nodes", "Nodes"),
    Tab("scalers", "Scalers", "HPA"),
    Tab("quotas", "Quotas", "Quota"),
    Tab("budgets", "Budgets", "PDB"),
    Tab("events", "Events", "Events"),
    Tab("images", "Images", "Images"),
    Tab("databases", "CloudNativePG", "CNPG"),
    Tab("poolers", "Poolers", "Pool"),
    Tab("findings", "Findings", "Findings"),
)
_ROWS = {
    "workloads": ("workloads", "workloads"),
    "pods": ("pods", "pods"),
    "nodes": ("nodes", "nodes"),
    "scalers": ("scalers", "scalers"),
    "quotas": ("quotas", "quotas"),
    "budgets": ("budgets", "budgets"),
    "events": ("warnings", "warnings"),
    "images": ("images", "images"),
    "databases": ("databases", "clusters"),
    "poolers": ("databases", "poolers"),
}
"""Tab → part of the platform, and the reading's rows that it shows."""


class ClusterScreen(SectionsScreen):
    """Key 2."""

    name_of_pane = "cluster"
    tabs: ClassVar[tuple[Tab, ...]] = TABS
    nothing = "no Kubernetes cluster is configured in this environment"

    def __init__(self) -> None:
        super().__init__()
        self._platform: Platform | None = None
        self._found: list[Finding] = []
        self._counts: Kept[Counted] = Kept()
        self._troubles: Kept[tuple[Trouble, ...]] = Kept()
        self._owned: Kept[Owned] = Kept()
        self._workloads = WorkloadRows()
        self._rows: dict[str, KeptRows] = {tab.key: KeptRows() for tab in TABS}

    @property
    def platform(self) -> Platform:
        """The cluster shown."""
        assert self._platform is not None
        return self._platform

    # -- what is shown -----------------------------------------------------------------------------------------------

    def subjects(self, view: View) -> list[str]:
        """Clusters."""
        return platforms(view.board)

    def look(self, view: View, subject: str) -> None:
        """The cluster and its findings, once for a picture."""
        self._platform = platform_at(view.board, subject, view.now)
        self._found = about(view.board, "cluster", subject)

    def offered(self, view: View) -> tuple[Tab, ...]:
        """CloudNativePG's tabs only where there is any of it, or where there was and it cannot be told any more."""
        if self._platform is None:
            return self.tabs
        seen = self._platform.databases
        lost = seen.raw is not None and seen.reading is None and seen.raw.good_at is not None and not seen.absent
        there = {
            "databases": bool(seen.reading.clusters) if seen.reading else lost,
            "poolers": bool(seen.reading.poolers) if seen.reading else lost,
        }
        hidden = {key for key, shown in there.items() if not shown}
        return tuple(tab for tab in self.tabs if tab.key not in hidden)

    def findings(self, view: View) -> list[Finding]:
        """About this cluster."""
        return self._found

    @property
    def counts(self) -> Counted:
        """Its pods by how they are."""
        reading, lost = self.platform.pods.reading, self.platform.lost
        found = reading.pods if reading else {}
        return self._counts(lambda: counted(found.values(), lost), reading and found, lost)

    @property
    def troubles(self) -> tuple[Trouble, ...]:
        """Its pods in trouble."""
        reading, lost = self.platform.pods.reading, self.platform.lost
        found = reading.pods if reading else {}
        return self._troubles(lambda: troubles(found, lost), reading and found, lost)

    def section(self, key: str, view: View) -> Section:
        """The section of a tab."""
        platform, now, kept = self.platform, view.now, self._rows[key]
        if key == "workloads":
            found = platform.pods.reading.pods if platform.pods.reading else None
            owned = self._owned(lambda: by_owner(found or {}), found)
            return self._workloads(platform, owned, now)
        if key == "pods":
            return pods(platform, self.counts, kept, now)
        if key == "findings":
            return findings_section(self._found, now, silent_words(view.board, "cluster", platform.name, now))
        make = {
            "nodes": nodes,
            "scalers": scalers,
            "quotas": quotas,
            "budgets": budgets,
            "events": events,
            "images": images,
            "databases": databases,
            "poolers": poolers,
        }[key]
        return make(platform, kept, now)

    def badges(self, view: View) -> Mapping[str, Badge]:
        """Numbers at the tabs: how many are in trouble, else how many there are."""
        platform = self.platform
        found: dict[str, Badge] = {}
        for tab, (part, rows) in _ROWS.items():
            seen: Seen[Any] = getattr(platform, part)
            if seen.absent and tab not in ("databases", "poolers"):
                found[tab] = Badge("none")
            elif seen.reading is None:
                found[tab] = Badge("?", "unknown")
            else:
                amount = len(getattr(seen.reading, rows))
                found[tab] = Badge(f"{amount} ?", "unknown") if seen.partial else Badge(str(amount) if amount else "")
        found.update(self._wrong(platform))
        if self._found:
            worst = self._found[0]
            found["findings"] = Badge(str(len(self._found)), "unknown" if worst.state == "unknown" else worst.severity)
        return found

    def _wrong(self, platform: Platform) -> dict[str, Badge]:
        """Tabs in which something is wrong."""
        found: dict[str, Badge] = {}

        def mark(tab: str, many: int, style: str) -> None:
            if many:
                found[tab] = Badge(
                    f"{many} {'■' if style == 'critical' else '▲' if style == 'warning' else '?'}", style
                )

        if platform.pods.reading:
            mark("pods", self.counts.troubled, self.counts.worst)
        if platform.nodes.reading:
            down = sum(node.ready != "True" for node in platform.nodes.reading.nodes.values())
            pressed = sum(bool(node.pressures) for node in platform.nodes.reading.nodes.values())
            mark("nodes", down or pressed, "critical" if down else "warning")
        if platform.workloads.reading:
            short = [each for each in platform.workloads.reading.workloads.values() if each.ready < each.desired]
            mark("workloads", len(short), "critical" if any(not each.ready for each in short) else "warning")
        if platform.scalers.reading:
            mark(
                "scalers",
                sum(scaler_state(each)[2] < 2 for each in platform.scalers.reading.scalers.values()),
                "warning",
            )
        if platform.quotas.reading:
            full = sum(each.fullest[1] >= 1 for each in platform.quotas.reading.quotas.values())
            mark("quotas", full, "warning")
        if platform.budgets.reading:
            mark(
                "budgets",
                sum(budget_state(each)[2] == 0 for each in platform.budgets.reading.budgets.values()),
                "warning",
            )
        if platform.images.reading:
            mark("images", sum(bool(each.differs) for each in platform.images.reading.images.values()), "warning")
        operated = platform.databases.reading
        if operated:
            states = [database_state(each) for each in operated.clusters.values()]
            mark(
                "databases",
                sum(state[2] < 3 for state in states),
                min(states, key=lambda each: each[2])[1] if states else "",
            )
            mark(
                "poolers",
                sum(each.paused or each.running < each.instances for each in operated.poolers.values()),
                "warning",
            )
        return found

    def topology(self, view: View) -> Topology:
        """Zones and their nodes."""
        return zones(self.platform, severities(self._found), view.now)

    def topology_lines(self, layout: Layout, height: int) -> int:
        """On a small screen a line for each zone: boxes of so few lines would say nothing but how many nodes are ready."""
        most = super().topology_lines(layout, height)
        found = set(self.platform.zone_of.values())
        return min(most, max(1, len(found))) if layout == "small" else most

    def head(self, view: View, cells: int, layout: Layout) -> Block:
        """Which cluster, how many nodes and pods, what is wrong with them."""
        return head_lines(self.platform, self.counts, self.subjects(view), cells, layout)

    def side(self, view: View, cells: int, height: int) -> Block:
        """Findings, pods in trouble, quotas, warnings, and the last quarter of an hour."""
        if self._platform is None or not self.subject:
            return []
        return side(view, self.platform, self.troubles, self._found, self.tab, cells, height)

    def below(self, view: View, cells: int, layout: Layout, room: int) -> Block:
        """What is said of the row under the cursor."""
        key = self.table.cursor
        if key is None or not self.subject:
            return []
        found = preview(view, self.platform, self.tab, self._row(self.tab, key), self._found, key)
        if found is None:
            return []
        if layout == "small":
            return preview_strip(found, cells) if room >= 3 else []
        return preview_box(found, cells, min(room, 7 if layout == "wide" else 5))

    # -- rows --------------------------------------------------------------------------------------------------------

    def _row(self, tab: str, key: Any) -> Any:
        """The struct of a row."""
        if tab not in _ROWS or self._platform is None:
            return None
        part, rows = _ROWS[tab]
        reading = getattr(self._platform, part).reading
        return None if reading is None else getattr(reading, rows).get(_row_key(tab, str(key)))

    def struct_at(self, tab: str, key: Any) -> Described | None:
        """What a row is made of."""
        if tab == "findings":
            return next((Described(finding.title, finding) for finding in self._found if finding.id == key), None)
        row = self._row(tab, key)
        if row is None:
            return None
        use = self.platform.node_use if tab == "nodes" else self.platform.pod_use if tab == "pods" else {}
        content = {tab.rstrip("s"): row, "in use": use[key]} if key in use else row
        return Described(f"{tab.rstrip('s')} {_row_key(tab, str(key))} of {self.platform.name}", content)

    def target_of(self, tab: str, key: Key | None) -> str:
        """``kubernetes.pods lab/tenant-acme/odoo-…``: by what the engine knows a row's object; empty: none."""
        if key is None or tab not in _ROWS:
            return ""
        topic = getattr(self.platform, _ROWS[tab][0]).raw
        name = _row_key(tab, str(key)) if tab == "quotas" else str(key)
        return f"{topic.topic} {self.platform.name}/{name}" if topic is not None else ""

    def log_of(self, tab: str, key: Key | None) -> str:
        """The log of the pod; of a workload the one that is worst off."""
        return self.target_of(tab, key) if tab in ("pods", "workloads") else ""

    def selected(self, table: LiveTable, key: Any) -> None:
        """A finding has a page of its own; the object of any other row is shown as YAML."""
        target = self.target_of(self.tab, key)
        if self.tab == "findings":
            self.host.open_page("finding", key)
        elif target:
            self.host.open_page("object", target)
        else:
            self.action_describe()


def _row_key(tab: str, key: str) -> str:
    """Key of a row in its reading: quotas have a row for each resource, operators' kinds share a topic."""
    if tab == "quotas":
        return "/".join(key.split("/")[:2])  # a resource may have slashes of its own: count/deployments.apps
    return key.partition("/")[2] if tab in ("databases", "poolers") else key
