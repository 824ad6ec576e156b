"""Cleaning of text from outside: properties over any text and any bytes, and the cases that people tried on others."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from wcwidth import wcwidth

from console.clients.clean import ELLIPSIS, REPLACED, clean, clean_key, clean_multiline

any_text = st.text(st.characters(codec=None, exclude_categories=()), max_size=300)
nasty = st.text(
    st.sampled_from(
        list("aZ9 [@/]\n\r\t\v\f\b\x00\x1b\x7f\x85\x9b\xa0\xad")
        + list("\u200b\u200c\u200d\u200e\u202e\u2028\u2029\u2066\u2069\u061c\ufeff\ufe0f\u034f\ud800\udcff\udfff")
        + list("é\u0301\u0323\u20dd\u0bc6\u0bbe\u1100\u1161\u11a8\u3000\u115f\u3164\ue000\U000e0041\U0010ffff中ｱ")
        + list("👩👧❤🏽🇩🇪ﷺ")
    ),
    max_size=60,
)
limits = st.integers(1, 80)


def well_behaved(text: str) -> bool:
    """Nothing in it moves the cursor, changes direction or has a width that is disputed."""
    return all(wcwidth(char) >= 0 and unicodedata.category(char)[0] != "C" for char in text) and not any(
        unicodedata.category(char) in ("Zl", "Zp") or char in "\u200c\u200d\ufe0f" for char in text
    )


@given(any_text | nasty | st.binary(max_size=300), limits)
@example("e\u200d\u0301", 10)  # the mark finds its base only after the joiner has gone
@example("\u1100\u1161\u11a8\u11a8", 10)
@example("\u0301\u0301\u0301", 10)
def test_one_line_bounded_and_stable(text: str | bytes, limit: int) -> None:
    cleaned = clean(text, limit)
    assert len(cleaned) <= limit
    assert well_behaved(cleaned)
    assert clean(cleaned, limit) == cleaned


@given(any_text | nasty, limits)
def test_widths_are_agreed(text: str, limit: int) -> None:
    """What Textual lays out is what a terminal that follows wcwidth draws, also beside other cells."""
    cleaned = clean(text, limit)
    drawn = sum(wcwidth(char) for char in cleaned)
    assert cell_len(cleaned) == drawn
    assert cell_len("│" + cleaned + "│") == drawn + 2
    marks = [unicodedata.category(char)[0] == "M" for char in cleaned]
    assert not any(all(run) for run in zip(marks, marks[1:], marks[2:], strict=False))
    assert not marks or not marks[0]


@given(any_text | nasty | st.binary(max_size=300), limits)
def test_several_lines(text: str | bytes, limit: int) -> None:
    cleaned = clean_multiline(text, limit)
    assert len(cleaned) <= limit
    assert all(well_behaved(line) for line in cleaned.split("\n"))
    assert clean_multiline(cleaned, limit) == cleaned


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=200))
def test_plain_text_is_left_alone(text: str) -> None:
    assert clean(text) is text or clean(text) == text


@given(st.lists(st.binary(min_size=1, max_size=40) | nasty.filter(bool), min_size=2, max_size=2))
def test_keys_stay_apart(names: list[str | bytes]) -> None:
    raw = [name if isinstance(name, bytes) else name.encode("utf-8", "surrogatepass") for name in names]
    keys = [clean_key(name, 20) for name in names]
    assert (keys[0] == keys[1]) == (raw[0] == raw[1])
    assert all(len(key) <= 20 and well_behaved(key) for key in keys)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, ""),
        ("", ""),
        (b"", ""),
        ("[@click=app.quit]x[/foo]", "[@click=app.quit]x[/foo]"),
        ("\x1b[31mred\x1b]0;title\x07", "␛[31mred␛]0;title␇"),
        ("a\x00b", "a␀b"),
        ("a\x7fb\x9bc", f"a␡b{REPLACED}c"),
        ("SELECT a,\n       b\r\n  FROM\tc", "SELECT a, b FROM c"),
        ("two  blanks stay", "two  blanks stay"),
        ("user\u202egpj.exe", f"user{REPLACED}gpj.exe"),
        ("ad\u200bmin", f"ad{REPLACED}min"),
        ("line\u2028break", "line break"),
        (b"caf\xc3\xa9 \xff\x80", "café \\xff\\x80"),
        ("bad\udcff\ud800", f"bad\\xff{REPLACED}"),
        ("👩\u200d👧 ❤\ufe0f 👍🏽 🇩🇪", "👩👧 ❤ 👍 DE"),
        ("Z" + "\u0335" * 500 + "!", "Z\u0335\u0335!"),
        ("cafe\u0301", "café"),
        ("\u1112\u1161\u11ab", "한"),
        ("Việt Nam, Müller & Söhne, 東京", "Việt Nam, Müller & Söhne, 東京"),
        ("\ue000\U000f0000\ufeff", REPLACED * 3),
    ],
)
def test_cases(text: str | bytes | None, expected: str) -> None:
    assert clean(text) == expected


def test_long_text_ends_in_an_ellipsis() -> None:
    assert clean("x" * 10_000, 12) == "x" * 11 + ELLIPSIS
    assert clean("x" * 12, 12) == "x" * 12
    assert clean("ä" * 13, 12) == "ä" * 11 + ELLIPSIS
    assert clean("\u200d" * 10_000 + "hidden", 12) == ELLIPSIS
    assert clean("x", 1) == "x"
    assert clean("xy", 1) == ELLIPSIS
    with pytest.raises(ValueError, match="at least one"):
        clean("xy", 0)


def test_lines_stay_in_bodies() -> None:
    assert clean_multiline("a\r\n\tb\x1b[2J\n\nc  \n\n") == "a\n    b␛[2J\n\nc"
    assert clean_multiline(b"a\nb" + b"c" * 100, 6) == "a\nbcc" + ELLIPSIS


@settings(deadline=None)
@given(st.sampled_from([b"\x00", b"\xff", "\u0301".encode(), "👩\u200d".encode(), b"\n "]))
def test_cost_follows_the_limit_not_the_input(unit: bytes) -> None:
    """A ratio within one run: a thousand times the input must not cost a hundred times the time."""

    def best(text: bytes) -> float:
        times = []
        for _ in range(5):
            began = time.perf_counter()
            clean(text, 100)
            times.append(time.perf_counter() - began)
        return min(times)

    assert best(unit * 2_000_000) < 100 * best(unit * 2_000)
