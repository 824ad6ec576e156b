"""The engine as a process: place, lock, log, sources, socket; and its end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from console import __version__, place, wire
from console.board import Board
from console.engine.core import Core, Judge
from console.engine.history import recorded_trends
from console.engine.lock import Lock
from console.engine.log import Redactor, log_to, secrets_of
from console.engine.recorder import Recorder
from console.engine.registry import applications_of, log_source, object_source, panes_of, sources_of
from console.engine.requests import Requests
from console.engine.scheduler import Scheduler
from console.engine.server import Server
from console.readings import Environment
from console.settings import Defaults, SettingsError, load_defaults, load_environment
from console.settings.environment import EnvironmentFile
from console.sources.base import Source
from console.threads import in_daemon

ALONE_S = 10.0
"""A private engine ends so many seconds after its last client left, or if none ever came."""
OK, USAGE, ALREADY_RUNS, FAILED = 0, 64, 75, 70

SourcesOf = Callable[[EnvironmentFile, Defaults], list[Source]]
JudgeOf = Callable[[EnvironmentFile, Defaults], Judge]

_log = logging.getLogger(__name__)


def assessor(environment: EnvironmentFile, defaults: Defaults) -> Judge:
    """The assessor of every finding."""
    from console.assessment import Assessor

    return Assessor(environment, defaults)


def run_engine(
    environment: Path,
    *,
    shared: bool = False,
    sources: SourcesOf = sources_of,
    judge: JudgeOf = assessor,
    alone_s: float = ALONE_S,
) -> int:
    """Watch ``environment`` until nobody needs it (private) or until SIGTERM; the exit code.

    0 ended as it should, 64 the environment file is wrong, 70 something else is, 75 another engine is there. A sentence
    about what is wrong is left in ``place.problem`` for the client that started it, and in the log.
    """
    environment = environment.expanduser().resolve()
    try:
        loaded = load_environment(environment)
        where = place.shared(loaded.environment.name) if shared else place.private(environment)
    except SettingsError as error:
        return _refuse(place.private(environment), str(error), USAGE)
    try:
        if not shared:
            os.umask(0o077)
        where.prepare()
        lock = Lock(where.lock)
        if not lock.take():
            return ALREADY_RUNS
    except (OSError, place.PlaceError) as error:
        return _refuse(where, str(error), FAILED)
    clear = Redactor(secrets_of(loaded.environment))
    log_to(where.log, clear)
    try:
        defaults = load_defaults()
        engine = Engine(loaded.environment, defaults, loaded.digest, where, sources, judge, clear, alone_s)
        where.problem.unlink(missing_ok=True)
        asyncio.run(engine.run())
    except SettingsError as error:
        return _refuse(where, clear(str(error)), USAGE)
    except Exception as error:  # noqa: BLE001 - logged, and told to whoever started us
        _log.exception("the engine failed")
        return _refuse(where, clear(f"{type(error).__name__}: {error}"), FAILED)
    finally:
        logging.shutdown()
        _end_for_certain()
    return OK


class Engine:
    """Everything that runs in the engine's event loop, tied together."""

    def __init__(
        self,
        environment: EnvironmentFile,
        defaults: Defaults,
        digest: str,
        where: place.Place,
        sources: SourcesOf,
        judge: JudgeOf,
        clear: Redactor,
        alone_s: float,
    ) -> None:
        self._environment = environment
        self._place = where
        self._alone_s = alone_s
        self._clear = clear
        self._needed = defaults.findings.open_after
        self._digest = digest
        self._sources = sources(environment, defaults)
        self._board = Board()
        self._recorder = Recorder(where.recordings, environment.name, record_text=environment.record_text)
        self._core = Core(self._board, judge(environment, defaults), self._recorder)
        self._requests = Requests(
            self._core,
            lambda target: log_source(environment, target, defaults),
            lambda target: object_source(environment, target, defaults),
            shared=where.shared,
            stop=self.stop,
        )
        self._stopped: asyncio.Event | None = None

    def stop(self, why: str) -> None:
        """End soon."""
        if self._stopped is not None and not self._stopped.is_set():
            _log.info("ending: %s", why)
            self._stopped.set()

    async def run(self) -> None:
        """From the first look to the last."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._unexpected)
        self._stopped = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, self.stop, signal.Signals(number).name)
        server = Server(self._board, self._hello(), self._requests, self._watchers_changed)
        scheduler = Scheduler(self._sources, self._core.put, self._clear, hide=self._clear.hide, needed=self._needed)
        self._core.server, self._core.scheduler = server, scheduler
        self._core.put(self._about())
        await server.open(self._place)
        _log.info("banksman %s watches %s at %s", __version__, self._environment.name, self._place.socket)
        fetching = await self._fetch_secrets(loop)
        scheduler.start()
        self._core.start()
        recalling = loop.create_task(self._recall())
        gc.collect()
        gc.freeze()  # what lives now lives to the end: no need to look at it again and again
        try:
            await self._until_alone(server)
        finally:
            recalling.cancel()
            if fetching is not None:
                fetching.cancel()
            await server.close(self._place)
            await scheduler.close()
            self._core.stop()
            self._recorder.close()
            _log.info("ended")

    async def _until_alone(self, server: Server) -> None:
        assert self._stopped is not None
        loop = asyncio.get_running_loop()
        while not self._stopped.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), 1.0)
            if not self._place.shared and not server.clients and loop.time() - server.empty_since >= self._alone_s:
                self.stop(f"no client for {self._alone_s:g} s")

    async def _fetch_secrets(self, loop: asyncio.AbstractEventLoop) -> asyncio.Task[None] | None:
        """Where a cluster keeps secrets: they are there when sources begin, and read again while they run."""
        from console.sources import kubernetes, kubernetes_secrets

        if not kubernetes.kept_in_cluster(self._environment):
            return None

        async def keep_fetched() -> None:
            wait_s = kubernetes_secrets.AGAIN_S
            while True:
                await asyncio.sleep(wait_s)
                wait_s = kubernetes_secrets.AGAIN_S if await fetch() else kubernetes_secrets.FAILED_S

        async def fetch() -> bool:
            every = await kubernetes_secrets.fetch(self._environment)
            self._clear.learn(secrets_of(self._environment))
            return every

        await fetch()
        return loop.create_task(keep_fetched(), name="secrets of the cluster")

    async def _recall(self) -> None:
        """Sparklines that begin anew with every engine would be empty whenever one comes to look."""
        panes = panes_of(self._sources)
        self._core.recall(
            await in_daemon(lambda: recorded_trends(self._place.recordings, panes, time.time()), "recall")
        )

    def _hello(self) -> wire.Hello:
        return wire.Hello(
            wire.PROTOCOL, __version__, self._environment.name, self._digest, os.getpid(), self._place.shared
        )

    def _about(self) -> Environment:
        now = datetime.now(UTC).replace(microsecond=0)
        return Environment(
            taken_at=now,
            name=self._environment.name,
            kind=self._environment.kind,
            production=self._environment.production,
            laboratory=self._environment.laboratory,
            stand_ins=self._environment.stand_ins,
            panes=panes_of(self._sources),
            record_text=self._environment.record_text,
            shared=self._place.shared,
            engine_pid=os.getpid(),
            engine_build=__version__,
            started_at=now,
            applications=applications_of(self._environment),
        )

    def _watchers_changed(self) -> None:
        self._requests.left()
        server = self._core.server
        if server is not None:
            watchers = server.watchers()
            self._core.change_environment(lambda about: msgspec.structs.replace(about, watchers=watchers))

    def _unexpected(self, _loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        error = context.get("exception")
        _log.error("%s", context.get("message"), exc_info=error if isinstance(error, BaseException) else None)


def _refuse(where: place.Place, problem: str, code: int) -> int:
    """Leave a sentence for whoever started us."""
    with contextlib.suppress(OSError, place.PlaceError):
        where.prepare()
        where.problem.write_text(problem + "\n")
    return code


def _end_for_certain() -> None:
    """A thread that hangs in somebody's library must not keep a process that nobody needs."""
    timer = threading.Timer(3.0, os._exit, (FAILED,))
    timer.daemon = True
    timer.start()
