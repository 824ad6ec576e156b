"""The one place where text from outside is cleaned: once, at the edge, before it enters a reading.

What comes out is safe to put into a table cell of a terminal: no control, escape or bidi character, nothing without a
width that terminals agree on, a bounded length. It is still only text: whoever shows it uses ``Content``/``Text``,
never markup. Cleaning is idempotent, and what it takes away it shows: a control character becomes its picture (``␛``),
an undecodable byte ``\\xff``, a character that must not reach a terminal ``�``, so that a forged name looks forged.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

ELLIPSIS = "…"
REPLACED = "�"
NAME_LIMIT = 200
"""Characters of a name (database, application, key, client)."""
BODY_LIMIT = 4_000
"""Characters of a body (query, log line)."""

_MARKS_PER_BASE = 2
"""Combining marks kept on one character: Vietnamese needs two, a tower of them covers the rows above."""
_WINDOW = 8
"""Times the limit: so much of the input is looked at, so that a key of 512 MB costs no more than one of 2 kB."""

_NOT_PLAIN = re.compile(r"[^ -~]+")
_LINE_ENDS = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_BREAK = re.compile(r"[ \t]*(?:\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029])\s*")

# Left out without a trace: they only choose a glyph, and terminals disagree on the width of what they join.
_SILENT = frozenset(
    [0x200C, 0x200D, 0x034F, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0), *range(0x1F3FB, 0x1F400)]
)
# Assigned, not formatting characters, and yet without a glyph.
_BLANKS = frozenset([0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0, 0xFFFC, 0x1D159])
_REGIONAL_A = 0x1F1E6
_HIDDEN = frozenset(["Cc", "Cf", "Co", "Cn", "Cs"])


def clean(text: str | bytes | None, limit: int = NAME_LIMIT) -> str:
    """``text`` on one line, at most ``limit`` characters, the last of them ``…`` where it was cut.

    Line breaks with the blanks around them become one blank, tabs a blank. Bytes are read as UTF-8. None is empty.
    """
    if not text:
        return ""
    if type(text) is str and len(text) <= limit and text.isascii() and text.isprintable():
        return text
    head, cut = _head(text, limit)
    if not (head.isascii() and head.isprintable()):
        head = _printable(_BREAK.sub(" ", head))
    return _bounded(head, limit, cut)


def clean_multiline(text: str | bytes | None, limit: int = BODY_LIMIT) -> str:
    r"""Like ``clean`` for a body that is shown on several lines: line breaks stay, as ``\n``; tabs become four blanks."""
    if not text:
        return ""
    head, cut = _head(text, limit)
    lines = (_printable(line.replace("\t", "    ")).rstrip() for line in _LINE_ENDS.split(head))
    return _bounded("\n".join(lines), limit, cut).rstrip("\n")


def clean_key(text: str | bytes, limit: int = NAME_LIMIT) -> str:
    """A cleaned name that stays unique: where cleaning changed or cut it, a short digest of the original is appended.

    For the keys of a reading's rows, where two hostile names must not fall together.
    """
    name = clean(text, limit)
    raw = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    if name.encode() == raw:
        return name
    digest = hashlib.blake2s(raw, digest_size=4).hexdigest()
    return f"{clean(text, max(1, limit - 9))}~{digest}"


def _head(text: str | bytes, limit: int) -> tuple[str, bool]:
    """So much of the text as can matter, decoded; and whether something was left off."""
    if limit < 1:
        raise ValueError("a limit of at least one character")
    window = limit * _WINDOW + 64
    cut = len(text) > window
    part = text[:window]
    if isinstance(part, bytes):
        # A character cut in half by the window must not read as undecodable bytes; it falls to the ellipsis anyway.
        part = part.decode("utf-8", "backslashreplace")
    return part, cut


def _bounded(text: str, limit: int, cut: bool) -> str:
    if len(text) <= limit and not cut:
        return text
    return text[: limit - 1] + ELLIPSIS


def _printable(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    text = _NOT_PLAIN.sub(_run, text)
    if text.isascii():
        return text
    # Composed form: fewer marks, and one Hangul syllable where there were three jamo. After the substitution, which may
    # have brought a mark to its base.
    return _NOT_PLAIN.sub(_marks, unicodedata.normalize("NFC", text))


def _run(match: re.Match[str]) -> str:
    return "".join(map(_character, match.group()))


def _character(char: str) -> str:
    """What stands for one character outside of printable ASCII."""
    code = ord(char)
    if char == "\t":
        return " "
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "␡"
    if code in _SILENT:
        return ""
    if _REGIONAL_A <= code < _REGIONAL_A + 26:
        return chr(ord("A") + code - _REGIONAL_A)
    if 0xDC80 <= code <= 0xDCFF:  # an undecodable byte, as surrogateescape carries it
        return f"\\x{code - 0xDC00:02x}"
    category = unicodedata.category(char)
    if category == "Zs":
        return " "
    if category in _HIDDEN or category in ("Zl", "Zp") or code in _BLANKS:
        return REPLACED
    return char


def _marks(match: re.Match[str]) -> str:
    """Caps the marks on a character, and replaces what would join the cell before it."""
    kept: list[str] = []
    marks = 0
    for char in match.group():
        code = ord(char)
        if 0x1160 <= code <= 0x11FF or 0xD7B0 <= code <= 0xD7FF:  # a vowel or final jamo that found no syllable
            kept.append(REPLACED)
            marks = 0
        elif unicodedata.category(char)[0] == "M":
            if not kept and not match.start():
                kept.append(REPLACED)  # a mark with nothing before it would sit on the border of the cell
            marks += 1
            if marks <= _MARKS_PER_BASE:
                kept.append(char)
        else:
            kept.append(char)
            marks = 0
    return "".join(kept)
