"""Kinds that some clusters have: CloudNativePG's, reports of a vulnerability scanner, reports of a policy engine.

Shapes as their definitions of 2025 have them: postgresql.cnpg.io/v1 (CloudNativePG 1.27), aquasecurity.github.io/v1alpha1 (Trivy
operator 0.29), wgpolicyk8s.io/v1alpha2 (Policy Working Group). Moments that an operator writes by itself are text here: they
may be empty.
"""

from __future__ import annotations

from typing import Any

import msgspec

from console.clients.kubernetes_kinds import Condition, Kind, Meta


class _Narrow(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    pass


class Annotated(Meta, frozen=True, gc=False, rename="camel"):
    """With annotations, which the other kinds leave out for being long."""

    annotations: dict[str, str] | None = None


class CnpgSpec(_Narrow, frozen=True):
    instances: int = 0


class CnpgCertificates(_Narrow, frozen=True):
    expirations: dict[str, str] | None = None


class CnpgStatus(_Narrow, frozen=True):
    instances: int = 0
    ready_instances: int = 0
    instances_status: dict[str, list[str] | None] | None = None
    timeline_id: int = msgspec.field(default=0, name="timelineID")
    current_primary: str = ""
    current_primary_timestamp: str = ""
    target_primary: str = ""
    target_primary_timestamp: str = ""
    phase: str = ""
    phase_reason: str = ""
    image: str = ""
    dangling_pvc: list[str] | None = msgspec.field(default=None, name="danglingPVC")
    first_recoverability_point: str = ""
    last_successful_backup: str = ""
    last_failed_backup: str = ""
    certificates: CnpgCertificates | None = None
    conditions: list[Condition] | None = None


class CnpgCluster(_Narrow, frozen=True):
    metadata: Annotated = Annotated()
    spec: CnpgSpec = CnpgSpec()
    status: CnpgStatus = CnpgStatus()


class PoolerCluster(_Narrow, frozen=True):
    name: str = ""


class PgBouncer(_Narrow, frozen=True):
    pool_mode: str = ""
    paused: bool | None = None


class PoolerSpec(_Narrow, frozen=True):
    cluster: PoolerCluster = PoolerCluster()
    type: str = ""
    instances: int | None = None
    pgbouncer: PgBouncer | None = None


class PoolerStatus(_Narrow, frozen=True):
    instances: int = 0


class Pooler(_Narrow, frozen=True):
    metadata: Meta = Meta()
    spec: PoolerSpec = PoolerSpec()
    status: PoolerStatus = PoolerStatus()


class ScanSummary(_Narrow, frozen=True):
    critical_count: int = 0
    high_count: int = 0
    medium_count: int = 0
    low_count: int = 0
    unknown_count: int = 0


class Artifact(_Narrow, frozen=True):
    repository: str = ""
    tag: str = ""
    digest: str = ""


class Registry(_Narrow, frozen=True):
    server: str = ""


class Scan(_Narrow, frozen=True):
    update_timestamp: str = ""
    registry: Registry = Registry()
    artifact: Artifact = Artifact()
    summary: ScanSummary = ScanSummary()


class VulnerabilityReport(_Narrow, frozen=True):
    metadata: Meta = Meta()
    report: Scan = Scan()


class Scope(_Narrow, frozen=True):
    kind: str = ""
    name: str = ""


class PolicySummary(_Narrow, frozen=True):
    passed: int = msgspec.field(default=0, name="pass")
    fail: int = 0
    warn: int = 0
    error: int = 0


class PolicyResult(_Narrow, frozen=True):
    policy: str = ""
    result: str = ""


class PolicyReport(_Narrow, frozen=True):
    metadata: Meta = Meta()
    scope: Scope | None = None
    summary: PolicySummary = PolicySummary()
    results: list[PolicyResult] | None = None


def _kind(group: str, version: str, plural: str, shape: Any, page: int = 500) -> Kind:
    return Kind(group, version, plural, shape, optional=True, page=page)


CNPG_CLUSTERS = _kind("postgresql.cnpg.io", "v1", "clusters", CnpgCluster)
POOLERS = _kind("postgresql.cnpg.io", "v1", "poolers", Pooler)
SCANS = _kind("aquasecurity.github.io", "v1alpha1", "vulnerabilityreports", VulnerabilityReport, page=20)
"""A report names every vulnerability it found: some hundred kilobytes each."""
POLICIES = _kind("wgpolicyk8s.io", "v1alpha2", "policyreports", PolicyReport, page=100)

OPTIONAL: tuple[Kind, ...] = (CNPG_CLUSTERS, POOLERS, SCANS, POLICIES)
