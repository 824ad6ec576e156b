"""What faults of the platform and its tenants do: change an object and change it back, find a tenant's pods and processes,
use its database, come as one of its users."""

from __future__ import annotations

import json
import re
import socket
import ssl
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
from cryptography import x509

from console.lab.certificates import VALID, Authority
from console.lab.databases import home
from console.lab.errors import LabError
from console.lab.faults import tools
from console.lab.faults.base import Parameter, Stroke
from console.lab.kube.kinds import Json
from console.lab.kube.patches import JSON
from console.lab.manifests import tenant as manifests
from console.lab.platform.admin import Admin
from console.lab.process import Identity, command_line, identify, processes_of
from console.lab.servers.odoo import CONFIG, LOG
from console.lab.state import Lab
from console.lab.tenants import TENANTS, Tenant, connect, tenant

NAMES = tuple(each.name for each in TENANTS)
_WAS = "was "
_LOG_TAIL = 256 << 10
_ALIVE = re.compile(r"Worker (Worker\w+) \((\d+)\) alive$", re.MULTILINE)


def whose(default: str) -> Parameter:
    """The parameter that says which tenant."""
    return Parameter("tenant", default, "which tenant", NAMES)


def of(stroke: Stroke) -> Tenant:
    """The tenant of the fault."""
    return tenant(stroke.text("tenant"))


# -- objects of the cluster ----------------------------------------------------------------------------------------------


def _pointer(*steps: str | int) -> str:
    """RFC 6901."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def change(stroke: Stroke, kind: str, name: str, namespace: str, steps: tuple[str | int, ...], value: Any) -> None:
    """Put a value into an object, and note what was there. The value's own parent must be there.

    Raises:
        LabError: The API refuses.
    """
    with Admin.of(stroke.lab.path) as admin:
        there: Any = admin.get(kind, name, namespace)
        for step in steps[:-1]:
            there = there[step]
        old = there[steps[-1]] if not isinstance(there, dict) else there.get(steps[-1])
        noted = json.dumps([kind, name, namespace, list(steps), old])
        stroke.notes.setdefault(f"{_WAS}{kind} {namespace}/{name} {_pointer(*steps)}", noted)
        _put(admin, kind, name, namespace, steps, value)


def restore(stroke: Stroke) -> None:
    """Put back everything that ``change`` noted, the last change first; what is gone meanwhile stays gone."""
    with Admin.of(stroke.lab.path) as admin:
        for note in reversed([value for key, value in stroke.notes.items() if key.startswith(_WAS)]):
            kind, name, namespace, steps, old = json.loads(note)
            if admin.find(kind, name, namespace) is not None:
                _put(admin, kind, name, namespace, tuple(steps), old)


def _put(admin: Admin, kind: str, name: str, namespace: str, steps: tuple[str | int, ...], value: Any) -> None:
    there: Any = admin.get(kind, name, namespace)
    for step in steps[:-1]:
        there = there[step]
    absent = isinstance(there, dict) and steps[-1] not in there
    if value is None and absent:
        return
    word = "remove" if value is None else "add" if absent else "replace"
    patch = {"op": word, "path": _pointer(*steps)} | ({} if value is None else {"value": value})
    admin.patch(kind, name, [patch], namespace, content_type=JSON)


def look(stroke: Stroke, kind: str, name: str, namespace: str = "") -> Json:
    """An object; empty without it."""
    with Admin.of(stroke.lab.path) as admin:
        return admin.find(kind, name, namespace) or {}


def pods(lab: Lab, namespace: str) -> list[Json]:
    """Pods of a namespace that have not been asked to end."""
    with Admin.of(lab.path) as admin:
        return [pod for pod in admin.objects("Pod", namespace) if "deletionTimestamp" not in pod["metadata"]]


def waits(lab: Lab, namespace: str, *reasons: str) -> bool:
    """Whether a container there waits for one of these reasons."""
    return any(
        ((status.get("state") or {}).get("waiting") or {}).get("reason") in reasons
        for pod in pods(lab, namespace)
        for status in (pod.get("status") or {}).get("containerStatuses") or []
    )


def serving(lab: Lab, each: Tenant) -> Json:
    """A pod of the tenant's Odoo that is ready.

    Raises:
        LabError: None is.
    """
    for pod in pods(lab, each.namespace):
        listed = (pod.get("status") or {}).get("conditions") or []
        if any(one["type"] == "Ready" and one["status"] == "True" for one in listed):
            return pod
    raise LabError(f"no pod of {each.name} is ready")


def address(lab: Lab, each: Tenant) -> str:
    """Of one of its pods."""
    return str(serving(lab, each)["status"]["podIP"])


def tenants_on(lab: Lab, nodes: list[str]) -> list[str]:
    """Tenants of whose pods some are on these nodes."""
    return [
        each.name for each in TENANTS if any(pod["spec"].get("nodeName") in nodes for pod in pods(lab, each.namespace))
    ]


# -- its processes -------------------------------------------------------------------------------------------------------


def volume(lab: Lab, each: Tenant) -> Path:
    """Where its configuration, documents, sessions and log are."""
    return home(lab.path, each)


def processes(lab: Lab, each: Tenant) -> list[Identity]:
    """All processes of its Odoo, in every pod."""
    mark = str(volume(lab, each) / CONFIG)
    return [process for process in processes_of(lab.path) if mark in command_line(process).split()]


def log(lab: Lab, each: Tenant) -> str:
    """The end of its log."""
    path = volume(lab, each) / LOG
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _LOG_TAIL))
        return file.read().decode(errors="replace")


def log_size(lab: Lab, each: Tenant) -> int:
    """Bytes that its log has now."""
    return (volume(lab, each) / LOG).stat().st_size


def logged_since(lab: Lab, each: Tenant, begin: int) -> str:
    """What its log got since it had so many bytes."""
    with (volume(lab, each) / LOG).open("rb") as file:
        file.seek(begin)
        return file.read().decode(errors="replace")


def workers(lab: Lab, each: Tenant, kind: str) -> list[Identity]:
    """Its workers of one kind (``WorkerHTTP``, ``WorkerCron``), as each announced itself in the log."""
    alive = set(processes(lab, each))
    found = [identify(int(number)) for told, number in _ALIVE.findall(log(lab, each)) if told == kind]
    return [process for process in dict.fromkeys(found) if process is not None and process in alive]


# -- its database --------------------------------------------------------------------------------------------------------


def database(lab: Lab, name: str) -> psycopg.Connection[Any]:
    """A session of superuser in a tenant's database on the primary, each statement for itself.

    Raises:
        psycopg.Error: It does not answer.
    """
    port = lab.servers[tools.leader(lab)].ports["postgres"]
    return connect(port, "postgres", lab.secret("postgres"), name, autocommit=True)


def ask(lab: Lab, name: str, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """Rows from a tenant's database. Raises psycopg.Error."""
    with closing(database(lab, name)) as session:
        return session.execute(statement.encode(), values or None).fetchall()


