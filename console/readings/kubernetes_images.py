"""Which images a cluster's workloads run, and what reports say of them. Key: the cluster's name."""

from __future__ import annotations

from datetime import datetime

import msgspec

from console.readings.base import Reading, topic


class Vulnerabilities(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a scanner found in an image, by how bad it is."""

    critical: int = 0
    high: int = 0
    medium: int = 0
    low: int = 0
    unknown: int = 0
    scanned_at: datetime | None = None


class KubeImage(msgspec.Struct, frozen=True, omit_defaults=True):
    """One image of one workload: what is declared, and what its pods run."""

    namespace: str
    workload: str
    """``Deployment/odoo``; ``Pod/x`` where nothing keeps the pod running."""
    image: str
    """As its pods declare it."""
    digests: tuple[str, ...] = ()
    """``sha256:…`` that its pods run; more than one: the tag was moved while they ran."""
    pods: int = 0
    """Pods that run it, or try to."""
    mutable: bool = False
    """By ``latest``, or no tag, and no digest: the next pod may run something else."""
    differs: str = ""
    """In words, where what runs is not what is declared, or not the same in every pod."""
    found: Vulnerabilities | None = None
    """None: no report about it."""


class KubePolicy(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a policy engine says of one object, or of a namespace."""

    namespace: str
    object: str
    """``Deployment/odoo``; where the report names none, the report itself."""
    failed: int = 0
    warned: int = 0
    errors: int = 0
    passed: int = 0
    policies: tuple[str, ...] = ()
    """Policies that fail, at most ten."""


@topic("kubernetes.images", pane="cluster")
class KubernetesImages(Reading, frozen=True, kw_only=True, omit_defaults=True):
    """Images by ``namespace/Kind/name/image``, with what reports the cluster has."""

    images: dict[str, KubeImage] = {}
    policies: dict[str, KubePolicy] = {}
    """``namespace/report`` → report, those alone in which something fails."""
    vulnerability_reports: str = ""
    """How well reports of a scanner (aquasecurity.github.io) can be seen: watching, starting, unreachable, denied, absent."""
    policy_reports: str = ""
    """The same of wgpolicyk8s.io."""
