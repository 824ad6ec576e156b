"""What several faults do: hold servers, stop processes, run workers, look at one member."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from console.lab import health
from console.lab.control import Ask, ask
from console.lab.errors import LabError
from console.lab.faults.base import Stroke
from console.lab.process import Identity, postgres_processes, postmaster, send, stopped
from console.lab.state import Lab, Server
from console.lab.tenants import connect


def hold(stroke: Stroke, *names: str) -> None:
    """Kill servers (SIGKILL) and keep them down."""
    for name in names:
        stroke.lab = ask(stroke.lab.path, Ask("hold", name))


def release(stroke: Stroke, *names: str) -> None:
    """Let servers run that were held down."""
    for name in names:
        stroke.lab = ask(stroke.lab.path, Ask("release", name))


def refused(server: Server) -> bool:
    """Whether nobody listens on a server's first port."""
    port = next(iter(server.ports.values()))
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return False


def stop_postgres(server: Server) -> None:
    """SIGSTOP every process of a member's PostgreSQL server; the postmaster first, so that it forks no more."""
    data = Path(server.data_directory)
    main = postmaster(data)
    if main is None:
        raise LabError(f"PostgreSQL on {server.name} does not run")
    send(main, signal.SIGSTOP)
    while moving := [process for process in postgres_processes(data) if not stopped(process)]:
        for process in moving:
            send(process, signal.SIGSTOP)


def resume_postgres(server: Server) -> None:
    """SIGCONT every process of a member's PostgreSQL server."""
    for process in postgres_processes(Path(server.data_directory)):
        send(process, signal.SIGCONT)


def postgres_stopped(server: Server) -> bool:
    """Whether a member's PostgreSQL server stands still, all of it."""
    processes = postgres_processes(Path(server.data_directory))
    return bool(processes) and all(stopped(process) for process in processes)


def resume(processes: Iterable[Identity]) -> None:
    """SIGCONT those that stand still."""
    for process in processes:
        if stopped(process):
            send(process, signal.SIGCONT)


def run_worker(stroke: Stroke, fault: str) -> None:
    """Have the supervisor run a fault's worker; the notes say how it is named."""
    lab, name = stroke.lab, f"fault-{fault}"
    server = Server(
        name=name,
        kind="worker",
        argv=[
            sys.executable,
            "-m",
            "console.lab.faults.worker",
            lab.directory,
            fault,
            msgspec.json.encode(stroke.parameters).decode(),
        ],
        directory=lab.directory,
        log=str(lab.path / "load" / f"{name}.log"),
    )
    stroke.lab = ask(lab.path, Ask("start", name, server))


def end_worker(stroke: Stroke, fault: str) -> None:
    """End a fault's worker, if it runs."""
    if f"fault-{fault}" in stroke.lab.servers:
        stroke.lab = ask(stroke.lab.path, Ask("remove", f"fault-{fault}"))


def query(lab: Lab, member: str, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """Ask one member as superuser.

    Raises:
        psycopg.Error: It does not answer.
    """
    port = lab.servers[member].ports["postgres"]
    with connect(port, "postgres", lab.secret("postgres"), autocommit=True) as connection:
        return connection.execute(statement.encode(), values).fetchall()


def tell(lab: Lab, member: str, statement: str) -> None:
    """Have one member do something that returns no rows, as superuser."""
    port = lab.servers[member].ports["postgres"]
    with connect(port, "postgres", lab.secret("postgres"), autocommit=True) as connection:
        connection.execute(statement.encode())


def answer(lab: Lab, member: str, statement: str, *values: Any) -> Any:
    """First column of the first row, or None when the member does not answer."""
    try:
        rows = query(lab, member, statement, *values)
    except psycopg.Error:
        return None
    return rows[0][0] if rows else None


def leader(lab: Lab) -> str:
    """Name of the primary."""
    return health.named(lab, "leader")
