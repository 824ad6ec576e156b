"""What the faults declare of themselves, and how their parameters are read."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.assessment import KINDS
from console.lab import cli
from console.lab.errors import LabError
from console.lab.faults.base import Active, Fault, Signs
from console.lab.faults.platform import NAMES
from console.lab.faults.registry import FAULTS, find
from console.lab.faults.worker import WORK

ALL = list(FAULTS.values())
SIGNS = [(fault.name, signs) for fault in ALL for signs in (fault.signs, *(one.signs for one in fault.variants))]


def test_every_fault_of_the_contract_is_there() -> None:
    assert set(FAULTS) == {
        "kill-primary", "hang-primary", "hang-standby", "lag", "pause-patroni", "freeze-patroni", "etcd-down", "lock-storm",
        "connection-flood", "idle-in-transaction", "slot-fills-disk", "cache-full", "cache-primary-killed", "sentinel-lost",
        "big-keys", "node-not-ready", "node-pressure", "zone-lost", "crash-loop", "image-unpullable", "quota-exhausted",
        "hpa-at-limit", "pdb-blocks", "backend-down", "backend-slow", "requests-flood", "middleware-missing", "cert-expiring",
        "cert-wrong-host", "workers-busy", "worker-killed", "cron-stuck", "queue-blocked", "mail-refused", "module-to-upgrade",
        "attachment-missing",
    }  # fmt: skip


@pytest.mark.parametrize(("name", "signs"), SIGNS)
def test_signs_name_findings_that_exist(name: str, signs: Signs) -> None:
    assert signs.findings
    assert {*signs.findings, *signs.allowed, signs.truth.cause} <= set(KINDS)
    assert not set(signs.findings) & set(signs.allowed)
    assert signs.truth.cause in signs.findings
    assert signs.panes
    assert 0 < signs.latency_s <= 150
    assert signs.truth.broken
    assert signs.truth.felt


@pytest.mark.parametrize("fault", ALL, ids=lambda fault: fault.name)
def test_a_fault_says_what_it_does_and_defaults_are_complete(fault: Fault) -> None:
    assert fault.does.endswith(("heal", "them", "it")) or len(fault.does) > 40
    assert fault.complete({}) == {each.name: each.default for each in fault.parameters}
    for each in fault.parameters:
        assert each.parse(str(each.default)) == each.default
    assert fault.expect({}) is fault.signs
    for variant in fault.variants:
        assert fault.expect(variant.when) is variant.signs


@pytest.mark.parametrize("fault", ALL, ids=lambda fault: fault.name)
def test_signs_say_in_which_panes_their_findings_are_and_who_feels_them(fault: Fault) -> None:
    for parameters, signs in (({}, fault.signs), *((each.when, each.signs) for each in fault.variants)):
        assert {KINDS[kind].pane for kind in signs.findings} == set(signs.panes)
        notes = {"felt": "acme bauhof"}
        struck = Active(name=fault.name, parameters=fault.complete(parameters), notes=notes, began_at=datetime.now(UTC))
        felt = signs.felt_by(struck, NAMES)
        assert felt <= set(NAMES)
        assert bool(felt) == bool(signs.tenants)
        assert signs.scope == "platform" or len(felt) == 1


def test_who_feels_a_fault_is_told_by_its_parameters_and_by_what_was_found_at_striking() -> None:
    def felt(*tenants: str) -> set[str]:
        struck = Active(
            name="lag", parameters={"tenant": "delta"}, notes={"felt": "acme fjord"}, began_at=datetime.now(UTC)
        )
        return msgspec.structs.replace(find("lag")[0].signs, tenants=tenants).felt_by(struck, NAMES)

    assert felt() == set()
    assert felt("{tenant}") == {"delta"}
    assert felt("{felt}", "hafen") == {"acme", "fjord", "hafen"}
    assert felt("*") == set(NAMES)


def test_workers_belong_to_faults() -> None:
    assert set(WORK) <= set(FAULTS)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("kill-primary", ["with_patroni=perhaps"]),
        ("kill-primary", ["with_patroni"]),
        ("hang-standby", ["which=other"]),
        ("lock-storm", ["tenant=nobody"]),
        ("sentinel-lost", ["count=two"]),
        ("etcd-down", ["anything=1"]),
    ],
)
def test_wrong_parameters_are_refused_by_a_sentence(name: str, words: list[str]) -> None:
    with pytest.raises(LabError, match=r"\w+ \w+ \w+"):
        find(name)[0].parse(words)


@given(st.sampled_from(ALL), st.lists(st.text(max_size=12), max_size=3))
def test_parameters_are_read_or_refused_never_more(fault: Fault, words: list[str]) -> None:
    try:
        found = fault.parse(words)
    except LabError:
        return
    assert set(found) <= {each.name for each in fault.parameters}


def test_the_list_of_faults_is_json(capsys: pytest.CaptureFixture[str]) -> None:

    parser = argparse.ArgumentParser()
    cli.add_commands(parser)
    assert cli.main(parser.parse_args(["faults", "--json"])) == 0
    listed = json.loads(capsys.readouterr().out)
    assert {each["name"] for each in listed} == set(FAULTS)
    assert all(each["signs"]["truth"]["cause"] for each in listed)


@pytest.mark.parametrize("words", [["break", "nonsense"], ["break", "lag", "far=1"], ["heal"], ["heal", "nonsense"]])
def test_what_does_not_exist_is_wrong_usage(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = argparse.ArgumentParser()
    cli.add_commands(parser)
    assert cli.main(parser.parse_args([*words, "--dir", str(tmp_path)])) == 64
    assert capsys.readouterr().err.startswith("banksman lab")


@pytest.mark.parametrize("words", [["status"], ["break", "lag"], ["heal", "--all"]])
def test_without_a_laboratory_the_answer_is_a_sentence(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = argparse.ArgumentParser()
    cli.add_commands(parser)
    assert cli.main(parser.parse_args([*words, "--dir", str(tmp_path)])) == 1
    assert "no laboratory" in capsys.readouterr().err
