"""Secrets that a cluster keeps for the environment file: read by name, told by the doctor, in no error and no manifest too many."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest
import yaml

from console.engine.log import Redactor, secrets_of
from console.settings import EnvironmentFile, KubernetesCluster, PostgresCluster, PostgresServer
from console.settings import secrets as settings_secrets
from console.settings.secrets import SecretError, resolve
from console.sources.kubernetes import kept_in_cluster
from console.sources.kubernetes_privilege import examine, manifest, needs
from console.sources.kubernetes_secrets import fetch
from tests.lab.kube.rig import ADMIN, VIEWER, kind_of
from tests.rigs_kubernetes import ApiServer
from tests.sources.kubernetes.test_privilege import apply

pytestmark = pytest.mark.server

REFERENCE = "kube:default/postgres/password"
VALUE = "hunter2-of-the-cluster"


@pytest.fixture(autouse=True)
def nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What one test read, the next one does not know."""
    monkeypatch.setattr(settings_secrets, "_kept", {})
    yield


def environment(server: ApiServer, token: str = "BANKSMAN_TEST_TOKEN", key: str = "password") -> EnvironmentFile:
    """Of a platform that keeps a password in its cluster."""
    reference = REFERENCE.replace("password", key)
    return EnvironmentFile(
        name="test",
        kubernetes={"main": KubernetesCluster(server=f"http://127.0.0.1:{server.port}", token=f"env:{token}")},
        postgres={
            "main": PostgresCluster(servers={"pg-1": PostgresServer(host="10.0.0.1")}, password=reference),
            "other": PostgresCluster(servers={"pg-1": PostgresServer(host="10.0.0.2")}, password=reference),
        },
    )


def put(server: ApiServer, value: bytes = VALUE.encode()) -> None:
    """The secret as somebody created it."""
    kind = kind_of(server.cluster, "", "v1", "secrets")
    data = {"password": base64.b64encode(value).decode(), "other": "bm90IG91cnM="}
    server.cluster.store.put(kind.key, {"metadata": {"name": "postgres", "namespace": "default"}, "data": data})


async def test_it_is_read_and_hidden_and_read_again_when_it_changes(
    api_server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BANKSMAN_TEST_TOKEN", ADMIN)
    wanted = environment(api_server)
    assert kept_in_cluster(wanted) == [REFERENCE]
    put(api_server)
    assert await fetch(wanted)
    assert resolve(REFERENCE).reveal() == VALUE
    redactor = Redactor([])
    redactor.learn(secrets_of(wanted))
    assert VALUE not in redactor(f"failed with {VALUE} at 3") and "not ours" not in "".join(secrets_of(wanted))
    put(api_server, b"rotated-value\n")
    assert await fetch(wanted)
    assert resolve(REFERENCE).reveal() == "rotated-value"
    redactor.learn(secrets_of(wanted))
    assert redactor(f"{VALUE} rotated-value").count("***") == 2


async def test_what_was_read_holds_while_the_api_server_is_away(
    api_server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else its outage would be told as one of every server whose password it keeps."""
    monkeypatch.setenv("BANKSMAN_TEST_TOKEN", ADMIN)
    put(api_server)
    assert await fetch(environment(api_server))
    await api_server.stop()
    assert not await fetch(environment(api_server))
    assert resolve(REFERENCE).reveal() == VALUE


async def test_why_it_cannot_be_read_is_a_sentence_without_it(
    api_server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BANKSMAN_TEST_TOKEN", VIEWER)
    put(api_server)
    assert not await fetch(environment(api_server))
    with pytest.raises(SecretError, match="forbidden"):
        resolve(REFERENCE)
    monkeypatch.setenv("BANKSMAN_TEST_TOKEN", ADMIN)
    assert not await fetch(environment(api_server, key="absent"))
    with pytest.raises(SecretError, match="has no key absent"):
        resolve(REFERENCE.replace("password", "absent"))
    put(api_server, VALUE.encode() + b"\xff")
    assert not await fetch(environment(api_server))
    with pytest.raises(SecretError, match="not a secret of text") as told:
        resolve(REFERENCE)
    assert VALUE not in str(told.value)
    await api_server.stop()
    assert not await fetch(environment(api_server))
    with pytest.raises(SecretError, match=r"127\.0\.0\.1"):
        resolve(REFERENCE)


async def test_the_doctor_asks_for_this_secret_alone(api_server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BANKSMAN_TEST_TOKEN", VIEWER)
    put(api_server)
    api_server.as_viewer()
    apply(api_server, manifest(needs(), "viewer"))
    client = api_server.client()
    (_, lacking) = await examine(client, "main", 5, (), [REFERENCE])
    assert lacking.answer == "fail" and lacking.detail.endswith("get secrets postgres in namespace default")
    role = next(iter(yaml.safe_load_all(lacking.mend)))
    assert role["kind"] == "Role"
    assert role["rules"] == [
        {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["postgres"], "verbs": ["get"]}
    ]
    apply(api_server, lacking.mend)
    assert [check.answer for check in await examine(client, "main", 5, (), [REFERENCE])] == ["pass", "pass"]
    await client.close()
    assert await fetch(environment(api_server))
