"""When a symptom becomes a finding and when a finding ends: counted in readings, not in looks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from console.assessment.symptom import Clear, Kind, Symptom
from console.board import Board
from console.readings import Address, Reading, believed
from console.readings.finding import Severity

_COLD = timedelta(seconds=3)
"""Readings that began so soon after the very first one are first looks."""


class Streak:
    """Readings in a row of which the same is true, counted by address: the same reading never counts twice."""

    def __init__(self) -> None:
        self._seen: dict[Address, tuple[datetime, int]] = {}

    def add(self, readings: Iterable[Reading]) -> None:
        """Count those that are new."""
        for reading in readings:
            before = self._seen.get(reading.where)
            if before is None:
                self._seen[reading.where] = (reading.taken_at, 1)
            elif reading.taken_at != before[0]:  # not "later": the clock may have been set back
                self._seen[reading.where] = (reading.taken_at, before[1] + 1)

    def length(self, addresses: Iterable[Address]) -> int:
        """Readings in a row of the address that has fewest."""
        return min((self._seen[where][1] if where in self._seen else 0 for where in addresses), default=0)

    def clear(self) -> None:
        """Start anew."""
        self._seen.clear()

    def __bool__(self) -> bool:
        return bool(self._seen)


class Case:
    """One problem under watch: suspected, open, or open and no longer to be seen."""

    def __init__(self, kind: Kind, symptom: Symptom, now: datetime, first_at: datetime) -> None:
        self.kind = kind
        self.id = f"{kind.name}:{symptom.subject}"
        self.symptom = symptom
        self.began = min((reading.taken_at for reading in symptom.stands_on), default=now)
        self.since = symptom.since or self.began
        self.cold = abs(self.began - first_at) <= _COLD
        """It was so at the first look already: nobody saw it begin, and it need not last to be believed."""
        self.severity: Severity = "warning"
        self.open = False
        self.shown = False
        """Whether people have seen it: what they have seen goes away only for a reason that is certain."""
        self.hidden_at: datetime | None = None
        """When something bigger was last told in its place."""
        self.blind = False
        self._bad, self._good, self._critical, self._mild = Streak(), Streak(), Streak(), Streak()

    @property
    def suspected(self) -> bool:
        """Bad at the last look, and not open yet."""
        return not self.open and not self.blind

    @property
    def stands_on(self) -> tuple[Address, ...]:
        """Where it is read."""
        return tuple(reading.where for reading in self.symptom.stands_on)

    def bad(self, symptom: Symptom, now: datetime, opens: int, closes: int) -> None:
        """The judge says that it is bad."""
        self.symptom, self.blind = symptom, False
        self.began = min(self.began, now)  # in the future once the clock was set back
        self._good.clear()
        self._bad.add(symptom.stands_on)
        self._weigh(opens, closes)
        began = symptom.since or self.began
        self.since = min(self.since, began) if self.open else began
        lasted = (now - min(began, self.began)).total_seconds()
        if (self.cold or lasted >= symptom.after_s) and self._bad.length(self.stands_on) >= opens:
            self.open = True

    def _weigh(self, opens: int, closes: int) -> None:
        severe = self.symptom.severity == "critical"
        grows, ends = (self._critical, self._mild) if severe else (self._mild, self._critical)
        grows.add(self.symptom.stands_on)
        ends.clear()
        length = grows.length(self.stands_on)
        if severe and length >= opens:
            self.severity = "critical"
        elif not severe and length >= closes:
            self.severity = "warning"

    def good(self, readings: Iterable[Reading], closes: int) -> bool:
        """It is good by these readings; True where that was said often enough to end it."""
        fresh = tuple(readings)
        self.blind = False
        self._bad.clear()
        self._good.add(fresh)
        return not self.open or self._good.length(reading.where for reading in fresh) >= closes

    @property
    def closing(self) -> bool:
        """It was good lately, and has not ended yet."""
        return bool(self._good)


class Keeper:
    """All cases, by id."""

    def __init__(self, opens_after: int, closes_after: int) -> None:
        self._opens, self._closes = opens_after, closes_after
        self.cases: dict[str, Case] = {}

    def take(
        self,
        said: Mapping[str, tuple[Kind, Symptom | Clear]],
        failed: frozenset[str],
        board: Board,
        now: datetime,
        first_at: datetime,
    ) -> None:
        """Take what the judges said in one look.

        Args:
            said: Id → kind and word.
            failed: Kinds whose judge could not say anything.
            board: What it was said of.
            now: When.
            first_at: When the very first reading began.
        """
        for name, (kind, symptom) in said.items():
            if isinstance(symptom, Symptom):
                case = self.cases.get(name) or self.cases.setdefault(name, Case(kind, symptom, now, first_at))
                case.bad(symptom, now, self._opens, self._closes)
        for name, case in list(self.cases.items()):
            word = said[name][1] if name in said else None
            if isinstance(word, Symptom):
                continue
            readings = word.stands_on if word is not None else self._readable(case, board, now)
            if case.kind.name in failed or not readings:
                case.blind = True
            elif case.good(readings, self._closes):
                del self.cases[name]

    @staticmethod
    def _readable(case: Case, board: Board, now: datetime) -> tuple[Reading, ...]:
        """The readings that a case stands on, where every one of them may be believed; else none."""
        found = [believed(board.at(where), now) for where in case.stands_on]
        whole = tuple(reading for reading in found if reading is not None)
        return whole if len(whole) == len(found) else ()

    @property
    def open_ids(self) -> frozenset[str]:
        """Ids of open cases."""
        return frozenset(name for name, case in self.cases.items() if case.open)

    @property
    def undecided(self) -> frozenset[Address]:
        """Where another reading decides: a suspicion that has not opened, or an open case that is closing."""
        return frozenset(
            where for case in self.cases.values() if case.suspected or case.closing for where in case.stands_on
        )
