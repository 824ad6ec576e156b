"""Extra load of faults: programs that come through Traefik or straight to a pod. Each ends by itself after ten minutes."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from collections import deque
from pathlib import Path

import aiohttp
import msgspec

from console.lab.certificates import Authority
from console.lab.faults import platform
from console.lab.faults.base import Stroke
from console.lab.manifests.tenant import PORT
from console.lab.state import write_file

LONGEST_S = 600.0
SOURCE = "127.66.6.6"
FILE = "load/fault-requests-flood.json"
_AT_ONCE = 60
_WINDOW_S = 2.0


def sent(directory: Path) -> float:
    """Requests a second of the flood that were answered lately."""
    try:
        return msgspec.json.decode((directory / FILE).read_bytes(), type=float)
    except FileNotFoundError:
        return 0.0


async def _one(http: aiohttp.ClientSession, address: str, host: str, answered: deque[float]) -> None:
    with contextlib.suppress(aiohttp.ClientError, TimeoutError):
        async with http.get(f"{address}/web/health", headers={"Host": host}, server_hostname=host) as answer:
            await answer.read()
            answered.append(time.monotonic())


async def _flood(stroke: Stroke) -> None:
    each, per_s = platform.of(stroke), stroke.number("per_s")
    trust = ssl.create_default_context(cafile=str(Authority(stroke.lab.path).certificate))
    connector = aiohttp.TCPConnector(ssl=trust, local_addr=(SOURCE, 0), limit=_AT_ONCE)
    address = f"https://127.0.0.1:{stroke.lab.ports['websecure']}"
    answered: deque[float] = deque()
    running: set[asyncio.Task[None]] = set()
    begun, number, told = time.monotonic(), 0, 0.0
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=10)) as http:
        while (now := time.monotonic()) < begun + LONGEST_S:
            while number < (now - begun) * per_s:
                number += 1
                if len(running) < _AT_ONCE:
                    task = asyncio.create_task(_one(http, address, each.host, answered))
                    running.add(task)
                    task.add_done_callback(running.discard)
            while answered and answered[0] < now - _WINDOW_S:
                answered.popleft()
            if now - told > 0.5:
                told = now
                write_file(stroke.lab.path / FILE, msgspec.json.encode(len(answered) / _WINDOW_S))
            await asyncio.sleep(0.05)


def requests(stroke: Stroke) -> None:
    """Ask and ask."""
    try:
        asyncio.run(_flood(stroke))
    finally:
        (stroke.lab.path / FILE).unlink(missing_ok=True)


def upload(address: str, seconds: float, pause: float, patience: float = 30.0) -> bool:
    """One upload over a thin line: a web worker that reads it does nothing else meanwhile. Whether it was answered.

    It begins only when a worker has taken it (100 Continue): while it waits for one, the kernel would take it all.
    """
    body = max(round(seconds / pause), 1)
    head = f"POST /web/binary/upload HTTP/1.1\r\nHost: pod\r\nContent-Type: image/jpeg\r\nContent-Length: {body}\r\nExpect: 100-continue\r\n\r\n"
    try:
        with socket.create_connection((address, PORT), timeout=patience) as line:
            line.sendall(head.encode())
            if not line.recv(1024):
                return False
            for _ in range(body):
                time.sleep(pause)
                line.sendall(b".")
            return bool(line.recv(1024))
    except OSError:
        return False
