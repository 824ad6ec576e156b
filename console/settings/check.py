"""Nodes against types: every mistake with its line and dotted key, as many at once as there are."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from msgspec import inspect

from console.settings.document import MAX_NODES, Node
from console.settings.errors import Mistake

_INTEGER = re.compile(r"[+-]?(0|[1-9][0-9]*)$")
_FLOAT = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$")
_TRUE = frozenset({"true", "yes", "on"})
_READS_AS = {
    "bool": "true or false",
    "int": "a number",
    "float": "a number",
    "null": "nothing",
    "timestamp": "a date",
    "merge": "a merge key",
    "value": "a default value",
}
_MAX_MISTAKES = 25
_MOST_LISTED = 25
"""Names that an error offers: there are some sixty findings."""

BAD: Any = object()
"""What a node yields that is no value of its type; the mistake has been noted."""


class Checker:
    """Turns nodes into plain values of a type, and notes what does not fit."""

    def __init__(self) -> None:
        self.mistakes: list[Mistake] = []
        self.lines: dict[str, int] = {}
        """Dotted key → line, for what can only be judged once the whole is read."""
        self._visited = 0
        self._by_type: dict[type, Callable[[Node, Any, str], Any]] = {
            inspect.StructType: self._struct,
            inspect.DictType: self._dict,
            inspect.ListType: self._list,
            inspect.StrType: self._text,
            inspect.IntType: self._int,
            inspect.FloatType: self._float,
            inspect.BoolType: self._bool,
            inspect.LiteralType: self._literal,
        }

    def value(self, node: Node, kind: Any, key: str) -> Any:
        """The plain value of ``node`` as ``kind`` (a type of ``msgspec.inspect``), or BAD."""
        self._visited += 1
        if self._visited > MAX_NODES:
            if self._visited == MAX_NODES + 1:
                self.note(node, key, f"at most {MAX_NODES} values", "more, with its aliases written out")
            return BAD
        self.lines.setdefault(key, node.line)
        description, secret = "", False
        while isinstance(kind, inspect.Metadata):
            description = description or (kind.extra_json_schema or {}).get("description", "")
            secret = secret or bool((kind.extra or {}).get("secret"))
            kind = kind.type
        if isinstance(kind, inspect.UnionType):
            if node.kind == "scalar" and node.tag == "null" and kind.includes_none:
                return None
            (member,) = (member for member in kind.types if not isinstance(member, inspect.NoneType))
            return self.value(node, member, key)
        before = len(self.mistakes)
        value = self._by_type[type(kind)](node, kind, key)
        if value is BAD and len(self.mistakes) == before:
            self.note(
                node, key, description or expectation(kind), _hidden(node) if secret else shown(node), hint(node, kind)
            )
        return value

    def note(self, node: Node, key: str, expected: str, found: str, hint: str = "") -> None:
        """Remember a mistake."""
        if len(self.mistakes) < _MAX_MISTAKES:
            self.mistakes.append(Mistake(node.line, key, expected, found, hint))

    def _struct(self, node: Node, kind: inspect.StructType, key: str) -> Any:
        fields = {field.encode_name: field for field in kind.fields}
        if node.kind != "map":
            return BAD
        found: dict[str, Any] = {}
        good = True
        for name, child in self._pairs(node, key, fields):
            value = self.value(child, fields[name].type, _join(key, name))
            good = good and value is not BAD
            found[name] = value
        for field in kind.fields:
            if field.required and field.encode_name not in found and not self._noted(_join(key, field.encode_name)):
                good = False
                name = _join(key, field.encode_name)
                self.note(node, name, f"{self._expected(field.type)}, which must be given", "nothing")
        return found if good else BAD

    def _dict(self, node: Node, kind: inspect.DictType, key: str) -> Any:
        if node.kind != "map":
            return BAD
        found: dict[str, Any] = {}
        good = True
        for name, child in self._pairs(node, key, None):
            label = self._key_type(node, kind.key_type, key, name, child)
            value = self.value(child, kind.value_type, _join(key, name))
            good = good and label and value is not BAD
            found[name] = value
        if kind.min_length and len(found) < kind.min_length:
            return BAD
        return found if good else BAD

    def _key_type(self, node: Node, kind: Any, key: str, name: str, child: Node) -> bool:
        inner: Any = kind.type if isinstance(kind, inspect.Metadata) else kind
        if not name.isprintable() or not name or (inner.pattern and not re.search(inner.pattern, name)):
            line = next((written.line for written, value in node.pairs if value is child), node.line)
            expected = self._expected(kind) if inner.pattern else "a name"
            self.note(Node("scalar", line), key, f"{expected} as key", quote(name))
            return False
        return True

    def _pairs(self, node: Node, key: str, fields: dict[str, Any] | None) -> Iterable[tuple[str, Node]]:
        """Keys (as written, whatever YAML takes them for) and values, without what is given twice or unknown."""
        seen: dict[str, int] = {}
        for written, child in node.pairs:
            name = written.text
            if written.kind != "scalar":
                self.note(written, key, "a plain word as key", shown(written))
            elif written.tag == "merge" and not written.quoted:
                self.note(written, _join(key, name), "the keys themselves", "a merge key (<<)", "write them out")
            elif name in seen:
                self.note(written, _join(key, name), "each key once", f"it again, first in line {seen[name]}")
            elif fields is not None and name not in fields:
                self.note(written, _join(key, name), *unknown(name, fields))
                seen[name] = written.line
            else:
                seen[name] = written.line
                yield name, child

    def _list(self, node: Node, kind: inspect.ListType, key: str) -> Any:
        if node.kind != "list":
            return BAD
        found = [self.value(item, kind.item_type, f"{key}[{number}]") for number, item in enumerate(node.items)]
        if kind.min_length and len(found) < kind.min_length:
            return BAD
        return BAD if any(value is BAD for value in found) else found

    @staticmethod
    def _text(node: Node, kind: inspect.StrType, _key: str) -> Any:
        if node.kind != "scalar" or node.tag != "str" or not node.text.isprintable():
            return BAD
        return node.text if not kind.pattern or re.search(kind.pattern, node.text) else BAD

    @staticmethod
    def _int(node: Node, kind: inspect.IntType, _key: str) -> Any:
        # Only decimal: YAML 1.1 reads 0543 as octal and 54:32 as minutes and seconds.
        if node.kind != "scalar" or node.tag != "int" or not _INTEGER.match(node.text) or len(node.text) > 18:
            return BAD
        value = int(node.text)
        return value if _within(value, kind) else BAD

    @staticmethod
    def _float(node: Node, kind: inspect.FloatType, _key: str) -> Any:
        spelling = {"int": _INTEGER, "float": _FLOAT}.get(node.tag if node.kind == "scalar" else "")
        if spelling is None or not spelling.match(node.text) or len(node.text) > 40:
            return BAD
        value = float(node.text)
        return value if math.isfinite(value) and _within(value, kind) else BAD

    @staticmethod
    def _bool(node: Node, _kind: inspect.BoolType, _key: str) -> Any:
        return node.text.lower() in _TRUE if node.kind == "scalar" and node.tag == "bool" else BAD

    @staticmethod
    def _literal(node: Node, kind: inspect.LiteralType, _key: str) -> Any:
        return node.text if node.kind == "scalar" and node.tag == "str" and node.text in kind.values else BAD

    def _noted(self, key: str) -> bool:
        return any(mistake.key == key for mistake in self.mistakes)

    @staticmethod
    def _expected(kind: Any) -> str:
        if isinstance(kind, inspect.Metadata):
            description = (kind.extra_json_schema or {}).get("description")
            return str(description) if description else Checker._expected(kind.type)
        return expectation(kind)


def expectation(kind: Any) -> str:
    """What a type wants, in words."""
    match kind:
        case inspect.StructType():
            return "a mapping with " + ", ".join(field.encode_name for field in kind.fields)
        case inspect.DictType():
            return "a mapping of names"
        case inspect.ListType():
            return "a list"
        case inspect.StrType():
            return "one line of text"
        case inspect.IntType():
            return "a whole number"
        case inspect.FloatType():
            return "a number"
        case inspect.BoolType():
            return "true or false"
        case inspect.LiteralType():
            return "one of " + ", ".join(str(value) for value in kind.values)
    return "something else"


def shown(node: Node) -> str:
    """What stands there, short and harmless."""
    if node.kind != "scalar":
        empty = "" if node.pairs or node.items else "n empty"
        return f"a{empty} mapping" if node.kind == "map" else f"a{empty} list"
    if node.tag == "null":
        return "nothing"
    if node.tag == "str":
        return f"the text {quote(node.text)}" if node.text else "an empty text"
    return f"{quote(node.text)}, which YAML reads as {_READS_AS.get(node.tag, 'something else')}"


def quote(text: str) -> str:
    """``text`` in quotes, bounded and printable; not at all where it could hold credentials (``user:password@``)."""
    if "@" in text:
        return "with an @ (not shown)"
    plain = "".join(character if character.isprintable() else "�" for character in text)
    return f"'{plain}'" if len(plain) <= 40 else f"'{plain[:39]}…'"


def hint(node: Node, kind: Any) -> str:
    """How to write it, where that is plain."""
    if node.kind == "scalar" and node.tag == "null":
        return "leave the key out where it has no value"
    if node.kind != "scalar":
        return ""
    wants_number = isinstance(kind, inspect.IntType | inspect.FloatType)
    if wants_number and node.quoted and _FLOAT.match(node.text):
        return "leave the quotes off"
    if isinstance(kind, inspect.BoolType) and node.quoted and node.text.lower() in {"true", "false", "yes", "no"}:
        return "leave the quotes off"
    if isinstance(kind, inspect.StrType | inspect.LiteralType) and node.tag != "str":
        return "put it in quotes"
    if isinstance(kind, inspect.LiteralType):
        return _near(node.text, [str(value) for value in kind.values])
    return ""


def unknown(name: str, known: Iterable[str]) -> tuple[str, str, str]:
    """Expected, found and hint for a key that is not one of ``known``."""
    names = list(known)
    listed = ", ".join(names[:_MOST_LISTED]) + (f" and {more} more" if (more := len(names) - _MOST_LISTED) > 0 else "")
    return "one of " + listed, "an unknown key", _near(name, names)


def _near(name: str, known: list[str]) -> str:
    from difflib import get_close_matches  # only where something is wrong: start-up stays short

    near = get_close_matches(name.lower(), known, n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else ""


def _hidden(node: Node) -> str:
    return (
        "something else (not shown, it may be the secret itself)"
        if node.kind == "scalar" and node.text
        else shown(node)
    )


def _join(key: str, name: str) -> str:
    plain = name if name.isprintable() and len(name) <= 63 else quote(name)
    return f"{key}.{plain}" if key else plain


def _within(value: float, kind: inspect.IntType | inspect.FloatType) -> bool:
    return not (
        (kind.ge is not None and value < kind.ge)
        or (kind.le is not None and value > kind.le)
        or (kind.gt is not None and value <= kind.gt)
        or (kind.lt is not None and value >= kind.lt)
    )


def type_of(cls: type[msgspec.Struct]) -> Any:
    """The description of a type that ``Checker.value`` takes."""
    return inspect.type_info(cls)
