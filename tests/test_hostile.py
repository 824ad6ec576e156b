"""A thousand hostile strings as names, queries and log lines: nothing acts, nothing crashes, nothing is lost.

Here they go through cleaning, frames, the board, JSON and recordings, and fifty of them through the real servers. What a
server refuses is written down in ``REFUSED_BY_…``. The widgets' half takes the same strings from ``tests.tools.hostile``.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import msgspec
import psycopg
import pytest
import redis
from hypothesis import given
from psycopg import sql

from console import frames
from console.board import Board
from console.clients.clean import clean, clean_key, clean_multiline
from console.engine.disk import Disk
from console.engine.recorder import Recorder
from console.readings import Activity, PostgresIo, PostgresSettings, PostgresStatements, Reading, hide_text, topics
from console.recording import Recording
from console.sources.postgres_activity import PostgresActivitySource
from console.sources.postgres_io import PostgresIoSource
from console.sources.postgres_settings import PostgresSettingsSource
from console.sources.postgres_statements import PostgresStatementsSource
from tests.rigs_postgres import Postgres, Watch, postgres_server, watch_postgres
from tests.rigs_valkey import Make, environment, make_valkey, secret, sources, until
from tests.tools.hostile import CLASS_OF, CLASSES, FIFTY, HOSTILE, board_with, hostile, readings_with

__all__ = ["make_valkey", "postgres_server", "secret", "watch_postgres"]

Text = Callable[[str], str]


def harmless(text: str, lines: bool = False) -> bool:
    """Nothing in it that a terminal would act upon, or that has no width."""
    return all(
        (lines and char == "\n")
        or (
            unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
            and char not in "\u200c\u200d\ufe0f"
        )
        for char in text
    )


def texts(value: Any) -> Iterator[str]:
    """Every text in a structure, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from texts(getattr(value, name))
    elif isinstance(value, dict):
        for key, row in value.items():
            yield from texts(key)
            yield from texts(row)
    elif isinstance(value, tuple | list):
        for part in value:
            yield from texts(part)


def test_the_thousand() -> None:
    assert len(HOSTILE) == len(set(HOSTILE)) == 1000
    counted = Counter(CLASS_OF.values())
    assert set(counted) == set(CLASSES)
    assert {CLASS_OF[text] for text in FIFTY} == set(CLASSES)
    assert len(FIFTY) >= 50
    everything = "".join(HOSTILE)
    for needed in ("[@click=app.quit]", "[/foo]", "\x1b", "\u202e", "\x00", "中", "\u0301", "\u200d", "\ud800"):
        assert needed in everything or needed == "\ud800"
    assert any(0xD800 <= ord(char) <= 0xDFFF for char in everything)
    assert any(len(text) >= 10_240 and " " not in text for text in HOSTILE)


@pytest.mark.parametrize("cleaner", [clean, clean_key, clean_multiline])
def test_cleaned(cleaner: Text) -> None:
    for text in HOSTILE:
        cleaned = cleaner(text)
        assert harmless(cleaned, lines=cleaner is clean_multiline), (CLASS_OF[text], text[:80])
        assert len(cleaned) <= 4000
        if cleaner is not clean_key:
            assert cleaner(cleaned) == cleaned
        cleaned.encode()  # no half characters
    assert len({clean_key(text) for text in HOSTILE}) == len(HOSTILE)


@given(hostile())
def test_cleaned_whatever_comes(text: str) -> None:
    assert harmless(clean(text))
    assert harmless(clean_multiline(text), lines=True)
    assert harmless(clean_key(text))


def travelled(frame: frames.Frame) -> frames.Frame:
    """As it arrives at the other end."""
    return frames.decoder.decode(frames.encoder.encode(frame))


def test_through_frames() -> None:
    """Whole readings, and the differences from one string to the next."""
    assert len(readings_with("x")) == len(topics())
    sent, arrived = Board(), Board()
    for text in HOSTILE:
        for reading in readings_with(text):
            assert harmless("".join(texts(reading)), lines=True)
            for frame in (frames.keyframe(reading), sent.put(reading)):
                if frame is not None:
                    arrived.apply(travelled(frame))
                    assert arrived.at(reading.where) == reading
        before = readings_with("before")[0]
        assert sent.put(before) is not None
        # Each string is a key, too: addresses pile up unless they go again.
        for reading in list(sent):
            gone = sent.remove(reading.where)
            assert gone is not None
            arrived.apply(travelled(gone))
        assert len(arrived) == 0


