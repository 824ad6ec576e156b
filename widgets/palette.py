"""Semantic styles: what a name such as ``warning`` looks like in the theme of the hour.

Widgets and screens name meanings, never colours. A style name is one or more of ``NAMES`` joined by blanks; later ones
lie over earlier ones. Colours come from the theme's variables (``sign-…`` of our own themes, with fallbacks to
Textual's, so that any theme works). Without colour (NO_COLOR) only attributes are left; every meaning that matters is
also said by a sign or a word.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from rich.style import Style
from textual.color import Color, ColorParseError

if TYPE_CHECKING:
    from textual.app import App


class _Look(NamedTuple):
    """Foreground and background as theme variables, the first that the theme knows; attributes."""

    colour: tuple[str, ...] = ()
    ground: tuple[str, ...] = ()
    attributes: str = ""
    mono: str = ""
    """Attributes in place of the above where there is no colour."""


_LOOKS: dict[str, _Look] = {
    "text": _Look(("foreground",)),
    "strong": _Look((), (), "bold", "bold"),
    "underline": _Look((), (), "underline", "underline"),
    "muted": _Look(("sign-muted", "foreground-muted")),
    "line": _Look(("sign-line", "foreground-disabled")),
    "title": _Look(("sign-title", "foreground"), (), "bold", "bold"),
    "accent": _Look(("sign-accent", "text-primary", "primary")),
    "key": _Look(("sign-accent", "text-primary", "primary"), (), "bold", "bold"),
    "series": _Look(("sign-series", "text-secondary", "secondary")),
    "chart": _Look(("sign-chart", "foreground-disabled")),
    "ok": _Look(("sign-ok", "text-success", "success")),
    "warning": _Look(("sign-warning", "text-warning", "warning"), (), "", "bold"),
    "critical": _Look(("sign-critical", "text-error", "error"), (), "bold", "bold"),
    "unknown": _Look(("sign-unknown", "text-accent", "accent"), (), "", "underline"),
    "not-configured": _Look(("sign-muted", "foreground-muted")),
    "primary": _Look(("sign-accent", "text-primary", "primary"), (), "bold", "bold"),
    "match": _Look(("sign-on-badge", "background"), ("sign-accent", "primary"), "", "underline"),
    "mark": _Look(("sign-accent", "text-primary", "primary"), (), "bold", "bold"),
    "heading": _Look(("sign-muted", "foreground-muted"), (), "bold", "bold"),
    "cursor": _Look((), ("sign-cursor", "primary-muted"), "", "reverse"),
    "cursor-away": _Look((), ("sign-cursor-away", "surface"), "", "underline"),
    "badge-ok": _Look(("sign-on-badge", "background"), ("sign-ok", "success"), "bold", "bold"),
    "badge-warning": _Look(("sign-on-badge", "background"), ("sign-warning", "warning"), "bold", "bold reverse"),
    "badge-critical": _Look(("sign-on-badge", "background"), ("sign-critical", "error"), "bold", "bold reverse"),
    "badge-unknown": _Look(("sign-on-badge", "background"), ("sign-unknown", "accent"), "bold", "bold reverse"),
    "badge-not-configured": _Look(("sign-on-badge", "background"), ("sign-muted", "secondary"), "bold", "bold"),
    "badge-mode": _Look(("sign-on-badge", "background"), ("sign-accent", "primary"), "bold", "bold reverse"),
    "badge-lab": _Look(("sign-accent", "text-primary", "primary"), ("sign-cursor", "surface"), "bold", "bold"),
    "production": _Look(("sign-on-production", "text"), ("sign-production", "error"), "bold", "bold reverse"),
    "production-line": _Look(("sign-production", "error"), (), "bold", "bold"),
}
_POOR = {"cursor": "underline", "cursor-away": "underline", "match": "underline"}
"""In a theme without grounds of its own (``sign-grounds: none``): these by attribute, the others reversed."""
NAMES = frozenset(_LOOKS)
"""Every style name there is."""


def _colour(variables: Mapping[str, str], names: tuple[str, ...]) -> Color | None:
    for name in names:
        value = variables.get(name)
        if value is None:
            continue
        try:
            return Color.parse(value)
        except ColorParseError:  # "auto 87%" and the like: no colour of its own
            continue
    return None


class Palette:
    """Style names resolved in one theme."""

    def __init__(self, variables: Mapping[str, str], mono: bool = False) -> None:
        self._variables = variables
        self._mono = mono
        self._poor = not mono and variables.get("sign-grounds") == "none"
        self._cache: dict[str, Style] = {}
        ground = _colour(variables, ("background",))
        front = _colour(variables, ("foreground",))
        self._base = (
            Style.null()
            if mono
            else Style.from_color(front.rich_color if front else None, ground.rich_color if ground else None)
        )

    def __getitem__(self, names: str) -> Style:
        """The style of ``names``; an unknown name raises KeyError."""
        style = self._cache.get(names)
        if style is None:
            style = self._base
            for name in names.split():
                style += self._one(name)
            self._cache[names] = style
        return style

    def _one(self, name: str) -> Style:
        look = _LOOKS[name]
        if self._poor and look.ground:
            # Sixteen colours of unknown shades: a ground of one's own could swallow the text on it.
            front = _colour(self._variables, look.ground)
            return Style.parse(_POOR.get(name, "bold reverse")) + (
                Style.null() if name in _POOR or front is None else Style.from_color(front.rich_color)
            )
        if self._mono:
            return Style.parse(look.mono or look.attributes or "none")
        front, ground = _colour(self._variables, look.colour), _colour(self._variables, look.ground)
        colours = Style.from_color(front.rich_color if front else None, ground.rich_color if ground else None)
        return Style.parse(look.attributes or "none") + colours


_palettes: dict[tuple[str, bool], Palette] = {}


def palette_of(app: App[object]) -> Palette:
    """The palette of the application's theme, made once for each theme."""
    key = (app.theme, app.no_color)
    palette = _palettes.get(key)
    if palette is None:
        palette = _palettes[key] = Palette(app.get_css_variables(), app.no_color)
    return palette
