"""The header of every screen: which environment, how bad, for whom, since when, what time it is, who is looking."""

from __future__ import annotations

from console.readings import Environment, Finding
from screens.view import View
from widgets.clock import clock_line
from widgets.format import age
from widgets.spans import Block, Line, fit, joined, line, spread, width, wrap
from widgets.verdict import badge


def header_lines(view: View, cells: int) -> Block:
    """Two rows, and a third while the engine cannot be heard."""
    rows = [_first(view, cells), _rule(view, cells)]
    if view.lost:
        rows += _banner(view, cells)
    return rows


def _first(view: View, cells: int) -> Line:
    right = _right(view, cells)
    room = cells - width(right) - 2
    parts = next(
        (parts for names in (4, 3, 2, 1, 0) if width(joined(parts := _left(view, cells, names))) <= room), None
    )
    if parts is None:
        parts = _left(view, cells, 0)
        while len(parts) > 2 and width(joined(parts)) > room:
            parts.pop()
    return spread(joined(parts), right, cells)


def _left(view: View, cells: int, names: int) -> list[Line]:
    """Name, verdict, for whom, how long; the last goes first where it is narrow."""
    environment = view.environment
    name = environment.name if environment else "…"
    head = line(" ", *((("banksman ", "muted"),) if cells >= 110 else ()), (name, "strong"))
    if environment and cells >= 140:
        head = line(head, (f"  {environment.kind}", "muted"))
    parts = [head, badge(view.verdict)]
    worst = _worst(view)
    if worst:
        since = min(finding.since for finding in worst)
        lasts = line((f"for {age((view.now - since).total_seconds())}", "muted"))
        parts += [part for part in (_of_tenants(view, names) or _felt(worst, names), lasts) if part]
    return parts


def _worst(view: View) -> list[Finding]:
    if view.lost:
        return []
    open_now = [finding for finding in view.board.findings if finding.state == "open"]
    severity = open_now[0].severity if open_now else ""
    return [finding for finding in open_now if finding.severity == severity]


def _of_tenants(view: View, names: int) -> Line:
    """``3 of 41 tenants feel it``: by every open finding, as the tenants screen counts; ``hurt`` where the worst names none."""
    environment = view.environment
    if environment is None or not environment.applications:
        return ()
    found = [finding for finding in view.board.findings if finding.state == "open"]
    felt = list(dict.fromkeys(name for finding in found for name in finding.tenants))
    if not felt:
        return ()
    total = len(environment.applications)
    one = len(felt) == 1
    if any(finding.tenants for finding in _worst(view)):
        verb = "feels it" if one else "feel it"
    else:  # what is worst is not what they feel
        verb = "hurts" if one else "hurt"
    head = f"{len(felt)} of {total} tenants {verb}" if names else f"{len(felt)} of {total} {verb}"
    if names < 3:
        return line((head, "strong"))
    more = f" +{len(felt) - names}" if len(felt) > names else ""
    return line((head, "strong"), (f": {', '.join(felt[:names])}{more}", "muted"))


def _felt(findings: list[Finding], names: int) -> Line:
    """``felt by acme, bauhof +2``; only how many, where it is narrow."""
    felt = list(dict.fromkeys(name for finding in findings for name in finding.affects))
    if not felt:
        return ()
    if not names:
        return line((f"{len(felt)} feel it" if len(felt) > 1 else "felt by 1", "strong"))
    more = f" +{len(felt) - names}" if len(felt) > names else ""
    return line(("felt by ", "muted"), (", ".join(felt[:names]) + more, "strong"))


def _right(view: View, cells: int) -> Line:
    """Who looks, and the clock, of which only the last digit moves."""
    parts: list[Line] = []
    environment = view.environment
    if view.who and cells >= 72:
        parts.append(line((view.who, "muted")))
    others = len(environment.watchers) - 1 if environment else 0
    if others > 0 and cells >= 110:
        parts.append(line((f"+{others} watching", "muted")))
    clock = clock_line(view.now)
    if view.held:
        clock = line((" HELD ", "badge-mode"), " ", clock)
    elif view.replay:
        clock = line((" RECORDED ", "badge-mode"), " ", clock)
    parts.append(clock)
    return line(joined(parts), " ")


def _rule(view: View, cells: int) -> Line:
    """The rule under the header carries what must not be overlooked: production, laboratory, stand-ins, hold."""
    environment = view.environment
    if environment and environment.production:
        word = (" PRODUCTION ", "production")
        bar = "━" * max(0, cells - 2 * 12 - 4)
        return fit(
            line(("━━", "production-line"), word, (bar, "production-line"), word, ("━━", "production-line")), cells
        )
    marks = _marks(view, environment)
    note = line(" ", joined(marks), " ") if marks else ()
    if view.held and cells >= 72:
        tail: Line = line(" ", ("p", "key"), (" goes on ", "muted"), ("──", "line"))
    else:
        tail = ()
    bar = "─" * max(0, cells - width(note) - width(tail) - 2)
    return fit(line(("──", "line"), note, (bar, "line"), tail), cells)


def _marks(view: View, environment: Environment | None) -> list[Line]:
    if environment is None:
        return []
    marks: list[Line] = []
    if environment.laboratory:
        marks.append(line((" LAB ", "badge-lab")))
    marks += [line((f"{part}: stands in for {what}", "muted")) for part, what in environment.stand_ins.items()]
    if environment.shared:
        marks.append(line(("shared engine", "muted")))
    return marks


def _banner(view: View, cells: int) -> Block:
    """Why nothing can be heard, and what can be done."""
    if view.lost_state == "starting":
        return [fit(line(" ", (f"… {view.lost}", "muted")), cells)]
    what = wrap(view.lost, max(10, cells - 4), "unknown", limit=2)
    rows = [line((" ? ", "unknown strong"), *what[:1]), *(line("   ", each) for each in what[1:])]
    hint = line("   ", ("ctrl+r", "key"), (" tries again; all panes are unknown until it answers", "muted"))
    return [fit(each, cells) for each in (*rows, hint)]
