"""The prompt: one line at the bottom for a filter or a moment. Live panes go on above it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Input

from widgets.lines import Lines
from widgets.spans import line


class Entry(Input):
    """A line of input without frame and without a blinking cursor (a blinking cursor writes)."""

    DEFAULT_CSS = """
    Entry, Entry:focus { border: none; height: 1; padding: 0; background: $background; width: 1fr; }
    """

    def __init__(self, value: str = "", placeholder: str = "") -> None:
        super().__init__(value, placeholder=placeholder, select_on_focus=False, compact=True)
        self.cursor_blink = False


class Prompt(Horizontal):
    """``/ words`` in place of the key bar. It is there from the beginning, so that no letter typed after ``/`` is lost."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "give_up", show=False)]
    DEFAULT_CSS = """
    Prompt { dock: bottom; height: 1; display: none; }
    Prompt > Lines { height: 1; width: auto; }
    """

    def __init__(self) -> None:
        super().__init__(id="prompt")
        self._label = Lines()
        self._entry = Entry()
        self._changed: Callable[[str], None] | None = None
        self._done: Callable[[str | None], None] | None = None

    def compose(self) -> ComposeResult:
        """The sign and the entry."""
        yield self._label
        yield self._entry

    @property
    def active(self) -> bool:
        """Whether something is being asked."""
        return self._done is not None

    def ask(
        self,
        label: str,
        value: str,
        placeholder: str,
        changed: Callable[[str], None] | None,
        done: Callable[[str | None], None],
    ) -> None:
        """Ask: ``changed`` hears each letter, ``done`` the end (None: given up with Esc)."""
        self._label.styles.width = len(label) + 2
        self._label.show([line(" ", (label, "key"), " ")])
        with self.prevent(Input.Changed):
            self._entry.value = value
        self._entry.placeholder = placeholder
        self._entry.cursor_position = len(value)
        self._changed, self._done = changed, done
        self.display = True
        self.screen.set_focus(self._entry, scroll_visible=False)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Each letter."""
        event.stop()
        if self._changed is not None:
            self._changed(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter."""
        event.stop()
        self._end(event.value)

    def action_give_up(self) -> None:
        """Esc."""
        self._end(None)

    def _end(self, value: str | None) -> None:
        done, self._done, self._changed = self._done, None, None
        self.display = False
        if done is not None:
            done(value)


def parse_moment(text: str, start: datetime, end: datetime, now: datetime) -> datetime | None:
    """``02:41``, ``02:41:30``, ``-5m``, ``+30s``, ``start``, ``end``: a moment of a recording; None: not understood."""
    words = text.strip().casefold().removesuffix("z")
    if words in ("start", "end"):
        return start if words == "start" else end
    if words[:1] in "+-" and words[1:-1].replace(".", "", 1).isdigit() and words[-1:] in "smh":
        step = float(words[1:-1]) * {"s": 1, "m": 60, "h": 3600}[words[-1]]
        return now + timedelta(seconds=step if words[0] == "+" else -step)
    for form in ("%H:%M:%S", "%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"):
        try:
            parsed = datetime.strptime(words, form).replace(tzinfo=UTC)
        except ValueError:
            continue
        return parsed if form.startswith("%Y") else _on_the_day(parsed, start, end, now)
    return None


def _on_the_day(time_of_day: datetime, start: datetime, end: datetime, now: datetime) -> datetime:
    """The day of the recording on which this time of day lies within it, the nearest to where it stands."""
    days = [now + timedelta(days=shift) for shift in (0, -1, 1)]
    moments = [datetime.combine(day.date(), time_of_day.timetz()) for day in days]
    inside = [moment for moment in moments if start <= moment <= end]
    return min(inside or moments, key=lambda moment: abs((moment - now).total_seconds()))
