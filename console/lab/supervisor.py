"""The process that owns a laboratory's servers: ``python -m console.lab.supervisor DIRECTORY``.

It does what an init system does on a real host: a server that ends by itself is started again after a second, unless a
fault holds it down. It decides nothing else; what is started when is asked of it over the control socket.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from console.lab import control, privilege, state
from console.lab.control import Answer, Ask
from console.lab.process import MARK, Identity, alive, boot_id, identify, send
from console.lab.sweep import sweep

_RESTART_AFTER_S = 1.0
_LOOK_EVERY_S = 0.2

_log = logging.getLogger("banksman.lab")


class Supervisor:
    """Starts, watches and restarts the children; the only writer of ``lab.json`` while it runs."""

    def __init__(self, directory: Path) -> None:
        self.lab = state.read(directory)
        self.directory = directory
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._again_at: dict[str, float] = {}

    def _put(self, name: str, **changes: Any) -> None:
        servers = dict(self.lab.servers)
        servers[name] = msgspec.structs.replace(servers[name], **changes)
        self._save(servers=servers)

    def _save(self, **changes: Any) -> None:
        self.lab = msgspec.structs.replace(self.lab, **changes)
        state.write(self.lab)

    def announce(self) -> None:
        """Write down who supervises."""
        self._save(supervisor=identify(os.getpid()), boot_id=boot_id())

    def start(self, name: str) -> None:
        """Start a server, unless it runs."""
        server = self.lab.servers[name]
        if server.process is not None and alive(server.process):
            return
        argv = list(server.argv)
        extra: dict[str, Any] = {}
        if server.unprivileged:
            argv, extra = privilege.wrap(self.lab.privilege, argv)
        with Path(server.log).open("ab") as log:
            child = subprocess.Popen(
                argv,
                cwd=server.directory,
                env=os.environ | server.environment | {MARK: str(self.directory)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **extra,
            )
        self._children[name] = child
        self._again_at.pop(name, None)
        self._put(name, process=identify(child.pid), condition="running", starts=server.starts + 1)

    def end(self, name: str, number: signal.Signals, *, hold: bool) -> None:
        """Signal a server; held down, it is not started again."""
        process = self.lab.servers[name].process
        if hold:
            self._put(name, condition="held")
            self._again_at.pop(name, None)
        if process is not None:
            send(process, signal.SIGCONT) if number == signal.SIGTERM else None
            send(process, number)

    def remove(self, name: str) -> None:
        """End a worker and forget it."""
        process = self.lab.servers[name].process
        if process is not None:
            send(process, signal.SIGKILL)
        self._again_at.pop(name, None)
        self._save(servers={key: server for key, server in self.lab.servers.items() if key != name})

    async def watch(self) -> None:
        """Notice children that ended and start again those that nobody holds down; until the owner, if any, has ended."""
        loop = asyncio.get_running_loop()
        while self.lab.owner is None or alive(self.lab.owner):
            await asyncio.sleep(_LOOK_EVERY_S)
            for name, child in list(self._children.items()):
                if child.poll() is not None:
                    self._ended(name, child, loop.time())
            for name, when in list(self._again_at.items()):
                if loop.time() >= when:
                    self.start(name)

    def _ended(self, name: str, child: subprocess.Popen[bytes], now: float) -> None:
        del self._children[name]
        server = self.lab.servers.get(name)
        if server is None:
            return
        _log.warning("%s ended with %s", name, child.returncode)
        if server.condition == "held":
            self._put(name, process=None)
        else:
            self._put(name, process=None, condition="dead")
            self._again_at[name] = now + _RESTART_AFTER_S

    def obey(self, request: Ask) -> None:
        """Do one request.

        Raises:
            KeyError: No such server.
            OSError: It could not be started.
        """
        if request.server is not None:
            self._save(servers=self.lab.servers | {request.server.name: request.server})
        match request.verb:
            case "start":
                self.start(request.name)
            case "stop":
                self.end(request.name, signal.SIGTERM, hold=False)
            case "kill":
                self.end(request.name, signal.SIGKILL, hold=False)
            case "hold":
                self.end(request.name, signal.SIGKILL, hold=True)
            case "release":
                self.start(request.name)
            case "remove":
                self.remove(request.name)
            case "ready":
                self._save(ready_at=datetime.now(UTC))
            case "state":
                pass

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        try:
            request = msgspec.json.decode(await reader.readline(), type=Ask)
            self.obey(request)
            answer = Answer(lab=self.lab)
        except KeyError as problem:
            answer = Answer(problem=f"the laboratory has no server {problem}")
        except (OSError, msgspec.MsgspecError) as problem:
            answer = Answer(problem=str(problem))
        writer.write(msgspec.json.encode(answer) + b"\n")
        await writer.drain()
        writer.close()


async def _run(directory: Path) -> None:
    supervisor = Supervisor(directory)
    (directory / control.SOCKET).unlink(missing_ok=True)
    with control.socket_address(directory) as address:
        server = await asyncio.start_unix_server(supervisor.serve, address, limit=1 << 20)
    supervisor.announce()
    loop = asyncio.get_running_loop()
    ending = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.set)
    watching = asyncio.create_task(supervisor.watch())
    waiting = asyncio.create_task(ending.wait())
    await asyncio.wait({watching, waiting}, return_when=asyncio.FIRST_COMPLETED)
    server.close()
    if watching.done():
        watching.result()
    watching.cancel()


def main() -> None:
    """Run until told to end; then nothing of the laboratory runs on."""
    directory = Path(sys.argv[1])
    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.INFO)
    own = identify(os.getpid())
    owned = state.read(directory).owner is not None
    try:
        asyncio.run(_run(directory))
    finally:
        sweep(directory, but={own} if isinstance(own, Identity) else set())
        if owned and (directory / state.FILE).exists():
            shutil.rmtree(directory)


if __name__ == "__main__":
    main()
