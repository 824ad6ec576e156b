"""Topologies: every member drawn once, no line too wide, no height exceeded, whatever the graph and the names."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tools.hostile import hostile
from widgets.spans import line, text_of, width
from widgets.topology import Edge, Node, Topology, boxes, compact, draw

NAMES = [f"pg-{index}" for index in range(6)]


def node(name: str, *facts: str, notes: tuple[str, ...] = ()) -> Node:
    return Node(
        key=name,
        name=line(f"○ {name}"),
        role=line("standby"),
        state=line("streaming"),
        corner="tl 7",
        notes=tuple(line("≠ ", note) for note in notes),
        facts=tuple(line(fact) for fact in facts),
    )


THREE = Topology(
    (node("pg-2", "up 4d07h"), node("pg-1"), node("pg-3")),
    (
        Edge("pg-2", "pg-1", "0 B", "0 s", "sync"),
        Edge("pg-2", "pg-3", "97 MB", "", "async", "warning", "not streaming"),
    ),
    node("store"),
)


def drawn(topology: Topology, cells: int, height: int) -> list[str]:
    return [text_of(each) for each in draw(topology, cells, height)]


@pytest.mark.parametrize(("cells", "height"), [(200, 11), (120, 8)])
def test_boxes_carry_lag_on_the_arrow(cells: int, height: int) -> None:
    text = drawn(THREE, cells, height)
    assert any("─┬─ 0 B  0 s  sync" in row and "▶│" in row for row in text)
    assert any("╰╌ ✗ not streaming 97 MB" in row and "▷│" in row for row in text)
    assert ("store" in "".join(text)) == (cells >= 150), "the store stands beside only where it is wide"


def test_lines_where_it_is_narrow() -> None:
    text = drawn(THREE, 80, 5)
    assert text[0].startswith(" ○ pg-2")
    assert "├─     0 B     0 s  sync" in text[1] and "▶  ○ pg-1" in text[1]
    assert "╰╌ ✗ not streaming 97 MB" in text[2]


def test_notes_come_before_facts_and_are_wrapped_not_cut() -> None:
    note = "/cluster says streaming, SQL does not answer for 8 s"
    topology = Topology((node("pg-1", "a fact", notes=(note,)),))
    text = " ".join(drawn(topology, 40, 8))
    assert "≠ /cluster says streaming, SQL" in text and "not answer for 8 s" in text
    assert text.index("not answer") < text.index("a fact")


def test_a_cascade_goes_on_to_the_right() -> None:
    topology = Topology(
        tuple(node(name) for name in NAMES[:3]), (Edge(NAMES[0], NAMES[1], "1 B"), Edge(NAMES[1], NAMES[2], "2 B"))
    )
    row = next(row for row in drawn(topology, 198, 6) if "1 B" in row)
    assert "2 B" in row


def test_a_cascade_below_a_brother_is_not_cut() -> None:
    topology = Topology(
        tuple(node(name) for name in NAMES[:4]),
        (Edge("pg-0", "pg-1"), Edge("pg-0", "pg-2"), Edge("pg-2", "pg-3")),
    )
    assert all(any(name in row for row in drawn(topology, 198, 12)) for name in NAMES[:4])


def test_equal_topologies_are_equal() -> None:
    again = Topology(THREE.nodes, THREE.edges, THREE.aside)
    again.node("pg-1")
    assert again == THREE, "looking a node up does not change a topology"


EDGES = st.lists(
    st.builds(
        Edge,
        st.sampled_from(NAMES),
        st.sampled_from([*NAMES, "elsewhere"]),
        hostile(),
        hostile(),
        hostile(),
        broken=st.sampled_from(["", "not streaming"]),
    ),
    max_size=8,
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from(NAMES), unique=True, max_size=6),
    EDGES,
    st.lists(hostile(), max_size=2),
    st.integers(30, 210),
    st.integers(1, 14),
)
def test_any_graph_any_text_any_room(
    names: list[str], edges: list[Edge], texts: list[str], cells: int, height: int
) -> None:
    topology = Topology(
        tuple(node(name, *texts, notes=tuple(texts[:1])) for name in names), tuple(edges), node("store")
    )
    block = draw(topology, cells, height)
    assert len(block) <= height
    assert all(width(each) <= cells for each in block)
    for whole in (boxes(topology, cells, 1), compact(topology, cells, 99)):
        if whole is not None and cells >= 100:
            text = "\n".join(text_of(each) for each in whole)
            assert all(text.count(f"○ {name} ") == 1 for name in names), "every member once"
