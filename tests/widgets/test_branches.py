"""Trees as rows: every node once, under somebody it belongs under."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from widgets.branches import branches

PARENTS = st.dictionaries(st.integers(0, 12), st.lists(st.integers(0, 12), max_size=3), max_size=12)


def test_heads_first_then_what_is_behind_them() -> None:
    rows = branches({2: [1], 3: [1], 4: [3], 9: [8]}, order=lambda key: key)
    assert [(row.key, row.indent, row.below) for row in rows] == [
        (1, "", 3),
        (2, "├─ ", 0),
        (3, "╰─ ", 1),
        (4, "   ╰─ ", 0),
        (8, "", 1),
        (9, "╰─ ", 0),
    ]


def test_a_ring_is_opened_once() -> None:
    rows = branches({1: [2], 2: [1], 3: [2]}, order=lambda key: key)
    assert [row.key for row in rows] == [1, 2, 3]
    assert rows[0].below == 2


def test_several_parents_take_the_node_once() -> None:
    rows = branches({3: [1, 2], 4: [2]}, order=lambda key: key)
    assert sorted(row.key for row in rows) == [1, 2, 3, 4]


@given(PARENTS)
def test_every_node_once_and_under_a_parent(parents: dict[int, list[int]]) -> None:
    rows = branches(parents, order=lambda key: key)
    keys = [row.key for row in rows]
    heads = {above for many in parents.values() for above in many}
    assert sorted(keys) == sorted(heads | parents.keys()), "every node once"
    above: list[int] = []
    for index, row in enumerate(rows):
        assert len(row.indent) == 3 * row.depth
        del above[row.depth :]
        if row.depth:
            assert above[-1] in parents[row.key], "a node stands under one of its parents"
        above.append(row.key)
        below = 0
        for other in rows[index + 1 :]:
            if other.depth <= row.depth:
                break
            below += 1
        assert row.below == below
