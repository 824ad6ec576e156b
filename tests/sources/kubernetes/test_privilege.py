"""The doctor: what is missing, and that the manifest it prints is enough."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from console.clients.kubernetes import Access, Kubernetes
from console.lab.kube import builtin
from console.sources.kubernetes_cluster import Cluster
from console.sources.kubernetes_privilege import Need, examine, manifest, needs
from tests.lab.kube.rig import Measured
from tests.rigs_kubernetes import ApiServer, all_told, until

_KINDS = {
    kind.kind: kind for kind in (builtin.ROLE, builtin.CLUSTER_ROLE, builtin.ROLE_BINDING, builtin.CLUSTER_ROLE_BINDING)
}
LATER = ("metrics.k8s.io", "aquasecurity.github.io", "wgpolicyk8s.io")


def apply(server: ApiServer, text: str) -> None:
    for document in yaml.safe_load_all(text):
        kind = _KINDS[document["kind"]]
        server.cluster.api.create(kind, document["metadata"].get("namespace", ""), document)


@pytest.mark.server
@pytest.mark.parametrize("namespaces", [(), ("default", "kube-public")])
async def test_the_printed_manifest_is_enough(
    api_server: ApiServer, watched: Callable[..., Cluster], namespaces: tuple[str, ...]
) -> None:
    api_server.as_viewer()
    client = api_server.client()
    answers, role = await examine(client, "main", 5, namespaces)
    assert answers.answer == "pass" and "viewer" in answers.detail
    assert role.answer == "fail" and "list nodes in the whole cluster" in role.detail
    assert "secrets" not in role.mend and "*" not in role.mend
    apply(api_server, role.mend)
    assert [check.answer for check in await examine(client, "main", 5, namespaces)] == ["pass", "pass"]
    await client.close()
    cluster = watched(*namespaces)
    await until(lambda: all_told(cluster))
    pulse = await cluster.pulse(5)
    assert pulse.ready and pulse.status == "ok"


@pytest.mark.server
async def test_only_what_is_missing_is_asked_for(api_server: ApiServer) -> None:
    api_server.as_viewer()
    api_server.cluster.metrics = Measured()
    api_server.allow("nodes", "pods", "deployments", "statefulsets", "daemonsets", "resourcequotas", "events")
    api_server.allow("clusters", "poolers", groups=("postgresql.cnpg.io",))
    client = api_server.client()
    (_, role) = await examine(client, "main", 5)
    await client.close()
    assert "aquasecurity" not in role.detail, "what is not there is not missing"
    rules = next(iter(yaml.safe_load_all(role.mend)))["rules"]
    asked = {(group, name) for rule in rules for group in rule.get("apiGroups", ()) for name in rule["resources"]}
    assert asked == {
        ("autoscaling", "horizontalpodautoscalers"), ("policy", "poddisruptionbudgets"), ("", "pods/log"),
        ("metrics.k8s.io", "nodes"), ("metrics.k8s.io", "pods"),
        ("aquasecurity.github.io", "vulnerabilityreports"), ("wgpolicyk8s.io", "policyreports"),
    }  # fmt: skip


@pytest.mark.server
async def test_what_a_cluster_does_not_have_need_not_be_allowed(api_server: ApiServer) -> None:
    api_server.as_viewer()
    client = api_server.client()
    (_, role) = await examine(client, "main", 5)
    apply(api_server, manifest([need for need in needs() if need.group not in LATER], "viewer"))
    (_, enough) = await examine(client, "main", 5)
    assert enough.answer == "pass" and "metrics.k8s.io" in enough.detail
    assert "metrics.k8s.io" in role.mend
    api_server.cluster.metrics = Measured()
    (_, again) = await examine(client, "main", 5)
    await client.close()
    assert again.answer == "fail" and "list nodes.metrics.k8s.io" in again.detail


@pytest.mark.server
async def test_a_refused_token_and_a_silent_server_are_told_apart(api_server: ApiServer) -> None:
    api_server.token = "expired"
    client = api_server.client()
    (refused,) = await examine(client, "main", 5)
    assert refused.answer == "fail" and "401" in refused.detail and "renew" in refused.mend
    await api_server.stop()
    (silent,) = await examine(client, "main", 5)
    assert silent.answer == "fail" and "reached" in silent.mend
    await client.close()


def test_a_service_account_is_bound_as_one() -> None:
    documents = list(
        yaml.safe_load_all(manifest([Need("list", "apps", "deployments")], "system:serviceaccount:ops:banksman"))
    )
    assert documents[1]["subjects"] == [{"kind": "ServiceAccount", "name": "banksman", "namespace": "ops"}]
    hostile = list(yaml.safe_load_all(manifest([Need("list", "", "pods")], 'x"}\n- {kind: Group')))
    assert hostile[1]["subjects"][0]["name"] == 'x"}\n- {kind: Group'


@pytest.mark.server
async def test_a_kubeconfig_is_read_and_read_again(api_server: ApiServer, tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    document = {
        "apiVersion": "v1", "kind": "Config", "current-context": "none",
        "clusters": [{"name": "lab", "cluster": {"server": f"http://127.0.0.1:{api_server.port}"}}],
        "users": [{"name": "me", "user": {"token": "not-yet"}}],
        "contexts": [{"name": "here", "context": {"cluster": "lab", "user": "me"}}],
    }  # fmt: skip
    path.write_text(json.dumps(document))
    before = path.stat().st_mtime_ns
    client = Kubernetes(Access(kubeconfig=str(path), context="here"))
    (refused,) = await examine(client, "main", 5)
    assert "401" in refused.detail and path.stat().st_mtime_ns == before
    document["users"] = [{"name": "me", "user": {"token": "admin-token"}}]
    path.write_text(json.dumps(document))
    client.drop()
    assert [check.answer for check in await examine(client, "main", 5)] == ["pass", "pass"]
    await client.close()


@pytest.mark.parametrize(
    "access", [Access(kubeconfig="/absent/kubeconfig"), Access(), Access(server="http://127.0.0.1:1")]
)
async def test_no_way_in_is_a_sentence(access: Access, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    client = Kubernetes(access)
    (check,) = await examine(client, "main", 5)
    assert check.answer == "fail" and check.detail
    await client.close()
