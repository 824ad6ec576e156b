"""The way to the terminal: only what differs from what it shows, and nothing more while it does not drain."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from typing import Any

from rich.console import RenderableType
from rich.text import Text
from textual._compositor import CompositorUpdate
from textual.app import App
from textual.screen import Screen

from widgets.painter import Painter

log = logging.getLogger(__name__)

SMALL = 200
"""Bytes up to which a paint needs no synchronised update: it arrives in one packet anyway."""


class Output(App[int], inherit_bindings=False):
    """An application that writes through a painter, and whose crash tells no values."""

    def __init__(self) -> None:
        super().__init__()
        self.written = 0
        """Bytes of paint written so far."""
        self.animation_level = "none"
        # The painter leaves colours out by itself; these filters would only cost time.
        self._filters = [each for each in self._filters if type(each).__name__ not in ("Monochrome", "NoColor")]
        self._waiting = False
        self._painter = Painter(None if self.no_color else self.console._color_system)

    @property
    def _backlog(self) -> int:
        """Pieces of output that the terminal has not taken yet."""
        thread = getattr(self._driver, "_writer_thread", None)
        return thread._queue.qsize() if thread is not None else 0

    def _display(self, screen: Screen[Any], renderable: RenderableType | None) -> None:
        """Textual's way to the terminal: the update goes into the wanted picture, the difference out."""
        if renderable is None or self._batch_count or not self._running or self._closed or self._driver is None:
            self.post_display_hook()
            return
        if isinstance(renderable, CompositorUpdate):
            self._painter.resize(*self.size)
            if self._painter.take(renderable):
                self._write_out()
                self.post_display_hook()
                return
        super()._display(screen, renderable)

    def _write_out(self) -> None:
        """Write what differs, unless the terminal is still busy: then at the next chance, and only what still differs."""
        if not self._painter.pending or self._driver is None:
            return
        if self._backlog > 1:
            if not self._waiting:
                self._waiting = True
                self.set_timer(0.1, self._write_waiting)
            return
        sequence = self._painter.changes()
        if not sequence:
            return
        self.written += len(sequence.encode())
        if self.is_headless:
            return
        if len(sequence) > SMALL:
            self._begin_update()
        self._driver.write(sequence)
        if len(sequence) > SMALL:
            self._end_update()
        self._driver.flush()

    def _write_waiting(self) -> None:
        self._waiting = False
        self._write_out()

    def _fatal_error(self) -> None:
        """A crash leaves a short sentence on the terminal and the traceback, without any value, in the log."""
        kind, error, _ = sys.exc_info()
        frames = traceback.format_tb(error.__traceback__) if error else []
        log.critical("the console crashed: %s\n%s", kind.__name__ if kind else "error", "".join(frames))
        self.bell()
        name = kind.__name__ if kind else "error"
        where = traceback.extract_tb(error.__traceback__)[-1] if error and error.__traceback__ else None
        at = f" in {os.path.basename(where.filename)}:{where.lineno}" if where else ""  # noqa: PTH119
        self._exit_renderables.append(
            Text(f"banksman crashed: {name}{at}. The log of the console says more. What is watched goes on unharmed.")
        )
        self._close_messages_no_wait()
