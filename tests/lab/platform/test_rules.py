"""The rules by which controllers decide, without any process."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.lab.kube.cluster import Cluster
from console.lab.kube.deletion import How
from console.lab.kube.providers import LogOptions
from console.lab.kube.store import clone
from console.lab.platform import autoscaler, budgets, control, endpoints, keeping, objects, rollout, scheduler, settings
from console.lab.platform.autoscaler import Measured
from console.lab.platform.container import Backoff
from console.lab.platform.deployments import template_hash
from console.lab.platform.events import Recorder
from console.lab.platform.images import Images
from console.lab.platform.kinds import EVENT, LEASE, NAMESPACE, POD
from console.lab.platform.logs import PodLogs, time_of, trim
from console.lab.platform.rollout import Counts, Limits
from console.lab.platform.settings import Files, Image, Settings
from console.lab.platform.variables import expand
from tests.lab.kube.rig import pod

Json = dict[str, Any]


# -- rolling updates -----------------------------------------------------------------------------------------------------


class Fleet:
    """Pods of each template: how many are asked for and how many of them work."""

    def __init__(self, wanted: int, room: Limits, old: list[Counts]) -> None:
        self.wanted, self.room = wanted, room
        self.new, self.old = Counts(0, 0), old

    def step(self) -> None:
        """What the controller does in one look; what is taken away is first what does not work."""
        size = rollout.new_size(self.wanted, self.room, self.new, self.old)
        self.new = Counts(size, min(self.new.available, size))
        sizes = rollout.old_sizes(self.wanted, self.room, self.new, self.old)
        self.old = [Counts(size, min(each.available, size)) for size, each in zip(sizes, self.old, strict=True)]

    def work(self) -> None:
        """Every new pod becomes available."""
        self.new = Counts(self.new.asked, self.new.asked)

    @property
    def asked(self) -> int:
        return self.new.asked + sum(each.asked for each in self.old)

    @property
    def available(self) -> int:
        return self.new.available + sum(each.available for each in self.old)


@st.composite
def fleets(draw: st.DrawFn) -> Fleet:
    wanted = draw(st.integers(1, 12))
    surge = draw(st.integers(0, 4))
    room = Limits(surge, draw(st.integers(0 if surge else 1, wanted)))
    sizes = draw(st.lists(st.integers(0, 6), max_size=3))
    return Fleet(wanted, room, [Counts(size, draw(st.integers(0, size))) for size in sizes])


@given(fleets())
def test_a_rollout_keeps_its_limits_and_comes_to_its_end(fleet: Fleet) -> None:
    for _ in range(100):
        asked, available = fleet.asked, fleet.available
        fleet.step()
        assert fleet.asked <= max(asked, fleet.wanted + fleet.room.surge)
        assert fleet.available >= min(available, fleet.wanted - fleet.room.unavailable)
        fleet.work()
        if fleet.new.asked == fleet.wanted and not any(each.asked for each in fleet.old):
            break
    assert fleet.new == Counts(fleet.wanted, fleet.wanted)
    assert fleet.asked == fleet.wanted


@pytest.mark.parametrize(
    ("rolling", "replicas", "expected"),
    [
        ({}, 1, Limits(1, 0)),
        ({}, 8, Limits(2, 2)),
        ({"maxSurge": 0, "maxUnavailable": 0}, 3, Limits(0, 1)),
        ({"maxSurge": "100%", "maxUnavailable": "0%"}, 3, Limits(3, 0)),
    ],
)
def test_limits_of_a_rollout(rolling: Json, replicas: int, expected: Limits) -> None:
    assert rollout.limits({"replicas": replicas, "strategy": {"rollingUpdate": rolling}}) == expected


def test_a_template_has_the_same_name_whatever_the_order_of_its_keys() -> None:
    assert template_hash({"a": 1, "b": 2}) == template_hash({"b": 2, "a": 1}) != template_hash({"a": 1, "b": 3})


# -- scheduling ----------------------------------------------------------------------------------------------------------


def _node(name: str, zone: str, cpu: str = "2", **spec: Any) -> Json:
    labels = {scheduler.ZONE: zone, "kubernetes.io/hostname": name}
    allocatable = {"cpu": cpu, "memory": "1Gi", "pods": "5"}
    return {"metadata": {"name": name, "labels": labels}, "spec": spec, "status": {"allocatable": allocatable}}


def _pod(name: str, cpu: str = "500m", owner: str = "", **spec: Any) -> Json:
    made = pod(name, **spec)
    made["metadata"] |= {"uid": name, "namespace": "default"}
    made["metadata"]["ownerReferences"] = [{"uid": owner, "controller": True, "kind": "ReplicaSet", "name": owner}]
    made["spec"]["containers"] = [{"name": "a", "image": "b", "resources": {"requests": {"cpu": cpu}}, **_PORTS}]
    return made


_PORTS = {"ports": [{"containerPort": 80}]}


def test_replicas_go_to_zones_then_nodes_that_have_fewest() -> None:
    nodes = [_node("a1", "a"), _node("a2", "a"), _node("b1", "b")]
    on: dict[str, list[Json]] = {"a1": [], "a2": [], "b1": []}
    placed = []
    for number in range(4):
        new = _pod(f"p{number}", owner="set")
        chosen = scheduler.choose(new, [scheduler.room(node, on[node["metadata"]["name"]], new) for node in nodes])
        assert chosen is not None
        placed.append(chosen.node["metadata"]["name"])
        on[placed[-1]].append(new)
    assert placed == ["a1", "b1", "a2", "b1"]


def test_why_a_pod_fits_nowhere() -> None:
    taint = {"key": "node.kubernetes.io/disk-pressure", "effect": "NoSchedule"}
    nodes = [
        _node("a", "a", unschedulable=True),
        _node("b", "b", cpu="100m"),
        _node("c", "c", taints=[taint]),
        _node("d", "c"),
    ]
    new = _pod("p", hostNetwork=True)
    there = {"d": [_pod("q", hostNetwork=True)]}
    rooms = [scheduler.room(node, there.get(node["metadata"]["name"], []), new) for node in nodes]
    assert scheduler.choose(new, rooms) is None
    assert scheduler.verdict(new, rooms) == (
        "0/4 nodes are available: 1 Insufficient cpu, 1 node(s) didn't have free ports for the requested pod ports, "
        "1 node(s) had untolerated taint {node.kubernetes.io/disk-pressure: }, 1 node(s) were unschedulable."
    )
    new["spec"]["tolerations"] = [{"key": taint["key"], "operator": "Exists"}]
    chosen = scheduler.choose(new, rooms)
    assert chosen is not None and chosen.node["metadata"]["name"] == "c"


def test_a_full_node_and_a_selector() -> None:
    new = _pod("p", cpu="0", nodeSelector={"kubernetes.io/hostname": "a"})
    full = scheduler.room(_node("a", "a"), [_pod(f"q{number}", cpu="0") for number in range(5)], new)
    other = scheduler.room(_node("b", "b"), [], new)
    assert scheduler.obstacle(new, full) == "Too many pods"
    assert scheduler.obstacle(new, other) == "node(s) didn't match Pod's node affinity/selector"


# -- autoscalers, budgets, endpoints -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("current", "ratio", "pods", "expected"),
    [(2, 1.05, 2, 2), (2, 0.95, 2, 2), (1, 2.0, 1, 2), (2, 1.2, 2, 3), (3, 0.5, 3, 2), (1, 0.0, 1, 0)],
)
def test_what_an_autoscaler_proposes(current: int, ratio: float, pods: int, expected: int) -> None:
    measured = Measured(0, objects.requested({"spec": {"containers": []}}, "cpu"), pods, ratio)
    assert autoscaler.proposal(current, measured) == expected


@pytest.mark.parametrize(
    ("spec", "expected", "needed"),
    [
        ({"minAvailable": 2}, 3, 2),
        ({"minAvailable": "50%"}, 3, 2),
        ({"maxUnavailable": 1}, 3, 2),
        ({"maxUnavailable": "30%"}, 3, 2),
        ({"maxUnavailable": 5}, 3, 0),
    ],
)
def test_how_many_a_budget_needs(spec: Json, expected: int, needed: int) -> None:
    assert budgets.needed(spec, expected) == needed


def test_target_ports_by_number_and_name() -> None:
    pods = [{"spec": {"containers": [{"ports": [{"name": "http", "containerPort": 8069}]}]}}]
    assert endpoints.port_number("http", pods) == 8069
    assert endpoints.port_number(80, pods) == endpoints.port_number("80", pods) == 80
    assert endpoints.port_number("none", pods) is None


# -- kubelets ------------------------------------------------------------------------------------------------------------


def test_back_off_doubles_up_to_its_most_and_begins_anew() -> None:
    backoff = Backoff()
    assert [backoff.step() for _ in range(7)] == [0, 2, 4, 8, 16, 20, 20]
    backoff.clear()
    assert backoff.step() == 0


def test_references_in_arguments() -> None:
    known = {"IP": "127.1.2.3"}
    assert expand("--address=$(IP):80", known) == "--address=127.1.2.3:80"
    assert expand("$(OTHER) $$(IP) $IP", known) == "$(OTHER) $(IP) $IP"


def test_a_digest_changes_with_tag_and_content(tmp_path: Path) -> None:
    file = tmp_path / "program"
    file.write_text("one")
    image = Image(["true"], [str(file)])

    def digest(name: str) -> str:
        program = Images({"a:1": image, "a:2": image}).pull(name)
        assert program is not None
        return program.digest

    first = digest("a:1")
    assert digest("a:1") == first != digest("a:2")
    file.write_text("two")
    assert digest("a:1") != first
    assert Images({}).pull("registry.lab/odoo:19.0") is None
    assert Images({}).pull("registry.lab/odoo:18.0") is not None


# -- logs ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"2026-11-22 04:05:06,789 17 INFO", "2026-11-22T04:05:06.789000+00:00"),
        (b"2026-11-22T04:05:06Z INF", "2026-11-22T04:05:06+00:00"),
        (b'{"time":"2026-11-22T04:05:06Z"}', "2026-11-22T04:05:06+00:00"),
        (b'time="2026-11-22T04:05:06Z" level=info', "2026-11-22T04:05:06+00:00"),
        (b"2026-13-22 04:05:06", None),
        (b"Traceback", None),
    ],
)
def test_times_of_lines(line: bytes, expected: str | None) -> None:
    found = time_of(line)
    assert (found.isoformat() if found else None) == expected


def _logs(tmp_path: Path, text: str) -> PodLogs:
    cluster, files = Cluster(), Files(tmp_path)
    cluster.api.create(POD, "default", pod("p"))
    path = files.log("default", "p", "odoo")
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return PodLogs(cluster, files, lambda _: True)


async def _read(logs: PodLogs, options: LogOptions) -> str:
    return b"".join([piece async for piece in logs.lines("default", "p", "odoo", options)]).decode()


async def test_parts_of_a_log(tmp_path: Path) -> None:
    recent = (datetime.now(UTC) - timedelta(seconds=20)).strftime("%Y-%m-%d %H:%M:%S")
    logs = _logs(tmp_path, f"2026-01-01 00:00:00 old\n{recent} new\n  more of it\n")
    assert await _read(logs, LogOptions(tail=1)) == "  more of it\n"
    assert await _read(logs, LogOptions(tail=0)) == ""
    assert await _read(logs, LogOptions(limit_bytes=10)) == "2026-01-01"
    assert await _read(logs, LogOptions(since_s=3600)) == f"{recent} new\n  more of it\n"
    stamped = await _read(logs, LogOptions(timestamps=True, tail=1))
    assert stamped == f"{recent.replace(' ', 'T')}.000000000Z   more of it\n"


async def test_a_log_that_is_followed_is_begun_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logs = _logs(tmp_path, "one\n")
    path = Files(tmp_path).log("default", "p", "odoo")
    running = {"name": "odoo", "state": {"running": {}}, "containerID": "process://1"}
    monkeypatch.setattr(logs, "_status", lambda *_: running)
    pieces = logs.lines("default", "p", "odoo", LogOptions(follow=True))
    assert await anext(pieces) == b"one\n"  # type: ignore[arg-type]
    monkeypatch.setattr("console.lab.platform.logs._LONGEST", 2)
    trim(path)
    assert path.read_bytes() == b""
    waiting = asyncio.ensure_future(anext(pieces))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    with path.open("a") as file:
        file.write("2\n")
    assert await asyncio.wait_for(waiting, 10) == b"2\n"


# -- events and what is kept ---------------------------------------------------------------------------------------------


def test_events_are_counted_and_forgotten() -> None:
    cluster = Cluster()
    recorder = Recorder(cluster)
    made = cluster.api.create(POD, "default", pod("p"))
    for _ in range(3):
        recorder.note(POD, made, "BackOff", "again", source="kubelet", warning=True, host="n")
    recorder.note(POD, made, "Started", "once", source="kubelet", host="n")
    found = {each.data["reason"]: each for each in cluster.store.objects(EVENT.key)}
    assert {reason: each.data["count"] for reason, each in found.items()} == {"BackOff": 3, "Started": 1}
    old = clone(found["BackOff"].data)
    old["lastTimestamp"] = (datetime.now(UTC) - timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    cluster.store.put(EVENT.key, old)
    recorder.expire()
    assert [each.data["reason"] for each in cluster.store.objects(EVENT.key)] == ["Started"]
    recorder.note(POD, made, "BackOff", "again", source="kubelet", warning=True, host="n")
    assert len(cluster.store.objects(EVENT.key)) == 2


async def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    cluster = Cluster()
    cluster.api.create(NAMESPACE, "", {"metadata": {"name": "tenant"}})
    made = cluster.api.create(POD, "tenant", pod("p"))
    cluster.api.create(LEASE, "tenant", {"metadata": {"name": "l"}})
    keeper = keeping.Keeper(cluster, tmp_path / "state.json")
    keeper.write()
    second = Cluster()
    assert keeping.Keeper(second, tmp_path / "state.json").restore()
    assert second.api.find(POD, "tenant", "p").metadata["uid"] == made["metadata"]["uid"]
    assert second.store.get(LEASE.key, "tenant", "l") is None
    assert second.store.revision > cluster.store.revision
    assert second.store.floor(POD.key) > cluster.store.revision  # whoever watched is told to list again
    second.deletions.delete(NAMESPACE, "", "tenant", How())
    assert second.store.get(POD.key, "tenant", "p") is None
    assert not keeping.Keeper(second, tmp_path / "none.json").restore()


def test_a_subnet_is_held_by_one(tmp_path: Path) -> None:
    subnet = settings.free_subnet()
    held = settings.hold_subnet(subnet)
    assert held is not None
    with held:
        assert settings.hold_subnet(subnet) is None
    again = settings.hold_subnet(subnet)
    assert again is not None
    again.close()
    (tmp_path / "kubernetes").mkdir()
    settings.write(tmp_path, Settings(port=1, subnet=subnet))
    assert control.zone(tmp_path, "b") == ["node-2", "node-5"]
