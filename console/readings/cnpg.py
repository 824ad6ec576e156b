"""CloudNativePG's clusters and poolers, as their resources tell. Key: the Kubernetes cluster's name.

Field names follow the API reference of CloudNativePG 1.27 (postgresql.cnpg.io/v1: ClusterStatus, PoolerStatus).
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from console.readings.base import PrivateText, Reading, topic


class CnpgCondition(msgspec.Struct, frozen=True, omit_defaults=True):
    """A condition that does not hold: ``Ready``, ``ContinuousArchiving``, ``LastBackupSucceeded`` …"""

    reason: str = ""
    message: PrivateText = ""
    since: datetime | None = None


class CnpgCluster(msgspec.Struct, frozen=True, omit_defaults=True):
    """A PostgreSQL cluster that the operator keeps."""

    namespace: str
    name: str
    instances: int = 0
    """As declared."""
    ready: int = 0
    phase: str = ""
    """``Cluster in healthy state``, ``Failing over``, ``Switchover in progress`` …"""
    phase_reason: PrivateText = ""
    primary: str = ""
    """The pod that is primary."""
    primary_since: datetime | None = None
    target: str = ""
    """The pod that is to be primary: another than ``primary`` while a switchover or failover is under way, ``pending``
    while one is to be chosen."""
    target_since: datetime | None = None
    timeline: int | None = None
    image: str = ""
    fenced: tuple[str, ...] = ()
    """Pods whose PostgreSQL is kept stopped by annotation; ``*``: all."""
    hibernated: bool = False
    conditions: dict[str, CnpgCondition] = {}
    """Those alone that do not hold."""
    healthy: tuple[str, ...] = ()
    """Pods whose instance is healthy; sorted."""
    unhealthy: tuple[str, ...] = ()
    """Pods whose instance is replicating or failed, as the operator tells."""
    dangling_volumes: tuple[str, ...] = ()
    first_recoverable_at: datetime | None = None
    """Beginning of the window of point-in-time recovery."""
    last_backup_at: datetime | None = None
    last_failed_backup_at: datetime | None = None
    certificates_expire_at: datetime | None = None
    """The first of them."""

    @property
    def switching(self) -> bool:
        """A switchover or failover is under way."""
        return bool(self.target) and self.target != self.primary


class CnpgPooler(msgspec.Struct, frozen=True, omit_defaults=True):
    """A PgBouncer that the operator keeps before a cluster."""

    namespace: str
    name: str
    cluster: str = ""
    kind: str = ""
    """rw, ro, r."""
    mode: str = ""
    """session, transaction."""
    instances: int = 0
    """As declared."""
    running: int = 0
    paused: bool = False
    """Every client waits."""


@topic("kubernetes.databases", pane="cluster")
class KubernetesDatabases(Reading, frozen=True, kw_only=True, omit_defaults=True):
    """CloudNativePG's clusters and poolers by ``namespace/name``. ``not-configured``: the API server has neither kind."""

    clusters: dict[str, CnpgCluster] = {}
    poolers: dict[str, CnpgPooler] = {}