def test_row_by_row() -> None:
    """The same address, another string in every field: a difference, not a keyframe."""
    old = {reading.topic: msgspec.structs.replace(reading, key="k") for reading in readings_with("before")}
    for text in HOSTILE:
        for new in readings_with(text):
            reading = msgspec.structs.replace(new, key="k")
            frame = frames.diff(old[reading.topic], reading)
            if frame is not None:
                assert frames.apply(old[reading.topic], travelled(frame)) == reading
            old[reading.topic] = reading


def test_as_json() -> None:
    for text in HOSTILE:
        for reading in readings_with(text):
            body = msgspec.json.encode(reading)
            assert b"\x1b" not in body
            assert msgspec.json.decode(body, type=type(reading)) == reading


@pytest.mark.parametrize(("record_text", "strings"), [(True, HOSTILE), (False, HOSTILE[::10])], ids=["text", "no text"])
def test_recorded(tmp_path: Path, record_text: bool, strings: list[str]) -> None:
    """A second of time for each string; every board is there again."""
    began = 1_795_300_000.0
    disk = Disk(tmp_path)
    recorder = Recorder(tmp_path, "[/foo]", record_text=record_text, disk=disk)
    board = Board()
    for second, text in enumerate(strings):
        at = began + second
        fresh = board_with(text)
        changes: list[tuple[Reading | None, Reading | None]] = [(known, None) for known in board]
        board = fresh
        changes += [(None, reading) for reading in board]
        recorder.take(at, changes, board)
        recorder.tick(at, board)
        if second % 50 == 49:  # a thousand seconds in a few: the disk may take its time
            until(lambda: not disk._waiting)
    until(lambda: not disk._waiting)
    recorder.close()
    assert recorder.problem == ""
    recording = Recording.open(tmp_path)
    assert recording.problems == []
    for second in range(0, len(strings), 7):
        expected = {reading.where: reading for reading in board_with(strings[second])}
        if not record_text:
            expected = {where: hide_text(reading) for where, reading in expected.items()}
        played = {reading.where: reading for reading in recording.board_at(began + second)}
        assert played == expected, HOSTILE[second][:80]


# --- through the real servers ---------------------------------------------------------------------------------------

REFUSED_BY_VALKEY = {
    "key": set[str](),
    # Printable ASCII without blanks is all that CLIENT SETNAME takes.
    "client name": {
        "bidirectional", "blank", "broken", "combining", "conjoining", "control", "emoji", "escape", "invisible", "lines",
        "long", "markup", "mixed", "right to left", "statement", "unassigned", "wide",
    },
}  # fmt: skip


def raw(text: str) -> bytes:
    """As bytes on a wire that does not care; half characters as somebody's broken client sends them."""
    return text.encode("utf-8", "surrogatepass")


@pytest.mark.server
async def test_fifty_as_keys_and_client_names(make_valkey: Make, secret: Path) -> None:
    server = make_valkey("cache-1", "--slowlog-log-slower-than", "0", "--slowlog-max-len", "1000")
    primary = server.client()
    named: list[redis.Redis] = []
    refused: dict[str, str] = {}
    for text in FIFTY:
        client = server.client(single_connection_client=True)
        try:
            client.execute_command("CLIENT", "SETNAME", raw(text))
            named.append(client)
        except redis.ResponseError:
            refused[text] = CLASS_OF[text]
    assert set(refused.values()) <= REFUSED_BY_VALKEY["client name"]
    assert all(any(not "!" <= char <= "~" for char in text) for text in refused)
    for start in range(0, len(FIFTY), 10):
        ten = FIFTY[start : start + 10]
        primary.flushall()
        primary.slowlog_reset()
        for text in ten:
            assert primary.rpush(raw(text), b"x" * 100) == 1
        queues = [text for text in ten if harmless(text)]  # the environment file is text
        servers, keys, _ = sources(environment([server], secret, queues=queues))
        await servers["cache-1"].read()
        reading, found = await servers["cache-1"].read(), await keys.read()
        assert (reading.status, found.status) == ("ok", "ok")
        assert reading.keys == found.total == found.sampled == len(ten)
        assert set(found.big) == {f"0:{clean_key(raw(text))}" for text in ten}
        assert all(row.type == "list" for row in found.big.values())
        assert {queue.depth for queue in found.queues.values()} <= {1}
        assert sum(app.connections for app in reading.apps.values()) == reading.clients
        pushed = [call.command for call in reading.slow.values() if call.command.startswith("RPUSH")]
        assert pushed
        for one in (reading, found):
            assert harmless("".join(texts(one)))
            assert frames.apply(None, travelled(frames.keyframe(one))) == one
        for source in (*servers.values(), keys):
            await source.close()
    assert primary.ping()
    for client in named:
        client.close()


