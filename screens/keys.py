"""From the action registry to Textual's bindings."""

from __future__ import annotations

from collections.abc import Iterable

from textual.binding import Binding, BindingType

from console.actions import ACTIONS, Action, Scope, written


def binding(action: Action) -> Binding:
    """One action as a binding; it keeps the action's id, so that a key map finds it."""
    return Binding(
        ",".join(action.keys),
        action.run,
        action.label,
        show=False,
        key_display=written(action),
        tooltip=action.help,
        id=action.id,
    )


def bindings(scope: Scope, actions: Iterable[Action] = ACTIONS) -> list[BindingType]:
    """Bindings for every action of a scope that has keys and something to run."""
    return [binding(action) for action in actions if action.scope == scope and action.keys and action.run]
