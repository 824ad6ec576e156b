"""Host name → address, without blocking the loop and without piling up threads while the resolver hangs."""

from __future__ import annotations

import asyncio
import ipaddress
import socket

from console.threads import in_daemon


class Lookup:
    """Addresses of one host. At most one lookup runs at a time, however often it is asked.

    After a failed connection ``next()`` moves to the host's next address, so that each attempt has the whole of its
    deadline for one address.
    """

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self._running: asyncio.Task[list[str]] | None = None
        self._turn = 0

    @property
    def needed(self) -> bool:
        """False for an address or a socket directory: nothing to look up."""
        return not (self.host.startswith("/") or _is_address(self.host))

    async def address(self) -> str:
        """One address of the host. Raises OSError where there is none."""
        if not self.needed:
            return self.host
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(in_daemon(self._ask, f"lookup {self.host}"))
            self._running.add_done_callback(_seen)
        addresses = await asyncio.shield(self._running)
        return addresses[self._turn % len(addresses)]

    def next(self) -> None:
        """The address last given did not answer: give another one."""
        self._turn += 1

    def _ask(self) -> list[str]:
        found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        if not addresses:
            raise OSError(f"{self.host} has no address")
        return addresses


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _seen(task: asyncio.Task[list[str]]) -> None:
    """A failure that nobody waited for is no news."""
    if not task.cancelled():
        task.exception()
