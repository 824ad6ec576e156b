"""Probes: whether a container answers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl

from console.lab.kube.kinds import Json

_HEAD = 512


def port_of(container: Json, port: int | str) -> int:
    """The number of a port, which may be a name.

    Raises:
        ValueError: No port has the name.
    """
    if isinstance(port, int) or port.isdigit():
        return int(port)
    for each in container.get("ports") or []:
        if each.get("name") == port:
            return int(each["containerPort"])
    raise ValueError(f"couldn't find port {port} in the container")


def _insecure() -> ssl.SSLContext:
    """For HTTPS probes, which check no certificate, in Kubernetes neither."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def _http(address: str, port: int, how: Json) -> str:
    secure = how.get("scheme") == "HTTPS"
    headers = {each["name"]: each["value"] for each in how.get("httpHeaders") or []}
    lines = {"Host": f"{address}:{port}", "User-Agent": "kube-probe/1.36", "Accept": "*/*", "Connection": "close"}
    head = [
        f"GET {how.get('path') or '/'} HTTP/1.1",
        *(f"{name}: {value}" for name, value in (lines | headers).items()),
    ]
    reader, writer = await asyncio.open_connection(address, port, ssl=_insecure() if secure else None)
    try:
        writer.write("\r\n".join([*head, "", ""]).encode())
        answer = await reader.readline()
        while len(await reader.readline()) > 2:  # the server has said all of its head before the line is cut
            pass
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
    words = answer[:_HEAD].decode("latin-1").split()
    code = int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
    return "" if 200 <= code < 400 else f"HTTP probe failed with statuscode: {code}"


async def _connects(address: str, port: int) -> str:
    _, writer = await asyncio.open_connection(address, port)
    writer.close()
    return ""


async def check(probe: Json, container: Json, address: str) -> str:
    """Probe once; "" or why it failed."""
    http: Json | None = probe.get("httpGet")
    target: Json | None = http or probe.get("tcpSocket")
    if target is None:
        return "" if "exec" not in probe else "exec probes are not run in the laboratory"
    try:
        port = port_of(container, target["port"])
    except ValueError as problem:
        return str(problem)
    where = target.get("host") or address
    asking = f'Get "http://{where}:{port}{http.get("path") or "/"}": ' if http is not None else ""
    probing = _http(where, port, http) if http is not None else _connects(where, port)
    try:
        return await asyncio.wait_for(probing, float(probe.get("timeoutSeconds", 1)))
    except TimeoutError:
        return f"{asking}context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
    except OSError as problem:
        why = os.strerror(problem.errno).lower() if problem.errno else str(problem)
        return f"{asking}dial tcp {where}:{port}: connect: {why}"
    except (ValueError, asyncio.IncompleteReadError) as problem:
        return f"{asking}{problem}"
