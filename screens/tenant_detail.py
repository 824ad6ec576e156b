"""One tenant at a glance, in whatever room there is: its findings, then topic by topic."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from console.readings.kubernetes import KubePod
from screens.pane_findings import finding_line, findings_box
from screens.tenant_group import TenantNow
from screens.tenant_topic import Topic
from screens.tenant_topics import topics
from screens.tenant_words import silent_parts, version_of
from widgets.format import size
from widgets.spans import Block, Line, beside, box, fit, joined, line, pad, width, wrap

BOXES_FROM = 110
"""Cells from which topics stand in boxes beside each other."""
THREE_FROM = 165
LABEL = 8
_NAMES = {"people": "users", "untold": "not told"}


def detail(tenant: TenantNow, pods: tuple[KubePod, ...] | None, now: datetime, cells: int, room: int) -> Block:
    """Who it is, what was found, and every topic: at most ``room`` lines of ``cells``."""
    head = title(tenant, cells)
    return [head, *glance(tenant, pods, now, cells, room - 1, found=True)] if room > 1 else [head][:room]


def glance(
    tenant: TenantNow,
    pods: tuple[KubePod, ...] | None,
    now: datetime,
    cells: int,
    room: int,
    *,
    found: bool = False,
    without: str = "",
) -> Block:
    """Every topic but ``without``, as lines or in boxes, after what was ``found``; what tells least is left out first."""
    if cells < BOXES_FROM:
        told = topics(tenant, pods, now, cells - LABEL - 3)
        return _lines(tenant, _but(told, without), now, cells, room, found)
    columns = 3 if cells >= THREE_FROM else 2
    told = topics(tenant, pods, now, cells // columns - 4)
    return _boxes(tenant, _but(told, without), now, cells, room, columns, found)


def column(tenant: TenantNow, pods: tuple[KubePod, ...] | None, now: datetime, cells: int, room: int) -> Block:
    """What was found and every topic in boxes under each other, for the side of a wide screen."""
    return _boxes(tenant, topics(tenant, pods, now, cells - 4), now, cells, room, 1, True)


def _but(told: Sequence[Topic], without: str) -> list[Topic]:
    return [topic for topic in told if topic.key != without]


def title(tenant: TenantNow, cells: int) -> Line:
    """``── acme · Acme Hochbau · Odoo 18.0 · acme.lab.test ──────``."""
    database = tenant.database
    words = [tenant.label if tenant.label != tenant.name else ""]
    words.append(f"Odoo {version_of(database)}" if database is not None and database.version else "")
    words += tenant.about.hosts
    words.append(size(database.size_bytes) if database is not None and database.size_bytes is not None else "")
    if database is not None and database.standby:
        words.append("read on a standby")
    if database is not None and database.neutralized:
        words.append("neutralized")
    told = joined([line((word, "muted")) for word in words if word], line((" · ", "line")))
    head = line(("── ", "line"), (tenant.name, "title"), "  ", told, " ")
    return fit(line(head, ("─" * max(0, cells - width(head)), "line")), cells)


def _lines(tenant: TenantNow, told: Sequence[Topic], now: datetime, cells: int, room: int, found: bool) -> Block:
    """A line for each finding and each topic: the most important that fit, in the order in which one asks."""
    rows: list[tuple[float, Line]] = []
    for number, finding in enumerate(tenant.found if found else ()):
        rows.append((0 if not number else 2, finding_line(finding, now, cells)))
        if not number and finding.state == "open":
            rows += [(5, each) for each in _answer("felt", finding.impact, cells)]
            rows += [(1, each) for each in _answer("do", finding.action, cells, "accent")]
    if found and not tenant.found and (silent := silent_parts(tenant, now)):
        rows.append((0, fit(line(" ", (f"? {silent}", "unknown")), cells)))
    for number, topic in enumerate(told):
        important = 3.0 if topic.style else 6.0 if topic.key == "untold" else 4.0
        label = _NAMES.get(topic.key, topic.key)
        rows.append((important + number / 100, fit(line((f" {label:<{LABEL}} ", "muted"), topic.short), cells)))
    kept = sorted(sorted(range(len(rows)), key=lambda at: (rows[at][0], at))[:room])
    return [rows[at][1] for at in kept]


def _answer(label: str, text: str, cells: int, style: str = "") -> Block:
    found = wrap(text, cells - LABEL - 3, style, limit=2) if text else []
    return [line((f" {label if not at else '':<{LABEL}} ", "muted"), row) for at, row in enumerate(found)]


def _boxes(
    tenant: TenantNow, told: Sequence[Topic], now: datetime, cells: int, room: int, columns: int, found: bool
) -> Block:
    """Boxes in columns, each where there is most room left; what finds none is left out."""
    widths = [cells // columns + (1 if at < cells % columns else 0) for at in range(columns)]
    stacks: list[Block] = [[] for _ in range(columns)]
    if found:
        silent = silent_parts(tenant, now)
        stacks[0] += findings_box(list(tenant.found), now, widths[0], min(room, max(5, room * 2 // 3)), silent)
    for topic in sorted(told, key=lambda topic: not topic.style):
        at = min(range(columns), key=lambda column: (len(stacks[column]), column))
        body = [line(" ", each) for each in topic.long(widths[at] - 4)]
        left = room - len(stacks[at]) - 2
        if left < 1:
            continue
        if len(body) > left:
            body = [*body[: left - 1], line((f" and {len(body) - left + 1} more", "muted"))]
        stacks[at] += box(body, widths[at], len(body) + 2, topic.title, style=topic.style or "line")
    height = max(map(len, stacks))
    return beside(*(pad(stack, widths[at], height) for at, stack in enumerate(stacks)))
