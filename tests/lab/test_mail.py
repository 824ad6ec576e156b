"""The laboratory's mail server, asked by the standard library's client."""

from __future__ import annotations

import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.lab.ports import Reservation

pytestmark = pytest.mark.server
SOON_S = 20.0


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """Its port and its log."""
    ports = Reservation()
    port, log = ports.take(), tmp_path / "mail.log"
    ports.release()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "console.lab.mailsink", str(port)], stdout=output, stderr=output
        )
    try:
        yield port, log
    finally:
        process.kill()
        process.wait(SOON_S)


def client(port: int) -> smtplib.SMTP:
    """A conversation, once it listens."""
    end = time.monotonic() + SOON_S
    while True:
        try:
            return smtplib.SMTP("127.0.0.1", port, timeout=SOON_S)
        except ConnectionRefusedError:
            assert time.monotonic() < end, "nobody listens"
            time.sleep(0.05)


def test_it_takes_mail_and_says_so_in_its_log(sink: tuple[int, Path]) -> None:
    port, log = sink
    with client(port) as line:
        assert line.sendmail("a@example.com", ["b@example.com", "c@example.com"], "Subject: one\r\n\r\n.dot\r\n") == {}
        assert line.sendmail("a@example.com", ["d@example.com"], "Subject: two\r\n\r\n") == {}
    told = log.read_text()
    assert "b@example.com" in told
    assert "c@example.com" in told
    assert told.count(" bytes") == 2


def test_it_refuses_what_is_out_of_order_and_goes_on(sink: tuple[int, Path]) -> None:
    port, _ = sink
    with client(port) as line:
        line.ehlo()
        assert line.docmd("DATA")[0] == 503
        assert line.docmd("RCPT", "TO:<a@example.com>")[0] == 503
        assert line.docmd("XYZZY")[0] == 502
        assert line.sendmail("a@example.com", ["b@example.com"], "Subject: one\r\n\r\n") == {}
    with socket.create_connection(("127.0.0.1", port), timeout=SOON_S) as rude:
        rude.sendall(b"x" * 200_000)
    with client(port) as line:
        assert line.noop()[0] == 250
