"""Starting private engines: how often, how long to wait, and what to say when it does not come up."""

from __future__ import annotations

import os
import time
from pathlib import Path

from console import launch, place

RESTARTS = 3
WINDOW_S = 60.0
"""At most so many restarts in so many seconds."""
COMES_UP_S = 20.0
"""Seconds that an engine may take from its start until it listens."""
POLL_S = 0.03
BACK_OFF_S = (0.5, 1.0, 3.0)
"""Between one start and the next."""
ALREADY_RUNS = 75
"""Exit code of an engine that found the lock taken: another one runs, or is about to."""
USAGE = 64


class GaveUpError(Exception):
    """No engine can be had; the text is a sentence for the screen. ``temporary``: worth looking again soon."""

    def __init__(self, problem: str, *, temporary: bool = False) -> None:
        super().__init__(problem)
        self.temporary = temporary


class Starter:
    """Starts engines for one environment. ``step`` is called again and again until somebody listens."""

    def __init__(self, environment: Path, where: place.Place, command: launch.Command) -> None:
        self._environment = environment.expanduser().resolve()
        self._place = where
        self._command = command
        self._restarts: list[float] = []
        self._ever = self._environment in launch.started
        """Whether an engine ran or was started before: from then on a start is a restart."""
        self._waiting_since: float | None = None
        self._not_before = 0.0
        self._given_up = ""

    def arrived(self) -> None:
        """Somebody listens."""
        self._ever = True
        self._waiting_since = None
        self._given_up = ""

    def forget(self) -> None:
        """The person wants another try: count from nothing."""
        self._restarts.clear()
        self._waiting_since = None
        self._not_before = 0.0
        self._given_up = ""

    def own(self, pid: int) -> bool:
        """Whether ``pid`` is a process of this user."""
        try:
            return pid > 1 and Path(f"/proc/{pid}").stat().st_uid == os.geteuid()
        except OSError:
            return False

    def step(self) -> float:
        """Start an engine if that is due; seconds to wait before looking again. Raises GaveUpError."""
        now = time.monotonic()
        code = launch.ended(self._environment)
        if code == USAGE:
            raise GaveUpError(self._reason() or f"the environment file cannot be used: see {self._place.log}")
        if code == ALREADY_RUNS:
            if self._restarts:
                self._restarts.pop()
            self._not_before = now + 0.5
        if self._environment in launch.started:
            self._patience(now)
        elif self._given_up:
            raise GaveUpError(self._given_up, temporary=True)
        elif now >= self._not_before:
            self._start(now)
        return POLL_S

    def _patience(self, now: float) -> None:
        self._waiting_since = self._waiting_since or now
        if now - self._waiting_since > COMES_UP_S:
            raise GaveUpError(f"the engine does not come up: see {self._place.log}", temporary=True)

    def _start(self, now: float) -> None:
        self._restarts = [moment for moment in self._restarts if now - moment < WINDOW_S]
        if len(self._restarts) >= RESTARTS:
            why = self._reason()
            self._given_up = (
                f"the engine had to be restarted {RESTARTS} times within a minute{': ' + why if why else ''}; ctrl+r "
                f"starts it again, {self._place.log} says more"
            )
            raise GaveUpError(self._given_up, temporary=True)
        self._not_before = now + BACK_OFF_S[len(self._restarts)]
        if self._ever:
            self._restarts.append(now)
        self._ever = True
        self._waiting_since = None
        try:
            launch.spawn(self._environment, self._place, self._command)
        except (OSError, place.PlaceError) as error:
            raise GaveUpError(f"the engine cannot be started: {error}", temporary=True) from error

    def _reason(self) -> str:
        try:
            return self._place.problem.read_text(errors="replace").strip()[:500]
        except OSError:
            return ""
