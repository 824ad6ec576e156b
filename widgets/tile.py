"""Tiles: a titled box whose state is said by colour, sign and word, with its age in the border once it is unknown."""

from __future__ import annotations

from collections.abc import Sequence

from widgets.format import age
from widgets.lines import Lines
from widgets.spans import Block, Line, box, line
from widgets.verdict import word


def tile(
    title: str,
    body: Sequence[Line],
    cells: int,
    height: int,
    state: str = "ok",
    *,
    key: str = "",
    age_s: float | None = None,
    selected: bool = False,
) -> Block:
    """A tile of ``cells`` × ``height``: ``╭ 3 Database · main ── ▲ WARNING ╮``.

    ``key``: the key that opens it. ``age_s``: age of what it stands on, shown where the state is unknown (None: never
    read). ``selected``: drawn with ▸ and a bright edge.
    """
    edge = "accent" if selected else "line" if state in ("ok", "not-configured") else state
    head = line(("▸" if selected else "", "accent"), (f"{key} " if key else "", "key"), (title, "title"))
    note = () if state == "ok" else word(state)
    foot: Line = ()
    if state == "unknown":
        foot = line((f"read {age(age_s)} ago" if age_s is not None else "first look", "unknown"))
    return box(body, cells, height, head, note, edge, foot)


class Tile(Lines):
    """One tile as a widget: ``tile.put("Cache", body, "warning", key="4")``."""

    def put(
        self, title: str, body: Sequence[Line], state: str = "ok", *, key: str = "", age_s: float | None = None
    ) -> None:
        """Show this; equal content costs nothing."""
        size = self.size
        if size.width and size.height:
            self.show(tile(title, body, size.width, size.height, state, key=key, age_s=age_s))
