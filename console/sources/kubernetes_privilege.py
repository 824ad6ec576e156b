"""What the console may do on a cluster: asked of the API itself, and what is missing as a manifest to apply."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

import msgspec

from console.clients.clean import clean
from console.clients.kubernetes import Kubernetes, KubernetesError
from console.clients.kubernetes_kinds import KINDS
from console.clients.kubernetes_optional import OPTIONAL
from console.sources.base import Check
from console.sources.kubernetes_usage import GROUP as METRICS
from console.sources.kubernetes_usage import ROOT as METRICS_ROOT

PRIVILEGE = (
    "list and watch on nodes, pods, workloads, autoscalers, quotas, budgets and events, list on their metrics, "
    "get on logs of pods and on /readyz; where there are any, list and watch on CloudNativePG's clusters and poolers "
    "and on vulnerability and policy reports; no Secrets"
)
_AT_ONCE = 10
"""Questions that are asked of the API server at the same time."""
_REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
_WHO = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
_ACCOUNT = "system:serviceaccount:"


class Need(NamedTuple):
    """One thing that must be allowed: a verb on a resource, in a namespace or in all, or on a ``path`` that is none."""

    verb: str
    group: str = ""
    resource: str = ""
    namespace: str = ""
    path: str = ""
    name: str = ""
    """Of the one object; empty: any."""

    def __str__(self) -> str:
        if self.path:
            return f"{self.verb} {self.path}"
        what = f"{self.resource}{f'.{self.group}' if self.group else ''}{f' {self.name}' if self.name else ''}"
        return f"{self.verb} {what} {self.where}"

    @property
    def where(self) -> str:
        """Of a namespace, in words."""
        return f"in namespace {self.namespace}" if self.namespace else "in the whole cluster"


class _Answer(msgspec.Struct, frozen=True):
    allowed: bool = False


class _Review(msgspec.Struct, frozen=True):
    status: _Answer = _Answer()


class _User(msgspec.Struct, frozen=True):
    username: str = ""


class _UserInfo(msgspec.Struct, frozen=True):
    user: _User = msgspec.field(default=_User(), name="userInfo")


class _Who(msgspec.Struct, frozen=True):
    status: _UserInfo = _UserInfo()


def needs(namespaces: Sequence[str] = (), secrets: Iterable[str] = ()) -> list[Need]:
    """All that watching takes; with ``namespaces`` only there, and nodes. ``secrets``: ``kube:`` references, by name."""
    found = [Need("get", path="/readyz"), Need("list", METRICS, "nodes")]
    for namespace in namespaces or ("",):
        found += [Need("list", METRICS, "pods", namespace), Need("get", "", "pods/log", namespace)]
    for kind in (*KINDS, *OPTIONAL):
        for namespace in namespaces if kind.namespaced and namespaces else ("",):
            found += [Need(verb, kind.group, kind.plural, namespace) for verb in ("list", "watch")]
    for namespace, name in sorted({tuple(each.removeprefix("kube:").split("/")[:2]) for each in secrets}):
        found.append(Need("get", "", "secrets", namespace, name=name))
    return found


async def examine(
    api: Kubernetes, cluster: str, patience_s: float, namespaces: Sequence[str] = (), secrets: Iterable[str] = ()
) -> list[Check]:
    """For the doctor: whether the API answers, and whether it allows what watching takes."""
    what = f"{cluster}: Kubernetes"
    try:
        user = await _user(api, patience_s)
        missing = await _missing(api, needs(namespaces, secrets), patience_s)
        absent = await _absent(api, missing, patience_s)
    except KubernetesError as error:
        if error.status == 401:
            return [Check(what, "fail", error.problem, "renew the token or certificate of this kubeconfig's user")]
        return [Check(what, "fail", error.problem, "check that the API server can be reached from here")]
    except msgspec.DecodeError as error:
        return [Check(what, "cannot tell", f"an access review was answered strangely: {clean(str(error), 100)}")]
    checks = [Check(what, "pass", f"answers; we are {user or 'somebody it does not name'}")]
    lacking = [need for need in missing if need.group not in absent]
    if not lacking:
        later = f"; not allowed, and not there either: {', '.join(sorted(absent))}" if missing else ""
        return [*checks, Check(f"{what} role", "pass", PRIVILEGE + later)]
    told = "not allowed: " + ", ".join(str(need) for need in lacking[:6]) + (", …" if len(lacking) > 6 else "")
    # With what may be installed later: then nobody has to come again.
    return [*checks, Check(f"{what} role", "fail", told, manifest(missing, user))]


async def _missing(api: Kubernetes, wanted: Sequence[Need], patience_s: float) -> list[Need]:
    gate = asyncio.Semaphore(_AT_ONCE)

    async def allowed(need: Need) -> bool:
        async with gate:
            return await _allowed(api, need, patience_s)

    answers = await asyncio.gather(*(allowed(need) for need in wanted))
    return [need for need, answer in zip(wanted, answers, strict=True) if not answer]


async def _absent(api: Kubernetes, missing: Iterable[Need], patience_s: float) -> set[str]:
    """Groups that not every cluster has, and this one does not serve."""
    versions = {kind.group: kind.root for kind in OPTIONAL} | {METRICS: METRICS_ROOT}
    absent = set()
    for group in {need.group for need in missing} & set(versions):
        try:
            await api.get(versions[group], patience_s)
        except KubernetesError as error:
            if error.status == 404:
                absent.add(group)
    return absent


async def _allowed(api: Kubernetes, need: Need, patience_s: float) -> bool:
    if need.path:
        spec: dict[str, object] = {"nonResourceAttributes": {"verb": need.verb, "path": need.path}}
    else:
        resource, _, part = need.resource.partition("/")
        wanted = {"verb": need.verb, "group": need.group, "resource": resource, "namespace": need.namespace}
        wanted |= {"name": need.name} if need.name else {}
        spec = {"resourceAttributes": wanted | ({"subresource": part} if part else {})}
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": spec}
    return msgspec.json.decode(await api.review(_REVIEW, patience_s, body), type=_Review).status.allowed


async def _user(api: Kubernetes, patience_s: float) -> str:
    """Our name as the API knows it; empty where it cannot tell (before Kubernetes 1.28)."""
    body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    try:
        answer = msgspec.json.decode(await api.review(_WHO, patience_s, body), type=_Who)
    except KubernetesError as error:
        if error.status in (403, 404):
            return ""
        raise
    return clean(answer.status.user.username, 253)


def manifest(missing: Sequence[Need], user: str) -> str:
    """The roles that allow what is ``missing``, bound to ``user``: for ``kubectl apply -f -``."""
    parts: list[str] = []
    by_namespace = sorted(missing, key=lambda need: need.namespace)
    for namespace, found in groupby(by_namespace, key=lambda need: need.namespace):
        parts += _role(namespace, list(found), user)
    return "---\n".join(parts)


def _role(namespace: str, missing: Sequence[Need], user: str) -> tuple[str, str]:
    kind = "Role" if namespace else "ClusterRole"
    place = f", namespace: {_quoted(namespace)}" if namespace else ""
    lines = [
        "apiVersion: rbac.authorization.k8s.io/v1",
        f"kind: {kind}",
        f"metadata: {{name: banksman-watch{place}}}",
        "rules:",
    ]
    every = [need for need in missing if need.resource and not need.name]
    for group in sorted({need.group for need in every}):
        by_verbs: dict[str, list[str]] = {}
        for resource in sorted({need.resource for need in every if need.group == group}):
            verbs = sorted({need.verb for need in every if (need.resource, need.group) == (resource, group)})
            by_verbs.setdefault(", ".join(verbs), []).append(resource)
        for verbs_text, resources in by_verbs.items():
            lines.append(f'- {{apiGroups: ["{group}"], resources: [{", ".join(resources)}], verbs: [{verbs_text}]}}')
    for need in (need for need in missing if need.name):
        what = f'apiGroups: ["{need.group}"], resources: [{need.resource}], resourceNames: [{_quoted(need.name)}]'
        lines.append(f"- {{{what}, verbs: [{need.verb}]}}")
    lines += [f'- {{nonResourceURLs: ["{need.path}"], verbs: [{need.verb}]}}' for need in missing if need.path]
    bound = [
        "apiVersion: rbac.authorization.k8s.io/v1", f"kind: {kind}Binding", f"metadata: {{name: banksman-watch{place}}}",
        f"roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: {kind}, name: banksman-watch}}", "subjects:", _subject(user),
    ]  # fmt: skip
    return "\n".join(lines) + "\n", "\n".join(bound) + "\n"


def _subject(user: str) -> str:
    if user.startswith(_ACCOUNT):
        namespace, _, name = user.removeprefix(_ACCOUNT).partition(":")
        return f"- {{kind: ServiceAccount, name: {_quoted(name)}, namespace: {_quoted(namespace)}}}"
    return f"- {{kind: User, apiGroup: rbac.authorization.k8s.io, name: {_quoted(user or 'WHO-THE-CONSOLE-IS')}}}"


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()
