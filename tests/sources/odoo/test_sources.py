"""From an environment file to the sources of its tenants, and how often each is asked."""

from __future__ import annotations

import pytest

from console.readings import RedisKeys, RedisServer
from console.settings import (
    Application,
    Cadence,
    Cadences,
    EnvironmentFile,
    LogSource,
    PostgresCluster,
    PostgresServer,
    RedisCache,
    RedisServerSettings,
    SessionStore,
)
from console.sources import sources_for
from console.sources.odoo_database import OdooDatabaseSource
from console.sources.odoo_privilege import columns, grants

CADENCES = Cadences(
    fast=Cadence(every_s=2, deadline_s=2),
    normal=Cadence(every_s=10, deadline_s=5),
    slow=Cadence(every_s=60, deadline_s=20),
)
CLUSTER = PostgresCluster(servers={"a": PostgresServer(host="127.0.0.1"), "b": PostgresServer(host="127.0.0.1")})
CACHE = RedisCache(servers={"r": RedisServerSettings(host="127.0.0.1")})


def odoo_of(environment: EnvironmentFile) -> list[tuple[str, str, float]]:
    found = sources_for(environment, CADENCES)
    assert all(source.privilege for source in found)
    return [(s.reading.topic, s.key, s.every_s) for s in found if s.reading.topic.startswith("odoo")]


def test_what_is_watched_how_often() -> None:
    acme = Application(
        databases=["acme", "acme_test"], odoo=True, url="https://acme.example.com", filestore="/srv/filestore",
        sessions=SessionStore(cache="cache", prefix="acme"), log=LogSource(path="/var/log/odoo.log"),
    )  # fmt: skip
    others = {"plain": Application(databases=["x"]), "small": Application(databases=["small"], odoo=True)}
    environment = EnvironmentFile(
        name="x", postgres={"main": CLUSTER}, redis={"cache": CACHE}, applications={"acme": acme, **others}
    )
    assert odoo_of(environment) == [
        ("odoo", "acme/acme", 10), ("odoo.files", "acme/acme", 60), ("odoo", "acme/acme_test", 10),
        ("odoo.files", "acme/acme_test", 60), ("odoo.pages", "acme", 10), ("odoo.sessions", "acme", 60), ("odoo.log", "acme", 10),
        ("odoo", "small/small", 10), ("odoo.files", "small/small", 60),
    ]  # fmt: skip
    assert {source.reading for source in sources_for(environment, CADENCES)} >= {RedisServer, RedisKeys}


def test_a_tenant_whose_cluster_is_not_known_is_looked_at_by_its_pages() -> None:
    application = Application(databases=["acme"], odoo=True, url="https://acme.example.com")
    two = {"main": CLUSTER, "other": CLUSTER}
    assert odoo_of(EnvironmentFile(name="x", postgres=two, applications={"acme": application})) == [
        ("odoo.pages", "acme", 10)
    ]


@pytest.mark.parametrize(("number", "quiet"), [(8, 10.0), (10, 10.0), (40, 70.0), (400, 120.0)])
def test_the_busiest_first_and_the_others_within_the_budget(number: int, quiet: float) -> None:
    names = [f"t{each}" for each in range(number)]
    applications = {name: Application(databases=[name], odoo=True) for name in names}
    environment = EnvironmentFile(name="x", postgres={"main": CLUSTER}, applications=applications)
    sources = [source for source in sources_for(environment, CADENCES) if isinstance(source, OdooDatabaseSource)]
    for number_, source in enumerate(sources):
        source.transactions_per_s = float(number_)
    every = [source._place.visits.every_s(source) for source in sources]
    assert every[-1] == 10.0
    assert every[0] == quiet
    if number <= 40:
        assert sum(1 / each for each in every) <= 1.0001, "visits a second, of one cluster"


@pytest.mark.parametrize("major", [14, 15, 16, 17, 18, 19])
def test_grants_are_columns_and_never_a_whole_table(major: int) -> None:
    found = grants(major, "banksman", "acme")
    assert found[0] == 'GRANT CONNECT ON DATABASE "acme" TO "banksman";'
    assert all(statement.startswith('GRANT SELECT ("') for statement in found[2:])
    assert not {"value", "password", "login", "body_html", "email_to", "db_datas", "args", "kwargs", "exc_info"} & {
        name for names in columns(major).values() for name in names
    }
    assert ("failure_count" in columns(major)["ir_cron"]) is (major >= 18)
    assert ("numbercall" in columns(major)["ir_cron"]) is (major < 18)
    assert ("ir_cron_trigger" in columns(major)) is (major >= 15)
    assert ("mail_presence" in columns(major)) is (major >= 19)
