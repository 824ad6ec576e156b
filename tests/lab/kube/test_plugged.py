"""What is plugged in: metrics and logs."""

from __future__ import annotations

from tests.lab.kube.rig import AS_VIEWER, PODS, Kube, Measured, pod


async def test_metrics_are_there_while_somebody_provides_them(kube: Kube) -> None:
    root = "/apis/metrics.k8s.io/v1beta1"
    assert [(await kube.client.get(path)).status_code for path in (root, f"{root}/nodes")] == [404, 404]
    kube.cluster.metrics = Measured()
    assert [each["name"] for each in (await kube.client.get(root)).json()["resources"]] == ["nodes", "pods"]
    assert (await kube.client.get(f"{root}/nodes/node-a")).json()["usage"]["cpu"] == "500m"
    assert len((await kube.client.get(f"{root}/pods", params={"labelSelector": "app=p"})).json()["items"]) == 1
    assert (await kube.client.get(f"{root}/namespaces/kube-system/pods")).json()["items"] == []
    assert (await kube.client.get(f"{root}/nodes", headers=AS_VIEWER)).status_code == 403
    kube.cluster.metrics = None
    assert (await kube.client.get(f"{root}/nodes")).status_code == 404


async def test_a_log_of_a_pod_with_two_containers_names_one(kube: Kube) -> None:
    both = [{"name": name, "image": "i:1"} for name in ("a", "b")]
    await kube.client.post(PODS, json=pod("p", containers=both))
    answer = (await kube.client.get(f"{PODS}/p/log")).json()
    assert answer["message"] == "a container name must be specified for pod p, choose one of: [a b]"
    assert (await kube.client.get(f"{PODS}/none/log")).status_code == 404
