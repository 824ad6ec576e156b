"""Strings that somebody could put where the console reads: as a name, a query, a log line.

``HOSTILE`` is a list of 1,000, always the same; ``FIFTY`` has each class at least three times; ``hostile()`` is the
hypothesis strategy over the same makers. ``readings_with(text)`` puts a string into every text of every topic, as the
sources would: cleaned, once. A widget's test takes it from there:

    for text in HOSTILE:
        for reading in readings_with(text): show it; nothing acts, nothing crashes, no column shifts
"""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from hypothesis import strategies as st

from console.board import Board
from console.clients.clean import clean, clean_key, clean_multiline
from console.readings import Reading, topics
from console.readings.base import PrivateText

SEED = 20261122
Maker = Callable[[Random], str]

_WORDS = ["acme", "payroll", "purchase_order", "odoo", "admin", "SELECT 1", "cache-1", "x"]


def _around(parts: list[str]) -> Maker:
    """One of ``parts`` with an ordinary word before, after or around it."""

    def make(random: Random) -> str:
        before, after = random.choice(["", *_WORDS]), random.choice(["", *_WORDS])
        return before + random.choice(parts) + after

    return make


def _scattered(characters: str, least: int = 1, most: int = 6) -> Maker:
    """Letters with some of ``characters`` in between."""

    def make(random: Random) -> str:
        letters = list(random.choice(_WORDS) * random.randint(1, 3))
        for _ in range(random.randint(least, most)):
            letters.insert(random.randint(0, len(letters)), random.choice(characters))
        return "".join(letters)

    return make


def _tower(random: Random) -> str:
    marks = "\u0300\u0301\u0335\u0489\u20dd\u0f39\u0e47\u0bbe\u093f\u3099"
    letter = random.choice(["a", "Z", "中", " ", ""])
    return letter + "".join(random.choice(marks) for _ in range(random.randint(1, 80))) + random.choice(["", "!"])


def _long(random: Random) -> str:
    return random.choice(["x", "W", "[", "]", "\\", "中", "\u0301", "👩\u200d", "\x1b", "\u202e", "ﷺ", "'"]) * 10_240


def _characters(ranges: list[tuple[int, int]], most: int = 12) -> Maker:
    def make(random: Random) -> str:
        return "".join(chr(random.randint(*random.choice(ranges))) for _ in range(random.randint(1, most)))

    return make


def _mixed(random: Random) -> str:
    chosen = random.sample([name for name in CLASSES if name not in ("mixed", "long")], random.randint(2, 5))
    return "".join(CLASSES[name](random) for name in chosen)


# fmt: off
CLASSES: dict[str, Maker] = {
    "markup": _around([
        "[@click=app.quit]click[/]", "[@click=app.quit()]", "[/foo]", "[/]", "[bold", "[red]", "[[red]]",
        "\\[red]", "]", "[link=https://example.org]x[/link]", "[on $error]", "$primary",
        "[@click='screen.dismiss']", "[b]$q[/b]", "[", ":skull:", "{0.__class__}", "%n%s",
        "[#ff0000 on rgb(1,2,3)]", "[@mouse.down=app.quit]", "[not bold /]", "[]",
    ]),
    "escape": _around([
        "\x1b[2J", "\x1b[31m", "\x1b]0;title\x07", "\x1b]52;c;aGk=\x07",
        "\x1b]8;;https://example.org\x1b\\x\x1b]8;;\x1b\\", "\x1bc", "\x1b[?1049l", "\x1b[?1003h", "\x1b[6n",
        "\x1bP+q544e\x1b\\", "\x1b[201~", "\x9b2J", "\x9d0;t\x9c", "\x1b", "\x1b[5000000000C",
        "\x1b_Gf=100;AAAA\x1b\\", "\x1b]1337;File=:AAAA\x07", "\x1b[?2026h", "\x1bD", "\x1b#8",
    ]),
    "control": _scattered("\x00\x01\x07\x08\x0b\x0c\x0e\x0f\x1a\x1c\x1f\x7f\x80\x85\x90\x9f"),
    "lines": _scattered("\n\r\t\v\f\x1d\u0085\u2028\u2029"),
    "bidirectional": _scattered("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"),
    "invisible": _scattered(
        "\u200b\u200c\u200d\u2060\u2061\ufeff\u00ad\u034f\u180e\u115f\u3164\uffa0\u2800\u17b4\ufff9\ufffb"
    ),
    "combining": _tower,
    "wide": _scattered("中文東京한국어ｱｲｳＡＢ、。\u3000￥～"),
    "conjoining": _characters([(0x1100, 0x11FF), (0xA960, 0xA97C), (0xD7B0, 0xD7FB)]),
    "emoji": _around([
        "👩\u200d👩\u200d👧\u200d👦", "🏳\ufe0f\u200d🌈", "👍🏿", "🇩🇪🇫🇷", "🇩", "❤\ufe0f", "1\ufe0f\u20e3", "☠",
        "\U0001f3fb", "\ufe0f", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "\u200d\u200d",
        "🤦🏽\u200d♂\ufe0f", "🫨", "©\ufe0f",
    ]),
    "right to left": _around(["שלום", "مرحبا بالعالم", "ﷺ", "\u0605١٢٣", "א" * 30, "ܐܒܓ", "\u06dd"]),
    "unassigned": _characters(
        [(0xE000, 0xF8FF), (0xF0000, 0xF00FF), (0xFDD0, 0xFDEF), (0xFFFE, 0xFFFF), (0xE0000, 0xE007F)]
    ),
    "broken": _characters([(0xD800, 0xDFFF), (0x61, 0x7A)]),
    "statement": _around([
        "'; DROP TABLE purchase_order; --", '"', "'", "\\", "$1", "%s", "%(name)s", "\\gexec", "$$", "E'\\x00'",
        ";", "--", "\r\nFLUSHALL\r\n", "*1\r\n$8\r\nFLUSHALL\r\n", "$(reboot)", "`id`", "| cat /etc/passwd",
        "../../etc/passwd", "~root",
    ]),
    "blank": lambda random: random.choice([" ", "\t", "\u00a0", "\u2003", "\n", ""]) * random.randint(0, 40),
    "long": _long,
    "mixed": _mixed,
}
# fmt: on


