"""What stands under an ingress's table where there is room: other sections in brief, and the row under the cursor in full."""

from __future__ import annotations

from collections.abc import Callable

from screens.database_preview import Preview, preview_box
from screens.layout import LEAST_ROWS
from screens.section import Section
from widgets.columns import place, row_line
from widgets.spans import Block, beside, box, line

PREVIEW = 5
LEAST_BRIEF, MOST_BRIEF = 5, 9
"""Lines of a box with a section in brief, frame included."""
BRIEF = (("errors", "Went wrong within five minutes"), ("services", "Backends"), ("certificates", "Certificates"))


def below(
    found: Preview | None,
    section: Callable[[str], Section],
    shown: Section,
    tab: str,
    cells: int,
    room: int,
    *,
    wide: bool,
) -> Block:
    """At most ``room`` lines; the table keeps all its rows before other sections come in brief."""
    own = preview_box(found, cells, min(room, PREVIEW)) if found is not None else []
    spare = room - len(own) - max(0, len(shown.rows) - LEAST_ROWS)
    if not wide or spare < LEAST_BRIEF:
        return own
    height = min(MOST_BRIEF, spare)
    each = (cells - 1) // 2
    boxes = [_brief(title, section(key), each, height) for key, title in BRIEF if key != tab][:2]
    return [*beside(*boxes, gap=1), *own]


def _brief(title: str, section: Section, cells: int, height: int) -> Block:
    """The first rows of a section, as its table shows them."""
    if section.notice:
        return box([line((f" {section.notice}", section.notice_style))], cells, height, title, style="unknown")
    layout = place(section.columns, cells - 4)
    rows = [line(" ", row_line(row, layout)) for row in section.rows[: height - 2]]
    return box(rows or [line((f" {section.empty}", "muted"))], cells, height, title)
