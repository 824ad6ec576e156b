"""YAML text → a tree of nodes that know their line. Bounded in size, depth and count, whatever the file contains."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NoReturn

import yaml

from console.settings.errors import Mistake, SettingsError

MAX_BYTES = 256 * 1024
MAX_NODES = 20_000
"""Counted as read and, in ``check``, again as expanded: an alias of an alias of an alias is not free."""
MAX_DEPTH = 24

_STANDARD = "tag:yaml.org,2002:"
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff]")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Kind = Literal["map", "list", "scalar"]


class Node:
    """One value of the document. ``tag`` of a scalar is what YAML 1.1 takes it for: str, int, bool, null …"""

    __slots__ = ("items", "kind", "line", "pairs", "quoted", "tag", "text")

    def __init__(self, kind: Kind, line: int, tag: str = "", text: str = "", quoted: bool = False) -> None:
        self.kind: Kind = kind
        self.line = line
        self.tag = tag
        self.text = text
        self.quoted = quoted
        self.pairs: list[tuple[Node, Node]] = []
        self.items: list[Node] = []


def read_bytes(path: Path) -> bytes:
    """The file's bytes. Raises SettingsError where it is no regular file, too large, or cannot be read."""
    expected = "a YAML file"
    try:
        if not path.exists():
            raise SettingsError(path, [Mistake(0, "", expected, "no such file")])
        if not path.is_file():
            # A pipe or device could block for ever, or never end.
            raise SettingsError(path, [Mistake(0, "", expected, "something that is not a regular file")])
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise SettingsError(path, [Mistake(0, "", expected, error.strerror or "an input error")]) from error
    if len(content) > MAX_BYTES:
        raise SettingsError(path, [Mistake(0, "", f"at most {MAX_BYTES // 1024} KiB", "a larger file")])
    return content


def parse(path: Path, content: bytes) -> Node:
    """The document in ``content``; ``path`` is for the message. Raises SettingsError."""
    text = _decode(path, content)
    try:
        return _Builder(path, text).build()
    except yaml.MarkedYAMLError as error:
        raise SettingsError(path, [_syntax(error, text)]) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise SettingsError(path, [Mistake(0, "", "valid YAML", "something that cannot be read as YAML")]) from error


def _decode(path: Path, content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        found = f"the byte 0x{content[error.start]:02x}"
        raise SettingsError(path, [Mistake(line, "", "text in UTF-8", found)]) from error
    if control := _CONTROL.search(text):
        line = text.count("\n", 0, control.start()) + 1
        raise SettingsError(path, [Mistake(line, "", "printable text", f"the character U+{ord(control[0]):04X}")])
    return text


def _syntax(error: yaml.MarkedYAMLError, text: str) -> Mistake:
    """A syntax error in our words. The parser's own may quote the line, and a password may stand there."""
    mark = error.problem_mark or error.context_mark
    number = mark.line if mark else 0
    lines = text.splitlines()
    line = lines[number] if number < len(lines) else ""
    if "\t" in line[: len(line) - len(line.lstrip())] or (mark and line[mark.column : mark.column + 1] == "\t"):
        return Mistake(number + 1, "", "blanks to indent", "a tab", "YAML allows none")
    problem = re.sub(r"'[^']*'|\"[^\"]*\"", "…", error.problem or "a syntax error")
    hint = ""
    if "mapping values are not allowed" in problem:
        hint = "is the line indented like its neighbours, and a value with a colon in quotes?"
    elif "could not find expected" in problem or "did not find expected key" in problem:
        hint = "is a colon, a quote or an indent missing here or in the line before?"
    return Mistake(number + 1, "", "valid YAML", problem, hint)


class _Builder:
    """Composes nodes from the parser's events: no recursion, so that no nesting can exhaust the stack."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._resolver: Any = yaml.resolver.Resolver()
        self._events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)
        self._open: list[Node] = []
        self._waiting: list[Node | None] = []
        """For each open mapping the key that still waits for its value."""
        self._anchors: dict[str, Node] = {}
        self._count = 0
        self._root: Node | None = None

    def build(self) -> Node:
        """The one document's root; an empty mapping for an empty file."""
        documents = 0
        for event in self._events:
            line = event.start_mark.line + 1
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._refuse(line, "one document", "a second one after ---")
            elif isinstance(event, yaml.AliasEvent):
                self._add(self._alias(event, line))
            elif isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent):
                self._node(event, line)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._open.pop()
                self._waiting.pop()
        return self._root or Node("map", 1)

    def _node(self, event: Any, line: int) -> None:
        if event.tag not in (None, "!"):
            self._refuse(line, "plain values", "a YAML tag (!…)", "leave the tag off")
        if isinstance(event, yaml.ScalarEvent):
            tag = self._resolver.resolve(yaml.ScalarNode, event.value, event.implicit)
            node = Node("scalar", line, tag.removeprefix(_STANDARD), event.value, bool(event.style))
        else:
            node = Node("map" if isinstance(event, yaml.MappingStartEvent) else "list", line)
        if event.anchor:
            self._anchors[event.anchor] = node
        self._add(node)
        if node.kind != "scalar":
            self._open.append(node)
            self._waiting.append(None)
            if len(self._open) > MAX_DEPTH:
                self._refuse(line, f"at most {MAX_DEPTH} levels", "deeper nesting")

    def _alias(self, event: Any, line: int) -> Node:
        node = self._anchors.get(event.anchor)
        if node is None:
            self._refuse(line, "an anchor (&) before its alias (*)", "an alias of nothing")
        if node in self._open:
            self._refuse(line, "an alias of something else", "an alias inside its own anchor")
        return node

    def _add(self, node: Node) -> None:
        self._count += 1
        if self._count > MAX_NODES:
            self._refuse(node.line, f"at most {MAX_NODES} values", "more")
        if not self._open:
            self._root = node
            return
        parent = self._open[-1]
        if parent.kind == "list":
            parent.items.append(node)
        elif self._waiting[-1] is None:
            self._waiting[-1] = node
        else:
            parent.pairs.append((self._waiting[-1], node))
            self._waiting[-1] = None

    def _refuse(self, line: int, expected: str, found: str, hint: str = "") -> NoReturn:
        raise SettingsError(self._path, [Mistake(line, "", expected, found, hint)])
