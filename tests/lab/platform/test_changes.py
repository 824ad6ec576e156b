"""How faults change objects of the cluster and put them back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from console.lab.faults import platform as faults
from console.lab.faults.base import Stroke
from console.lab.platform.admin import AdminError
from console.lab.state import Lab
from tests.lab.platform.rig import Platform

pytestmark = pytest.mark.server

SPEC = {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}]}


def stroke(platform: Platform) -> Stroke:
    lab = Lab(
        directory=str(platform.directory), created_at=datetime.now(UTC), boot_id="", load=1.0, privilege="plain", servers={}
    )  # fmt: skip
    return Stroke(lab, {})


def shown(platform: Platform, namespace: str) -> Any:
    found = platform.admin.get("Service", "web", namespace)
    return found["spec"]["ports"][0]["targetPort"], found["metadata"].get("annotations")


def test_what_was_changed_is_put_back_as_it_was_however_often(platform: Platform) -> None:
    space = platform.namespace("changes")
    metadata = {"name": "web", "namespace": space}
    platform.admin.create({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": SPEC})
    struck = stroke(platform)
    faults.change(struck, "Service", "web", space, ("spec", "ports", 0, "targetPort"), 8070)
    faults.change(struck, "Service", "web", space, ("metadata", "annotations"), {"some.where/why": "a fault"})
    assert shown(platform, space) == (8070, {"some.where/why": "a fault"})
    for _ in range(2):
        faults.restore(struck)
        assert shown(platform, space) == ("http", None)


def test_what_is_gone_meanwhile_stays_gone_and_what_is_refused_is_said(platform: Platform) -> None:
    space = platform.namespace("gone")
    metadata = {"name": "web", "namespace": space}
    platform.admin.create({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": SPEC})
    struck = stroke(platform)
    faults.change(struck, "Service", "web", space, ("spec", "ports", 0, "targetPort"), 8070)
    platform.admin.delete("Service", "web", space)
    faults.restore(struck)
    assert platform.admin.find("Service", "web", space) is None
    with pytest.raises(AdminError, match="not found"):
        faults.change(struck, "Service", "web", space, ("spec", "type"), "NodePort")


def test_the_same_place_changed_twice_is_put_back_to_what_it_was_first(platform: Platform) -> None:
    space = platform.namespace("twice")
    metadata = {"name": "web", "namespace": space}
    platform.admin.create({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": SPEC})
    struck = stroke(platform)
    for port in (8070, 8071):
        faults.change(struck, "Service", "web", space, ("spec", "ports", 0, "targetPort"), port)
    faults.restore(struck)
    assert shown(platform, space)[0] == "http"
