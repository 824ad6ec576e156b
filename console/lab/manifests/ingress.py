"""Traefik in the cluster: one replica with the host's network, told of routes by the API as its own user."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import yaml

Manifest = dict[str, Any]
NAMESPACE = "ingress"
NAME = "traefik"
IMAGE = "registry.lab/traefik:3.7"
ENTRY = "websecure"
_LABELS = {"app.kubernetes.io/name": NAME}


class Ports(msgspec.Struct, frozen=True):
    """On 127.0.0.1."""

    websecure: int
    metrics: int
    api: int


def home(directory: Path) -> Path:
    """Where its configuration and its access log are."""
    return directory / NAMESPACE


def access_log(directory: Path) -> Path:
    """One JSON object a request."""
    return home(directory) / "access.log"


def configuration(directory: Path, ports: Ports, api: str, authority: Path, token: Path) -> str:
    """The static configuration."""
    settings = {
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "log": {"level": "INFO", "format": "common", "noColor": True},
        "api": {"insecure": True, "dashboard": False},
        "ping": {"entryPoint": "traefik"},
        "entryPoints": {
            ENTRY: {"address": f"127.0.0.1:{ports.websecure}", "http": {"tls": {}}},
            "metrics": {"address": f"127.0.0.1:{ports.metrics}"},
            "traefik": {"address": f"127.0.0.1:{ports.api}"},
        },
        "providers": {
            "providersThrottleDuration": "200ms",
            "kubernetesCRD": {
                "endpoint": api,
                "token": token.read_text().strip(),
                "certAuthFilePath": str(authority),
                "allowEmptyServices": True,  # a tenant without a ready pod is answered with 503, as one that exists
            },
        },
        "metrics": {
            "prometheus": {
                "entryPoint": "metrics",
                "addRoutersLabels": True,
                "addServicesLabels": True,
                "buckets": [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0],  # its own four tell little
            },
        },
        "accessLog": {"filePath": str(access_log(directory)), "format": "json", "bufferingSize": 0},
    }
    return yaml.safe_dump(settings, sort_keys=False)


def manifests(directory: Path, ports: Ports) -> list[Manifest]:
    """Everything, in the order in which it is applied."""
    meta = {"name": NAME, "namespace": NAMESPACE, "labels": _LABELS}
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        account,
        *_role(),
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": _deployment(directory, ports)},
    ]


def _role() -> list[Manifest]:
    """What its documentation asks for, no more."""
    see = ["get", "list", "watch"]
    kinds = ["ingressroutes", "ingressroutetcps", "ingressrouteudps", "middlewares", "middlewaretcps", "serverstransports",
             "serverstransporttcps", "tlsoptions", "tlsstores", "traefikservices"]  # fmt: skip
    rules = [
        {"apiGroups": [""], "resources": ["services", "secrets", "configmaps", "nodes"], "verbs": see},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": see},
        {"apiGroups": ["traefik.io"], "resources": kinds, "verbs": see},
    ]
    api = "rbac.authorization.k8s.io"
    subject = {"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}
    reference = {"apiGroup": api, "kind": "ClusterRole", "name": NAME}
    return [
        {"apiVersion": f"{api}/v1", "kind": "ClusterRole", "metadata": {"name": NAME}, "rules": rules},
        {
            "apiVersion": f"{api}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": NAME},
            "roleRef": reference,
            "subjects": [subject],
        },
    ]


def _deployment(directory: Path, ports: Ports) -> Manifest:
    place = home(directory)
    ping = {"httpGet": {"path": "/ping", "port": ports.api}}
    container = {
        "name": NAME,
        "image": IMAGE,
        "args": [f"--configFile={place / 'traefik.yml'}"],
        # With it Traefik would look for a token where only containers have one, and not at its configuration's.
        "env": [{"name": "KUBERNETES_SERVICE_HOST", "value": ""}],
        "ports": [
            {"name": ENTRY, "containerPort": ports.websecure},
            {"name": "metrics", "containerPort": ports.metrics},
            {"name": "api", "containerPort": ports.api},
        ],
        "resources": {"requests": {"cpu": "200m", "memory": "128Mi"}, "limits": {"memory": "768Mi"}},
        "volumeMounts": [{"name": "data", "mountPath": str(place)}],
        "startupProbe": ping | {"periodSeconds": 1, "failureThreshold": 60},
        "readinessProbe": ping | {"periodSeconds": 5, "failureThreshold": 2, "timeoutSeconds": 2},
        "livenessProbe": ping | {"periodSeconds": 10, "failureThreshold": 3, "timeoutSeconds": 5},
    }
    pod = {
        "hostNetwork": True,
        "serviceAccountName": NAME,
        "terminationGracePeriodSeconds": 5,
        "containers": [container],
        "volumes": [{"name": "data", "hostPath": {"path": str(place), "type": "Directory"}}],
    }
    return {
        "replicas": 1,
        "selector": {"matchLabels": _LABELS},
        # Its ports are the host's: the old one must have gone before the new one can listen.
        "strategy": {"type": "Recreate"},
        "template": {"metadata": {"labels": _LABELS}, "spec": pod},
    }
