"""Hung, cut, slow and garbage, at every stage of every kind of connection: one source suffers, nobody else notices."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from console.board import Board
from console.readings import Address, Reading
from tests.system.proxied import Proxied, proxied
from tests.tools.proxy import TO_CLIENT, Cut, Fault, Garbage, Hang, Refuse, Slow
from tests.tools.watch import Watch, watching

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]

TARGETS = ("postgres main/pg-1", "patroni main/pg-2", "redis cache/cache-1", "sentinel cache/sentinel-2")
STAGES = ("at connect", "in the handshake", "established")
QUICK = {
    ("postgres main/pg-1", "hung", "established"),
    ("patroni main/pg-2", "garbage", "established"),
    ("redis cache/cache-1", "cut", "in the handshake"),
    ("sentinel cache/sentinel-2", "slow", "at connect"),
}


def fault(mode: str, stage: str) -> Fault:
    """What the proxy does; bytes are counted from the server's side."""
    after = {"at connect": 0, "in the handshake": 5, "established": 0}[stage]
    match mode:
        case "hung":
            return Hang(after=after)
        case "cut":
            return Cut(after=after)
        case "slow":
            return Slow(delay_s=8)
        case _:
            return Garbage(after=after, length=4096)


CASES = [
    pytest.param(target, mode, stage, id=f"{target}-{mode}-{stage}", marks=() if quick else pytest.mark.matrix)
    for target in TARGETS
    for mode in ("hung", "cut", "slow", "garbage")
    for stage in STAGES
    for quick in [(target, mode, stage) in QUICK]
]


@pytest.fixture(scope="module")
def through_proxies(
    database_laboratory_of_this_run: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxied]:
    with proxied(database_laboratory_of_this_run / "environment.yaml", tmp_path_factory.mktemp("proxied")) as made:
        yield made


def reading(board: Board, where: str) -> Reading | None:
    return board.at(Address(*where.split(" ", 1)))


def content(one: Reading) -> set[str]:
    """Fields of a topic's own that say something."""
    empty = type(one)(**{name: getattr(one, name) for name in Reading.__struct_fields__})
    return {name for name in one.__struct_fields__ if getattr(one, name) != getattr(empty, name)}


def bystanders(watch: Watch, target: str) -> dict[str, str]:
    """Readings of other servers that are not believed at this moment, and why."""
    environment = watch.board.environment
    assert environment is not None
    ill = {}
    for pairs in environment.panes.values():
        for where in pairs:
            one = reading(watch.board, where)
            if where.split(" ", 1)[1] == target.split(" ", 1)[1]:
                continue
            if one is None or not one.readable or one.is_stale(watch.feed.now):
                ill[where] = "missing" if one is None else one.problem or "stale"
    return ill


@pytest.mark.parametrize(("target", "mode", "stage"), CASES)
async def test_only_that_pane_suffers(through_proxies: Proxied, target: str, mode: str, stage: str) -> None:
    proxy = through_proxies.proxies[target]
    async with watching(through_proxies.environment) as watch:
        await watch.until(watch.calm, 120, "calm before")
        before = reading(watch.board, target)
        assert before is not None
        ill: dict[str, str] = {}
        end = watch.feed.listen(lambda _: ill.update(bystanders(watch, target)))
        try:
            if stage != "established":
                proxy.set(Refuse())
            proxy.set(fault(mode, stage), TO_CLIENT)

            def says_what_and_since_when() -> bool:
                one = reading(watch.board, target)
                return one is not None and not one.readable and bool(one.problem) and one.good_at is not None

            await watch.until(says_what_and_since_when, 30, f"{target} unreadable, with the reason and since when")
            failed = reading(watch.board, target)
            assert failed is not None and failed.good_at is not None
            # At most one look that had begun, its successor, and their deadlines: not later.
            assert (failed.taken_at - failed.good_at).total_seconds() < 3 * failed.every_s + 5
            assert content(failed) <= {"cluster", "member", "cache", "server", "sentinel"}, (
                "what failed carries no content"
            )
            pane = type(failed).pane
            assert pane is not None
            await watch.until(lambda: watch.panes()[pane].state != "ok", 10, f"{pane} is not ok")
            assert watch.panes()[pane].why or watch.board.findings
        finally:
            proxy.heal()
            end()
        assert not ill, f"others were touched: {ill}"
        await watch.until(watch.calm, 120, "calm after")
