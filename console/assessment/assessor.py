"""The assessor: board in, findings out. It remembers what it must between looks, and touches nothing."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from datetime import datetime

from console.assessment.causes import listed
from console.assessment.keeper import Keeper
from console.assessment.look import Look, Thresholds
from console.assessment.memory import Memory
from console.assessment.people import felt
from console.assessment.symptom import Clear, Kind, Symptom
from console.board import Board
from console.readings import Address, Findings
from console.settings import Defaults, EnvironmentFile

_LOOKS_COUNTED = 9


class Assessor:
    """Judges one environment, look after look."""

    def __init__(self, environment: EnvironmentFile, defaults: Defaults, kinds: Mapping[str, Kind]) -> None:
        """Raises ValueError where a kind asks for a threshold that ``defaults`` does not have."""
        self._environment = environment
        self._thresholds: Thresholds = defaults.thresholds_for(environment)
        self._kinds = kinds
        for kind in kinds.values():
            missing = set(kind.thresholds) - set(self._thresholds.get(kind.name, {}))
            if missing:
                raise ValueError(
                    f"thresholds of {kind.name} are missing from the defaults: {', '.join(sorted(missing))}"
                )
        self._memory = Memory()
        self._keeper = Keeper(defaults.findings.open_after, defaults.findings.close_after)
        self._needed = defaults.findings.open_after
        self._looked: dict[str, tuple[datetime, int]] = {}
        self._first_at: datetime | None = None
        """When the first reading of all began."""
        self._last: Findings | None = None
        self.mistakes: dict[str, str] = {}
        """Kind → traceback of the first time that its judge failed; for the log."""

    @property
    def undecided(self) -> frozenset[Address]:
        """Addresses where another reading decides whether a finding opens or closes: ask these again soon."""
        return self._keeper.undecided

    def look(self, board: Board, now: datetime) -> Findings:
        """Findings after a look at the board; the same object as before where nothing changed.

        May be called as often as one likes: only new readings count. A judge that fails costs its own kind only; the
        result then is ``partial`` and says so.
        """
        self._count(board)
        look = Look(board, now, self._environment, self._thresholds, self._memory, self._keeper.open_ids)
        said, failed = self._ask(look)
        self._keeper.take(said, frozenset(failed), board, now, self._first_at or now)
        problem = "; ".join(f"{name} cannot be judged: {why}" for name, why in sorted(failed.items()))
        findings = Findings(
            taken_at=now,
            status="partial" if failed else "ok",
            problem=problem,
            rows={name: felt(self._environment, row) for name, row in listed(self._keeper.cases, now).items()},
            looked={pair: count for pair, (_taken, count) in self._looked.items()},
            needed=self._needed,
        )
        if self._last is not None and _same(self._last, findings):
            return self._last
        self._last = findings
        return findings

    def _ask(self, look: Look) -> tuple[dict[str, tuple[Kind, Symptom | Clear]], dict[str, str]]:
        """Ask every judge: what was said by id, and which kinds could not be judged, with the reason."""
        said: dict[str, tuple[Kind, Symptom | Clear]] = {}
        failed: dict[str, str] = {}
        for kind in self._kinds.values():
            try:
                words = list(kind.judge(look))
            except Exception as error:  # noqa: BLE001 - a mistake in one judge must not blind the others; it is shown
                failed[kind.name] = f"{type(error).__name__} in Banksman itself"
                if kind.name not in self.mistakes:
                    self.mistakes[kind.name] = "".join(traceback.format_exception(error))
                continue
            # Where a judge says both of one subject, it is bad.
            for word in sorted(words, key=lambda word: isinstance(word, Symptom)):
                said[f"{kind.name}:{word.subject}"] = (kind, word)
        return said, failed

    def _count(self, board: Board) -> None:
        for reading in board:
            if reading.pane is None:
                continue
            self._first_at = self._first_at or reading.taken_at
            pair = f"{reading.topic} {reading.key}"
            taken, count = self._looked.get(pair, (None, 0))
            if taken != reading.taken_at and count < _LOOKS_COUNTED:
                self._looked[pair] = (reading.taken_at, count + 1)


def _same(old: Findings, new: Findings) -> bool:
    return (old.rows, old.looked, old.needed, old.problem) == (new.rows, new.looked, new.needed, new.problem)
