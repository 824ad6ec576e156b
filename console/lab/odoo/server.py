"""The parent of a tenant: forks its workers, replaces the dead, ends those that take too long. It holds no connection."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import select
import signal
import socket
import time
from collections.abc import Callable
from types import FrameType

import msgspec

from console.lab.odoo import log
from console.lab.odoo.config import Config
from console.lab.odoo.cron import WorkerCron
from console.lab.odoo.jobs import WorkerJobs
from console.lab.odoo.versions import VERSIONS
from console.lab.odoo.webworker import WorkerHTTP
from console.lab.odoo.worker import LOGGER, Worker

_BEAT_S = 4.0
_ENDING_S = 10.0
_PR_SET_PDEATHSIG = 1


class Child(msgspec.Struct):
    """A worker as the parent knows it."""

    kind: str
    pulse: int
    heard: float
    killed: bool = False


class Server:
    """The parent process."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._wanted = {"WorkerHTTP": config.web, "WorkerCron": config.cron, "WorkerJobRunner": config.queue}
        self._children: dict[int, Child] = {}
        self._ending = False
        self._born = 0.0
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT. SIGTTIN and SIGTTOU: a web worker more, or less."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGTTIN, signal.SIGTTOU):
            signal.signal(number, self._signalled)
        version = VERSIONS[self._config.version].series
        log.line("INFO", None, "odoo", f"Odoo version {version}")
        self._listener = socket.create_server(
            (self._config.interface, self._config.port), backlog=8 * max(self._config.web, 1)
        )
        self._listener.setblocking(False)
        log.line(
            "INFO", None, LOGGER, f"HTTP service (werkzeug) running on {self._config.interface}:{self._config.port}"
        )
        gc.freeze()
        while not self._ending:
            self._reap()
            self._end_overdue()
            self._spawn()
            self._rest()
        self._stop()

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        if number in (signal.SIGTERM, signal.SIGINT):
            self._ending = True
        elif number in (signal.SIGTTIN, signal.SIGTTOU):
            more = 1 if number == signal.SIGTTIN else -1
            self._wanted["WorkerHTTP"] = max(self._wanted["WorkerHTTP"] + more, 0)
        with contextlib.suppress(BlockingIOError):
            os.write(self._wake_write, b".")

    def _rest(self) -> None:
        pulses = {child.pulse: child for child in self._children.values()}
        limit = self._config.limits.time_real_s
        ready = select.select([self._wake_read, *pulses], [], [], min(_BEAT_S, limit / 4))[0]
        for descriptor in ready:
            with contextlib.suppress(BlockingIOError):
                told = os.read(descriptor, 4096)
                if descriptor in pulses and told:
                    pulses[descriptor].heard = time.monotonic()
        if pulses.keys() & set(ready):
            time.sleep(0.05)  # A worker that is ending keeps its pipe readable until it is reaped.

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            child = self._children.pop(pid, None)
            if child is not None:
                os.close(child.pulse)
                if os.waitstatus_to_exitcode(status) == 3:
                    log.line("CRITICAL", None, LOGGER, "Critical worker error (3)")

    def _end_overdue(self) -> None:
        limit, now = self._config.limits.time_real_s, time.monotonic()
        for pid, child in self._children.items():
            if now - child.heard >= limit:
                log.line("ERROR", None, LOGGER, f"{child.kind} ({pid}) timeout after {limit:g}s")
                os.kill(pid, signal.SIGKILL)

    def _spawn(self) -> None:
        makers: dict[str, Callable[[int], Worker]] = {
            "WorkerHTTP": lambda pulse: WorkerHTTP(self._config, pulse, self._listener),
            "WorkerCron": lambda pulse: WorkerCron(self._config, pulse),
            "WorkerJobRunner": lambda pulse: WorkerJobs(self._config, pulse),
        }
        for kind, wanted in self._wanted.items():
            alive = [pid for pid, child in self._children.items() if child.kind == kind]
            for pid in alive[wanted:]:
                os.kill(pid, signal.SIGINT)
            for _ in range(wanted - len(alive)):
                self._fork(kind, makers[kind])

    def _fork(self, kind: str, make: Callable[[int], Worker]) -> None:
        hears, tells = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        pid = os.fork()
        if pid:
            os.close(tells)
            self._children[pid] = Child(kind, hears, time.monotonic())
            return
        code = 1
        try:
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            for child in self._children.values():
                os.close(child.pulse)
            os.close(hears)
            make(tells).run()
            code = 0
        except Exception as error:  # noqa: BLE001 - a child must never come back into the parent's code
            log.line("ERROR", None, LOGGER, f"Worker ({os.getpid()}) Exception occurred, exiting...\n{error!r}")
        finally:
            os._exit(code)

    def _stop(self) -> None:
        log.line("INFO", None, LOGGER, "Stopping gracefully")
        self._listener.close()
        for pid in self._children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)
        deadline = time.monotonic() + _ENDING_S
        while self._children and time.monotonic() < deadline:
            self._reap()
            time.sleep(0.02)
        for pid in self._children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        while self._children:
            self._reap()
            time.sleep(0.01)
