"""What ``status`` prints of a board: the stable JSON, the text at every width, exit codes, and nothing that acts."""

from __future__ import annotations

import io
import json
import re
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.board import Board
from console.commands import doctor
from console.commands.summary import BUILT, Summary, as_json, summarise
from console.commands.text import Paint, painted, status_lines, width_of
from console.readings import Findings
from console.sources.base import Check
from tests.screens.boards import NOW, SCENARIOS
from widgets.spans import text_width


def summary_of(name: str, lost: str = "") -> Summary:
    return summarise(SCENARIOS[name](NOW), NOW, "e", lost)


EXPECTED = {"healthy": ("ok", 0), "lag": ("warning", 1), "hang-primary": ("critical", 2), "all-unknown": ("unknown", 3)}


@pytest.mark.parametrize(("name", "verdict"), EXPECTED.items())
def test_verdict_and_exit_code(name: str, verdict: tuple[str, int]) -> None:
    summary = summary_of(name)
    assert (summary.verdict, summary.exit_code) == verdict


def test_empty_board_is_unknown_and_lists_what_is_built() -> None:
    summary = summarise(Board(), NOW, "prod", "the engine is starting")
    assert (summary.environment, summary.verdict, summary.exit_code) == ("prod", "unknown", 3)
    assert tuple(summary.panes) == BUILT
    assert json.loads(as_json(summary))["problem"] == "the engine is starting"


def test_a_lost_engine_is_unknown_whatever_was_heard_before() -> None:
    summary = summary_of("healthy", "the engine ended")
    assert (summary.verdict, summary.exit_code) == ("unknown", 3)
    states = {name: pane.state for name, pane in summary.panes.items() if pane.state != "not-configured"}
    assert set(states) >= {"database", "cache"}
    assert set(states.values()) == {"unknown"}


def test_old_readings_are_not_ok() -> None:
    board = SCENARIOS["healthy"](NOW)
    assert summarise(board, NOW + timedelta(minutes=10), "e").exit_code == 3


@pytest.mark.parametrize("name", SCENARIOS)
def test_json_keeps_its_shape(name: str) -> None:
    content = json.loads(as_json(summary_of(name)))
    assert list(content)[:6] == ["environment", "taken_at", "verdict", "panes", "findings", "operations"]
    assert content["operations"] == []
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", content["taken_at"])
    assert content["verdict"] in ("ok", "warning", "critical", "unknown")
    for pane in content["panes"].values():
        assert set(pane) == {"state", "age_s", "why"}
    for finding in content["findings"]:
        # Also what stands at its default: a program must not have to know our defaults.
        assert {"id", "severity", "scope", "state", "affects", "evidence", "runbook", "since"} <= set(finding)
    assert "readings" not in content


def test_full_json_holds_every_reading(name: str = "healthy") -> None:
    board = SCENARIOS[name](NOW)
    readings = json.loads(as_json(summarise(board, NOW, "e"), full=True))["readings"]
    listed = {(topic, key) for topic, rows in readings.items() for key in rows}
    assert listed == {tuple(reading.where) for reading in board}
    member = readings["postgres"]["main/pg-1"]
    assert {"status", "problem", "taken_at", "good_at"} <= set(member)


@pytest.mark.parametrize("width", [40, 80, 100])
@pytest.mark.parametrize("name", SCENARIOS)
def test_text_fits_and_says_the_verdict_first(name: str, width: int) -> None:
    summary = summary_of(name)
    lines = status_lines(summary, width, Paint(False))
    assert summary.verdict.upper() in lines[0]
    if width >= 80:
        assert max(map(text_width, lines)) <= width, [line for line in lines if text_width(line) > width]
    assert "\x1b" not in "".join(lines)
    for finding in summary.board.findings:
        assert any(finding.title in line for line in lines)


def test_colour_only_where_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert painted(Terminal())
    assert not painted(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not painted(Terminal())
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not painted(Terminal())
    assert width_of(io.StringIO()) == 80
    coloured = status_lines(summary_of("hang-primary"), 80, Paint(True))
    assert [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in coloured] == status_lines(
        summary_of("hang-primary"), 80, Paint(False)
    )


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200), st.text(alphabet="\x1b[31m\x07\x00\u202e\r\n\t]8;;:/\x9b", max_size=60))
def test_hostile_text_does_not_act(text: str, nasty: str) -> None:
    board = SCENARIOS["lock-storm"](NOW)
    found = board.get(Findings)
    assert found is not None
    rows = {
        key: msgspec.structs.replace(finding, title=nasty + text, impact=text + nasty, action=nasty)
        for key, finding in found.rows.items()
    }
    board.put(msgspec.structs.replace(found, rows=rows))
    for line in status_lines(summarise(board, NOW, nasty, nasty + text), 80, Paint(False)):
        assert line.isprintable() or all(character.isprintable() or character == "\u3000" for character in line)
    content: dict[str, Any] = json.loads(as_json(summarise(board, NOW, "e")))
    assert content["findings"]


# --- doctor -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "verdict", "code"),
    [
        (["pass", "pass"], "pass", 0), (["pass", "fail", "cannot tell"], "fail", 2), (["cannot tell", "pass"], "cannot tell", 3),
        ([], "cannot tell", 3),
    ],
)  # fmt: skip
def test_doctors_verdict(answers: list[Any], verdict: str, code: int) -> None:
    found = doctor.verdict([Check("x", answer) for answer in answers])
    assert found == verdict
    assert doctor.EXIT_CODES[found] == code
