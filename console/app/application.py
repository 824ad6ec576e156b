"""The application: screens and keys over what is watched."""

from __future__ import annotations

import contextlib
import getpass
import importlib
import os
from typing import Any, ClassVar, Literal

from textual import events
from textual.binding import BindingType
from textual.screen import Screen

from console.actions import ACTIONS, Action, allowed
from console.app.watching import OpenRecording, Watching
from console.feed.base import Feed, FeedError
from screens.base import BoardScreen
from screens.keys import bindings
from screens.overview import OverviewScreen
from screens.themes import DEFAULT, SIXTEEN, THEMES

PANES: dict[str, tuple[str, str]] = {
    "cluster": ("screens.cluster", "ClusterScreen"),
    "database": ("screens.database", "DatabaseScreen"),
    "cache": ("screens.cache", "CacheScreen"),
    "ingress": ("screens.ingress", "IngressScreen"),
    "application": ("screens.tenants", "TenantsScreen"),
}
"""Pane → module and class, imported when first opened."""
PAGES: dict[str, tuple[str, str]] = {
    "describe": ("screens.describe", "DescribeScreen"),
    "finding": ("screens.finding", "FindingScreen"),
    "help": ("screens.help", "HelpScreen"),
    "log": ("screens.log", "LogScreen"),
    "object": ("screens.object", "ObjectScreen"),
    "palette": ("screens.palette", "PaletteScreen"),
    "tenant": ("screens.tenant", "TenantScreen"),
}


class BanksmanApp(Watching, inherit_bindings=False):
    """See the package."""

    TITLE = "banksman"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("app"), *bindings("replay")]
    CSS = """
    Screen { background: $background; }
    """

    def __init__(
        self,
        feed: Feed,
        *,
        read_only: bool = True,
        theme: str = "",
        keymap: dict[str, str] | None = None,
        open_recording: OpenRecording | None = None,
        who: str = "",
    ) -> None:
        """``open_recording``: opens the engine's own recording for ``t``; without it ``t`` says that there is none."""
        self.actions: tuple[Action, ...] = tuple(allowed(ACTIONS, read_only=read_only))
        super().__init__(feed, read_only=read_only, who=who or _who(), open_recording=open_recording)
        for each in THEMES:
            self.register_theme(each)
        poor = self.console.color_system in (None, "standard") and not self.is_web
        self.theme = theme or (SIXTEEN.name if poor else DEFAULT)
        if keymap:
            self.set_keymap(keymap)

    def get_default_screen(self) -> Screen[Any]:
        """The overview is the root."""
        return OverviewScreen()

    async def on_event(self, event: events.Event) -> None:
        """Any key takes the last sentence away."""
        if isinstance(event, events.Key):
            if self._exit:
                return  # typed after the key that leaves: a screen opened now would never be composed
            self._unsay()
        await super().on_event(event)

    def open_page(self, name: str, argument: Any = None) -> None:
        """Push a page."""
        module, cls = PAGES[name]
        page = getattr(importlib.import_module(module), cls)
        self.push_screen(page(argument) if argument is not None else page())

    def open_pane(self, name: str) -> None:
        """Go to a pane: the overview is under it, so that back leads there."""
        while len(self.screen_stack) > 1:
            if getattr(self.screen, "name_of_pane", "") == name:
                return
            self.pop_screen()
        if name == "overview":
            return
        if not self.is_screen_installed(name):
            module, cls = PANES[name]
            self.install_screen(getattr(importlib.import_module(module), cls)(), name)
        self.push_screen(name)

    def action_pane(self, name: str) -> None:
        """A number key."""
        self.open_pane(name)

    def action_section(self, pane: str, section: str) -> None:
        """A tab of a pane, from wherever one is."""
        self.open_pane(pane)
        screen: Any = self.screen
        screen.call_after_refresh(screen.action_section, section)

    async def action_back(self) -> None:
        """A filter off; else one screen back; at the root the end, or, in the past, the present."""
        if isinstance(self.screen, BoardScreen) and self.screen.unfilter():
            return
        if len(self.screen_stack) > 1:
            self.pop_screen()
        elif self.past is not None:
            self._return()
        else:
            self.exit(0)

    def action_interrupt(self) -> None:
        """ctrl+c does not end the console."""
        self.say("q goes back, and on the overview leaves the console")

    def action_help(self) -> None:
        """?"""
        self.open_page("help", self._live())

    def action_palette(self) -> None:
        """:"""
        self.open_page("palette", self._live())

    def _live(self) -> frozenset[str]:
        """Ids of the actions that have a key on the screen on top."""
        return frozenset(active.binding.id for active in self.screen.active_bindings.values() if active.binding.id)

    def action_change_theme(self) -> None:
        """Dark to light and back."""
        self.theme = THEMES[1].name if self.theme == THEMES[0].name else THEMES[0].name

    async def action_refresh(self) -> None:
        """Ask every source now; paint the whole screen anew; with the engine gone, seek it."""
        self._painter.forget()
        self.screen.refresh(layout=True)
        if self.feed.problem:
            self.feed.retry()
            self.say("looking for the engine again")
            return
        self._in_background(self._ask_again())

    async def _ask_again(self) -> None:
        try:
            await self.feed.request("refresh")
        except FeedError as error:
            self.say(str(error), "warning")
        else:
            self.say("every source is asked again")

    def request_log(self, target: str) -> None:
        """Ask for the end of a server log; it arrives on the board."""
        self._in_background(self._ask("log", target))

    def request_description(self, target: str) -> None:
        """Ask for an object as YAML; it arrives on the board."""
        self._in_background(self._ask("describe", target))

    def leave(self, what: Literal["log", "describe"], target: str) -> None:
        """The screen that asked for a log or an object was left."""
        self._in_background(self._leave("unlog" if what == "log" else "undescribe", target))

    async def _leave(self, do: Literal["unlog", "undescribe"], target: str) -> None:
        with contextlib.suppress(FeedError):  # an engine that is gone follows nothing
            await self.feed.request(do, target)

    async def _ask(self, do: Literal["log", "describe"], target: str) -> None:
        try:
            await self.feed.request(do, target)
        except FeedError as error:
            screen: Any = self.screen
            if hasattr(screen, "refused"):
                screen.refused(str(error))
            else:
                self.say(str(error), "warning")


def _who() -> str:
    """``ana@bastion``, for show only."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = f"uid {os.getuid()}"
    return f"{user}@{os.uname().nodename.partition('.')[0]}"
