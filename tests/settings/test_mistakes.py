"""Every mistake in an environment file names its line, its key, what was expected and what was found."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from console.settings import SettingsError, load_environment
from console.settings.document import MAX_BYTES

SERVER = "name: e\npostgres:\n  main:\n    servers:\n      pg-1: "


class Wrong(NamedTuple):
    name: str
    text: str | bytes
    line: int
    key: str
    expected: str
    found: str
    hint: str = ""


MISTAKES = [
    Wrong("empty file", "", 1, "name", "a name of at most 63", "nothing"),
    Wrong("only a comment", "# nothing\n", 1, "name", "must be given", "nothing"),
    Wrong("not a mapping", "- name: e\n", 1, "", "a mapping with name", "a list"),
    Wrong("plain text", "prod-eu\n", 1, "", "a mapping with name", "the text 'prod-eu'"),
    Wrong("name missing", "kind: dedicated\n", 1, "name", "must be given", "nothing"),
    Wrong("name with a blank", "name: prod eu\n", 1, "name", "a name of at most", "the text 'prod eu'"),
    Wrong("name is a number", "name: 12\n", 1, "name", "a name", "'12', which YAML reads as a number", "quotes"),
    Wrong("name is a version", "name: 1.10\n", 1, "name", "a name", "'1.10', which YAML reads as a number", "quotes"),
    Wrong("name is no", "name: no\n", 1, "name", "a name", "which YAML reads as true or false", "put it in quotes"),
    Wrong("name is a date", "name: 2026-01-01\n", 1, "name", "a name", "which YAML reads as a date", "quotes"),
    Wrong("name is empty", "name:\n", 1, "name", "a name", "nothing", "leave the key out"),
    Wrong("unknown key", "name: e\nkindd: dedicated\n", 2, "kindd", "one of name, kind", "an unknown key", "mean kind?"),
    Wrong("unknown key in upper case", "name: e\nRedis: {}\n", 2, "Redis", "one of", "an unknown key", "mean redis?"),
    Wrong("unknown key nearby nothing", "name: e\nzzz: 1\n", 2, "zzz", "one of name", "an unknown key"),
    Wrong("choice", "name: e\nkind: dedicatd\n", 2, "kind", "one of dedicated, multi-tenant", "'dedicatd'", "dedicated?"),
    Wrong("boolean in quotes", 'name: e\nproduction: "yes"\n', 2, "production", "true or false", "'yes'", "quotes off"),
    Wrong("boolean as number", "name: e\nproduction: 1\n", 2, "production", "true or false", "'1'"),
    Wrong("port in quotes", SERVER + '{host: h, port: "5432"}', 5, "postgres.main.servers.pg-1.port", "from 1 to 65535",
          "the text '5432'", "leave the quotes off"),
    Wrong("port too large", SERVER + "{host: h, port: 70000}", 5, "postgres.main.servers.pg-1.port", "65535", "'70000'"),
    Wrong("port zero", SERVER + "{host: h, port: 0}", 5, "postgres.main.servers.pg-1.port", "from 1", "'0'"),
    Wrong("port octal", SERVER + "{host: h, port: 05432}", 5, "postgres.main.servers.pg-1.port", "port", "'05432'"),
    Wrong("port sexagesimal", SERVER + "{host: h, port: 54:32}", 5, "postgres.main.servers.pg-1.port", "port", "'54:32'"),
    Wrong("port huge", SERVER + f"{{host: h, port: {'9' * 5000}}}", 5, "postgres.main.servers.pg-1.port", "port", "'999"),
    Wrong("host missing", SERVER + "{port: 5432}", 5, "postgres.main.servers.pg-1.host", "which must be given", "nothing"),
    Wrong("host with port", SERVER + '{host: "10.0.0.1 5432"}', 5, "postgres.main.servers.pg-1.host", "without port", "'10.0.0.1 5432'"),
    Wrong("host is on", SERVER + "{host: on}", 5, "postgres.main.servers.pg-1.host", "a host", "true or false", "quotes"),
    Wrong("server is text", SERVER + "10.0.0.1", 5, "postgres.main.servers.pg-1", "a mapping with host, port", "'10.0.0.1'"),
    Wrong("servers is a list", "name: e\npostgres:\n  main:\n    servers:\n      - {host: h}\n", 5, "postgres.main.servers",
          "at least one server", "a list"),
    Wrong("no servers", "name: e\nredis:\n  c:\n    servers: {}\n", 4, "redis.c.servers", "at least one server", "an empty mapping"),
    Wrong("everything under it commented out", "name: e\nredis:\n  c:\n    servers:\n#     a: {host: h}\n", 4,
          "redis.c.servers", "at least one server", "nothing"),
    Wrong("server's name", SERVER.replace("pg-1", "'pg 1'") + "{host: h}", 5, "postgres.main.servers", "as key", "'pg 1'"),
    Wrong("same server twice", SERVER + "{host: h}\n      pg-2: {host: h, port: 5432}\n", 6, "postgres.main.servers.pg-2",
          "each server once", "the host and port of pg-1"),
    Wrong("patroni without scheme", SERVER + '{host: h, patroni: "h:8008"}', 5, "postgres.main.servers.pg-1.patroni",
          "like http://10.0.0.11:8008", "'h:8008'"),
    Wrong("log with both", SERVER + "{host: h, log: {path: /l, command: [tail, /l]}}", 5, "postgres.main.servers.pg-1.log",
          "either path or command", "both"),
    Wrong("log with neither", SERVER + "{host: h, log: {}}", 5, "postgres.main.servers.pg-1.log", "either", "neither"),
    Wrong("log's command as one string", SERVER + "{host: h, log: {command: tail /l}}", 5,
          "postgres.main.servers.pg-1.log.command", "a list", "'tail /l'"),
    Wrong("log's path relative", SERVER + "{host: h, log: {path: var/log}}", 5, "postgres.main.servers.pg-1.log.path",
          "beginning with /", "'var/log'"),
    Wrong("in a list", "name: e\nredis:\n  c:\n    servers: {a: {host: h}}\n    queues:\n      - one\n      - 2\n", 7,
          "redis.c.queues[1]", "one line of text", "'2'", "quotes"),
    Wrong("sentinel without master", "name: e\nredis:\n  c:\n    servers: {a: {host: h}}\n    sentinel: {servers: {s: {host: h}}}\n",
          5, "redis.c.sentinel.master", "which must be given", "nothing"),
    Wrong("unknown finding", "name: e\nthresholds:\n  no-such: {warning: 1}\n", 3, "thresholds.no-such", "", "an unknown key"),
    Wrong("threshold is text", "name: e\nthresholds:\n  x:\n    y: high\n", 4, "thresholds.x.y", "a number", "'high'"),
    Wrong("threshold is not finite", "name: e\nthresholds:\n  x:\n    y: .nan\n", 4, "thresholds.x.y", "a number", "'.nan'"),
    Wrong("key twice", "name: e\nkind: dedicated\nname: f\n", 3, "name", "each key once", "first in line 1"),
    Wrong("server twice", SERVER + "{host: h}\n      pg-1: {host: i}\n", 6, "postgres.main.servers.pg-1", "once", "in line 5"),
    Wrong("tab", "name: e\npostgres:\n\tmain: {}\n", 3, "", "blanks to indent", "a tab"),
    Wrong("quote not closed", 'name: "e\nkind: dedicated\n', 3, "", "valid YAML", "unexpected end"),
    Wrong("bracket not closed", "name: e\nredis: {a: {\n", 3, "", "valid YAML", "did not find expected"),
    Wrong("indent", "name: e\n  kind: dedicated\n", 2, "", "valid YAML", "not allowed", "indented like its neighbours"),
    Wrong("two documents", "name: e\n---\nname: f\n", 2, "", "one document", "a second one"),
    Wrong("tag", "name: !!python/name:os.system e\n", 1, "", "plain values", "a YAML tag"),
    Wrong("merge key", "name: e\napplications:\n  a: &a {databases: [x]}\n  b:\n    databases: [y]\n    <<: *a\n", 6, "applications.b.<<",
          "the keys themselves", "a merge key", "write them out"),
    Wrong("alias of nothing", "name: *e\n", 1, "", "an anchor", "an alias of nothing"),
    Wrong("alias of itself", "name: e\nredis: &a\n  c: *a\n", 3, "", "an alias of something else", "inside its own anchor"),
    Wrong("key that is a list", "name: e\n? [a]\n: b\n", 2, "", "a plain word as key", "a list"),
    Wrong("not UTF-8", b"name: e\nkind: caf\xe9\n", 2, "", "text in UTF-8", "the byte 0xe9"),
    Wrong("control character", "name: e\nkind: a\x1b[31m\n", 2, "", "printable text", "the character U+001B"),
    Wrong("escaped control character", 'name: e\nredis:\n  c: {used_for: "a\\e[31m", servers: {a: {host: h}}}\n', 3,
          "redis.c.used_for", "one line of text", "'a�[31m'"),
    Wrong("too large", "name: e\n#" + "x" * MAX_BYTES, 0, "", "at most 256 KiB", "a larger file"),
    Wrong("too deep", "name: e\nredis: " + "[" * 3000 + "]" * 3000, 2, "", "at most 24 levels", "deeper nesting"),
    Wrong("too many", "name: e\nstand_ins:\n" + "".join(f"  k{n}: v\n" for n in range(11000)), 10000, "", "at most 20000", "more"),
]  # fmt: skip


def load_text(folder: Path, text: str | bytes) -> SettingsError:
    """The error that ``text`` as an environment file gives."""
    path = folder / "environment.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SettingsError) as caught:
        load_environment(path)
    return caught.value


@pytest.mark.parametrize("wrong", MISTAKES, ids=[wrong.name for wrong in MISTAKES])
def test_mistake_is_named(tmp_path: Path, wrong: Wrong) -> None:
    error = load_text(tmp_path, wrong.text)
    assert error.exit_code == 64
    mistake = error.mistakes[0]
    assert (mistake.line, mistake.key) == (wrong.line, wrong.key)
    assert wrong.expected in mistake.expected
    assert wrong.found in mistake.found
    assert wrong.hint in mistake.hint
    assert len(error.mistakes) == 1, str(error)
    place = f"environment.yaml:{wrong.line}: " if wrong.line else "environment.yaml: "
    assert place in str(error)
    assert wrong.key in str(error)
    assert len(str(error)) < 700


def test_bomb_of_aliases_is_bounded(tmp_path: Path) -> None:
    levels = "".join(f"  b{n}: &b{n} [{', '.join([f'*b{n - 1}'] * 9)}]\n" for n in range(1, 12))
    error = load_text(tmp_path, f"name: e\nstand_ins:\n  b0: &b0 [x]\n{levels}")
    assert error.mistakes  # each level is a list where text is expected; none is expanded
    queues = "".join(f"q{n}: &q{n} [{', '.join([f'*q{n - 1}'] * 9)}]\n" for n in range(1, 12))
    error = load_text(tmp_path, f"name: e\nq0: &q0 [x]\n{queues}")
    assert len(error.mistakes) <= 25


def test_expanded_aliases_are_counted(tmp_path: Path) -> None:
    rows = ", ".join(["x"] * 2000)
    uses = "".join(f"  a{n}: {{databases: *all}}\n" for n in range(20))
    error = load_text(tmp_path, f"name: e\napplications:\n  a: {{databases: &all [{rows}]}}\n{uses}")
    assert any("with its aliases written out" in mistake.found for mistake in error.mistakes)


def test_anchors_within_bounds_are_read(tmp_path: Path) -> None:
    path = tmp_path / "e.yaml"
    path.write_text("name: e\napplications:\n  a: {databases: &d [x, y]}\n  b: {databases: *d}\n")
    assert load_environment(path).environment.applications["b"].databases == ["x", "y"]


def test_several_mistakes_are_told_at_once_in_order(tmp_path: Path) -> None:
    text = (
        "name: e\nkindd: x\nproduction: 7\npostgres:\n  main:\n    sslmode: requre\n    servers:\n      a: {prot: 1}\n"
    )
    error = load_text(tmp_path, text)
    assert [mistake.key for mistake in error.mistakes] == [
        "kindd", "production", "postgres.main.sslmode", "postgres.main.servers.a.prot", "postgres.main.servers.a.host",
    ]  # fmt: skip
    lines = [mistake.line for mistake in error.mistakes]
    assert lines == sorted(lines)
    assert len(str(error).splitlines()) == 5


def test_no_such_file_and_no_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no such file"):
        load_environment(tmp_path / "absent.yaml")
    with pytest.raises(SettingsError, match="not a regular file"):
        load_environment(tmp_path)


def test_a_pipe_does_not_block(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe.yaml")
    with pytest.raises(SettingsError, match="not a regular file"):
        load_environment(tmp_path / "pipe.yaml")
