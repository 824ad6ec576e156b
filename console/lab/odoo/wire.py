"""HTTP/1.1 on a socket, one request a connection: enough for a proxy and for browsers' clients."""

from __future__ import annotations

import json
import socket
from email.utils import formatdate
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

MAX_HEAD = 64 << 10
MAX_BODY = 128 << 20
_CHUNK = 65536


class BadRequestError(Exception):
    """What came is no request."""


class Request(msgspec.Struct):
    """One request, whole."""

    method: str
    target: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes
    address: str

    @property
    def host(self) -> str:
        """As the client called us."""
        return self.headers.get("x-forwarded-host") or self.headers.get("host", "localhost")

    def cookie(self, name: str) -> str:
        """Value of a cookie, or nothing."""
        for part in self.headers.get("cookie", "").split(";"):
            key, _, value = part.strip().partition("=")
            if key == name:
                return value
        return ""


class Response(msgspec.Struct):
    """One answer."""

    code: int
    body: bytes
    headers: list[tuple[str, str]]

    def put(self, name: str, value: str) -> None:
        """Add a header."""
        self.headers.append((name, value))


def read(connection: socket.socket, address: str) -> Request | None:
    """The request of this connection; None when it was closed without one."""
    raw = b""
    while b"\r\n\r\n" not in raw:
        piece = connection.recv(_CHUNK)
        if not piece:
            return None
        raw += piece
        if len(raw) > MAX_HEAD and b"\r\n\r\n" not in raw:
            raise BadRequestError("the head is too long")
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise BadRequestError("no request line")
    headers = {name.strip().lower(): value.strip() for name, _, value in (text.partition(":") for text in lines)}
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > MAX_BODY or "transfer-encoding" in headers:
        raise BadRequestError("no usable length")
    if headers.get("expect", "").lower() == "100-continue":
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    parts = [body]
    missing = int(length) - len(body)
    while missing > 0 and (piece := connection.recv(min(missing, _CHUNK))):
        parts.append(piece)
        missing -= len(piece)
    if missing > 0:
        return None
    target = urlsplit(words[1])
    query = dict(parse_qsl(target.query, keep_blank_values=True))
    return Request(words[0], words[1], unquote(target.path), query, headers, b"".join(parts), address)


def write(connection: socket.socket, response: Response, server: str, *, body: bool = True) -> None:
    """Send the answer."""
    phrase = HTTPStatus(response.code).phrase
    head = [f"HTTP/1.1 {response.code} {phrase}", f"Server: {server}", f"Date: {formatdate(usegmt=True)}"]
    head += [f"{name}: {value}" for name, value in response.headers]
    head += [f"Content-Length: {len(response.body)}", "Connection: close", "", ""]
    connection.sendall("\r\n".join(head).encode("latin-1", "replace") + (response.body if body else b""))


def as_json(value: Any, kind: str = "application/json; charset=utf-8", code: int = 200) -> Response:
    """An answer in JSON."""
    return Response(code, json.dumps(value).encode(), [("Content-Type", kind)])


def as_html(text: str, code: int = 200, kind: str = "text/html; charset=utf-8") -> Response:
    """An answer in HTML."""
    return Response(code, text.encode(), [("Content-Type", kind)])


def json_body(request: Request) -> dict[str, Any] | None:
    """The body of a JSON-RPC request, or None when it is none."""
    if "json" not in request.headers.get("content-type", ""):
        return None
    try:
        body = json.loads(request.body)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def unfit(request: Request) -> str:
    """Why a request is no JSON-RPC."""
    if "json" in request.headers.get("content-type", ""):
        return "Invalid JSON data"
    return f"Request inferred type is compatible with ['http'] but '{request.path}' is type='json'."
