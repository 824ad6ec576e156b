"""One PostgreSQL cluster as the board knows it: its members, each with what SQL and Patroni say of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from console.board import Board
from console.readings import (
    DcsMember,
    PatroniMember,
    PostgresMember,
    Reading,
    believed,
)
from screens.trust import silence_and_why

R = TypeVar("R", bound=Reading)


@dataclass(frozen=True, slots=True)
class Member:
    """One member: raw readings, and what of them may be believed now."""

    name: str
    sql_raw: PostgresMember | None
    sql: PostgresMember | None
    patroni_raw: PatroniMember | None
    patroni: PatroniMember | None
    has_patroni: bool
    dcs: DcsMember | None
    """What the cluster's view of the coordination store (``/cluster``) says of it."""

    @property
    def is_primary(self) -> bool:
        """Whether its server says that it is out of recovery."""
        return self.sql is not None and self.sql.in_recovery is False


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster at one moment."""

    name: str
    members: tuple[Member, ...]
    view: PatroniMember | None
    """The Patroni whose view of the cluster we show: the leader's if it answers, else the freshest."""

    @property
    def has_patroni(self) -> bool:
        """Whether Patroni runs it."""
        return any(member.has_patroni for member in self.members)

    @property
    def primaries(self) -> tuple[Member, ...]:
        """Members out of recovery. One is right."""
        return tuple(member for member in self.members if member.is_primary)

    @property
    def leader(self) -> str:
        """Name of the holder of the leader key; empty: nobody, or not known."""
        return self.view.leader if self.view else ""

    def member(self, name: str) -> Member | None:
        """The member of that name."""
        return next((member for member in self.members if member.name == name), None)

    @property
    def main(self) -> str:
        """The member whose sessions and statements matter most: the primary, else the leader, else the first."""
        primaries = [member.name for member in self.primaries]
        if self.leader in primaries or not primaries:
            return self.leader or _expected_primary(self.members) or (self.members[0].name if self.members else "")
        return primaries[0]


def _expected_primary(members: Iterable[Member]) -> str:
    """Who the others follow, where nobody answers as primary and no Patroni says."""
    for member in members:
        if member.sql_raw is None or not member.sql_raw.readable:
            return member.name
    return ""


def clusters(board: Board) -> list[str]:
    """Names of the clusters that are configured, in order of the environment file."""
    environment = board.environment
    pairs = environment.panes.get("database", ()) if environment else ()
    names = [pair.split(" ", 1)[1].split("/", 1)[0] for pair in pairs if " " in pair]
    return list(dict.fromkeys(names))


def cluster_at(board: Board, name: str, now: datetime) -> Cluster:
    """The cluster ``name`` at ``now``."""
    environment = board.environment
    pairs = environment.panes.get("database", ()) if environment else ()
    wanted = [pair.split(" ", 1) for pair in pairs]
    names: dict[str, None] = {}
    under_patroni: set[str] = set()
    for topic, key in wanted:
        cluster, _, member = key.partition("/")
        if cluster != name or not member:
            continue
        names[member] = None
        if topic == PatroniMember.topic:
            under_patroni.add(member)
    raw = {member: board.get(PatroniMember, f"{name}/{member}") for member in names}
    view = _view(list(raw.values()), now)
    members = tuple(
        Member(
            member,
            sql := board.get(PostgresMember, f"{name}/{member}"),
            believed(sql, now),
            raw[member],
            believed(raw[member], now),
            member in under_patroni,
            view.members.get(member) if view else None,
        )
        for member in names
    )
    return Cluster(name, members, view)


def _view(readings: list[PatroniMember | None], now: datetime) -> PatroniMember | None:
    """The view to show: of those that can be believed the leader's own, else the one that reached the store last."""
    answering = [reading for each in readings if (reading := believed(each, now)) is not None]
    if not answering:
        return None
    own = [reading for reading in answering if reading.leader and reading.leader == reading.member]
    return own[0] if own else max(answering, key=lambda reading: reading.dcs_last_seen or reading.taken_at)


def source(board: Board, cls: type[R], cluster: str, member: str, now: datetime) -> tuple[R | None, str]:
    """A topic's reading of one member as far as it may be believed, and else the sentence that says why not."""
    raw = board.get(cls, f"{cluster}/{member}")
    reading = believed(raw, now)
    return reading, "" if reading else f"{member}: {silence_and_why(raw, now)}"
