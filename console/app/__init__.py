"""The console: a feed's board on screens.

Frames update the board at once; the screen on top is painted on one tick a second, and at once after a key or a change
of state. Under ``p`` nothing is written at all. What reaches the terminal is only what differs from what it shows
(``widgets.painter``), and nothing is added while it does not drain.

``output`` is the way to the terminal, ``watching`` what is shown of which feed, ``application`` screens and keys.
"""

from __future__ import annotations

import logging
import os
import sys

from console import place
from console.app.application import BanksmanApp
from console.app.watching import OpenRecording
from console.feed.base import Feed
from screens.themes import SIXTEEN

__all__ = ["BanksmanApp", "run_console"]

LOG_MOST = 1_000_000
"""Bytes of the console's log from which it is begun anew."""
THEME_NAMES = {"dark": "banksman-dark", "light": "banksman-light", "16": SIXTEEN.name}
"""Values of BANKSMAN_THEME."""


def _log_to_file() -> None:
    """What goes wrong is written to a file of this user's: nothing may be written over the picture."""
    root = logging.getLogger()
    try:
        folder = place.state_dir()
        place.private_dir(folder)
        path = folder / "console.log"
        fresh = not path.exists() or path.stat().st_size > LOG_MOST
        handler: logging.Handler = logging.FileHandler(path, mode="w" if fresh else "a", delay=True)
    except (OSError, place.PlaceError):
        handler = logging.NullHandler()  # still better than text in the middle of the picture
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root.handlers = [handler]
    root.setLevel(logging.WARNING)


def run_console(
    feed: Feed,
    *,
    read_only: bool = True,
    theme: str = "",
    keymap: dict[str, str] | None = None,
    open_recording: OpenRecording | None = None,
) -> int:
    """Run the console on this feed until it is left; its exit code."""
    if os.environ.get("TERM", "dumb") == "dumb" or not (sys.stdin.isatty() and sys.stdout.isatty()):
        sys.stderr.write("banksman needs a terminal that can place the cursor (TERM); `banksman status` needs none.\n")
        return 64
    _log_to_file()
    theme = theme or THEME_NAMES.get(os.environ.get("BANKSMAN_THEME", ""), "")
    app = BanksmanApp(feed, read_only=read_only, theme=theme, keymap=keymap, open_recording=open_recording)
    try:
        code = app.run(mouse=False)
    finally:
        sys.stdout.write("\x1b[0m")  # the painter leaves its pen where it last wrote
        sys.stdout.flush()
    return app.return_code or code or 0
