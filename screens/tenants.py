"""The tenants screen: who hurts and why, one row each, the worst first; below, the one under the cursor at a glance."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult

from console.readings import Finding
from console.readings.odoo import OdooLog
from screens.base import BoardScreen, Described, Table
from screens.layout import Sections
from screens.pane_findings import finding_line
from screens.tenant_courses import courses
from screens.tenant_detail import BOXES_FROM, detail
from screens.tenant_group import TenantNow, pods_of, tenants
from screens.tenant_rows import columns_for, rows
from screens.view import View
from widgets.columns import Key
from widgets.lines import Lines
from widgets.spans import Block, Line, joined, line, spread
from widgets.table import LiveTable
from widgets.verdict import SIGNS

LEAST_ROWS = 6
"""Rows that the table keeps, its heading included."""
_WORDS = (("critical", "critical"), ("unknown", "unknown"), ("warning", "warning"), ("ok", "ok"))


class TenantsScreen(BoardScreen):
    """Key 7."""

    name_of_pane = "application"
    DEFAULT_CSS = """
    TenantsScreen #whole { height: 1fr; }
    TenantsScreen Table { height: 1fr; }
    TenantsScreen #below { display: none; height: auto; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._tenants: tuple[TenantNow, ...] = ()

    def body(self) -> ComposeResult:
        """How many hurt; the table; the tenant under the cursor."""
        yield Lines(id="head")
        with Sections(id="whole"):
            yield Table((), id="tenants", empty="no application is configured in this environment")
            yield Lines(id="below")

    def draw(self, view: View) -> None:
        """Bring the body up to date; equal data costs nothing."""
        self._tenants = tenants(view)
        cells = self.size.width
        self.query_one("#head", Lines).show(self._head(view, cells))
        table = self.table
        columns = columns_for(self._tenants, cells)
        if table.columns != columns:
            table.set_columns(columns)
        table.set_notice("" if view.environment else "no answer from the engine yet", "muted")
        table.set_rows(rows(self._tenants, view.now, columns, cells))
        self._draw_below(view)

    @property
    def table(self) -> Table:
        """The tenants."""
        return self.query_one("#tenants", Table)

    @property
    def chosen(self) -> TenantNow | None:
        """The tenant under the cursor."""
        key = self.table.cursor
        return next((tenant for tenant in self._tenants if tenant.name == key), None)

    def _head(self, view: View, cells: int) -> Block:
        """``8 tenants   ■ 2 critical   ▲ 1 warning   ✓ 5 ok``, and the worst thing that several of them share."""
        states = [tenant.state.state for tenant in self._tenants]
        parts: list[Line] = [line((f"{len(states)} tenant{'s' if len(states) != 1 else ''}", "title"))]
        for state, word in _WORDS:
            if number := states.count(state):  # type: ignore[arg-type]
                parts.append(line((f"{SIGNS[state]} {number} {word}", state)))
        right = line(("Enter", "key"), (" all of a tenant ", "muted")) if self._tenants else ()
        head = [spread(line(" ", joined(parts, "   ")), right, cells)]
        shared = _shared(self._tenants)
        return [*head, *(finding_line(each, view.now, cells, len(shared) - 1) for each in shared[:1])]

    def _draw_below(self, view: View) -> None:
        below, whole = self.query_one("#below", Lines), self.query_one("#whole").size
        tenant = self.chosen
        least = min(LEAST_ROWS, 1 + len(self._tenants))
        room = max(whole.height - 1 - len(self._tenants), min(whole.height * 9 // 20, whole.height - least))
        drawn: Block = []
        if tenant is not None and room >= 3 and whole.width:
            drawn = detail(tenant, pods_of(view, tenant.about), view.now, whole.width, room)
            if whole.width >= BOXES_FROM:
                drawn += courses(view, tenant, whole.width, room - len(drawn))
        if below.display != bool(drawn):
            below.display = bool(drawn)
        below.show(drawn)
        self._make_room(min(whole.height - len(drawn), 1 + self.table.row_count + bool(self.table.filter)))

    def _make_room(self, height: int) -> None:
        """The table as high as its rows: what stands below follows at once."""
        wanted = max(3, height)
        now = self.table.styles.height
        if now is None or now.value != wanted:
            self.table.styles.height = wanted

    def on_live_table_highlighted(self, event: LiveTable.Highlighted) -> None:
        """What stands below is about the row under the cursor."""
        self._draw_below(self.host.view)

    # -- keys --------------------------------------------------------------------------------------------------------

    def selected(self, table: LiveTable, key: Key) -> None:
        """Enter: everything of a tenant."""
        self.host.open_page("tenant", str(key))

    def action_section(self, key: str) -> None:
        """A part of the tenant under the cursor, from the palette."""
        if self.chosen is not None:
            self.host.open_page("tenant", (self.chosen.name, key))

    def described(self) -> Described | None:
        """Everything read of the tenant under the cursor."""
        return describe_tenant(self.chosen)

    def log_target(self) -> str:
        """The log of the tenant under the cursor."""
        return log_of(self.chosen)


def _shared(listed: tuple[TenantNow, ...]) -> list[Finding]:
    """Findings of the platform that more than one tenant feels, the worst first."""
    felt: dict[str, int] = {}
    found: dict[str, Finding] = {}
    for tenant in listed:
        for finding in tenant.found:
            if finding.scope == "platform" and finding.state == "open":
                felt[finding.id] = felt.get(finding.id, 0) + 1
                found[finding.id] = finding
    several = [finding for name, finding in found.items() if felt[name] > 1]
    return sorted(several, key=lambda finding: (finding.severity != "critical", -felt[finding.id]))


def describe_tenant(tenant: TenantNow | None) -> Described | None:
    """What is read of a tenant, as data."""
    if tenant is None:
        return None
    content: dict[str, Any] = {"tenant": tenant.about}
    if tenant.found:
        content["findings"] = {finding.id: finding.title for finding in tenant.found}
    for word, part in tenant.parts:
        content[f"{word} {part.key}"] = part.raw if part.raw is not None else "not read yet"
    if tenant.flow is not None:
        content["routers"] = {router.name: router for router in tenant.flow.routers}
    return Described(f"tenant {tenant.name}", content)


def log_of(tenant: TenantNow | None) -> str:
    """Address of a tenant's log; empty: the environment file names none."""
    return f"{OdooLog.topic} {tenant.name}" if tenant is not None and tenant.about.log else ""
