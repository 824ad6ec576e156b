"""What all workers have: a pipe to the parent that proves them alive, limits, and an end."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import select
import signal
import sys
from types import FrameType
from typing import Any

import psycopg2  # type: ignore[import-untyped]

from console.lab.odoo import log
from console.lab.odoo.config import Config

LOGGER = "odoo.service.server"


class Worker:
    """One forked process. ``work`` is one turn; between turns limits are looked at and the parent is told."""

    kind = "Worker"
    patience_s = 5.0
    """Longest sleep; the parent hears from the worker at least so often."""

    def __init__(self, config: Config, pulse: int) -> None:
        self.config = config
        self._pulse = pulse
        self.patience_s = min(self.patience_s, config.limits.time_real_s / 4)
        self.alive = True
        self.requests = 0
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def run(self) -> None:
        """Work until told to end, or over a limit. Runs in the child."""
        signal.signal(signal.SIGINT, self._end)
        signal.signal(signal.SIGTERM, self._end)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGXCPU, self._cpu)
        random.seed()
        parent = os.getppid()
        self.start()
        try:
            while self.alive and os.getppid() == parent:
                self.beat()
                self._limits()
                if self.alive:
                    self.work()
        except (psycopg2.Error, OSError) as error:
            log.line("ERROR", None, LOGGER, f"Worker ({os.getpid()}) Exception occurred, exiting...\n{error}".rstrip())
            sys.exit(1)
        log.line("INFO", None, LOGGER, f"Worker ({os.getpid()}) exiting. request_count: {self.requests}.")

    def start(self) -> None:
        """Made anew in the child: connections."""

    def work(self) -> None:
        """One turn."""
        raise NotImplementedError

    def beat(self) -> None:
        """Tell the parent that we are alive."""
        with contextlib.suppress(BlockingIOError):
            os.write(self._pulse, b".")

    def rest(self, seconds: float, *hears: Any) -> list[Any]:
        """Sleep, unless one of ``hears`` (descriptors) is ready or the end is near. The ready ones."""
        ready = select.select([self._wake_read, *hears], [], [], min(seconds, self.patience_s))[0]
        return [each for each in ready if each != self._wake_read]

    def _end(self, number: int, frame: FrameType | None) -> None:
        self.alive = False
        with contextlib.suppress(BlockingIOError):
            os.write(self._wake_write, b".")

    def _cpu(self, number: int, frame: FrameType | None) -> None:
        limit = self.config.limits.time_cpu_s
        log.line("INFO", None, LOGGER, f"Worker ({os.getpid()}) CPU time limit ({limit}) reached.")
        log.line("ERROR", None, LOGGER, f"Worker ({os.getpid()}) Exception occurred, exiting...")
        os._exit(1)

    def _limits(self) -> None:
        limits = self.config.limits
        if self.requests >= limits.requests:
            log.line("INFO", None, LOGGER, f"Worker ({os.getpid()}) max request ({self.requests}) reached.")
            self.alive = False
        size = _virtual()
        if size > limits.memory_soft:
            log.line("INFO", None, LOGGER, f"Worker ({os.getpid()}) virtual memory limit ({size}) reached.")
            self.alive = False
        used = resource.getrusage(resource.RUSAGE_SELF)
        soft = int(used.ru_utime + used.ru_stime) + limits.time_cpu_s
        resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def _virtual() -> int:
    """Bytes of this process's address space."""
    with open("/proc/self/statm") as file:  # noqa: PTH123
        return int(file.read().split()[0]) * resource.getpagesize()
