"""Tenants as the board knows them: what each one's databases, pages and log say, what goes to it through the ingress,
and what was found of it, on whatever pane."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from console.board import Board, PaneState, state_of
from console.readings import Finding, Reading, believed
from console.readings.environment import Tenant
from console.readings.kubernetes import KubePod, KubernetesPods
from console.readings.odoo import OdooDatabase, OdooFiles, OdooLog, OdooPages, OdooSessions
from screens.tenant_traffic import Flow, Flows
from screens.view import View

R = TypeVar("R", bound=Reading)
_RANK = {"critical": 0, "unknown": 1, "warning": 2, "ok": 3, "not-configured": 4}


@dataclass(frozen=True, slots=True)
class Part(Generic[R]):
    """One reading of a tenant: as it came, and as far as it may be believed now."""

    key: str
    raw: R | None
    reading: R | None


@dataclass(frozen=True, slots=True)
class TenantNow:
    """One tenant at one moment. A part that is None is not watched at all."""

    name: str
    about: Tenant
    state: PaneState
    found: tuple[Finding, ...]
    """Open findings that it feels, of every pane, the worst first, its own before those of the platform."""
    databases: tuple[Part[OdooDatabase], ...]
    files: tuple[Part[OdooFiles], ...]
    pages: Part[OdooPages] | None
    sessions: Part[OdooSessions] | None
    log: Part[OdooLog] | None
    flow: Flow | None

    @property
    def label(self) -> str:
        """What people call it."""
        return self.about.label or self.name

    @property
    def database(self) -> OdooDatabase | None:
        """Its database, of several the first one that can be believed."""
        return next((part.reading for part in self.databases if part.reading), None)

    @property
    def hurts(self) -> bool:
        """Whether anything is wrong with it, as far as is known."""
        return self.state.state in ("critical", "warning")

    @property
    def parts(self) -> tuple[tuple[str, Part[Any]], ...]:
        """Every part of its own that is watched, with a word for it."""
        single = (("pages", self.pages), ("sessions", self.sessions), ("log", self.log))
        return (
            *((word, part) for word, part in single if part is not None),
            *(("database", part) for part in self.databases),
            *(("files", part) for part in self.files),
        )

    @property
    def untold(self) -> dict[str, str]:
        """What its version, or our privilege, does not tell → why."""
        told: dict[str, str] = {}
        for _, part in self.parts:
            if part is not self.pages:  # which steps are not asked stands beside those that are
                told |= getattr(part.reading, "untold", {})
        return told


def watched(view: View) -> bool:
    """Whether any tenant is looked at by itself."""
    environment = view.environment
    return bool(environment and environment.panes.get("application"))


def tenants(view: View) -> tuple[TenantNow, ...]:
    """Every tenant, the worst first; equal ones as the environment file has them."""
    environment = view.environment
    if environment is None:
        return ()
    pairs = _pairs(environment.panes.get("application", ()))
    abouts = {**environment.applications, **{name: Tenant() for name in pairs if name not in environment.applications}}
    found = _found(view.board.findings, abouts)
    flows = Flows(view.board, view.now)
    listed = [
        _tenant(view, name, about, tuple(pairs.get(name, ())), found.get(name, ()), flows)
        for name, about in abouts.items()
    ]
    return tuple(sorted(listed, key=_worst_first))


def tenant_at(view: View, name: str) -> TenantNow | None:
    """One tenant."""
    return next((tenant for tenant in tenants(view) if tenant.name == name), None)


def _worst_first(tenant: TenantNow) -> tuple[int, bool, int]:
    """By how bad it is; what only it feels before what all feel; then by how much is wrong."""
    own = any(finding.scope == "tenant" for finding in tenant.found)
    return _RANK[tenant.state.state], not own, -len(tenant.found)


def _pairs(configured: Iterable[str]) -> dict[str, list[str]]:
    """Tenant → its ``topic key`` pairs."""
    pairs: dict[str, list[str]] = {}
    for pair in configured:
        pairs.setdefault(pair.partition(" ")[2].split("/")[0], []).append(pair)
    return pairs


def _found(findings: Iterable[Finding], abouts: Mapping[str, Tenant]) -> dict[str, tuple[Finding, ...]]:
    """Tenant → what it feels, the worst first."""
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        names = dict.fromkeys(finding.tenants)
        subject = finding.subject.split("/")[0]
        if finding.pane == "application" and subject in abouts:
            names[subject] = None
        for name in names:
            found.setdefault(name, []).append(finding)
    return {name: tuple(sorted(rows, key=_finding_first)) for name, rows in found.items()}


def _finding_first(finding: Finding) -> tuple[int, bool]:
    look = "unknown" if finding.state == "unknown" else finding.severity
    return _RANK[look], finding.scope != "tenant"


def _tenant(
    view: View,
    name: str,
    about: Tenant,
    pairs: tuple[str, ...],
    found: tuple[Finding, ...],
    flows: Flows,
) -> TenantNow:
    board, now = view.board, view.now
    keys: dict[str, list[str]] = {}
    for pair in pairs:
        topic, _, key = pair.partition(" ")
        keys.setdefault(topic, []).append(key)

    def parts(cls: type[R]) -> tuple[Part[R], ...]:
        return tuple(_part(board, cls, key, now) for key in keys.get(cls.topic, ()))

    return TenantNow(
        name,
        about,
        state_of(board, pairs, found, now, view.lost),
        found,
        parts(OdooDatabase),
        parts(OdooFiles),
        next(iter(parts(OdooPages)), None),
        next(iter(parts(OdooSessions)), None),
        next(iter(parts(OdooLog)), None),
        flows.of(name, about.hosts),
    )


def _part(board: Board, cls: type[R], key: str, now: datetime) -> Part[R]:
    raw = board.get(cls, key)
    return Part(key, raw, believed(raw, now))


def pods_of(view: View, about: Tenant) -> tuple[KubePod, ...] | None:
    """Pods of a tenant's namespace, by name. None: not watched, or not known now."""
    if not about.namespace:
        return None
    readings = [each for each in view.board.every(KubernetesPods) if about.kubernetes in ("", each.key)]
    known = [reading for each in readings if (reading := believed(each, view.now)) is not None]
    if not known:
        return None
    found = [pod for reading in known for pod in reading.pods.values() if pod.namespace == about.namespace]
    return tuple(sorted(found, key=lambda pod: pod.name))
