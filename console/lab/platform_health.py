"""Whether Kubernetes, Traefik, the mail server and the tenants of a laboratory are healthy: asked of themselves."""

from __future__ import annotations

import smtplib
import ssl
from functools import cache
from pathlib import Path

import httpx

from console.lab.certificates import Authority
from console.lab.errors import LabError
from console.lab.kube.kinds import Json
from console.lab.manifests.ingress import NAMESPACE
from console.lab.platform.admin import Admin, condition
from console.lab.state import Lab
from console.lab.tenants import TENANTS, Tenant

_SECONDS = 5.0


def api_problem(lab: Lab) -> str:
    """Why the platform's API or its nodes are not ready, or nothing."""
    try:
        with Admin.of(lab.path) as admin:
            admin.ask("GET", "/readyz")
            nodes = admin.objects("nodes")
    except LabError as problem:
        return str(problem)
    if not nodes:
        return "the cluster has no nodes"
    lost = [node["metadata"]["name"] for node in nodes if condition(node, "Ready") != "True"]
    return f"not ready: {', '.join(lost)}" if lost else ""


def workloads_problem(lab: Lab) -> str:
    """Why the workloads are not all running as wanted, or nothing."""
    try:
        with Admin.of(lab.path) as admin:
            found = admin.objects("deployments")
    except LabError as problem:
        return str(problem)
    wanted = {tenant.namespace for tenant in TENANTS} | {NAMESPACE}
    if missing := wanted - {each["metadata"]["namespace"] for each in found}:
        return f"nothing is deployed in {', '.join(sorted(missing))}"
    return next((told for each in found if (told := _unavailable(each))), "")


def _unavailable(deployment: Json) -> str:
    metadata, status = deployment["metadata"], deployment.get("status") or {}
    wanted, available = deployment["spec"].get("replicas", 1), status.get("availableReplicas", 0)
    name = f"{metadata['namespace']}/{metadata['name']}"
    if status.get("observedGeneration", 0) < metadata.get("generation", 0):
        return f"{name} is being rolled out"
    if available < wanted or status.get("updatedReplicas", 0) < wanted or status.get("replicas", 0) != wanted:
        return f"{name} has {available} of {wanted} replicas available"
    return ""


def kubernetes_problem(lab: Lab) -> str:
    """Why the cluster or what runs in it is not healthy, or nothing."""
    return api_problem(lab) or workloads_problem(lab)


def traefik_problem(lab: Lab) -> str:
    """Why Traefik is not healthy, or nothing: it answers, and every router is enabled."""
    address = f"http://127.0.0.1:{lab.ports['api']}"
    try:
        with httpx.Client(trust_env=False, timeout=_SECONDS) as client:
            if client.get(f"{address}/ping").status_code != 200:
                return "Traefik is not alive"
            routers = client.get(f"{address}/api/http/routers", params={"per_page": "1000"}).json()
    except (httpx.HTTPError, ValueError) as problem:
        return f"Traefik does not answer: {problem}"
    by_rule = {router.get("rule"): router for router in routers}
    for tenant in TENANTS:
        router = by_rule.get(f"Host(`{tenant.host}`)")
        if router is None:
            return f"Traefik has no route for {tenant.host}"
        if router.get("status") != "enabled":
            return f"the route for {tenant.host} is {router.get('status')}: {', '.join(router.get('error', []))}"
    return ""


def tenant_problem(lab: Lab, tenant: Tenant) -> str:
    """Why a tenant does not answer through Traefik over TLS, or nothing."""
    address = f"https://127.0.0.1:{lab.ports['websecure']}/web/health"
    try:
        context = _trust(Authority(lab.path).certificate)
        with httpx.Client(verify=context, trust_env=False, timeout=_SECONDS) as client:
            answer = client.get(address, headers={"Host": tenant.host}, extensions={"sni_hostname": tenant.host})
    except (httpx.HTTPError, OSError) as problem:
        return f"{tenant.host} does not answer: {problem}"
    return "" if answer.status_code == 200 else f"{tenant.host} answers {answer.status_code}"


@cache
def _trust(authority: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority))


def mail_problem(lab: Lab) -> str:
    """Why the mail server is not healthy, or nothing."""
    try:
        with smtplib.SMTP("127.0.0.1", lab.servers["mail"].ports["smtp"], timeout=_SECONDS) as line:
            code, _ = line.noop()
    except (OSError, smtplib.SMTPException) as problem:
        return f"the mail server does not answer: {problem}"
    return "" if code == 250 else f"the mail server says {code}"


def problems(lab: Lab) -> dict[str, str]:
    """Part → why it is not healthy, or nothing."""
    found = {
        "kubernetes": kubernetes_problem(lab),
        "traefik": traefik_problem(lab),
        "mail": mail_problem(lab),
    }
    return found | {tenant.name: tenant_problem(lab, tenant) for tenant in TENANTS}
