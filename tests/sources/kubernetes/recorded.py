"""Resources as operators write them: CloudNativePG 1.27, the Trivy operator 0.29, Kyverno's policy reports.

Written from their API references and the samples of their documentation; no such operator runs where the tests run.
"""

from __future__ import annotations

from typing import Any

CNPG_HEALTHY: dict[str, Any] = {
    "apiVersion": "postgresql.cnpg.io/v1",
    "kind": "Cluster",
    "metadata": {"name": "main", "namespace": "databases", "generation": 3, "creationTimestamp": "2026-10-01T08:00:00Z"},
    "spec": {
        "instances": 3,
        "imageName": "ghcr.io/cloudnative-pg/postgresql:18.1",
        "primaryUpdateStrategy": "unsupervised",
        "storage": {"size": "100Gi"},
        "backup": {"barmanObjectStore": {"destinationPath": "s3://backups/main"}, "retentionPolicy": "14d"},
    },
    "status": {
        "instances": 3,
        "readyInstances": 3,
        "instanceNames": ["main-1", "main-2", "main-3"],
        "instancesStatus": {"healthy": ["main-1", "main-2", "main-3"]},
        "instancesReportedState": {
            "main-1": {"isPrimary": True, "timeLineID": 4, "ip": "10.244.0.7"},
            "main-2": {"isPrimary": False, "timeLineID": 4, "ip": "10.244.1.9"},
            "main-3": {"isPrimary": False, "timeLineID": 4, "ip": "10.244.2.4"},
        },
        "timelineID": 4,
        "topology": {"instances": {"main-1": {}, "main-2": {}, "main-3": {}}, "nodesUsed": 3, "successfullyExtracted": True},
        "latestGeneratedNode": 3,
        "currentPrimary": "main-1",
        "targetPrimary": "main-1",
        "currentPrimaryTimestamp": "2026-11-20T03:12:41.158263Z",
        "targetPrimaryTimestamp": "2026-11-20T03:12:33.902715Z",
        "pvcCount": 3,
        "healthyPVC": ["main-1", "main-2", "main-3"],
        "phase": "Cluster in healthy state",
        "readService": "main-r",
        "writeService": "main-rw",
        "image": "ghcr.io/cloudnative-pg/postgresql:18.1",
        "firstRecoverabilityPoint": "2026-11-08T01:00:07Z",
        "firstRecoverabilityPointByMethod": {"barmanObjectStore": "2026-11-08T01:00:07Z"},
        "lastSuccessfulBackup": "2026-11-22T01:04:31Z",
        "lastSuccessfulBackupByMethod": {"barmanObjectStore": "2026-11-22T01:04:31Z"},
        "certificates": {
            "clientCASecret": "main-ca",
            "expirations": {
                "main-ca": "2026-12-30 07:55:00 +0000 UTC",
                "main-replication": "2026-12-29 07:55:00 +0000 UTC",
                "main-server": "2026-12-30 07:55:00 +0000 UTC",
            },
        },
        "conditions": [
            {"type": "Ready", "status": "True", "reason": "ClusterIsReady", "message": "Cluster is Ready", "lastTransitionTime": "2026-11-20T03:13:00Z"},
            {"type": "ContinuousArchiving", "status": "True", "reason": "ContinuousArchivingSuccess", "message": "Continuous archiving is working", "lastTransitionTime": "2026-10-01T08:05:00Z"},
            {"type": "LastBackupSucceeded", "status": "True", "reason": "LastBackupSucceeded", "message": "Backup was successful", "lastTransitionTime": "2026-11-22T01:04:31Z"},
        ],
    },
}  # fmt: skip

