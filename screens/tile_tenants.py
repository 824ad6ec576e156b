"""The tile of the tenants: who hurts, by name and why; the slowest page, late jobs and the queue of all together."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from console.board import Board
from console.readings.odoo import OdooStep
from screens.tenant_group import TenantNow, tenants
from screens.tenant_words import Figures, figures, mark, steps_of, telling_step, why
from screens.tile_drawing import Figure, TileFacts
from screens.tile_words import marked, tile_state, trend_of
from screens.view import View
from widgets.format import count, milliseconds, number
from widgets.gauge import thin_bar
from widgets.spans import Line, fit, line
from widgets.verdict import sign

SUBJECT = "tenants"
MOST = 6
"""Tenants that hurt which the tile names in lines of their own."""
_RANK = {"not-configured": 0, "ok": 1, "warning": 2, "unknown": 3, "critical": 4}


def crowds(board: Board) -> list[str]:
    """One tile for all tenants, where any is looked at."""
    environment = board.environment
    return [SUBJECT] if environment is not None and environment.panes.get("application") else []


def tenants_tile(view: View, name: str, narrow: bool = False) -> TileFacts:
    """All tenants. Its state is the pane's or, where that is worse, the worst tenant's: what it feels may come from elsewhere."""
    listed = tenants(view)
    state, age_s, because = tile_state(view, "application", name, True)
    worst = max((tenant.state.state for tenant in listed), key=_RANK.__getitem__, default=state)
    if _RANK[worst] > _RANK[state]:
        state = worst
    title = "Tenants" if len(listed) == 1 else f"Tenants · {len(listed)}"
    members, sums = _members(view, listed, narrow), _figures(view, listed)
    parts = (("slowest pages", _by_page(listed)), ("queued jobs", _by_queue(listed)))
    return TileFacts(
        "application", name, title, "7", state, age_s, because, tuple(members), tuple(sums), parts, told=True
    )


def _told(listed: Sequence[TenantNow]) -> list[tuple[TenantNow, str, OdooStep]]:
    """The step of each tenant that tells most, where any is known."""
    return [(tenant, *told) for tenant in listed if (told := telling_step(steps_of(tenant))) is not None]


def _by_page(listed: Sequence[TenantNow]) -> list[Line]:
    """The slowest page of each tenant, the slowest first."""
    told = sorted(
        ((tenant, name, step.ms) for tenant, name, step in _told(listed) if step.ms), key=lambda each: -each[2]
    )
    return [_bar(tenant.name, milliseconds(ms), ms / told[0][2], name) for tenant, name, ms in told[:MOST]]


def _by_queue(listed: Sequence[TenantNow]) -> list[Line]:
    """Who has most jobs waiting."""
    told = sorted(((each.name, figures(each).waiting or 0) for each in listed), key=lambda each: (-each[1], each[0]))
    return [_bar(name, number(waiting), waiting / told[0][1], "") for name, waiting in told[:MOST] if waiting]


def _bar(name: str, value: str, share: float, note: str) -> Line:
    return line(*fit(name, 12), *fit(value, 8, "right"), "  ", (thin_bar(share, 16), "series"), "  ", (note, "muted"))


def _members(view: View, listed: Sequence[TenantNow], narrow: bool) -> list[Line]:
    """Those that do not do well, a line each, then how many do."""
    bad = [tenant for tenant in listed if tenant.state.state not in ("ok", "not-configured")]
    if len(bad) == len(listed) > 1 and len({why(tenant, view.now) for tenant in bad}) == 1:
        text, style = why(bad[0], view.now)
        return [line(sign(bad[0].state.state), " ", ("all " + number(len(bad)), "strong"), "  ", (text, style))]
    rows = [
        line(sign(tenant.state.state), " ", *fit(((tenant.name, "strong"),), 9), " ", why(tenant, view.now))
        for tenant in bad[:MOST]
    ]
    if len(bad) > MOST:
        rows.append(line((f"  and {len(bad) - MOST} more: {', '.join(each.name for each in bad[MOST:])}", "muted")))
    well = [tenant.name for tenant in listed if tenant.state.state == "ok"]
    if well:
        rows.append(
            line(
                ("✓ ", "ok"),
                number(len(well)),
                (f" ok: {', '.join(well)}" if not narrow or not bad else " ok", "muted"),
            )
        )
    return rows


def _figures(view: View, listed: Sequence[TenantNow]) -> list[Figure]:
    """The worst page of all, then sums. Where some tenants cannot be read, a sum says of how many it is."""
    told = [(tenant, figures(tenant)) for tenant in listed]
    watched = [(tenant, each) for tenant, each in told if each.watched]
    known = [(tenant, each) for tenant, each in watched if each.known]
    found = [_slowest(view, listed)]
    if watched and not known:
        return [*found, Figure("jobs", "unknown", "unknown", note="no database can be read")]
    some = f"of {len(known)} of {len(watched)} tenants" if len(known) < len(watched) else ""
    if known:
        found.append(_sum("late", "late", known, lambda each: each.late or 0, some or "scheduled jobs"))
        waiting = _sum("queue", "queue", known, lambda each: each.waiting or 0, some)
        failed = sum(each.failed or 0 for _, each in known)
        found.append(waiting if some else _noted(waiting, f"{count(failed, 'failed job')}" if failed else "jobs wait"))
        mail = _sum("mail", "mail", known, lambda each: each.mail_waiting or 0, some)
        refused = sum(each.mail_failed or 0 for _, each in known)
        found.append(mail if some else _noted(mail, f"{count(refused, 'mail')} refused" if refused else "mails wait"))
    return found


def _noted(figure: Figure, note: str) -> Figure:
    return Figure(figure.label, figure.value, figure.style, figure.trend, figure.high, note)


def _sum(
    label: str, spoken: str, known: Sequence[tuple[TenantNow, Figures]], value: Callable[[Figures], int], note: str
) -> Figure:
    severity = next((said for tenant, _ in known if (said := mark(tenant, spoken))), "")
    total = sum(value(each) for _, each in known)
    return Figure(label, marked(number(total), severity), severity, note=note)


def _slowest(view: View, listed: Sequence[TenantNow]) -> Figure:
    """The page that takes longest, or one that fails, with its tenant's last minutes."""
    steps = _told(listed)
    if not steps:
        return Figure("pages", "unknown", "unknown", note="no page can be asked")
    tenant, name, step = max(steps, key=lambda each: (each[2].ok is False, each[2].ms or 0.0))
    severity = mark(tenant, "pages")
    trend = trend_of(view.board, "application", tenant.name, "page")
    if step.ok is False:
        return Figure("pages", marked("fails", severity), severity or "strong", trend, note=f"{name} of {tenant.name}")
    label = "slowest"
    return Figure(
        label,
        marked(milliseconds(step.ms), severity),
        severity,
        trend,
        note="" if trend else f"{name} of {tenant.name}",
    )
