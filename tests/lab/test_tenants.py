"""What is said of the tenants before anything runs: their manifests, and how busy their users are."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from console.lab.certificates import Authority
from console.lab.databases import home
from console.lab.errors import LabError
from console.lab.kube.quantity import parse
from console.lab.manifests import tenant as manifests
from console.lab.platform.admin import kind_of
from console.lab.rotation import rotate
from console.lab.servers.odoo import LOG
from console.lab.tenants import TENANTS, Tenant
from console.lab.users.base import read_factors, set_factor


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    made = Authority(tmp_path)
    made.make()
    return made


@pytest.mark.parametrize("tenant", TENANTS, ids=lambda tenant: tenant.name)
def test_a_tenants_manifests_fit_each_other(tenant: Tenant, authority: Authority, tmp_path: Path) -> None:
    found = manifests.manifests(tenant, tmp_path, authority)
    by_kind = {each["kind"]: each for each in found}
    assert all(kind_of(each["kind"]).api_version == each["apiVersion"] for each in found)
    assert {each["metadata"].get("namespace", tenant.namespace) for each in found} == {tenant.namespace}
    pod = by_kind["Deployment"]["spec"]["template"]
    container = pod["spec"]["containers"][0]
    assert by_kind["Service"]["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    route = by_kind["IngressRoute"]["spec"]
    wanted = {each["name"] for each in route["routes"][0]["middlewares"]}
    assert wanted == {each["metadata"]["name"] for each in found if each["kind"] == "Middleware"}
    assert route["tls"]["secretName"] == by_kind["Secret"]["metadata"]["name"]
    # A rollout has one pod more than there are otherwise at most.
    most = by_kind.get("HorizontalPodAutoscaler", {"spec": {"maxReplicas": 1}})["spec"]["maxReplicas"] + 1
    hard = by_kind["ResourceQuota"]["spec"]["hard"]
    assert int(hard["pods"]) >= most
    for what, much in container["resources"]["requests"].items():
        assert parse(hard[f"requests.{what}"]) >= most * parse(much)


def test_a_certificate_is_of_the_tenants_name_and_valid_for_ninety_days(authority: Authority) -> None:
    secret = manifests.secret(TENANTS[0], authority)
    chain = base64.b64decode(secret["data"]["tls.crt"])
    certificate = x509.load_pem_x509_certificate(chain)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [TENANTS[0].host]
    left = certificate.not_valid_after_utc - datetime.now(UTC)
    assert timedelta(days=89) < left <= timedelta(days=90)


def test_logs_that_grow_are_emptied_and_their_writers_go_on(tmp_path: Path) -> None:
    log, small = home(tmp_path, TENANTS[0]) / LOG, home(tmp_path, TENANTS[1]) / LOG
    for file in (log, small):
        file.parent.mkdir(parents=True)
        file.write_text("before\n")
    with log.open("a") as writer:
        writer.write("x" * 100 + "\n")
        writer.flush()
        assert rotate(tmp_path, largest=50) == [log]
        writer.write("after\n")
    assert log.read_text() == "after\n"
    assert log.with_name(f"{LOG}.1").read_text().startswith("before\n")
    assert small.read_text() == "before\n"


def test_factors_are_kept_until_they_are_as_usual(tmp_path: Path) -> None:
    assert read_factors(tmp_path) == {}
    set_factor(tmp_path, "acme", 5)
    set_factor(tmp_path, "hafen", 0.5)
    assert read_factors(tmp_path) == {"acme": 5.0, "hafen": 0.5}
    set_factor(tmp_path, "acme", 1)
    assert read_factors(tmp_path) == {"hafen": 0.5}


@pytest.mark.parametrize(
    ("name", "factor"), [("nobody", 2), ("acme", 0), ("acme", -1), ("acme", 1e6), ("acme", float("nan"))]
)
def test_factors_that_make_no_sense_are_refused(tmp_path: Path, name: str, factor: float) -> None:
    with pytest.raises(LabError):
        set_factor(tmp_path, name, factor)
    assert read_factors(tmp_path) == {}
