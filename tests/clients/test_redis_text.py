"""Answers of servers that are odd, cut short or hostile: parsed to less, never to an exception."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.clients.redis_text import Info, client_lines, integer, moment, pairs, real, text

scalar = st.one_of(st.none(), st.integers(), st.floats(), st.text(max_size=40), st.binary(max_size=40))
answer = st.recursive(scalar, lambda inner: st.lists(inner, max_size=5), max_leaves=12)

lines = st.lists(
    st.one_of(
        st.binary(max_size=30),
        st.builds(
            lambda name, value: name + b":" + value,
            st.sampled_from(
                [
                    b"db0",
                    b"db",
                    b"db99999999999",
                    b"slave0",
                    b"slavex",
                    b"errorstat_OOM",
                    b"redis_version",
                    b"used_memory",
                    b"server_time_usec",
                    b"uptime_in_seconds",
                    b"role",
                    b"maxmemory",
                    b"valkey_version",
                ]
            ),
            st.one_of(
                st.binary(max_size=20),
                st.sampled_from(
                    [b"keys=1,expires=x", b"keys=,=", b"ip=\x1b[2J,port=1,offset=1e999,lag=nan", b"count=-1", b"9" * 30]
                ),
            ),
        ),
    ),
    max_size=12,
).map(b"\r\n".join)


@given(answer)
def test_any_answer(value: Any) -> None:
    text(value)
    pairs(value)
    Info(value)
    list(client_lines(value))
    number = integer(value)
    assert number is None or abs(number) < 2**53
    fraction = real(value)
    assert fraction is None or fraction - fraction == 0
    moment(fraction)


@given(lines)
def test_any_info(body: bytes) -> None:
    info = Info(body)
    assert all(abs(count) < 2**53 for row in info.databases().values() for count in row)
    assert isinstance(info.flavour, str)
    assert "\x1b" not in info.flavour
    info.version  # noqa: B018
    info.server_time_s  # noqa: B018
    for row in info.replicas():
        assert isinstance(row, dict)
    info.errors("OOM")


@given(st.binary(max_size=200))
def test_any_client_list(body: bytes) -> None:
    for fields in client_lines(body):
        assert all(isinstance(name, bytes) for name in fields)


def test_info() -> None:
    info = Info(
        b"# Server\r\nredis_version:7.2.4\r\nvalkey_version:9.1.2\r\nserver_time_usec:1700000000000000\r\n\r\n"
        b"# Keyspace\r\ndb0:keys=3,expires=1,avg_ttl=0\r\ndb7:keys=2,expires=0\r\n"
        b"slave0:ip=10.0.0.1,port=6379,state=online,offset=7,lag=0,type=replica\r\nerrorstat_OOM:count=5\r\n"
    )
    assert info.flavour == "Valkey 9.1.2"
    assert info.version == (7, 2)
    assert info.server_time_s == 1.7e9
    assert info.databases() == {0: (3, 1), 7: (2, 0)}
    assert [row["ip"] for row in info.replicas()] == ["10.0.0.1"]
    assert info.errors("OOM") == 5
    assert info.errors("MISCONF") == 0
    assert Info(b"redis_version:6.0.16\r\n").flavour == "Redis 6.0.16"
    assert Info(None).flavour == ""


@pytest.mark.parametrize(
    ("value", "whole", "number"),
    [
        (b"12", 12, 12.0),
        ("-1", -1, -1.0),
        (b"1.5", 1, 1.5),
        (7, 7, 7.0),
        (b"", None, None),
        (b"12a", None, None),
        (b"nan", None, None),
        (b"1e999", None, None),
        ("9007199254740991", 9007199254740991, 9007199254740991.0),
        ("9" * 25, None, 1e25),
        (2**64, None, float(2**64)),
        (None, None, None),
        ([1], None, None),
    ],
)
def test_numbers(value: Any, whole: int | None, number: float | None) -> None:
    assert integer(value) == whole
    assert real(value) == number


def test_moments() -> None:
    assert moment(1.7e9) == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert moment(None) is moment(0) is moment(-5) is moment(1e300) is None
