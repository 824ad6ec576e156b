"""Who may do what: roles, tokens, acting as somebody else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from console.lab.kube.cluster import Cluster
from tests.lab.kube.rig import AS_VIEWER, MAPS, PODS, VIEWER, Kube, config_map, kind_of, pod


def _grant(cluster: Cluster, namespace: str, rules: list[dict[str, Any]]) -> None:
    api = "rbac.authorization.k8s.io"
    cluster.api.create(kind_of(cluster, api, "v1", "roles"), namespace, {"metadata": {"name": "r"}, "rules": rules})
    binding = {
        "metadata": {"name": "b"},
        "roleRef": {"kind": "Role", "name": "r"},
        "subjects": [{"kind": "User", "name": "viewer"}],
    }
    cluster.api.create(kind_of(cluster, api, "v1", "rolebindings"), namespace, binding)


async def test_a_role_holds_in_its_namespace_for_what_it_names(kube: Kube) -> None:
    _grant(
        kube.cluster,
        "default",
        [{"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["mine"], "verbs": ["get"]}],
    )
    for name in ("mine", "other"):
        await kube.client.post(MAPS, json=config_map(name))
    codes = [
        (await kube.client.get(path, headers=AS_VIEWER)).status_code
        for path in (f"{MAPS}/mine", f"{MAPS}/other", MAPS, "/api/v1/configmaps")
    ]
    assert codes == [200, 403, 403, 403]
    binding = kind_of(kube.cluster, "rbac.authorization.k8s.io", "v1", "rolebindings")
    kube.cluster.deletions.delete(binding, "default", "b")
    assert (await kube.client.get(f"{MAPS}/mine", headers=AS_VIEWER)).status_code == 403


async def test_subresources_are_granted_apart(kube: Kube) -> None:
    _grant(kube.cluster, "default", [{"apiGroups": [""], "resources": ["pods"], "verbs": ["*"]}])
    await kube.client.post(PODS, json=pod("p"))
    assert (await kube.client.get(f"{PODS}/p", headers=AS_VIEWER)).status_code == 200
    refused = (await kube.client.get(f"{PODS}/p/log", headers=AS_VIEWER)).json()
    assert (
        refused["message"]
        == 'pods "p" is forbidden: User "viewer" cannot get resource "pods/log" in API group "" in the namespace "default"'
    )


async def test_a_token_that_ran_out_or_was_revoked_is_unknown(kube: Kube) -> None:
    kube.cluster.tokens.add("short", "viewer", until=datetime.now(UTC) - timedelta(seconds=1))
    for token in ("short", "never"):
        assert (await kube.client.get("/api", headers={"Authorization": f"Bearer {token}"})).status_code == 401
    assert (await kube.client.get("/api", headers=AS_VIEWER)).status_code == 200
    kube.cluster.tokens.revoke(VIEWER)
    assert (await kube.client.get("/api", headers=AS_VIEWER)).status_code == 401


async def test_only_who_may_impersonate_does(kube: Kube) -> None:
    who = {"Impersonate-User": "viewer"}
    assert (await kube.client.get(MAPS, headers=who)).status_code == 403
    assert (
        (await kube.client.get(MAPS, headers={**who, **AS_VIEWER}))
        .json()["message"]
        .startswith('users "viewer" is forbidden')
    )
