"""The platform as one process: API server, controllers and kubelets in one event loop."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from console.lab.errors import LabError
from console.lab.kube.cluster import Cluster
from console.lab.kube.server import Server
from console.lab.platform import control, entrance, nodes, settings
from console.lab.platform.autoscaler import Autoscalers
from console.lab.platform.budgets import Budgets
from console.lab.platform.control import Answer, Ask
from console.lab.platform.controller import Controller
from console.lab.platform.deployments import Deployments
from console.lab.platform.endpoints import Endpoints
from console.lab.platform.events import Recorder
from console.lab.platform.images import Images
from console.lab.platform.keeping import Keeper
from console.lab.platform.kubelet import Kubelets
from console.lab.platform.lifecycle import Lifecycle
from console.lab.platform.logs import PodLogs, trim
from console.lab.platform.meter import Meter, PodMetrics
from console.lab.platform.podgc import FailedPods
from console.lab.platform.replicasets import ReplicaSets
from console.lab.platform.scheduler import Scheduler
from console.lab.platform.settings import Files
from console.lab.platform.variables import POD_MARK
from console.lab.process import processes_of, send, wait_gone

_EXPIRE_S = 60.0
_CONTROLLERS = (Deployments, ReplicaSets, Scheduler, Endpoints, Budgets, FailedPods, Lifecycle)

_log = logging.getLogger("banksman.lab.platform")


def end_left_over(directory: Path) -> None:
    """End pods' processes that an earlier platform process has left behind."""
    mark = f"{POD_MARK}=".encode()
    found = []
    for process in processes_of(directory):
        with suppress(OSError):
            if mark in Path(f"/proc/{process.pid}/environ").read_bytes():
                found.append(process)
    for process in found:
        send(process, signal.SIGKILL)
    wait_gone(found, 5.0)


class Platform:
    """Everything that runs in the process."""

    def __init__(self, directory: Path) -> None:
        self._files = Files(directory)
        self._settings = settings.read(directory)
        self._cluster = Cluster()
        self._keeper = Keeper(self._cluster, self._files.state)
        self._keeper.restore()
        self._recorder = Recorder(self._cluster)
        self._server = Server(self._cluster)
        self._images = Images(self._settings.images)
        self._tasks: list[asyncio.Task[None]] = []
        self._held = settings.hold_subnet(self._settings.subnet)
        if self._held is None:
            raise LabError(f"another laboratory has the addresses {self._settings.subnet}.*")

    async def start(self) -> None:
        """Open the ports, then have everything work."""
        entrance.admit(self._cluster, self._files)
        await self._open()
        self._kubelets = Kubelets(self._cluster, self._recorder, self._settings, self._files, self._images)
        self._reporters = [nodes.Reporter(each, self._recorder) for each in self._kubelets.by_name.values()]
        self._metrics = PodMetrics(self._kubelets)
        self._cluster.metrics = self._metrics
        self._cluster.logs = PodLogs(self._cluster, self._files, self._kubelets.reports)
        self._controllers: list[Controller] = [make(self._cluster, self._recorder) for make in _CONTROLLERS]
        scaling = Autoscalers(self._cluster, self._recorder, self._settings.scale_s)
        self._controllers.append(scaling)
        self._keeper.follow()
        meter = Meter(self._kubelets, self._reporters, self._settings.measure_s)
        self._begin(meter.run(), self._keeper.run(), self._every(nodes.RENEW_S, self._renew))
        self._begin(self._every(_EXPIRE_S, self._recorder.expire), self._every(_EXPIRE_S, self._trim))
        with control.socket_address(self._files.directory) as address:
            (self._files.folder / control.SOCKET).unlink(missing_ok=True)
            self._control = await asyncio.start_unix_server(self._serve, address)

    async def _open(self) -> None:
        """Open the API's ports. A port that was left to choice stays the one that was found."""
        port = await self._server.start(self._settings.port, entrance.certificate(self._files))
        plain = self._settings.plain_port
        if plain is not None:
            plain = await self._server.start(plain)
        self._settings = msgspec.structs.replace(self._settings, port=port, plain_port=plain)
        settings.write(self._files.directory, self._settings)
        entrance.write_kubeconfigs(self._files, port)
        self._open_now = True

    async def _close(self) -> None:
        self._open_now = False
        await self._server.stop()

    def _begin(self, *works: Coroutine[Any, Any, None]) -> None:
        self._tasks += [asyncio.create_task(each) for each in works]

    async def _every(self, seconds: float, do: Callable[[], None]) -> None:
        while True:
            do()
            await asyncio.sleep(seconds)

    def _renew(self) -> None:
        for each in self._reporters:
            each.renew()
            each.tell()

    def _trim(self) -> None:
        for run in self._kubelets.runs():
            for each in run.containers:
                trim(self._files.log(run.namespace, run.name, each.name))

    async def obey(self, request: Ask) -> None:
        """Do what a fault asks.

        Raises:
            KeyError: No such node.
        """
        match request.verb:
            case "lose":
                for kubelet in [self._kubelets.by_name[name] for name in request.nodes]:
                    kubelet.lose(request.how)
            case "restore":
                for name in request.nodes or list(self._kubelets.by_name):
                    self._kubelets.by_name[name].restore()
                self._renew()
            case "metrics":
                self._cluster.metrics = self._metrics if request.there else None
            case "api" if request.there and not self._open_now:
                await self._open()
            case "api" if not request.there:
                await self._close()
            case "compact":
                self._cluster.store.compact()
            case _:
                pass

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        try:
            await self.obey(msgspec.json.decode(await reader.readline(), type=Ask))
            lost = {name: each.loss for name, each in self._kubelets.by_name.items() if each.loss is not None}
            answer = Answer(lost=lost, metrics=self._cluster.metrics is not None, api=self._open_now)
        except KeyError as problem:
            answer = Answer(problem=f"the laboratory has no node {problem}")
        except (OSError, msgspec.MsgspecError) as problem:
            answer = Answer(problem=str(problem))
        writer.write(msgspec.json.encode(answer) + b"\n")
        await writer.drain()
        writer.close()

    async def work(self, ending: asyncio.Event) -> None:
        """Until told to end, or until a part of it fails, which then fails as a whole.

        Raises:
            Exception: Whatever the part failed with.
        """
        waiting = asyncio.create_task(ending.wait())
        done, _ = await asyncio.wait([waiting, *self._tasks], return_when=asyncio.FIRST_COMPLETED)
        for task in done - {waiting}:
            task.result()

    async def stop(self) -> None:
        """End every pod, close every port."""
        for task in self._tasks:
            task.cancel()
        self._kubelets.stop()
        self._keeper.write()
        self._control.close()
        await self._close()


async def run(directory: Path) -> None:
    """Run the platform until SIGTERM or SIGINT."""
    end_left_over(directory)
    loop = asyncio.get_running_loop()
    ending = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.set)
    platform = Platform(directory)
    await platform.start()
    _log.info("the platform runs, process %d", os.getpid())
    try:
        await platform.work(ending)
    finally:
        await platform.stop()
