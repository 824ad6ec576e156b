"""How a tile is drawn: facts in, a framed block of any size out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from console.readings import Pane, State, Trend
from screens.tile_extras import Part, parts_block
from widgets.format import number, percent, size, size_rate
from widgets.spans import Block, Line, beside, fit, line, pad, width
from widgets.spark import chart, trend_line
from widgets.tile import tile

SIDE_BY_SIDE = 74
"""Inner width from which members and figures stand beside each other."""


@dataclass(frozen=True)
class Figure:
    """One figure of a tile: label, value, and its recent course."""

    label: str
    value: str
    style: str = ""
    trend: Trend | None = None
    high: float | None = None
    note: str = ""


@dataclass(frozen=True)
class TileFacts:
    """What a tile shows, whatever its size."""

    pane: Pane
    subject: str
    title: str
    key: str
    state: State
    age_s: float | None
    why: str
    members: tuple[Line, ...]
    figures: tuple[Figure, ...]
    parts: tuple[Part, ...] = ()
    """What follows where there is room."""
    told: bool = False
    """Its members are sentences: beside figures they get the greater part."""


def draw_tile(facts: TileFacts, cells: int, height: int, selected: bool = False) -> Block:
    """The tile at this size: what is least telling is left out first."""
    inner = cells - 4
    rows = max(0, height - 2)
    if inner >= SIDE_BY_SIDE:
        left = inner * 3 // 5 if facts.told else min(46, inner * 2 // 5)
        right = inner - left - 3
        body = beside(
            pad([fit(each, left) for each in facts.members], left, rows),
            pad([figure_line(each, right) for each in facts.figures], right, rows),
            gap=3,
        )
        used = max(len(facts.members), len(facts.figures))
        body = body[:used]
    else:
        figures = facts.figures[: max(1, rows - len(facts.members))] if facts.figures else ()
        members = facts.members[: rows - len(figures)] if len(facts.members) + len(figures) > rows else facts.members
        body = [fit(each, inner) for each in members]
        body += [figure_line(each, inner) for each in figures]
    body += parts_block(facts.parts, inner, rows - len(body))
    body += _charts(facts.figures, inner, rows - len(body))
    framed = [line(" ", each) for each in body]
    return tile(facts.title, framed, cells, height, facts.state, key=facts.key, age_s=facts.age_s, selected=selected)


def _charts(figures: Sequence[Figure], cells: int, rows: int) -> Block:
    """What room is still left shows courses large: a blank row, a heading, then at least three rows each."""
    drawn = [figure for figure in figures if figure.trend is not None and figure.trend.points]
    drawn = drawn[: max(0, rows // 5)]
    block: Block = []
    for at, figure in enumerate(drawn):
        assert figure.trend is not None
        height = rows // len(drawn) + (1 if at < rows % len(drawn) else 0) - 2
        top = figure.high or max(figure.trend.points.values())
        title = line((figure.label, "heading"), (f"  15 min, to {_amount(top, figure.trend.unit)} ", "muted"))
        block += [(), line(title, ("─" * max(0, cells - width(title)), "line"))]
        block += chart(figure.trend.points, min(90, cells), min(height, 8), high=figure.high)
    return block


def _amount(value: float, unit: str) -> str:
    if unit == "ratio":
        return percent(value)
    if unit in ("B", "B/s"):
        return size(value) if unit == "B" else size_rate(value)
    return f"{number(value)}{unit if unit.startswith('/') else ' ' + unit if unit else ''}"


def figure_line(figure: Figure, cells: int) -> Line:
    """``commits    412/s  ▁▂▂▃▅▇▇▆``."""
    label = 8 if cells < 48 else 13
    head = line(*fit(((figure.label, "muted"),), label), *fit(((figure.value, figure.style),), 9, "right"))
    if figure.note:
        head = line(head, "  ", (figure.note, "muted"))
    room = min(90, cells - label - 9 - 2)
    if figure.trend is None or figure.note or room < 6:
        return fit(head, cells)
    return fit(line(head, "  ", trend_line(figure.trend.points, room, high=figure.high)), cells)
