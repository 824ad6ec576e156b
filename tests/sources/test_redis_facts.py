"""What is derived from INFO alone, in the cases that no server of ours can be brought to in a test."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.clients.redis_text import Info
from console.sources.redis_clients import Seldom, applications, slow_calls
from console.sources.redis_common import REFUSED
from console.sources.redis_facts import (
    Settings,
    enough_replicas,
    memory,
    persistence,
    replication,
    settings,
    write_refused,
)

QUIET = {"OOM": 0, "MISCONF": 0, "NOREPLICAS": 0}


def info(**fields: object) -> Info:
    return Info("".join(f"{name}:{value}\r\n" for name, value in {"role": "master", **fields}.items()).encode())


@pytest.mark.parametrize(
    ("fields", "known", "counted", "refused"),
    [
        ({}, Settings(), {}, ""),
        ({"maxmemory": 10, "used_memory": 10, "maxmemory_policy": "noeviction"}, Settings(), {}, ""),
        ({"maxmemory": 10, "used_memory": 11, "maxmemory_policy": "noeviction"}, Settings(), {}, "OOM"),
        (
            {"maxmemory": 10, "used_memory": 11, "maxmemory_policy": "noeviction", "mem_not_counted_for_evict": 1},
            Settings(),
            {},
            "",
        ),
        ({"maxmemory": 10, "used_memory": 11, "maxmemory_policy": "allkeys-lru"}, Settings(), {}, ""),
        ({"maxmemory": 10, "used_memory": 11, "maxmemory_policy": "volatile-ttl"}, Settings(), {}, "OOM"),
        (
            {"maxmemory": 10, "used_memory": 11, "maxmemory_policy": "volatile-ttl", "db3": "keys=2,expires=1"},
            Settings(),
            {},
            "",
        ),
        # The server counts refusals: that is proof, whatever can be derived.
        ({"maxmemory": 10, "used_memory": 9, "maxmemory_policy": "noeviction"}, Settings(), {"OOM": 3}, "OOM"),
        ({}, Settings(), {"MISCONF": 1}, "MISCONF"),
        ({}, Settings(), {"NOREPLICAS": 1}, ""),  # the rule has been switched off since
        ({"min_slaves_good_slaves": 1}, Settings(), {"NOREPLICAS": 1}, "NOREPLICAS"),
        ({"min_slaves_good_slaves": 0}, Settings(), {}, "NOREPLICAS"),
        ({"min_slaves_good_slaves": 1}, Settings(min_replicas=2), {}, "NOREPLICAS"),
        ({"min_slaves_good_slaves": 2}, Settings(min_replicas=2), {}, ""),
        ({"rdb_last_bgsave_status": "err"}, Settings(), {}, ""),
        ({"rdb_last_bgsave_status": "err"}, Settings(snapshots=True, stop_on_snapshot_error=True), {}, "MISCONF"),
        ({"rdb_last_bgsave_status": "err"}, Settings(snapshots=False, stop_on_snapshot_error=True), {}, ""),
        ({"rdb_last_bgsave_status": "err"}, Settings(snapshots=True, stop_on_snapshot_error=False), {}, ""),
        ({"aof_enabled": 1, "aof_last_write_status": "err"}, Settings(), {}, "MISCONF"),
        ({"aof_enabled": 0, "aof_last_write_status": "err"}, Settings(), {}, ""),
        ({"loading": 1}, Settings(), {}, "LOADING"),
        ({"role": "slave", "loading": 1, "aof_enabled": 1, "aof_last_write_status": "err"}, Settings(), {"OOM": 1}, ""),
    ],
)
def test_why_writes_are_refused(
    fields: dict[str, object], known: Settings, counted: dict[str, int], refused: str
) -> None:
    why = write_refused(info(**fields), known, QUIET | counted)
    assert why.partition(":")[0] == refused


def test_enough_replicas() -> None:
    assert enough_replicas(info(), Settings(), QUIET) is None
    assert enough_replicas(info(min_slaves_good_slaves=1), Settings(), QUIET) is None  # of how many, nobody told
    assert enough_replicas(info(min_slaves_good_slaves=0), Settings(), QUIET) is False
    assert enough_replicas(info(min_slaves_good_slaves=1), Settings(min_replicas=1), QUIET) is True


def test_settings() -> None:
    answers = [[b"maxclients", b"100"], [b"save", b""], [b"stop-writes-on-bgsave-error", b"yes"], REFUSED]
    assert settings(answers) == Settings(maxclients=100, snapshots=False, stop_on_snapshot_error=True)
    assert settings([[b"save", b"3600 1"]]).snapshots is True
    assert settings([REFUSED] * 4) == Settings()


def test_a_replica_still_copying_has_no_lag() -> None:
    primary = info(master_repl_offset=5000, slave0="ip=10.0.0.2,port=6379,state=wait_bgsave,offset=0,lag=0")
    (link,) = replication(primary)["replicas"].values()
    assert (link.state, link.lag_bytes, link.lag_s) == ("wait_bgsave", None, None)


def test_a_replica_whose_link_was_never_up() -> None:
    found = replication(
        info(role="slave", master_link_status="down", master_link_down_since_seconds=-1, master_last_io_seconds_ago=-1)
    )
    assert (found["link_up"], found["link_down_s"], found["primary_last_io_s"]) == (False, None, None)


def test_before_redis_7_the_first_snapshot_is_told_by_its_time() -> None:
    started = datetime(2026, 1, 1, tzinfo=UTC)
    at_start, later = int(started.timestamp()), int(started.timestamp()) + 100
    assert persistence(info(rdb_last_save_time=at_start), Settings(), started)["rdb_last_save_at"] is None
    assert persistence(info(rdb_last_save_time=later), Settings(), started)["rdb_last_save_at"] is not None
    assert persistence(info(rdb_last_save_time=later, rdb_saves=0), Settings(), started)["rdb_last_save_at"] is None


def test_fragmentation_of_nothing() -> None:
    assert memory(info(used_memory=0, used_memory_rss=5))["fragmentation"] is None


scalars = st.one_of(st.none(), st.integers(), st.binary(max_size=20))
entries = st.recursive(scalars, lambda inner: st.lists(inner, max_size=7), max_leaves=20)


@given(st.lists(entries, max_size=6) | entries)
def test_any_slow_log(answer: object) -> None:
    msgspec.msgpack.encode(slow_calls(answer))


@given(st.lists(st.binary(max_size=60), max_size=8).map(b"\n".join))
def test_any_client_list(answer: bytes) -> None:
    rows = applications(answer)
    msgspec.msgpack.encode(rows)
    assert sum(row.connections for row in rows.values()) <= len([line for line in answer.split(b"\n") if line])


def test_secrets_do_not_come_out_of_the_slow_log() -> None:
    calls = [
        [b"AUTH", b"hunter2"],
        [b"hello", b"3", b"AUTH", b"me", b"hunter2"],
        [b"config", b"set", b"requirepass", b"hunter2"],
        [b"ACL", b"SETUSER", b"me", b">hunter2"],
        [b"MIGRATE", b"h", b"1", b"k", b"0", b"5", b"AUTH", b"hunter2"],
    ]
    answer = [[number, 1_700_000_000, 5, call, b"127.0.0.1:5", b""] for number, call in enumerate(calls)]
    rows = slow_calls(answer)
    assert len(rows) == len(calls)
    assert "hunter2" not in str(rows)
    assert rows["2"].command == "config set ***"


def test_many_clients_are_listed_less_often() -> None:
    seldom = Seldom()
    assert seldom.due(100.0, 150)
    assert seldom.due(100.1, 5000)
    assert not seldom.due(149.0, 5000)
    assert seldom.due(150.2, 5000)
