"""Who waits for whom: from pairs of sessions to heads, and how many stand behind each."""

from __future__ import annotations

import functools
from collections import Counter
from datetime import datetime

from console.assessment.views import Member
from console.readings import Activity, BlockedSession, Session


class Blocking:
    """Sessions that have waited long enough, and those at whose feet it lies."""

    def __init__(self, activity: Activity, waiting: dict[int, tuple[float, datetime]]) -> None:
        self._activity = activity
        self.waiting = waiting
        """pid → seconds waited, and since when (by the console's clock)."""

    @property
    def longest_s(self) -> float:
        """Seconds of the longest wait."""
        return max((waited for waited, _since in self.waiting.values()), default=0.0)

    @property
    def since(self) -> datetime | None:
        """When the first of them began to wait."""
        return min((since for _waited, since in self.waiting.values()), default=None)

    @functools.cached_property
    def behind(self) -> dict[int, int]:
        """Head → sessions that wait for it, directly or through others."""
        found: Counter[int] = Counter()
        for pid in self.waiting:
            found.update(self._heads_of(pid))
        return dict(found)

    def _heads_of(self, pid: int) -> set[int]:
        """Those at the end of a session's chains: they block and wait for nobody. In a ring: the ring's members."""
        seen: set[int] = set()
        heads: set[int] = set()
        todo = [pid]
        while todo:
            at = todo.pop()
            if at in seen:
                continue
            seen.add(at)
            row = self._activity.blocked.get(at)
            if row is None or not row.blocked_by:
                heads.add(at)
            else:
                todo.extend(row.blocked_by)
        return (heads or seen) - {pid}

    @functools.cached_property
    def heads(self) -> list[Session]:
        """Heads as sessions, with most behind them first. What is no client session is named by its pid alone."""
        ordered = sorted(self.behind, key=lambda pid: (-self.behind[pid], pid))
        return [self._activity.sessions.get(pid) or Session(pid, state="not a client session") for pid in ordered]

    @property
    def heads_wait_for_standby(self) -> bool:
        """Whether every head only waits for its commit to be confirmed by a standby."""
        return bool(self.heads) and all(session.wait == "IPC: SyncRep" for session in self.heads)

    @functools.cached_property
    def databases(self) -> dict[str, int]:
        """Database → waiting sessions."""
        found: Counter[str] = Counter()
        for pid in self.waiting:
            session = self._activity.sessions.get(pid)
            if session is not None and session.database:
                found[session.database] += 1
        return dict(found)

    @functools.cached_property
    def targets(self) -> list[str]:
        """What is waited for, most often first."""
        found = Counter(
            self._activity.blocked[pid].target for pid in self.waiting if self._activity.blocked[pid].target
        )
        return [target for target, _number in found.most_common()]

    def told(self, least: int) -> frozenset[int]:
        """Sessions that a finding of lock waits tells about, where so many wait that there is one."""
        if len(self.waiting) < least:
            return frozenset()
        return frozenset((*self.waiting, *self.behind))


def blocking(member: Member, activity: Activity, least_s: float) -> Blocking:
    """Sessions of one server that have waited at least so long for a lock."""
    waiting: dict[int, tuple[float, datetime]] = {}
    for pid, row in activity.blocked.items():
        since = _since(activity, row)
        waited = member.age_s(activity.taken_at, since)
        if since is not None and waited is not None and waited >= least_s:
            waiting[pid] = (waited, member.ours(since))
    return Blocking(activity, waiting)


def _since(activity: Activity, row: BlockedSession) -> datetime | None:
    """When it began to wait; where the lock does not say, when its statement began."""
    if row.since is not None:
        return row.since
    session = activity.sessions.get(row.pid)
    return (session.query_start or session.xact_start) if session else None
