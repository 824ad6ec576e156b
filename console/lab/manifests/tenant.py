"""A tenant in the cluster: its namespace with quota, Odoo behind a Service, and the route by which users reach it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from console.lab.certificates import VALID, Authority
from console.lab.tenants import Tenant

Manifest = dict[str, Any]
NAME = "odoo"
PORT = 8069
SECRET = "tenant-tls"
SCALED = "acme"
"""The tenant that is scaled by its load; the others have one replica."""
MOST_REPLICAS = 3
_REQUESTS = {"cpu": "100m", "memory": "192Mi"}
_LIMITS = {"memory": "768Mi"}
_RATE = {"average": 50, "burst": 100}
"""Requests a second from one address: far above what a tenant's users make."""


def _object(api: str, kind: str, tenant: Tenant, name: str, **parts: Any) -> Manifest:
    metadata = {"name": name, "namespace": tenant.namespace, "labels": _labels(tenant)}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **parts}


def _labels(tenant: Tenant) -> dict[str, str]:
    return {"app.kubernetes.io/name": NAME, "app.kubernetes.io/instance": tenant.name}


def image(version: int) -> str:
    """Of Odoo, with its tag."""
    return f"registry.lab/odoo:{version}.0"


def manifests(tenant: Tenant, home: Path, authority: Authority) -> list[Manifest]:
    """Everything of a tenant, in the order in which it is applied."""
    found = [
        {
            "apiVersion": "v1", "kind": "Namespace",
            "metadata": {"name": tenant.namespace, "labels": {"app.kubernetes.io/instance": tenant.name}},
        },
        _quota(tenant),
        secret(tenant, authority),
        *_middlewares(tenant),
        _service(tenant),
        deployment(tenant, home),
        route(tenant),
    ]  # fmt: skip
    return [*found, *_scaling(tenant)] if tenant.name == SCALED else found


def _quota(tenant: Tenant) -> Manifest:
    """Room for twice what runs at most: a rollout needs the old and the new at once."""
    pods = (MOST_REPLICAS if tenant.name == SCALED else 1) + 2
    hard = {"pods": str(pods), "requests.cpu": f"{100 * pods}m", "requests.memory": f"{192 * pods}Mi"}
    return _object("v1", "ResourceQuota", tenant, "tenant", spec={"hard": hard})


def secret(tenant: Tenant, authority: Authority, *, names: tuple[str, ...] = (), valid: timedelta = VALID) -> Manifest:
    """The certificate under which Traefik answers for the tenant."""
    chain, key = authority.issue(*(names or (tenant.host,)), valid=valid)
    data = {"tls.crt": b64encode(chain.encode()).decode(), "tls.key": b64encode(key.encode()).decode()}
    return _object("v1", "Secret", tenant, SECRET, type="kubernetes.io/tls", data=data)


def _middlewares(tenant: Tenant) -> list[Manifest]:
    headers = {"stsSeconds": 31536000, "frameDeny": True, "referrerPolicy": "same-origin", "browserXssFilter": True}
    api = "traefik.io/v1alpha1"
    return [
        _object(api, "Middleware", tenant, "rate-limit", spec={"rateLimit": _RATE}),
        _object(api, "Middleware", tenant, "headers", spec={"headers": headers}),
    ]


def _service(tenant: Tenant) -> Manifest:
    ports = [{"name": "http", "port": 80, "targetPort": "http"}]
    return _object("v1", "Service", tenant, NAME, spec={"selector": _labels(tenant), "ports": ports})


def deployment(tenant: Tenant, home: Path) -> Manifest:
    """Odoo, on the tenant's volume ``home``, which all its replicas share."""
    pod = {
        "terminationGracePeriodSeconds": 15,
        "containers": [_container(tenant, home)],
        "volumes": [{"name": "data", "hostPath": {"path": str(home), "type": "Directory"}}],
    }
    spec: Mapping[str, Any] = {
        "selector": {"matchLabels": _labels(tenant)},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
        "template": {"metadata": {"labels": _labels(tenant)}, "spec": pod},
        # Where the autoscaler decides how many there are, nobody else may say it.
        **({} if tenant.name == SCALED else {"replicas": 1}),
    }
    return _object("apps/v1", "Deployment", tenant, NAME, spec=dict(spec))


def _container(tenant: Tenant, home: Path) -> Manifest:
    health = {"path": "/web/health", "port": "http"}
    return {
        "name": NAME,
        "image": image(tenant.version),
        "args": [str(home / "odoo.json"), "--http-interface=$(POD_IP)"],
        "env": [{"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
        "ports": [{"name": "http", "containerPort": PORT}],
        "resources": {"requests": _REQUESTS, "limits": _LIMITS},
        "volumeMounts": [{"name": "data", "mountPath": str(home)}],
        "startupProbe": {"httpGet": health, "periodSeconds": 1, "failureThreshold": 60, "timeoutSeconds": 3},
        "readinessProbe": {"httpGet": health, "periodSeconds": 5, "failureThreshold": 2, "timeoutSeconds": 4},
        "livenessProbe": {"httpGet": health, "periodSeconds": 20, "failureThreshold": 6, "timeoutSeconds": 10},
    }


def route(tenant: Tenant, middlewares: tuple[str, ...] = ("rate-limit", "headers")) -> Manifest:
    """From its host name to its Service.

    Traefik itself probes nothing: with the kubernetesCRD provider it may do so only outside the cluster, and takes from
    EndpointSlices which pods are ready.
    """
    rule = {
        "kind": "Rule",
        "match": f"Host(`{tenant.host}`)",
        "middlewares": [{"name": name} for name in middlewares],
        "services": [{"name": NAME, "port": "http"}],
    }
    spec = {"entryPoints": ["websecure"], "routes": [rule], "tls": {"secretName": SECRET}}
    return _object("traefik.io/v1alpha1", "IngressRoute", tenant, NAME, spec=spec)


def _scaling(tenant: Tenant) -> list[Manifest]:
    target = {"type": "Utilization", "averageUtilization": 80}
    scaler = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": NAME},
        "minReplicas": 1,
        "maxReplicas": MOST_REPLICAS,
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
    }
    budget = {"maxUnavailable": 1, "selector": {"matchLabels": _labels(tenant)}}
    return [
        _object("autoscaling/v2", "HorizontalPodAutoscaler", tenant, NAME, spec=scaler),
        _object("policy/v1", "PodDisruptionBudget", tenant, NAME, spec=budget),
    ]
