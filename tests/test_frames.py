"""Frames: whatever is read arrives, in whatever pieces, and what does not fit is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console import frames, wire
from console.board import Board
from console.readings import (
    NOT_RECORDED,
    Activity,
    Evidence,
    Finding,
    Findings,
    LogTail,
    Reading,
    Session,
    Trend,
    hide_text,
)
from tests.strategies import histories, readings

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


def sent(frame: frames.Frame) -> frames.Frame:
    """The frame after its journey."""
    return frames.decoder.decode(frames.encoder.encode(frame))


def sessions(numbers: range, state: str = "idle") -> Activity:
    return Activity(key="main/pg-1", taken_at=NOW, sessions={n: Session(pid=n, state=state) for n in numbers})


@settings(max_examples=150, deadline=None)
@given(histories())
def test_any_sequence_of_readings_gives_the_same_board_at_the_other_end(history: list[Reading]) -> None:
    here, there = Board(), Board()
    for reading in history:
        frame = here.put(reading)
        if frame is not None:
            there.apply(sent(frame))
        assert there == here


@settings(max_examples=100, deadline=None)
@given(st.lists(readings(Activity, Trend, Findings), min_size=1, max_size=6), st.integers(1, 5))
def test_pieces_of_a_few_rows_lead_to_the_same_reading(history: list[Reading], limit: int) -> None:
    held: dict[Any, Reading] = {}
    for reading in history:
        pieces = 0
        while held.get(reading.where) != reading:
            old = held.get(reading.where)
            reached = frames.toward(old, reading, limit)
            frame = frames.diff(old, reached)
            assert frame is not None
            assert frames.rows_in(frame) <= limit
            held[reading.where] = frames.apply(old, sent(frame))  # type: ignore[assignment]
            pieces += 1
            assert pieces < 100


@given(readings())
def test_nothing_changed_is_no_frame(reading: Reading) -> None:
    assert frames.diff(reading, reading) is None
    assert frames.diff(reading, msgspec.structs.replace(reading)) is None


def test_a_delta_carries_only_rows_that_changed() -> None:
    old = sessions(range(100))
    new = msgspec.structs.replace(old, sessions={**old.sessions, 7: Session(pid=7, state="active")})
    del new.sessions[9]
    frame = frames.diff(old, new)
    assert isinstance(frame, frames.Delta)
    assert frame.parts == {"sessions": {7: {"state": "active"}}}
    assert frame.rows == {}
    assert frame.gone == {"sessions": [9]}
    assert frame.set == {}
    assert frames.apply(old, sent(frame)) == new


def test_a_delta_without_its_keyframe_is_refused() -> None:
    with pytest.raises(frames.FrameError):
        frames.apply(None, frames.Delta("postgres", "main/pg-1", {"version": "18"}))


def test_content_of_the_wrong_shape_is_refused() -> None:
    with pytest.raises(frames.FrameError):
        frames.apply(None, frames.Keyframe("postgres", "x", {"taken_at": NOW, "connections": "many"}))
    old = sessions(range(2))
    with pytest.raises(frames.FrameError):
        frames.apply(old, frames.Delta("postgres.activity", "main/pg-1", {}, {"sessions": {1: {"pid": "one"}}}))
    with pytest.raises(frames.FrameError):
        frames.apply(old, frames.Delta("postgres.activity", "main/pg-1", parts={"sessions": {1: {"state": 3}}}))
    with pytest.raises(frames.FrameError):
        frames.apply(old, frames.Delta("postgres.activity", "main/pg-1", parts={"sessions": {5: {"state": "idle"}}}))


def test_what_a_later_version_adds_is_skipped() -> None:
    assert frames.apply(None, frames.Keyframe("topic.of.tomorrow", "", {"taken_at": NOW})) is None
    body = {"taken_at": NOW, "key": "main/pg-1", "flux": 7, "version": "19"}
    reading = frames.apply(None, frames.Keyframe("postgres", "main/pg-1", body))
    assert reading is not None
    later = frames.Delta("postgres", "main/pg-1", {"flux": 8}, {"fluxes": {1: {}}}, {}, {"fluxes": [2]})
    changed = frames.apply(reading, later)
    assert changed == reading


def test_text_is_hidden_at_every_depth() -> None:
    evidence = Evidence("query", "6.8 s", text="update salaries")
    finding = Finding("a:b", "a", "database", "b", "warning", "t", "i", "a", NOW, evidence=(evidence,))
    hidden = hide_text(Findings(taken_at=NOW, rows={"a:b": finding}))
    assert hidden.rows["a:b"].evidence[0].text == NOT_RECORDED
    assert hidden.rows["a:b"].evidence[0].value == "6.8 s"
    assert hide_text(LogTail(taken_at=NOW, lines={1: "salaries", 2: ""})).lines == {1: NOT_RECORDED, 2: NOT_RECORDED}
    assert hide_text(Activity(taken_at=NOW, sessions={1: Session(pid=1, query="")})).sessions[1].query == ""


@settings(max_examples=60, deadline=None)
@given(readings())
def test_hiding_text_twice_is_hiding_it_once(reading: Reading) -> None:
    assert hide_text(hide_text(reading)) == hide_text(reading)


@given(st.lists(st.binary(max_size=80), max_size=8), st.integers(1, 40))
def test_messages_come_out_whole_however_the_bytes_are_cut(bodies: list[bytes], size: int) -> None:
    stream = b"".join(len(body).to_bytes(4, "big") + body for body in bodies)
    splitter = wire.Splitter(1000)
    found = [body for cut in range(0, len(stream), size) for body in splitter.feed(stream[cut : cut + size])]
    assert found == bodies
    assert splitter.pending == 0


def test_a_message_longer_than_allowed_ends_the_conversation() -> None:
    with pytest.raises(wire.WireError):
        list(wire.Splitter(10).feed((11).to_bytes(4, "big")))


@given(st.binary(max_size=200))
def test_garbage_is_refused_and_nothing_else_happens(garbage: bytes) -> None:
    for take in (wire.from_client, wire.from_engine):
        try:
            take(garbage)
        except wire.WireError:
            continue
