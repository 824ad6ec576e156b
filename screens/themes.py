"""Themes of our own: calm at rest, loud only where something is wrong.

Signs differ in lightness and hue so that they can be told apart with every kind of colour blindness, and each is said by
a sign and a word beside it.
"""

from __future__ import annotations

from textual.theme import Theme

DARK = Theme(
    name="banksman-dark",
    dark=True,
    primary="#6cb6ff",
    secondary="#7aa2b8",
    accent="#b99cf2",
    foreground="#d4dae3",
    background="#0f131a",
    surface="#161c26",
    panel="#1b2330",
    success="#63c5a3",
    warning="#f0b648",
    error="#ff6b61",
    variables={
        "sign-muted": "#8793a4",
        "sign-line": "#3c485a",
        "sign-title": "#e9edf3",
        "sign-accent": "#6cb6ff",
        "sign-series": "#527d9b",
        "sign-chart": "#36536b",
        "sign-ok": "#63c5a3",
        "sign-warning": "#f0b648",
        "sign-critical": "#ff6b61",
        "sign-unknown": "#c3a6ff",
        "sign-cursor": "#233149",
        "sign-cursor-away": "#1a2230",
        "sign-on-badge": "#0f131a",
        "sign-production": "#e0218a",
        "sign-on-production": "#ffffff",
        "input-cursor-background": "#6cb6ff",
        "input-cursor-foreground": "#0f131a",
        "input-selection-background": "#233149",
    },
)

LIGHT = Theme(
    name="banksman-light",
    dark=False,
    primary="#0b5cad",
    secondary="#44708c",
    accent="#6b3fb5",
    foreground="#1d2530",
    background="#fbfbf9",
    surface="#f1f2f0",
    panel="#e8eae8",
    success="#0d6e55",
    warning="#8a5a00",
    error="#b3201b",
    variables={
        "sign-muted": "#5c6776",
        "sign-line": "#b9c1cb",
        "sign-title": "#10161f",
        "sign-accent": "#0b5cad",
        "sign-series": "#3f7391",
        "sign-chart": "#93b3c8",
        "sign-ok": "#0d6e55",
        "sign-warning": "#8a5a00",
        "sign-critical": "#b3201b",
        "sign-unknown": "#6b3fb5",
        "sign-cursor": "#d6e6f7",
        "sign-cursor-away": "#e9edf0",
        "sign-on-badge": "#ffffff",
        "sign-production": "#b0136a",
        "sign-on-production": "#ffffff",
        "input-cursor-background": "#0b5cad",
        "input-cursor-foreground": "#ffffff",
        "input-selection-background": "#d6e6f7",
    },
)

SIXTEEN = Theme(
    name="banksman-16",
    dark=True,
    ansi=True,
    primary="ansi_bright_cyan",
    secondary="ansi_cyan",
    accent="ansi_bright_magenta",
    success="ansi_green",
    warning="ansi_yellow",
    error="ansi_bright_red",
    variables={
        "ansi-background": "ansi_black",
        "ansi-foreground": "ansi_white",
        "sign-muted": "ansi_default",
        "sign-line": "ansi_bright_black",
        "sign-title": "ansi_default",
        "sign-accent": "ansi_cyan",
        "sign-series": "ansi_cyan",
        "sign-chart": "ansi_cyan",
        "sign-ok": "ansi_green",
        "sign-warning": "ansi_yellow",
        "sign-critical": "ansi_bright_red",
        "sign-unknown": "ansi_bright_magenta",
        "sign-grounds": "none",
        "sign-cursor": "ansi_blue",
        "sign-production": "ansi_bright_magenta",
    },
)

THEMES = (DARK, LIGHT, SIXTEEN)
DEFAULT = DARK.name
