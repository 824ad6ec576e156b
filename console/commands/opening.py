"""``banksman`` without a command: opens the console."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from console.actions import ActionError, check_keymap
from console.commands import CommandError
from console.commands.target import Target, find_target
from console.settings.console_file import ConsoleSettings, load_console_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from console.feed import Feed
    from console.feed.recording import RecordingFeed

    OpenRecording = Callable[[], RecordingFeed | None]


def run(args: argparse.Namespace) -> int:
    """Open the console on the environment; its exit code."""
    need_terminal("the console")
    own = own_settings()
    target = find_target(args.environment)  # the engine starts here, before Textual is imported
    return show(target.feed("console"), own, read_only=args.read_only, open_recording=lambda: _past(target))


def own_settings() -> ConsoleSettings:
    """How this person has set the console. Raises SettingsError."""
    own = load_console_file()
    try:
        check_keymap(own.file.keys)
    except ActionError as error:
        raise own.wrong("keys", "actions and keys that go together", str(error)) from error
    return own


def show(feed: Feed, own: ConsoleSettings, *, read_only: bool, open_recording: OpenRecording | None = None) -> int:
    """The console on a feed; its exit code. Raises SettingsError where it knows no such theme."""
    from console.app import run_console
    from screens.themes import THEMES

    names = [theme.name for theme in THEMES]
    if own.file.theme and own.file.theme not in names:
        raise own.wrong("theme", f"one of {', '.join(names)}", f"the text {own.file.theme!r:.60}")
    return run_console(
        feed, read_only=read_only, theme=own.file.theme, keymap=own.file.keys or None, open_recording=open_recording
    )


def _past(target: Target) -> RecordingFeed | None:
    """The engine's own recording; None where there is none yet."""
    from console.feed.recording import RecordingFeed
    from console.recording import Recording, RecordingError

    try:
        return RecordingFeed(Recording.open(target.recordings))
    except RecordingError:
        return None


def need_terminal(what: str) -> None:
    """Raises CommandError where nobody could see a picture or press a key."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise CommandError(f"{what} needs a terminal; `banksman status` prints the same for programs and pipes")
