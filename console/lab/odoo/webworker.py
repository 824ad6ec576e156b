"""A web worker: one request a turn from the socket that all share."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from datetime import UTC, datetime

from console.lab.odoo import log, pages, wire
from console.lab.odoo.config import Config
from console.lab.odoo.rpc import Spent
from console.lab.odoo.web import Application
from console.lab.odoo.wire import BadRequestError, Request, Response
from console.lab.odoo.worker import Worker

_CLIENT_S = 10.0


class WorkerHTTP(Worker):
    """Serves requests."""

    kind = "WorkerHTTP"

    def __init__(self, config: Config, pulse: int, listener: socket.socket) -> None:
        super().__init__(config, pulse)
        self._listener = listener

    def start(self) -> None:
        """Connections are this process's own."""
        self._application = Application(self.config)
        log.line("INFO", None, "odoo.service.server", f"Worker WorkerHTTP ({os.getpid()}) alive")

    def work(self) -> None:
        """Wait for a request, and answer it."""
        if not self.rest(self.patience_s, self._listener):
            return
        try:
            connection, (address, _port) = self._listener.accept()
        except BlockingIOError:  # Another worker was quicker.
            return
        with connection:
            connection.settimeout(_CLIENT_S)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with contextlib.suppress(OSError):  # A client that left is no error of ours.
                self._serve(connection, address)
        self.requests += 1

    def _serve(self, connection: socket.socket, address: str) -> None:
        try:
            request = wire.read(connection, address)
        except BadRequestError as error:
            wire.write(connection, pages.failure(self._application.version, 400, str(error)), self._application.server)
            return
        if request is None:
            return
        started = time.monotonic()
        response, spent = self._application.handle(request)
        _note(request, response, spent, time.monotonic() - started)
        wire.write(connection, response, self._application.server, body=request.method != "HEAD")


def _note(request: Request, response: Response, spent: Spent, seconds: float) -> None:
    """The access log's line: statements, their seconds, other seconds."""
    client = request.headers.get("x-forwarded-for", "").split(",")[0].strip() or request.address
    when = datetime.now(UTC)
    first = f'"{request.method} {request.target} HTTP/1.1"'
    log.line(
        "INFO", spent.database, "werkzeug",
        f"{client} - - [{when:%d/%b/%Y %H:%M:%S}] {first} {response.code} - "
        f"{spent.queries} {spent.seconds:.3f} {max(seconds - spent.seconds, 0.0):.3f}",
    )  # fmt: skip
