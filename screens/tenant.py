"""Everything of one tenant, across systems: what Enter on the tenants screen opens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from console.readings import Finding
from console.readings.kubernetes import KubePod
from screens import tenant_sections as sections
from screens.base import Described
from screens.pane_findings import findings as findings_section
from screens.section import Section, Tab
from screens.sections import Layout, SectionsScreen
from screens.tabs import Badge
from screens.tenant_courses import courses
from screens.tenant_detail import column, glance, title
from screens.tenant_group import TenantNow, pods_of, tenants
from screens.tenant_jobs import jobs, queue
from screens.tenant_routes import pods_section, routes_section
from screens.tenant_words import silent_parts
from screens.tenants import describe_tenant, log_of
from screens.view import View
from widgets.columns import Key
from widgets.spans import Block, line
from widgets.topology import Topology

TABS = (
    Tab("findings", "Findings", "Findings"),
    Tab("pages", "Pages", "Pages"),
    Tab("jobs", "Scheduled jobs", "Jobs"),
    Tab("queue", "Queue", "Queue"),
    Tab("mail", "Mail", "Mail"),
    Tab("files", "Attachments", "Files"),
    Tab("modules", "Modules", "Modules"),
    Tab("events", "Log events", "Log"),
    Tab("routes", "Routers", "Routes"),
    Tab("pods", "Pods", "Pods"),
    Tab("untold", "Not told", "Untold"),
)


class TenantScreen(SectionsScreen):
    """One tenant; ``[`` and ``]`` go to the others, in the order of the tenants screen."""

    name_of_pane = "tenant"
    tabs: ClassVar[tuple[Tab, ...]] = TABS
    nothing = "no application is configured in this environment"

    def __init__(self, opened: str | tuple[str, str]) -> None:
        """``opened``: the tenant's name, or its name and a tab."""
        super().__init__()
        name, tab = opened if isinstance(opened, tuple) else (opened, "")
        self._subject = name
        self._tab = tab if tab in {each.key for each in TABS} else self._tab
        self._tenants: tuple[TenantNow, ...] = ()
        self._tenant: TenantNow | None = None
        self._pods: tuple[KubePod, ...] | None = None

    # -- what is shown -----------------------------------------------------------------------------------------------

    def subjects(self, view: View) -> list[str]:
        """Tenants, the worst first."""
        self._tenants = tenants(view)
        return [tenant.name for tenant in self._tenants]

    def look(self, view: View, subject: str) -> None:
        """The tenant and its pods, once for a picture."""
        self._tenant = next((tenant for tenant in self._tenants if tenant.name == subject), None)
        self._pods = pods_of(view, self._tenant.about) if self._tenant else None

    def findings(self, view: View) -> list[Finding]:
        """What it feels, of every pane."""
        return list(self._tenant.found) if self._tenant else []

    def section(self, key: str, view: View) -> Section:
        """The section of a tab."""
        tenant, now = self._tenant, view.now
        if tenant is None:
            return Section((), empty=self.nothing)
        if key == "findings":
            return findings_section(list(tenant.found), now, silent_parts(tenant, now))
        if key == "routes":
            return routes_section(tenant)
        if key == "pods":
            return pods_section(tenant, self._pods, now)
        if key == "untold":
            return sections.untold(tenant)
        make = {
            "pages": sections.pages,
            "jobs": jobs,
            "queue": queue,
            "mail": sections.mail,
            "files": sections.files,
            "modules": sections.modules,
            "events": sections.events,
        }[key]
        return make(tenant, now)

    def offered(self, view: View) -> tuple[Tab, ...]:
        """The tabs of what is watched of this tenant."""
        tenant = self._tenant
        if tenant is None:
            return TABS[:1]
        watched = {
            "pages": tenant.pages is not None,
            **dict.fromkeys(("jobs", "queue", "mail", "modules"), bool(tenant.databases)),
            "files": bool(tenant.files),
            "events": tenant.log is not None,
            "routes": tenant.flow is not None,
            "pods": bool(tenant.about.namespace and view.environment and view.environment.panes.get("cluster")),
            "untold": bool(tenant.untold),
        }
        return tuple(tab for tab in TABS if watched.get(tab.key, True))

    def badges(self, view: View) -> Mapping[str, Badge]:
        """Numbers at the tabs."""
        badges: dict[str, Badge] = {}
        for tab in self.offered(view):
            section = self.section(tab.key, view)
            if section.notice:
                badges[tab.key] = Badge("?", "unknown")
            elif section.count:
                badges[tab.key] = Badge(str(section.count), section.state)
        return badges

    def topology(self, view: View) -> Topology:
        """None: how a tenant hangs together is the same for all."""
        return Topology()

    def head(self, view: View, cells: int, layout: Layout) -> Block:
        """Who it is."""
        return [title(self._tenant, cells)] if self._tenant else []

    def side(self, view: View, cells: int, height: int) -> Block:
        """The whole tenant at a glance."""
        return column(self._tenant, self._pods, view.now, cells, height) if self._tenant else []

    def below(self, view: View, cells: int, layout: Layout, room: int) -> Block:
        """The other topics at a glance, where no side has them; on a wide screen the last minutes."""
        if self._tenant is None:
            return []
        if layout == "wide":
            return courses(view, self._tenant, cells, room)
        without = {"events": "log", "routes": "traffic"}.get(self.tab, self.tab)
        drawn = glance(self._tenant, self._pods, view.now, cells, room - 1, without=without)
        return [line(("─" * cells, "line")), *drawn] if drawn else []

    # -- rows --------------------------------------------------------------------------------------------------------

    def described(self) -> Described | None:
        """The row under the cursor; where there is none, the tenant."""
        return super().described() or describe_tenant(self._tenant)

    def struct_at(self, tab: str, key: Any) -> Described | None:
        """What a row is made of."""
        if self._tenant is None:
            return None
        if tab == "findings":
            return next((Described(each.title, each) for each in self._tenant.found if each.id == key), None)
        row = row_of(self._tenant, self._pods, tab, key)
        return describe_tenant(self._tenant) if row is None else Described(f"{tab} of {self._tenant.name}", row)

    def log_of(self, tab: str, key: Key | None) -> str:
        """The tenant's own log."""
        return log_of(self._tenant)


def row_of(tenant: TenantNow, pods: tuple[KubePod, ...] | None, tab: str, key: Any) -> Any:
    """The struct behind a row of a tab; None: there is none."""
    databases = {part.reading.database: part.reading for part in tenant.databases if part.reading}
    if tab == "pages" and tenant.pages is not None and tenant.pages.reading is not None:
        return tenant.pages.reading.steps.get(key)
    if tab == "events" and tenant.log is not None and tenant.log.reading is not None:
        rows = tenant.log.reading.events.values()
        return next((row for row in rows if (row.what, row.subject, row.database) == key), None)
    if tab == "pods":
        return next((pod for pod in pods or () if pod.name == key), None)
    if tab == "routes" and tenant.flow is not None:
        named: tuple[Any, ...] = (*tenant.flow.routers, *tenant.flow.services)
        return next((each for each in named if (type(each).__name__, each.name) == key), None)
    if tab == "mail":
        reasons = [each.mail.reasons.get(key) for each in databases.values() if each.mail]
        return next((row for row in reasons if row is not None), None)
    if not isinstance(key, tuple) or key[0] not in databases:
        return None
    database = databases[key[0]]
    if tab == "jobs":
        return database.crons.get(str(key[1]))
    if tab == "modules":
        return database.modules.get(key[1])
    if tab == "queue":
        return (database.channels if key[1] == "channel" else database.failed_jobs).get(key[2])
    return None