def tell(lab: Lab, name: str, *statements: str) -> None:
    """Have something done in a tenant's database, in one transaction. Raises psycopg.Error."""
    with closing(database(lab, name)) as session, session.transaction():
        for statement in statements:
            session.execute(statement.encode())


def counted(lab: Lab, name: str, statement: str) -> int:
    """The number that a statement gives; 0 when the database does not answer."""
    try:
        return int(ask(lab, name, statement)[0][0] or 0)
    except psycopg.Error:
        return 0


# -- as one of its users -------------------------------------------------------------------------------------------------


def visit(lab: Lab, each: Tenant, path: str = "/web/health", seconds: float = 10.0) -> int:
    """The status that a user of the tenant gets; 0: no answer in time."""
    trust = ssl.create_default_context(cafile=str(Authority(lab.path).certificate))
    try:
        with httpx.Client(verify=trust, trust_env=False, timeout=seconds) as client:
            return client.get(
                f"https://127.0.0.1:{lab.ports['websecure']}{path}",
                headers={"Host": each.host},
                extensions={"sni_hostname": each.host},
            ).status_code
    except httpx.HTTPError:
        return 0


def served_certificate(lab: Lab, each: Tenant) -> x509.Certificate | None:
    """The certificate that a user of the tenant is shown, whatever it is worth."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection(("127.0.0.1", lab.ports["websecure"]), 5) as line,
            context.wrap_socket(line, server_hostname=each.host) as secure,
        ):
            raw = secure.getpeercert(binary_form=True)
    except OSError:
        return None
    return x509.load_der_x509_certificate(raw) if raw else None


def certify(stroke: Stroke, *, names: tuple[str, ...] = (), valid: timedelta = VALID) -> None:
    """Issue the tenant another certificate and have Traefik serve it; its key is noted nowhere."""
    each = of(stroke)
    data = manifests.secret(each, Authority(stroke.lab.path), names=names, valid=valid)["data"]
    with Admin.of(stroke.lab.path) as admin:
        admin.patch("Secret", manifests.SECRET, {"data": data}, each.namespace)
