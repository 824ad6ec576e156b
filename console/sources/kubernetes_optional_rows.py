"""From objects that some clusters have to the rows of readings. Pure; all text is cleaned here."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from console.clients import kubernetes_optional as kinds
from console.clients.clean import clean
from console.readings.cnpg import CnpgCluster, CnpgCondition, CnpgPooler
from console.readings.kubernetes_images import KubePolicy, Vulnerabilities

_NAME = 253
_MESSAGE = 300
_MOST = 20
"""Names of one list."""
_FENCED, _HIBERNATION = "cnpg.io/fencedInstances", "cnpg.io/hibernation"


def cnpg_cluster(found: kinds.CnpgCluster) -> CnpgCluster:
    """A CloudNativePG cluster."""
    status, annotations = found.status, found.metadata.annotations or {}
    by_state = status.instances_status or {}
    expirations = (status.certificates.expirations if status.certificates else None) or {}
    return CnpgCluster(
        namespace=clean(found.metadata.namespace, _NAME),
        name=clean(found.metadata.name, _NAME),
        instances=found.spec.instances,
        ready=status.ready_instances,
        phase=clean(status.phase, 120),
        phase_reason=clean(status.phase_reason, _MESSAGE),
        primary=clean(status.current_primary, _NAME),
        primary_since=moment(status.current_primary_timestamp),
        target=clean(status.target_primary, _NAME),
        target_since=moment(status.target_primary_timestamp),
        timeline=status.timeline_id or None,
        image=clean(status.image, 300),
        fenced=_fenced(annotations.get(_FENCED, "")),
        hibernated=annotations.get(_HIBERNATION) == "on",
        conditions={
            clean(each.type, 80): CnpgCondition(
                clean(each.reason, 80), clean(each.message, _MESSAGE), each.last_transition_time
            )
            for each in status.conditions or ()
            if each.status != "True" and not (each.type == _HIBERNATION and each.status == "False")
        },
        healthy=_names(by_state.get("healthy") or ()),
        unhealthy=_names(name for state, names in by_state.items() if state != "healthy" for name in names or ()),
        dangling_volumes=_names(status.dangling_pvc or ()),
        first_recoverable_at=moment(status.first_recoverability_point),
        last_backup_at=moment(status.last_successful_backup),
        last_failed_backup_at=moment(status.last_failed_backup),
        certificates_expire_at=min(filter(None, map(moment, expirations.values())), default=None),
    )


def _fenced(annotation: str) -> tuple[str, ...]:
    """``["main-2"]`` or ``["*"]``, in JSON; what is none of it fences nothing, as the operator has it."""
    try:
        names = json.loads(annotation) if annotation else []
    except ValueError:
        return ()
    return _names(name for name in names if isinstance(name, str)) if isinstance(names, list) else ()


def _names(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(clean(name, _NAME) for name in found)[:_MOST])


def moment(text: str) -> datetime | None:
    """A moment as operators write it: RFC 3339, or as Go prints one (``2026-02-20 10:11:12 +0000 UTC``); else None."""
    words = text.strip()[:64]
    if words.endswith(" UTC"):
        words = words.removesuffix(" UTC").replace(" +0000", "+00:00")
    try:
        found = datetime.fromisoformat(words)
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def pooler(found: kinds.Pooler) -> CnpgPooler:
    """A CloudNativePG pooler."""
    spec, bouncer = found.spec, found.spec.pgbouncer or kinds.PgBouncer()
    return CnpgPooler(
        namespace=clean(found.metadata.namespace, _NAME),
        name=clean(found.metadata.name, _NAME),
        cluster=clean(spec.cluster.name, _NAME),
        kind=clean(spec.type, 10),
        mode=clean(bouncer.pool_mode, 20),
        instances=1 if spec.instances is None else spec.instances,
        running=found.status.instances,
        paused=bool(bouncer.paused),
    )


class Scanned(NamedTuple):
    """What a scanner says of one image in one namespace.

    Attributes:
        names: The image as a pod may declare it: with its registry's server and without.
        digest: ``sha256:…``; empty where the report does not name it.
    """

    namespace: str
    names: tuple[str, ...]
    digest: str
    found: Vulnerabilities


def scanned(found: kinds.VulnerabilityReport) -> Scanned:
    """A report of the Trivy operator."""
    report, summary = found.report, found.report.summary
    repository, server = clean(report.artifact.repository, 200), clean(report.registry.server, 100)
    tag = f":{clean(report.artifact.tag, 130)}" if report.artifact.tag else ""
    bare = repository.removeprefix("library/")
    names = {f"{prefix}{name}{tag}" for name in (repository, bare) for prefix in ("", f"{server}/")}
    return Scanned(
        clean(found.metadata.namespace, _NAME),
        tuple(sorted(names)),
        clean(report.artifact.digest, 80),
        Vulnerabilities(
            critical=summary.critical_count,
            high=summary.high_count,
            medium=summary.medium_count,
            low=summary.low_count,
            unknown=summary.unknown_count,
            scanned_at=moment(report.update_timestamp),
        ),
    )


def policy(found: kinds.PolicyReport) -> KubePolicy:
    """A policy report."""
    scope, results = found.scope, found.results or ()
    failing = sorted({clean(each.policy, 120) for each in results if each.result == "fail"})
    about = f"{clean(scope.kind, 63)}/{clean(scope.name, _NAME)}" if scope and scope.name else found.metadata.name
    return KubePolicy(
        namespace=clean(found.metadata.namespace, _NAME),
        object=clean(about, _NAME),
        failed=found.summary.fail,
        warned=found.summary.warn,
        errors=found.summary.error,
        passed=found.summary.passed,
        policies=tuple(failing[:10]),
    )
