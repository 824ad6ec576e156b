"""What only some clusters have: metrics, CloudNativePG, reports about images and policies; there, refused, absent, and back."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from console.clients import kubernetes_optional as optional
from console.clients.kubernetes_optional import CNPG_CLUSTERS, POLICIES, SCANS
from console.lab.kube.custom import definition
from console.lab.kube.kinds import Kind, custom_kind
from console.readings import KubeImage, KubeUse
from console.sources import kubernetes_optional_rows as rows
from console.sources.base import SourceError
from console.sources.kubernetes_cluster import Cluster
from console.sources.kubernetes_derived import images, mutable
from console.sources.kubernetes_optional_rows import Scanned
from console.sources.kubernetes_rows import pod
from tests.lab.kube.rig import Measured, kind_of
from tests.rigs_kubernetes import ApiServer, real_pod, until
from tests.sources.kubernetes import recorded

Begin = Callable[..., Cluster]
UTC_TIME = datetime(2026, 11, 22, 1, 4, 31, tzinfo=UTC)


def read(shape: Any, value: dict[str, Any]) -> Any:
    return msgspec.json.decode(json.dumps(value), type=shape)


def test_a_healthy_cloudnativepg_cluster() -> None:
    found = rows.cnpg_cluster(read(optional.CnpgCluster, recorded.CNPG_HEALTHY))
    assert (found.instances, found.ready, found.timeline, found.primary) == (3, 3, 4, "main-1")
    assert found.phase == "Cluster in healthy state" and not found.switching
    assert found.conditions == {} and found.fenced == () and found.unhealthy == ()
    assert found.last_backup_at == UTC_TIME and found.last_failed_backup_at is None
    assert found.first_recoverable_at == datetime(2026, 11, 8, 1, 0, 7, tzinfo=UTC)
    assert found.certificates_expire_at == datetime(2026, 12, 29, 7, 55, tzinfo=UTC)
    assert found.primary_since is not None and found.primary_since.second == 41


def test_a_cloudnativepg_cluster_that_fails_over() -> None:
    found = rows.cnpg_cluster(read(optional.CnpgCluster, recorded.CNPG_FAILING_OVER))
    assert found.switching and (found.primary, found.target) == ("payroll-1", "payroll-3")
    assert found.ready == 1 and found.healthy == ("payroll-3",) and found.unhealthy == ("payroll-1", "payroll-2")
    assert found.fenced == ("payroll-2",) and found.dangling_volumes == ("payroll-4",)
    assert set(found.conditions) == {"Ready", "ContinuousArchiving"}
    assert "barman" in found.conditions["ContinuousArchiving"].message
    assert found.first_recoverable_at is None and found.last_failed_backup_at is not None


@pytest.mark.parametrize(
    ("annotations", "fenced", "hibernated"),
    [
        ({"cnpg.io/fencedInstances": '["*"]'}, ("*",), False),
        ({"cnpg.io/fencedInstances": "not json", "cnpg.io/hibernation": "on"}, (), True),
        ({"cnpg.io/fencedInstances": '{"a": 1}'}, (), False),
        (None, (), False),
    ],
)
def test_fencing_and_hibernation(annotations: Any, fenced: tuple[str, ...], hibernated: bool) -> None:
    fresh = recorded.CNPG_FRESH | {"metadata": recorded.CNPG_FRESH["metadata"] | {"annotations": annotations}}
    found = rows.cnpg_cluster(read(optional.CnpgCluster, fresh))
    assert (found.fenced, found.hibernated, found.timeline, found.instances) == (fenced, hibernated, None, 1)


def test_a_pooler() -> None:
    found = rows.pooler(read(optional.Pooler, recorded.POOLER))
    assert (found.cluster, found.kind, found.mode, found.instances, found.running) == ("main", "rw", "session", 2, 2)
    assert found.paused
    assert rows.pooler(optional.Pooler()).instances == 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2026-11-22T01:04:31Z", UTC_TIME),
        ("2026-11-22T02:04:31+01:00", UTC_TIME),
        ("2026-11-22 01:04:31 +0000 UTC", UTC_TIME),
        ("", None),
        ("soon", None),
        ("0001-01-01 00:00:00 +0000 CET", None),
    ],
)
def test_moments_of_operators(text: str, found: datetime | None) -> None:
    assert rows.moment(text) == found


def pods(*images_and_digests: tuple[str, str]) -> list[Any]:
    made = []
    for number, (image, digest) in enumerate(images_and_digests):
        each = real_pod(number)
        each["spec"]["containers"] = each["spec"]["containers"][:1]
        each["spec"]["containers"][0]["image"] = image
        each["status"]["containerStatuses"] = each["status"]["containerStatuses"][:1]
        each["status"]["containerStatuses"][0]["imageID"] = digest
        made.append(pod(read(kind_shape("pods"), each)))
    return made


def kind_shape(plural: str) -> Any:
    from console.clients.kubernetes_kinds import KINDS

    return next(kind.shape for kind in KINDS if kind.plural == plural)


C, D = f"sha256:{'c' * 64}", f"sha256:{'d' * 64}"


def test_what_runs_against_what_is_declared() -> None:
    same = images(pods((f"r.example/odoo@{C}", f"r.example/odoo@{C}"), (f"r.example/odoo@{C}", f"r.example/odoo@{C}")))
    assert [(row.pods, row.differs) for row in same.values()] == [(2, "")]
    other = images(pods((f"r.example/odoo:18@{C}", f"r.example/odoo@{D}")))
    assert "declared sha256:cccc" in next(iter(other.values())).differs
    moved = images(pods(("r.example/odoo:18", f"r.example/odoo@{C}"), ("r.example/odoo:18", f"r.example/odoo@{D}")))
    (row,) = moved.values()
    assert "different images" in row.differs and row.digests == (C, D)
    waits = images(pods(("r.example/odoo:18", "")))
    assert next(iter(waits.values())) == KubeImage("default", "Deployment/odoo", "r.example/odoo:18", pods=1)


@pytest.mark.parametrize(
    ("image", "is_mutable"),
    [("odoo", True), ("odoo:latest", True), ("r.example:5000/odoo", True), ("r.example:5000/odoo:18.0", False), (f"odoo@{C}", False), (f"odoo:latest@{C}", False)],
)  # fmt: skip
def test_mutable_tags(image: str, is_mutable: bool) -> None:
    assert mutable(image) is is_mutable


def test_reports_find_their_image_by_digest_and_by_name() -> None:
    scan = rows.scanned(read(optional.VulnerabilityReport, recorded.SCAN))
    assert "registry.example/odoo:18.0" in scan.names
    by_digest = images(pods(("mirror.example/odoo:18.0", f"mirror.example/odoo@{C}")), [scan])
    by_name = images(pods(("registry.example/odoo:18.0", "")), [Scanned(scan.namespace, scan.names, "", scan.found)])
    for found in (by_digest, by_name):
        (row,) = found.values()
        assert row.found is not None and (row.found.critical, row.found.high, row.found.unknown) == (2, 14, 1)
    (elsewhere,) = images(pods(("registry.example/other:18.0", D)), [scan]).values()
    assert elsewhere.found is None


def serve(server: ApiServer, kind: Kind) -> None:
    """Install the definition of a kind, as its operator does."""
    definitions = kind_of(server.cluster, "apiextensions.k8s.io", "v1", "customresourcedefinitions")
    server.cluster.api.create(definitions, "", definition(kind))


REPORTS = (
    custom_kind("aquasecurity.github.io", "v1alpha1", "VulnerabilityReport", "vulnerabilityreports"),
    custom_kind("wgpolicyk8s.io", "v1alpha2", "PolicyReport", "policyreports"),
)


@pytest.mark.server
async def test_reports_come_when_somebody_makes_them(
    api_server: ApiServer, watched: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.clients.kubernetes_mirror._ABSENT_S", 0.2)
    api_server.put_pod(1)
    cluster = watched()
    await cluster.pulse(5)
    await cluster.settled(10, SCANS, POLICIES, *cluster.mirrors)
    before = cluster.images()
    assert before.status == "ok" and (before.vulnerability_reports, before.policy_reports) == ("absent", "absent")
    assert next(iter(before.images.values())).found is None
    for kind in REPORTS:
        serve(api_server, kind)
    await until(lambda: all(cluster.mirrors[kind][0].readable for kind in (SCANS, POLICIES)))
    for kind, found in zip(REPORTS, (recorded.SCAN, recorded.POLICY), strict=True):
        api_server.cluster.store.put(kind_of(api_server.cluster, kind.group, kind.version, kind.plural).key, found)
    passed = kind_of(api_server.cluster, REPORTS[1].group, REPORTS[1].version, REPORTS[1].plural)
    api_server.cluster.store.put(passed.key, recorded.POLICY_PASSED)
    await until(lambda: cluster.mirrors[SCANS][0].rows and len(cluster.mirrors[POLICIES][0].rows) == 2)
    after = cluster.images()
    assert after.vulnerability_reports == "watching"
    assert after.images["default/Deployment/odoo/registry.example/odoo:18.0"].found is not None
    (policy,) = after.policies.values()
    assert policy.object == "Deployment/odoo" and (policy.failed, policy.warned, policy.passed) == (2, 1, 11)
    assert policy.policies == ("require-requests-limits", "verify-image-signatures")


@pytest.mark.server
async def test_cloudnativepg_is_read_where_it_is_and_no_error_where_it_is_not(
    api_server: ApiServer, watched: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.clients.kubernetes_mirror._ABSENT_S", 0.2)
    registry = api_server.cluster.registry
    kinds = [kind_of(api_server.cluster, "postgresql.cnpg.io", "v1", plural) for plural in ("clusters", "poolers")]
    for kind in kinds:
        registry.remove(kind)
    cluster = watched()
    await cluster.pulse(5)
    await until(lambda: cluster.mirrors[CNPG_CLUSTERS][0].state == "absent")
    await until(lambda: cluster.databases().status == "not-configured")
    for kind in kinds:
        registry.add(kind)
    api_server.cluster.store.put(kinds[0].key, recorded.CNPG_HEALTHY)
    api_server.cluster.store.put(kinds[1].key, recorded.POOLER)
    await until(lambda: cluster.databases().status == "ok" and cluster.databases().poolers)
    found = cluster.databases()
    assert found.clusters["databases/main"].primary == "main-1" and found.poolers["databases/main-rw"].paused


@pytest.mark.server
async def test_a_role_without_the_kinds_of_an_operator_that_is_not_there_lacks_nothing(
    api_server: ApiServer, watched: Begin
) -> None:
    """An API server refuses before it looks whether there is such a kind."""
    api_server.as_viewer()
    api_server.allow("pods", "nodes")
    cluster = watched()
    await cluster.pulse(5)
    await until(lambda: cluster.mirrors[SCANS][0].state == "absent")
    await until(lambda: cluster.mirrors[CNPG_CLUSTERS][0].state == "denied")
    assert cluster.images().vulnerability_reports == "absent" and cluster.images().status == "ok"
    with pytest.raises(SourceError) as refused:
        cluster.databases()
    assert refused.value.denied and "clusters" in refused.value.problem


@pytest.mark.server
async def test_metrics_come_and_go(api_server: ApiServer, watched: Begin) -> None:
    cluster = watched()
    await cluster.pulse(5)
    absent = await cluster.usage(5)
    assert absent.status == "not-configured" and "metrics.k8s.io" in absent.problem
    api_server.cluster.metrics = Measured()
    found = await cluster.usage(5)
    assert found.status == "ok" and found.nodes == {"node-a": KubeUse(0.5, 2**30)}
    assert found.pods == {"default/p": KubeUse(0.01, 5 * 2**20)}
    assert found.measured_at == datetime(2026, 11, 22, tzinfo=UTC)
    api_server.cluster.metrics = None
    assert (await cluster.usage(5)).status == "not-configured"
    await api_server.stop()
    with pytest.raises(SourceError):
        await cluster.pulse(5)
    with pytest.raises(SourceError):
        await cluster.usage(5)


@pytest.mark.server
async def test_metrics_that_may_not_be_asked_for_are_denied_or_absent(api_server: ApiServer, watched: Begin) -> None:
    api_server.as_viewer()
    api_server.allow("nodes", "pods")
    cluster = watched()
    await cluster.pulse(5)
    assert (await cluster.usage(5)).status == "not-configured"
    api_server.cluster.metrics = Measured()
    with pytest.raises(SourceError) as refused:
        await cluster.usage(5)
    assert refused.value.denied
    api_server.allow("pods", groups=("metrics.k8s.io",))
    partial = await cluster.usage(5)
    assert partial.status == "partial" and partial.pods and not partial.nodes
    two = watched("default", "kube-public")
    await two.pulse(5)
    assert list((await two.usage(5)).pods) == ["default/p"]