def _fixed(count: int) -> dict[str, str]:
    """``count`` different strings by class in turn, the same each time: text → class."""
    random = Random(SEED)
    found: dict[str, str] = {}
    names = list(CLASSES)
    turn = 0
    while len(found) < count:
        name = names[turn % len(names)]
        found.setdefault(CLASSES[name](random), name)
        turn += 1
    return found


CLASS_OF: dict[str, str] = _fixed(1000)
"""Each string of ``HOSTILE`` → the class it was made for."""
HOSTILE: list[str] = list(CLASS_OF)
FIFTY: list[str] = HOSTILE[: 3 * len(CLASSES)]
"""The first of them (51): every class about three times."""


def hostile() -> st.SearchStrategy[str]:
    """Any of all these strings, and those not in the list."""
    return st.builds(
        lambda name, random: CLASSES[name](random), st.sampled_from(list(CLASSES)), st.randoms(use_true_random=False)
    )


_MOMENT = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


def readings_with(text: str) -> list[Reading]:
    """One reading of every topic with ``text`` in each of its texts and keys, cleaned as a source would."""
    return [_filled(cls)(text) for cls in topics().values()]


def board_with(text: str) -> Board:
    """A board of them."""
    board = Board()
    for reading in readings_with(text):
        board.put(reading)
    return board


# Each text goes into some two hundred fields.
_clean = functools.lru_cache(8)(clean)
_clean_key = functools.lru_cache(8)(clean_key)
_clean_multiline = functools.lru_cache(8)(clean_multiline)

Fill = Callable[[str], Any]


@functools.cache
def _filled(cls: type[msgspec.Struct]) -> Fill:
    hints = typing.get_type_hints(cls, include_extras=True)
    fills = {name: _fill(hint) for name, hint in hints.items() if typing.get_origin(hint) is not ClassVar}
    return lambda text: cls(**{name: fill(text) for name, fill in fills.items()})


_CONSTANT: dict[Any, Any] = {int: 1, float: 1.0, bool: True, datetime: _MOMENT, type(None): None}


def _fill(hint: Any) -> Fill:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is str:
        return _clean
    if hint == PrivateText:
        return _clean_multiline
    if hint in _CONSTANT:
        return lambda _: _CONSTANT[hint]
    if origin is Annotated:
        return _fill(arguments[0])
    if origin is Literal:
        return lambda _: arguments[0]
    if origin in (typing.Union, types.UnionType):
        return _fill(arguments[0])
    if origin is dict:
        key = _clean_key if arguments[0] is str else _fill(arguments[0])
        row = _fill(arguments[1])
        return lambda text: {key(text): row(text)}
    if origin is tuple:
        part = _fill(arguments[0])
        return lambda text: (part(text),)
    assert isinstance(hint, type), f"no filling for {hint}"
    assert issubclass(hint, msgspec.Struct), f"no filling for {hint}"
    return _filled(hint)