REFUSED_BY_POSTGRES = {
    # No null byte, nothing that is not UTF-8, no empty name; a name is cut at 63 bytes, and where that makes two equal the
    # second is refused.
    "name": {"control", "broken", "mixed", "blank", "long"},
    "query": {"control", "broken", "mixed"},
}


ORDINARY_ROLES = {"banksman", "stranger"}


def accepted(text: str) -> bool:
    """Whether PostgreSQL can be given this text at all."""
    try:
        return "\x00" not in text and bool(text.encode())
    except UnicodeEncodeError:
        return False


def as_stored(text: str) -> str:
    """A name as PostgreSQL keeps it: whole characters within 63 bytes."""
    return text.encode()[:63].decode("utf-8", "ignore")


@pytest.mark.server
async def test_fifty_as_names_and_queries(postgres_server: Postgres, watch_postgres: Watch) -> None:
    databases: dict[str, str] = {}
    refused: Counter[str] = Counter()
    with postgres_server.connect() as admin:
        try:
            for text in FIFTY:
                if "\x00" in text:  # libpq would cut it off there
                    refused[CLASS_OF[text]] += 1
                    continue
                try:
                    name = sql.Identifier(text)
                    admin.execute(sql.SQL("CREATE ROLE {} LOGIN").format(name))
                    admin.execute(sql.SQL("CREATE DATABASE {} STRATEGY file_copy").format(name))
                    databases[as_stored(text)] = text
                except (psycopg.Error, UnicodeError, ValueError):
                    refused[CLASS_OF[text]] += 1
            assert set(refused) <= REFUSED_BY_POSTGRES["name"], refused
            assert len(databases) >= 35
            await _seen(postgres_server, watch_postgres, databases)
        finally:
            for stored in databases:
                admin.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(stored)))
            left = admin.execute("SELECT rolname FROM pg_roles WHERE oid >= 16384").fetchall()
            for (role,) in left:
                if role in ORDINARY_ROLES:
                    continue
                admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


async def _seen(server: Postgres, watch: Watch, databases: dict[str, str]) -> None:
    """In what the sources say of databases, roles and sessions."""
    io = cast("PostgresIo", await watch(PostgresIoSource, server).read())
    assert io.status == "ok", io.problem
    assert {clean(stored) for stored in databases} <= {row.name for row in io.databases.values()}
    roles = cast("PostgresSettings", await watch(PostgresSettingsSource, server).read())
    assert {clean(stored) for stored in databases} <= {row.name for row in roles.roles.values()}
    activity = watch(PostgresActivitySource, server)
    for text in FIFTY:
        if not accepted(text):
            assert CLASS_OF[text] in REFUSED_BY_POSTGRES["query"] | {"blank"}
            continue
        database = as_stored(text) if as_stored(text) in databases else "postgres"
        with server.connect(database) as connection:
            connection.execute("SELECT set_config('application_name', %s, false)", [text], prepare=False)
            connection.execute(sql.SQL("SELECT {}").format(sql.Literal(text)), prepare=False)
            pid = connection.info.backend_pid
            session = (cast("Activity", await activity.read())).sessions[pid]
            assert session.database == clean(database)
            assert session.application.isascii()
            assert harmless("".join(texts(session)), lines=True)
            assert session.query.startswith("SELECT ")
    statements = watch(PostgresStatementsSource, server)
    await statements.read()
    with server.connect() as connection:
        for text in FIFTY:
            if accepted(text) and text:
                # A literal would be normalised away; a name stays in the statement's text.
                connection.execute(sql.SQL("SELECT 1 AS {}").format(sql.Identifier(text)), prepare=False)
    calls = cast("PostgresStatements", await statements.read())
    assert calls.status == "ok", calls.problem
    assert any("SELECT $1 AS" in row.query for row in calls.rows.values())
    for reading in (io, roles, calls):
        assert harmless("".join(texts(reading)), lines=True)
        assert frames.apply(None, travelled(frames.keyframe(reading))) == reading
