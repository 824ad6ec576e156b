"""Help: the keys that are alive on the screen one came from, and what they do; made from the live bindings."""

from __future__ import annotations

from collections.abc import Iterable

from console.actions import ACTIONS, SCOPE_TITLES, Action, Scope, written
from screens.page import TextPage
from screens.view import View
from widgets.spans import Block, fit, line, text_width, wrap


class HelpScreen(TextPage):
    """``live``: ids of the actions that had a key on the screen below."""

    name_of_pane = "help"

    def __init__(self, live: frozenset[str] = frozenset()) -> None:
        super().__init__()
        self._live = live

    def text(self, view: View, cells: int) -> Block:
        """Key, name and sentence, by where they are alive."""
        return help_lines(self._live, cells, read_only=view.read_only)


def help_lines(live: frozenset[str], cells: int, *, read_only: bool, actions: Iterable[Action] = ACTIONS) -> Block:
    """The page as lines. An action without a binding of its own (sort) is shown with its scope."""
    known = list(actions)
    scopes = {action.scope for action in known if action.id in live}
    shown = [action for action in known if action.id in live or (not action.run and action.scope in scopes)]
    keys = max((text_width(written(action)) for action in shown), default=0) + 2
    labels = max((text_width(action.label) for action in shown), default=0) + 2
    rows: Block = [()]
    for scope, title in SCOPE_TITLES.items():
        rows += _scope(scope, title, [action for action in shown if action.scope == scope], keys, labels, cells)
    closing = "Keys can be changed by id in the settings. "
    if read_only:
        closing += "This console only reads: what acts on a system is not bound."
    rows += [line(" ", each) for each in wrap(closing, cells - 2, "muted")]
    return [fit(each, cells) for each in rows]


def _scope(scope: Scope, title: str, actions: list[Action], keys: int, labels: int, cells: int) -> Block:
    if not actions:
        return []
    rows: Block = [line(" ", (title, "title"))]
    for action in actions:
        head = line("   ", *fit(((written(action), "key"),), keys), *fit(action.label, labels))
        room = cells - 3 - keys - labels
        sentences = wrap(action.help, room, "muted") if room >= 24 else []
        rows.append(line(head, *sentences[:1]))
        rows += [line(" " * (3 + keys + labels), each) for each in sentences[1:]]
    return [*rows, ()]
