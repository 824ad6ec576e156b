"""What looks like a secret, and what does not; in linear time."""

from __future__ import annotations

import time

import pytest

from console.clients.redact import redact


@pytest.mark.parametrize(
    "text",
    [
        '{"password": "hunter2"}', "{'token': 'hunter2'}", '{"a": "{\\"password\\": \\"hunter2\\"}"}', "password=hunter2",
        "Authorization: Bearer hunter2", "authorization: Basic hunter2==", '{"Authorization": "Bearer hunter2"}',
        "curl -H 'Authorization: Bearer hunter2' http://h", "bearer hunter2", "pass=hunter2", "DB_PASS: hunter2",
        "requirepass hunter2", 'CONFIG SET masterauth "hunter2"', "AUTH hunter2", "AUTH someone hunter2", "auth hunter2",
        '"auth" "hunter2"', "HELLO 3 AUTH default hunter2", "postgres://u:hunter2@h/db", "postgres://u:p@hunter2@h/db",
        "ALTER ROLE x PASSWORD 'hunter2'", "pg_basebackup --password=hunter2", "redis-cli --api-token hunter2",
    ],
)  # fmt: skip
def test_a_secret_is_taken_out(text: str) -> None:
    found = redact(text)
    assert "hunter2" not in found
    assert "***" in found


@pytest.mark.parametrize(
    "text",
    [
        'password authentication failed for user "odoo"', "NOAUTH Authentication required.", "passenger=5 bypass=no",
        "see http://host:8008/patroni", "author: somebody", "SELECT 1 -- all right", "compass = north",
    ],
)  # fmt: skip
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


def test_the_rest_of_a_url_stays() -> None:
    assert redact("postgres://u:p@ss@h:5432/db and more") == "postgres://u:***@h:5432/db and more"


@pytest.mark.parametrize(
    "piece",
    [
        "://a:", "password", "pass", "AUTH ", "auth ", "authorization:", "requirepass ", "bearer ", "'password'", '\\"',
        "password: '", "://u:p@", "authorization: x", "--token", "AUTH a", '"auth" "',
    ],
)  # fmt: skip
def test_a_text_made_for_it_takes_linear_time(piece: str) -> None:
    def least(size: int) -> float:
        text = "password " + piece * (size // len(piece))
        took = []
        for _ in range(3):
            began = time.process_time()
            redact(text)
            took.append(time.process_time() - began)
        return min(took)

    assert least(80_000) < 12 * least(10_000) + 0.01
