"""Who feels it, in words."""

from __future__ import annotations

import msgspec

from console.assessment.people import crowd, felt, tenants_at, tenants_in, tenants_named
from console.assessment.words import listing, share, short, size, span
from console.readings import PostgresMember
from console.settings import Application, EnvironmentFile
from tests.assessment.scene import Scene, environment


def of(**applications: Application) -> EnvironmentFile:
    return EnvironmentFile(name="test", applications=applications)


def test_applications_that_share_their_databases_go_together() -> None:
    assert crowd(environment(), ["acme", "bauhof"], "?").words == "payroll and purchasing of acme and bauhof"


def test_databases_without_an_application_are_named_as_such() -> None:
    assert crowd(environment(), ["acme", "cobalt"], "?").words == "payroll and purchasing of acme and database cobalt"
    assert crowd(environment(), ["x", "y"], "?").words == "databases x and y"


def test_a_label_that_names_its_database_is_enough() -> None:
    platform = of(
        a=Application(databases=["acme*"], label="Acme Hochbau"), b=Application(databases=["b"], label="Nord")
    )
    assert crowd(platform, ["acme", "b"], "?").words == "Acme Hochbau and Nord (b)"


def test_an_application_without_a_label_goes_by_its_name() -> None:
    assert crowd(of(portal=Application(databases=["p_*"])), ["p_1"], "?").words == "portal (p_1)"


def test_many_are_counted() -> None:
    platform = of(**{name: Application(databases=[name]) for name in "abcdefg"})
    assert crowd(platform, list("abcdefg"), "?").words == "a, b, c and 4 more"


def test_nobody_known_is_said() -> None:
    assert crowd(environment(), [], "nobody knows").words == "nobody knows"
    assert crowd(environment(), ["", ""], "nobody knows").databases == ()


def test_a_primary_that_was_never_read_names_those_of_the_environment_file() -> None:
    scene = Scene()
    scene.stop("pg-1")
    scene.step(times=2)
    assert scene.finding("primary-unreachable:main/pg-1").affects == ("acme", "bauhof")


def test_where_nothing_is_known_it_says_so() -> None:
    scene = Scene(EnvironmentFile(name="test", postgres=environment().postgres))
    scene.stop("pg-1")
    scene.step(times=2)
    lost = scene.finding("primary-unreachable:main/pg-1")
    assert lost.affects == ()
    assert "not known" in lost.impact


def test_databases_in_use_are_remembered_from_before() -> None:
    scene = Scene()
    scene.change(PostgresMember, "main/pg-1", connections_by_database={"delta": 9, "acme": 1, "postgres": 5})
    scene.step(times=2)
    scene.stop("pg-1")
    scene.step(times=5)
    assert scene.finding("primary-unreachable:main/pg-1").affects == ("delta", "acme")


def test_words() -> None:
    assert (size(0), size(1536), size(14.2 * 2**20), size(150 * 2**20)) == ("0 B", "1.5 kB", "14.2 MB", "150 MB")
    assert size(2**60) == "1048576 TB"
    assert (span(-3), span(47), span(360), span(7800), span(7200), span(3 * 86400)) == (
        "0 s", "45 s", "6 min", "2 h 10 min", "2 h", "3 d",
    )  # fmt: skip
    assert (share(1, 4), share(1, 0)) == ("25 %", "?")
    assert (listing([]), listing(["a"]), listing("abc"), listing("abcde")) == (
        "",
        "a",
        "a, b and c",
        "a, b, c and 2 more",
    )
    assert short("x" * 30) == "x" * 23 + "…"


def platform() -> EnvironmentFile:
    return of(
        acme=Application(
            databases=["acme*"], label="Acme Hochbau", url="https://erp.acme.example/web", namespace="tenant-acme"
        ),
        bauhof=Application(databases=["bauhof"], cluster="second", kubernetes="east", namespace="tenant-bauhof"),
        portal=Application(databases=["acme_prod", "bauhof"]),
    )


def test_tenants_behind_databases_names_and_labels() -> None:
    assert tenants_named(platform(), ["acme_prod"]) == ("acme", "portal")
    assert tenants_named(platform(), ["bauhof", "acme_x"]) == ("bauhof", "portal", "acme"), "worst first, as given"
    assert tenants_named(platform(), ["bauhof"], "main") == ("bauhof", "portal"), "its own name is the tenant, wherever"
    assert tenants_named(platform(), ["Acme Hochbau"]) == ("acme",)
    assert tenants_named(platform(), ["postgres"]) == ()


def test_a_database_of_another_cluster_is_another_one() -> None:
    two = of(
        one=Application(databases=["erp"], cluster="first"), other=Application(databases=["erp"], cluster="second")
    )
    assert tenants_named(two, ["erp"], "second") == ("other",)
    assert tenants_named(two, ["erp"]) == ("one", "other"), "where nobody says which"


def test_tenants_of_namespaces_and_hosts() -> None:
    assert tenants_in(platform(), "west", ["tenant-acme", "tenant-bauhof", ""]) == ("acme",)
    assert tenants_in(platform(), "east", ["tenant-bauhof"]) == ("bauhof",)
    assert tenants_at(platform(), ["ERP.acme.example", ""]) == ("acme",), "an application without a url is at no host"


def test_a_finding_is_felt_by_the_tenants_that_it_affects() -> None:
    scene = Scene()
    scene.stop("pg-1")
    scene.step(times=2)
    lost = scene.finding("primary-unreachable:main/pg-1")
    assert lost.affects == ("acme", "bauhof")
    assert lost.tenants == ("payroll", "purchasing"), "both use both databases"
    named = msgspec.structs.replace(lost, tenants=("purchasing",))
    assert felt(environment(), named) is named, "what the kind itself says is not overruled"
