"""Selectors, quantities, paths, ages and definitions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.lab.kube import quantity, selectors, table
from console.lab.kube.ages import duration
from console.lab.kube.cluster import Cluster
from console.lab.kube.custom import CUSTOM
from console.lab.kube.kinds import Kind

LABELS = [{}, {"a": "1"}, {"a": "2"}, {"a": "1", "b": "x"}, {"b": "y"}, {"a": "30"}]


@pytest.mark.parametrize(
    ("selector", "chosen"),
    [
        ("", [0, 1, 2, 3, 4, 5]),
        ("a=1", [1, 3]),
        ("a!=1", [0, 2, 4, 5]),
        ("a in (1, 2),b notin (x)", [1, 2]),
        ("a,!b", [1, 2, 5]),
        ("a>1", [2, 5]),
        ("a<2", [1, 3]),
    ],
)
def test_label_selectors(selector: str, chosen: list[int]) -> None:
    test = selectors.labels(selector)
    assert [number for number, found in enumerate(LABELS) if test(found)] == chosen


@pytest.mark.parametrize(
    ("expression", "chosen"),
    [
        ({"matchLabels": {"a": "1"}}, [1, 3]),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["1"]}]}, [0, 2, 4, 5]),
        ({"matchExpressions": [{"key": "b", "operator": "Exists"}, {"key": "a", "operator": "DoesNotExist"}]}, [4]),
        ({}, [0, 1, 2, 3, 4, 5]),
        (None, []),
    ],
)
def test_selector_objects(expression: Any, chosen: list[int]) -> None:
    assert [number for number, found in enumerate(LABELS) if selectors.matches(expression, found)] == chosen


@given(st.integers(0, 10**15), st.booleans())
def test_quantities_come_back_as_they_were(number: int, binary: bool) -> None:
    assert quantity.parse(quantity.text(Decimal(number), binary)) == number
    assert quantity.parse(quantity.text(Decimal(number) / 1000)) == Decimal(number) / 1000


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (".spec.name", "x"),
        ('.status.conditions[?(@.type=="Ready")].status', "True"),
        (".spec.list[1].n", 2),
        (".metadata.labels.lab\\.test/tenant", "acme"),
        (".spec.none.at.all", None),
    ],
)
def test_paths_of_printer_columns(path: str, found: Any) -> None:
    data = {
        "metadata": {"labels": {"lab.test/tenant": "acme"}},
        "spec": {"name": "x", "list": [{"n": 1}, {"n": 2}]},
        "status": {"conditions": [{"type": "Other", "status": "False"}, {"type": "Ready", "status": "True"}]},
    }
    assert table.at_path(data, path) == found


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (185, "3m5s"),
        (3600, "60m"),
        (4 * 3600, "4h"),
        (4 * 3600 + 60, "4h1m"),
        (50 * 3600, "2d2h"),
        (20 * 86400, "20d"),
    ],
)
def test_ages(seconds: int, shown: str) -> None:
    assert duration(seconds) == shown


@pytest.mark.parametrize("kind", CUSTOM, ids=lambda kind: kind.resource)
def test_a_definition_says_all_of_its_kind(kind: Kind) -> None:
    assert Cluster().registry.find(kind.group, kind.version, kind.plural) == kind