CNPG_FAILING_OVER: dict[str, Any] = {
    "apiVersion": "postgresql.cnpg.io/v1",
    "kind": "Cluster",
    "metadata": {
        "name": "payroll", "namespace": "databases", "generation": 7, "creationTimestamp": "2026-10-01T08:00:00Z",
        "annotations": {"cnpg.io/fencedInstances": '["payroll-2"]'},
    },
    "spec": {"instances": 3},
    "status": {
        "instances": 3,
        "readyInstances": 1,
        "instancesStatus": {"failed": ["payroll-1"], "healthy": ["payroll-3"], "replicating": ["payroll-2"]},
        "timelineID": 9,
        "currentPrimary": "payroll-1",
        "targetPrimary": "payroll-3",
        "currentPrimaryTimestamp": "2026-11-19T10:00:00.000001Z",
        "targetPrimaryTimestamp": "2026-11-22T02:41:03.5Z",
        "phase": "Failing over",
        "phaseReason": "Failing over from payroll-1 to payroll-3",
        "danglingPVC": ["payroll-4"],
        "firstRecoverabilityPoint": "",
        "lastFailedBackup": "2026-11-22T01:00:09Z",
        "conditions": [
            {"type": "Ready", "status": "False", "reason": "ClusterIsNotReady", "message": "Cluster Is Not Ready", "lastTransitionTime": "2026-11-22T02:41:00Z"},
            {"type": "ContinuousArchiving", "status": "False", "reason": "ContinuousArchivingFailing", "message": "unexpected failure invoking barman-cloud-wal-archive: exit status 2", "lastTransitionTime": "2026-11-22T01:00:00Z"},
        ],
    },
}  # fmt: skip

CNPG_FRESH: dict[str, Any] = {"metadata": {"name": "new", "namespace": "databases"}, "spec": {"instances": 1}}
"""Nothing has been done about it yet."""

POOLER: dict[str, Any] = {
    "apiVersion": "postgresql.cnpg.io/v1",
    "kind": "Pooler",
    "metadata": {"name": "main-rw", "namespace": "databases", "creationTimestamp": "2026-10-01T08:00:00Z"},
    "spec": {
        "cluster": {"name": "main"},
        "instances": 2,
        "type": "rw",
        "pgbouncer": {"poolMode": "session", "paused": True, "parameters": {"max_client_conn": "1000", "default_pool_size": "20"}},
    },
    "status": {"instances": 2, "secrets": {"serverTLS": {"name": "main-server", "version": "4711"}}},
}  # fmt: skip

SCAN: dict[str, Any] = {
    "apiVersion": "aquasecurity.github.io/v1alpha1",
    "kind": "VulnerabilityReport",
    "metadata": {
        "name": "replicaset-odoo-7d9f-odoo",
        "namespace": "default",
        "labels": {
            "trivy-operator.container.name": "odoo",
            "trivy-operator.resource.kind": "ReplicaSet",
            "trivy-operator.resource.name": "odoo-7d9f",
            "trivy-operator.resource.namespace": "default",
        },
    },
    "report": {
        "artifact": {"repository": "odoo", "tag": "18.0", "digest": f"sha256:{'c' * 64}"},
        "registry": {"server": "registry.example"},
        "scanner": {"name": "Trivy", "vendor": "Aqua Security", "version": "0.67.2"},
        "summary": {"criticalCount": 2, "highCount": 14, "mediumCount": 60, "lowCount": 81, "noneCount": 0, "unknownCount": 1},
        "updateTimestamp": "2026-11-21T05:00:00Z",
        "vulnerabilities": [
            {"vulnerabilityID": "CVE-2026-0001", "severity": "CRITICAL", "resource": "libxml2", "installedVersion": "2.9.14", "fixedVersion": "2.9.15", "title": "x"}
        ],
    },
}  # fmt: skip

POLICY: dict[str, Any] = {
    "apiVersion": "wgpolicyk8s.io/v1alpha2",
    "kind": "PolicyReport",
    "metadata": {"name": "5b1d8c0e-0000-4000-8000-000000000001", "namespace": "default"},
    "scope": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "odoo", "namespace": "default"},
    "summary": {"pass": 11, "fail": 2, "warn": 1, "error": 0, "skip": 0},
    "results": [
        {"policy": "verify-image-signatures", "rule": "check-cosign", "result": "fail", "message": "image is not signed", "scored": True, "source": "kyverno"},
        {"policy": "disallow-latest-tag", "rule": "require-tag", "result": "pass", "scored": True, "source": "kyverno"},
        {"policy": "require-requests-limits", "rule": "validate", "result": "fail", "message": "no limit", "scored": True, "source": "kyverno"},
    ],
}  # fmt: skip
POLICY_PASSED: dict[str, Any] = POLICY | {
    "metadata": {"name": "other", "namespace": "default"}, "summary": {"pass": 3, "fail": 0, "warn": 0, "error": 0, "skip": 0}, "results": [],
}  # fmt: skip
