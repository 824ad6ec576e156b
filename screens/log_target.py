"""Whose log belongs to a finding."""

from __future__ import annotations

from console.board import Board
from console.readings import Finding, KubernetesPods, KubernetesWorkloads

_OF_SERVERS = {"database": "postgres", "cache": "redis"}
_OF_TRAEFIK = ("config-not-reloaded", "ingress-unreachable")


def log_of(finding: Finding | None, board: Board) -> str:
    """``topic key`` of the log of the server or tenant that a finding is about; empty: there is none."""
    if finding is None:
        return ""
    environment = board.environment
    subject, _, member = finding.subject.partition("/")
    if finding.pane == "cluster":
        return _of_workload(subject, member, board)
    if finding.pane in _OF_SERVERS:
        return f"{_OF_SERVERS[finding.pane]} {finding.subject}" if member else ""
    tenants = (subject, *finding.tenants) if finding.pane == "application" else finding.tenants
    known = environment.applications if environment else {}
    own = next((f"odoo.log {name}" for name in tenants[:2] if name in known and known[name].log), "")
    if finding.pane == "ingress" and not (own and finding.kind.startswith("backend-")):
        # Of a Traefik its own log; of a tenant's routes the access log.
        return f"traefik {finding.subject}" if finding.kind in _OF_TRAEFIK else f"traefik {subject}"
    return own if finding.pane in ("application", "ingress") else ""


def _of_workload(cluster: str, name: str, board: Board) -> str:
    """Of the workload, or the pod that nothing keeps, of this ``namespace/name``."""
    workloads, pods = board.get(KubernetesWorkloads, cluster), board.get(KubernetesPods, cluster)
    for key in workloads.workloads if workloads else ():
        if key.partition("/")[2] == name:
            return f"kubernetes.workloads {cluster}/{key}"
    return f"kubernetes.pods {cluster}/{name}" if pods and name in pods.pods else ""
