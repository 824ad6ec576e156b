"""Free ports on 127.0.0.1, kept until the server that they are for is about to start."""

from __future__ import annotations

import random
import socket
from pathlib import Path

from console.lab.errors import LabError

_LOWEST = 15000


def _range() -> range:
    """Ports below those that the kernel gives to outgoing connections.

    A port from that range may be taken by somebody's connection while its server is down, which then cannot start again.
    """
    first_ephemeral = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    return range(_LOWEST, first_ephemeral) if first_ephemeral > _LOWEST + 2000 else range(61000, 65536)


class Reservation:
    """Ports bound, though not listened on, by this process."""

    def __init__(self) -> None:
        self._held: dict[int, socket.socket] = {}

    def take(self) -> int:
        """Reserve one more port.

        Raises:
            LabError: None of 500 tried was free.
        """
        for port in random.sample(_range(), 500):
            probe = socket.socket()
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                probe.close()
                continue
            self._held[port] = probe
            return port
        raise LabError("found no free port on 127.0.0.1")

    def release(self, *ports: int) -> None:
        """Let go of these, or of all."""
        for port in ports or tuple(self._held):
            self._held.pop(port).close()
