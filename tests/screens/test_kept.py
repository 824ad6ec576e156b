"""What is kept while it is made of the same: rows are made again exactly where something changed or an age stepped."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from screens.kept import Kept, KeptRows, Made, reads_for
from widgets.columns import Row
from widgets.format import short_age, steps_in

NOW = datetime(2026, 11, 22, 2, 47, 12, tzinfo=UTC)


@given(st.one_of(st.floats(-100, 100), st.floats(0, 4000), st.floats(0, 4e7)))
def test_an_age_reads_the_same_until_it_steps(amount: float) -> None:
    """Not later than it steps: what is kept is never wrong. (In the first days a step may leave the text as it was.)"""
    for share in (0.0, 0.3, 0.9):
        assert short_age(amount + share * steps_in(amount)) == short_age(amount)
    assert steps_in(amount) > 0


def test_a_result_is_kept_for_the_same_objects_only() -> None:
    made: list[int] = []
    kept: Kept[int] = Kept()

    def make() -> int:
        made.append(1)
        return len(made)

    one, other = {"a": 1}, {"a": 1}
    assert [kept(make, one, "x"), kept(make, one, "x"), kept(make, other, "x"), kept(make, other, "y")] == [1, 1, 2, 3]


class _Table:
    """Counts which rows are made."""

    def __init__(self) -> None:
        self.kept = KeptRows()
        self.made: list[str] = []

    def rows(self, things: dict[str, tuple[int, datetime]], now: datetime) -> tuple[Row, ...]:
        def make(key: str, thing: tuple[int, datetime]) -> Made:
            self.made.append(key)
            age = short_age((now - thing[1]).total_seconds())
            return Made(Row(key, (str(thing[0]), age)), thing[0], reads_for(now, thing[1]))

        return self.kept((things,), lambda: ((key, (key, thing)) for key, thing in things.items()), make, now)


def test_rows_are_made_again_where_they_changed() -> None:
    table, born = _Table(), NOW - timedelta(days=2)
    things = {"a": (3, born), "b": (1, born), "c": (2, born)}
    first = table.rows(things, NOW)
    assert [row.key for row in first] == ["b", "c", "a"] and table.made == ["a", "b", "c"]
    assert table.rows(things, NOW + timedelta(seconds=5)) is first and table.made == ["a", "b", "c"]
    things = {**things, "a": (0, born), "d": (9, born)}
    second = table.rows(things, NOW + timedelta(seconds=6))
    assert [row.key for row in second] == ["a", "b", "c", "d"] and table.made[3:] == ["a", "d"]
    assert second[1] is first[0] and second[2] is first[1]
    del things["b"]
    assert [row.key for row in table.rows(dict(things), NOW + timedelta(seconds=7))] == ["a", "c", "d"]


def test_a_row_whose_age_stepped_is_made_again_and_no_other() -> None:
    table = _Table()
    things = {"young": (1, NOW - timedelta(seconds=20)), "old": (2, NOW - timedelta(hours=5))}
    table.rows(things, NOW)
    later = table.rows(things, NOW + timedelta(seconds=1))
    assert table.made == ["young", "old", "young"] and later[0].cells[1] == "21 s"


def test_back_in_a_recording_every_age_is_right() -> None:
    table = _Table()
    things = {"a": (1, NOW - timedelta(hours=5))}
    table.rows(things, NOW)
    before = table.rows(things, NOW - timedelta(hours=1))
    assert before[0].cells[1] == "4h00m"
