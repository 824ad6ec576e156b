"""Runbook pages: Markdown of the simplest kind, from ``config/runbooks``, as lines."""

from __future__ import annotations

import re
from pathlib import Path

from console.settings.paths import config_dir
from widgets.spans import Block, Line, line, wrap

_NAME = re.compile(r"[a-z0-9][a-z0-9-]*\Z")
_ITEM = re.compile(r"(\s*)([-*]|\d+\.)\s+(.*)")


def runbook_path(name: str) -> Path | None:
    """Where the page of this name is; None: there is none."""
    if not _NAME.match(name):
        return None
    path = config_dir() / "runbooks" / f"{name}.md"
    return path if path.is_file() else None


def runbook_lines(name: str, cells: int) -> Block:
    """The page as lines of at most ``cells``; where there is none, that."""
    path = runbook_path(name)
    if path is None:
        return [line((f"There is no runbook page called {name or '(none)'}.", "muted"))]
    return markdown_lines(path.read_text(encoding="utf-8", errors="replace"), cells)


def markdown_lines(text: str, cells: int) -> Block:
    """Headings, paragraphs, lists, code: nothing else is understood, and nothing acts."""
    out: Block = []
    paragraph: list[str] = []
    fenced = False

    def flush() -> None:
        if paragraph:
            out.extend(_marked(wrap(" ".join(paragraph), cells)))
            paragraph.clear()

    for raw in text.splitlines():
        if raw.lstrip().startswith("```"):
            flush()
            fenced = not fenced
        elif fenced:
            out.append(line("    ", (raw, "accent")))
        elif raw.startswith("#"):
            flush()
            out.append(line((raw.lstrip("# "), "title")))
        elif not raw.strip():
            flush()
            if out and out[-1]:
                out.append(())
        elif match := _ITEM.match(raw):
            flush()
            indent, bullet, rest = match.groups()
            out += _item(len(indent), bullet, rest, cells)
        elif out and raw.startswith("  ") and not paragraph and out[-1] and out[-1][0][0].startswith(" "):
            lead = len(out[-1][0][0])
            out += [line(" " * lead, each) for each in _marked(wrap(raw.strip(), max(10, cells - lead)))]
        else:
            paragraph.append(raw.strip())
    flush()
    return out


def _item(indent: int, bullet: str, rest: str, cells: int) -> Block:
    sign = "•" if bullet in "-*" else bullet
    lead = 2 + indent + len(sign) + 1
    rows = _marked(wrap(rest, max(10, cells - lead)))
    head = line((" " * (2 + indent), ""), (f"{sign} ", "accent"), *rows[:1])
    return [head, *(line((" " * lead, ""), row) for row in rows[1:])]


def _marked(rows: Block) -> Block:
    """`` `code` `` in its own style, also where it was broken across lines."""
    out: Block = []
    inside = False
    for row in rows:
        spans: list[tuple[str, str]] = []
        for text, style in row:
            for index, part in enumerate(text.split("`")):
                if index:
                    inside = not inside
                words = part.replace("**", "")
                if words:
                    spans.append((words, "accent" if inside else style))
        out.append(tuple(spans))
    return out


def heading(text: str, cells: int) -> Line:
    """A rule with a title: ``── Runbook ─────``."""
    return line(("── ", "line"), (text, "title"), (" " + "─" * max(0, cells - len(text) - 4), "line"))
