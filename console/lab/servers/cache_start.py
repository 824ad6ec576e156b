"""Starts a Valkey node in the role that Sentinel gives it now, as the usual container images' entry points do.

A node that was primary and simply came up again would take itself for the primary until Sentinel notices, some ten
seconds later. So it asks the Sentinels first; where none answers, the address that it was installed with holds.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

from console.lab.servers.cache import CACHE


def _command(*words: str) -> bytes:
    parts = [f"*{len(words)}\r\n", *(f"${len(word.encode())}\r\n{word}\r\n" for word in words)]
    return "".join(parts).encode()


def _ask(port: int, password: str) -> int | None:
    """Port of the primary according to one Sentinel; None when it does not say."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as line, line.makefile("rb") as answer:
            line.sendall(_command("AUTH", password) + _command("SENTINEL", "get-master-addr-by-name", CACHE))
            if answer.readline() != b"+OK\r\n" or answer.readline() != b"*2\r\n":
                return None
            lines = [answer.readline() for _ in range(4)]
            return int(lines[3])
    except (OSError, ValueError):
        return None


def main() -> None:
    """Become the server."""
    binary, file, own, password_file, installed, *sentinels = sys.argv[1:]
    password = Path(password_file).read_text().strip()
    votes = [vote for port in sentinels if (vote := _ask(int(port), password)) is not None]
    primary = max(set(votes), key=votes.count) if votes else int(installed)
    # Said in either case: the file may hold another role, which Sentinel wrote into it long ago.
    role = ["no", "one"] if primary == int(own) else ["127.0.0.1", str(primary)]
    os.execv(binary, [binary, file, "--replicaof", *role])  # noqa: S606 - a list, no shell


if __name__ == "__main__":
    main()
