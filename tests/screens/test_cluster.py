"""The cluster screen by its keys, on scripted boards."""

from __future__ import annotations

import msgspec
import pytest

from console import frames
from console.board import Board, pane_state
from console.readings import (
    Description,
    KubePod,
    KubernetesApi,
    KubernetesNodes,
    KubernetesPods,
    KubernetesUsage,
    KubernetesWorkloads,
    LogTail,
)
from screens.base import BoardScreen
from screens.cluster import TABS, ClusterScreen
from screens.cluster_figures import cores
from screens.cluster_state import counted, node_state, pod_state, workload_state, worst_pod
from screens.object import yaml_line
from screens.tiles import all_tiles, draw_tile
from screens.view import View
from tests.screens import board_cluster as boards
from tests.screens.board_cluster import CLUSTER, DAYS
from tests.screens.board_ground import NOW, ago, change, healthy
from tests.screens.conftest import Console, Opened
from widgets.spans import text_of

SIZES = [(200, 50), (120, 35), (80, 24)]


def screen_of(app: Console) -> ClusterScreen:
    assert isinstance(app.screen, ClusterScreen)
    return app.screen


async def show(app: Console, pilot: object, tab: str) -> None:
    screen_of(app).action_section(tab)
    for _ in range(3):
        await pilot.pause()  # type: ignore[attr-defined]


@pytest.mark.parametrize("size", SIZES)
async def test_healthy_at_every_size(opened: Opened, size: tuple[int, int]) -> None:
    async with opened(boards.alone(), size=size) as (app, pilot):
        await pilot.press("2")
        await pilot.pause()
        text = app.whole
        for words in ("nodes 6/6 ready", "pods 11/11 running", "● zone-a", "2 of 2 ready", "all replicas ready", "1/1"):
            assert words in text, words
        assert "▲" not in text and "■" not in text and "?" not in text.replace("? Help", "")


@pytest.mark.parametrize("size", SIZES)
async def test_what_is_wrong_stands_first(opened: Opened, size: tuple[int, int]) -> None:
    async with opened(boards.broken(), size=size) as (app, pilot):
        await pilot.press("2")
        await pilot.pause()
        text = app.whole
        for words in (
            "▲ 5/6 ready", "■ 1 CrashLoopBackOff", "odoo of tenant-bauhof crashes in a loop", "node-2 no report 3m10s",
            "MemoryPressure" if size[0] > 80 else "▲ node-5", "node-6 cordoned", "■ 3 without a ready pod",
        ):  # fmt: skip
            assert words in text, words
        first = [screen_of(app).table.keys[at] for at in range(4)]
        assert first == [f"deployments/tenant-{name}/odoo" for name in ("bauhof", "cobalt", "hafen", "acme")]
        await show(app, pilot, "pods")
        assert [str(key).partition("/")[0] for key in screen_of(app).table.keys[:5]] == [
            "tenant-bauhof", "tenant-cobalt", "ingress", "tenant-hafen", "tenant-acme",
        ]  # fmt: skip
        assert "0/1" in app.whole and "?/1" in app.whole, "nobody knows whether a pod of a lost node is ready"


@pytest.mark.parametrize(
    ("day", "size"),
    [
        ("well", (80, 24)),
        ("broken", (200, 50)),
        ("broken", (80, 24)),
        ("denied", (80, 24)),
        ("unknown", (80, 24)),
        ("operators", (120, 35)),
    ],
)
async def test_every_tab_of_every_day(opened: Opened, day: str, size: tuple[int, int]) -> None:
    async with opened(DAYS[day](NOW), size=size) as (app, pilot):
        await pilot.press("2")
        await pilot.pause()
        seen = []
        for _ in TABS:
            seen.append(screen_of(app).tab)
            assert [len(row) for row in app._painter._wanted] == [size[0]] * size[1]
            await pilot.press("right")
            await pilot.pause()
        every = [tab.key for tab in TABS]
        wanted = [key for key in every if key not in ("databases", "poolers") or day == "operators"]
        assert [key for key in every if key in seen] == wanted, "operators' tabs where there are any"


EXPECTED = {
    "workloads": ("FailedCreate, Unschedulable", "ImagePullBackOff", "one replica", "odoo:16.1"),
    "pods": ("ImagePullBackOff", "exit 1 47 s", "OOMKilled 21 min", "489 MB of 256 MB ▲", "node-5"),
    "nodes": ("no report 3m10s", "MemoryPressure", "ready, cordoned", "of 110", "v1.34.1"),
    "scalers": ("▲ at its maximum, wants more", "Deployment/odoo", "2m30s ago"),
    "quotas": ("requests.memory", "100 % ▲", "1 used up: tenant-acme requests.memory", "1.0 GB"),
    "budgets": ("▲ the drain of node-6 waits", "at least 2 stay", "▲ 0 of 1 needed are healthy"),
    "events": ("FailedScheduling", "×61", "Back-off restarting failed container", "Pod odoo-7c9d8f6b5-ba4z1"),
    "images": ("▲ two digests under one tag", "odoo:16.1", "2 digests", "not told"),
    "findings": ("Node node-2 of lab does not report", "Set the image back to 16.0."),
}


async def test_what_each_tab_tells(opened: Opened) -> None:
    async with opened(boards.broken(), size=(200, 50)) as (app, pilot):
        await pilot.press("2")
        await pilot.pause()
        for tab, expected in EXPECTED.items():
            await show(app, pilot, tab)
            for words in expected:
                assert words in app.whole, (tab, words)


async def test_messages_are_in_sight_on_a_small_screen(opened: Opened) -> None:
    async with opened(boards.broken(), size=(80, 24)) as (app, pilot):
        await pilot.press("2")
        await pilot.pause()
        await show(app, pilot, "events")
        assert "exceeded quota: tenant, requested: requests.memory=256Mi" in app.whole


async def test_operators_are_shown_where_there_are_any(opened: Opened) -> None:
    async with opened(boards.operators(), size=(200, 50)) as (app, pilot):
        await pilot.press("2")
        await pilot.pause()
        await show(app, pilot, "databases")
        assert "▲ primary goes to pg-3" in app.whole and "7h00m ago" in app.whole
        await show(app, pilot, "poolers")
        assert "■ paused: every client waits" in app.whole and "transaction" in app.whole
        app.fake.board = boards.alone()
        app.tick()
        await pilot.pause()
        assert screen_of(app).tab == "workloads" and "Poolers" not in app.whole


async def test_a_kind_that_is_denied_says_so(opened: Opened) -> None:
    async with opened(boards.denied(), size=(120, 35)) as (app, pilot):
        await pilot.press("2")
        await pilot.pause()
        assert "? not seen: quotas, events" in app.whole and "Quotas ?" in app.whole and "Events ?" in app.whole
        await show(app, pilot, "quotas")
        assert "quotas are denied to us; banksman doctor prints the rule" in app.whole
        assert 'cannot list resource "resourcequotas"' in app.whole and "no ResourceQuota" not in app.whole
        await show(app, pilot, "pods")
        assert "? in part: pods in tenant-hafen: forbidden" in app.whole and "11/11 running ? in part" in app.whole
        await show(app, pilot, "nodes")
        assert "no metrics API: what is used is not known" in app.whole and "% used" not in app.whole


@pytest.mark.parametrize("size", SIZES)
async def test_a_silent_api_server_shows_no_old_value(opened: Opened, size: tuple[int, int]) -> None:
    async with opened(boards.unknown(), size=size) as (app, pilot):
        await pilot.press("2")
        await pilot.pause()
        text = app.whole
        assert "no answer since 02:46:30, 42 s" in text and "? workloads" in text
        for words in ("zone-a", "CrashLoopBackOff", "6/6", "running", "odoo:18.0"):
            assert words not in text, words


async def test_stale_pods_are_not_shown_as_current(opened: Opened) -> None:
    board = boards.broken()
    change(board, KubernetesPods, CLUSTER, taken_at=ago(NOW, 60))
    async with opened(board, size=(120, 35)) as (app, pilot):
        await pilot.press("2")
        await pilot.pause()
        assert "? pods not known" in app.whole and "CrashLoopBackOff" not in app.whole
        assert "0/1" in app.whole, "workloads are known all the same"


async def test_engine_lost_turns_everything_unknown(opened: Opened) -> None:
    async with opened(boards.alone(), size=(120, 35)) as (app, pilot):
        await pilot.press("2")
        await pilot.pause()
        app.fake.lose("the engine has ended")
        await pilot.pause()
        assert "6/6" not in app.whole and "zone-a" not in app.whole and "odoo:18.0" not in app.whole


async def test_without_a_cluster_it_says_so(opened: Opened) -> None:
    async with opened(healthy(), size=(80, 24)) as (app, pilot):
        await pilot.press("2")
        await pilot.pause()
        assert "no Kubernetes cluster is configured" in app.whole


# -- keys --------------------------------------------------------------------------------------------------------------


async def test_enter_shows_the_object_as_yaml(opened: Opened) -> None:
    async with opened(boards.broken(), size=(100, 30)) as (app, pilot):
        await pilot.press("2", "right", "enter")
        await pilot.pause()
        target = "kubernetes.pods lab/tenant-bauhof/odoo-7c9d8f6b5-ba4z1"
        assert app.fake.asked[-1] == ("describe", target) and "asking for the object" in app.whole
        lines = {1: "apiVersion: v1", 2: "kind: Pod", 3: "metadata:", 4: "  name: odoo-7c9d8f6b5-ba4z1"}
        app.fake.put(Description(key=target, taken_at=NOW, title="Pod tenant-bauhof/odoo-7c9d8f6b5-ba4z1", lines=lines))
        app.tick()
        await pilot.pause()
        assert "kind: Pod" in app.whole and "as of 02:47:12Z" in app.whole
        await pilot.press("l")
        await pilot.pause()
        assert app.fake.asked[-1] == ("log", target)
        await pilot.press("escape", "escape")
        await pilot.pause()
        assert {("unlog", target), ("undescribe", target)} <= set(app.fake.asked) and screen_of(app).tab == "pods"


async def test_an_object_that_is_refused_says_why(opened: Opened) -> None:
    async with opened(boards.broken(), size=(100, 30)) as (app, pilot):
        app.fake.answer = "the role may not get pods in tenant-bauhof"
        await pilot.press("2", "right", "enter")
        await pilot.pause()
        await pilot.pause()
        assert "the role may not get pods in tenant-bauhof" in app.whole


OBJECTS = {
    "workloads": "kubernetes.workloads lab/deployments/tenant-bauhof/odoo",
    "nodes": "kubernetes.nodes lab/node-2",
    "scalers": "kubernetes.scalers lab/tenant-acme/odoo",
    "quotas": "kubernetes.quotas lab/tenant-acme/tenant",
    "budgets": "kubernetes.budgets lab/tenant-acme/odoo",
    "events": "kubernetes.warnings lab/tenant-acme/ReplicaSet/odoo-7c9d8f6b5/FailedCreate",
    "images": "kubernetes.images lab/tenant-delta/Deployment/odoo/registry.lab/odoo:18.0",
}


async def test_each_row_asks_for_its_own_object_and_describes_itself(opened: Opened) -> None:
    async with opened(boards.broken(), size=(120, 35)) as (app, pilot):
        await pilot.press("2")
        await pilot.pause()
        for tab, target in OBJECTS.items():
            await show(app, pilot, tab)
            await pilot.press("enter")
            await pilot.pause()
            assert app.fake.asked[-1] == ("describe", target)
            await pilot.press("escape", "d")
            await pilot.pause()
            assert isinstance(app.screen, BoardScreen) and app.screen.name_of_pane == "describe"
            assert "nothing is known" not in app.whole
            await pilot.press("escape")
            await pilot.pause()


async def test_operators_objects_are_asked_for_by_their_kind(opened: Opened) -> None:
    async with opened(boards.operators(), size=(120, 35)) as (app, pilot):
        await pilot.press("2")
        await pilot.pause()
        for tab, target in (("databases", "clusters/tenant-delta/pg"), ("poolers", "poolers/tenant-delta/pool")):
            await show(app, pilot, tab)
            await pilot.press("enter")
            await pilot.pause()
            assert app.fake.asked[-1] == ("describe", f"kubernetes.databases lab/{target}")
            await pilot.press("escape")
            await pilot.pause()


async def test_log_of_a_pod_and_of_a_workload(opened: Opened) -> None:
    async with opened(boards.broken(), size=(120, 35)) as (app, pilot):
        await pilot.press("2", "l")
        await pilot.pause()
        assert app.fake.asked[-1] == ("log", "kubernetes.workloads lab/deployments/tenant-bauhof/odoo")
        await pilot.press("escape")
        await show(app, pilot, "nodes")
        before = list(app.fake.asked)
        await pilot.press("l")
        await pilot.pause()
        assert app.fake.asked == before and "no server log belongs to this row" in app.whole


async def test_log_of_what_a_finding_is_about(opened: Opened) -> None:
    async with opened(boards.broken(), size=(120, 35)) as (app, pilot):
        await pilot.press("l")
        await pilot.pause()
        target = ("log", "kubernetes.workloads lab/deployments/tenant-bauhof/odoo")
        assert app.fake.asked[-1] == target
        await pilot.press("escape", "down", "down", "l")
        await pilot.pause()
        assert "no server log belongs to this row" in app.whole, "a node has none"
        await pilot.press("up", "up", "enter", "l")
        await pilot.pause()
        assert [asked for asked in app.fake.asked if asked[0] == "log"] == [target, target]


async def test_runs_before_the_last_restart_and_other_containers_by_arrows(opened: Opened) -> None:
    async with opened(boards.broken(), size=(120, 35)) as (app, pilot):
        await pilot.press("2", "right", "l")
        await pilot.pause()
        target = "kubernetes.pods lab/tenant-bauhof/odoo-7c9d8f6b5-ba4z1"
        app.fake.put(
            LogTail(
                key=target, taken_at=NOW, origin="tenant-bauhof/odoo-7c9d8f6b5-ba4z1 odoo", containers=("odoo", "proxy"),
                lines={1: "starting"},
            )
        )  # fmt: skip
        app.tick()
        await pilot.pause()
        assert "1 of 4  earlier run, other containers" in app.whole
        wanted = [f"{target} previous", f"{target}/proxy", f"{target}/proxy previous", target]
        for each in wanted:
            await pilot.press("right")
            await pilot.pause()
            assert ("log", each) in app.fake.asked[-2:]
        assert ("unlog", f"{target}/proxy") in app.fake.asked
        assert "starting" in app.whole
        await pilot.press("left")
        await pilot.pause()
        assert ("log", wanted[2]) in app.fake.asked[-2:]


async def test_filter_sort_mark_and_copy(opened: Opened) -> None:
    async with opened(boards.broken(), size=(120, 35)) as (app, pilot):
        await pilot.press("2", "right", "slash", *"lost", "enter")
        await pilot.pause()
        assert len(screen_of(app).table.keys) == 2
        await pilot.press("space", "space", "c")
        await pilot.pause()
        assert "copied 2 rows" in app.whole and "traefik" in app.clipboard and "hafen" in app.clipboard
        await pilot.press("escape", "T")
        await pilot.pause()
        assert screen_of(app).table.keys[0] == "tenant-bauhof/odoo-7c9d8f6b5-ba4z1", "by restarts"


async def test_a_tab_by_the_palette(opened: Opened) -> None:
    async with opened(boards.broken(), size=(120, 35)) as (app, pilot):
        await pilot.press("colon", *"quotas", "enter")
        for _ in range(4):
            await pilot.pause()
        assert screen_of(app).tab == "quotas"


# -- what it costs -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("day", ["well", "broken", "unknown", "crowd"])
async def test_an_equal_look_writes_nothing(opened: Opened, day: str) -> None:
    async with opened(DAYS[day](NOW), size=(200, 50)) as (app, pilot):
        await pilot.press("2", "right")
        for _ in range(3):
            await pilot.pause()
            app.tick()
        await pilot.pause()
        before = app.written
        app.fake.board = DAYS[day](NOW)
        app.tick()
        await pilot.pause()
        assert app.written == before


async def test_five_thousand_pods_keep_their_rows(opened: Opened) -> None:
    """What a look changes is drawn; no other row is made again."""
    board = boards.crowd()
    async with opened(board, size=(120, 35)) as (app, pilot):
        await pilot.press("2", "right")
        await pilot.pause()
        before = dict(screen_of(app).table._set.rows)
        assert len(before) == 5000 and "50 CrashLoopBackOff" in app.whole
        reading = app.fake.board.get(KubernetesPods, CLUSTER)
        assert reading is not None
        key = next(iter(reading.pods))
        rows = {**reading.pods, key: msgspec.structs.replace(reading.pods[key], restarts=99)}
        app.fake.put(msgspec.structs.replace(reading, pods=rows))
        app.tick()
        await pilot.pause()
        after = screen_of(app).table._set.rows
        assert [each for each in after if after[each] is not before[each]] == [key]
        await pilot.press("G")
        await pilot.pause()
        assert "04999" in app.whole


# -- the tile ----------------------------------------------------------------------------------------------------------


def tile_of(board: Board, cells: int = 60, height: int = 8) -> tuple[str, str]:
    (facts,) = [each for each in all_tiles(View(board, NOW), cells) if each.pane == "cluster"]
    return facts.state, "\n".join(text_of(row) for row in draw_tile(facts, cells, height))


@pytest.mark.parametrize("cells", [39, 60, 180])
def test_the_tile_says_nodes_pods_cpu_and_quota(cells: int) -> None:
    state, drawn = tile_of(boards.alone(), cells)
    assert state == "ok"
    for words in ("2 Cluster", "6/6   3 zones", "pods   11", "cpu", "quota", "50 %"):
        assert words in drawn, words
    state, drawn = tile_of(boards.broken(), cells, 10)
    assert state == "critical"
    for words in ("5/6 ■", "1 crash" if cells < 52 else "1 CrashLoop", "100 %", "node-2 no report"):
        assert words in drawn, words


def test_the_tile_of_a_silent_cluster_shows_no_figure() -> None:
    state, drawn = tile_of(boards.unknown())
    assert state == "unknown" and "UNKNOWN" in drawn and "no answer" in drawn
    assert "%" not in drawn and "5/6" not in drawn and "crash" not in drawn
    state, drawn = tile_of(boards.denied())
    assert state == "warning" and "? not seen: quotas, events" in drawn and "no metrics API" in drawn


def test_a_stale_pulse_makes_the_tile_unknown() -> None:
    board = boards.alone()
    change(board, KubernetesApi, CLUSTER, taken_at=ago(NOW, 60))
    state, drawn = tile_of(board)
    assert state == "unknown" and "6/6" not in drawn


# -- words -------------------------------------------------------------------------------------------------------------


def test_pods_in_words() -> None:
    pod = KubePod("a", "b", phase="Running", ready=1, containers=1)

    def state(lost: bool = False, **changes: object) -> tuple[str, str]:
        found = pod_state(msgspec.structs.replace(pod, **changes), lost)
        return found.words, found.style

    assert state() == ("Running", "ok")
    assert state(lost=True) == ("node lost", "unknown")
    assert state(ready=0) == ("not ready", "warning")
    assert state(ready=0, reason="CrashLoopBackOff") == ("CrashLoopBackOff", "critical")
    assert state(reason="OOMKilled", ready=0) == ("OOMKilled", "critical")
    assert state(phase="Pending", reason="Unschedulable", ready=0) == ("Unschedulable", "warning")
    assert state(phase="Pending", reason="ContainerCreating", ready=0) == ("ContainerCreating", "muted")
    assert state(phase="Failed", reason="Evicted", ready=0) == ("Evicted", "warning")
    assert state(phase="Succeeded", ready=0, lost=True) == ("Completed", "muted")
    assert state(phase="Unknown") == ("Unknown", "unknown")
    assert state(phase="") == ("not told", "unknown"), "what is not told is not green"
    assert state(deleted_at=NOW) == ("Terminating", "muted")


@pytest.mark.parametrize("day", DAYS)
def test_pods_are_counted_once(day: str) -> None:
    reading = DAYS[day](NOW).get(KubernetesPods, CLUSTER)
    pods = reading.pods.values() if reading else ()
    for lost in (frozenset[str](), frozenset({"node-2"})):
        found = counted(pods, lost)
        assert found.total == len(pods) == found.running + sum(many for _, many in found.others)


def test_workloads_in_words() -> None:
    found = boards.alone().get(KubernetesWorkloads, CLUSTER)
    assert found is not None
    plain = found.workloads["deployments/tenant-bauhof/odoo"]
    ill = KubePod("tenant-bauhof", "x", phase="Running", reason="CrashLoopBackOff", containers=1)
    gone = KubePod("tenant-bauhof", "y", phase="Failed", reason="Evicted", containers=1)
    worst = worst_pod((gone, ill), frozenset())
    assert worst is not None and worst[0] is ill
    assert workload_state(plain, None).style == "ok"
    assert workload_state(msgspec.structs.replace(plain, ready=0), worst[1])[:2] == ("CrashLoopBackOff", "critical")
    assert workload_state(msgspec.structs.replace(plain, ready=0), None)[:2] == ("not ready", "critical")
    assert workload_state(plain, worst[1]).words == "extra pod: CrashLoopBackOff", (
        "an old replica hides a failing new one"
    )
    assert workload_state(msgspec.structs.replace(plain, desired=0, ready=0, updated=0), None).words == "scaled to 0"
    assert workload_state(msgspec.structs.replace(plain, updated=0), None).words == "rolling out"


def test_nodes_in_words() -> None:
    found = boards.broken().get(KubernetesNodes, CLUSTER)
    assert found is not None
    words = {name: node_state(node, NOW).words for name, node in found.nodes.items()}
    assert words["node-1"] == "ready" and words["node-2"] == "no report 3m10s"
    silent = msgspec.structs.replace(found.nodes["node-1"], ready="", ready_since=None)
    assert node_state(silent, NOW).style == "critical"


def test_cores() -> None:
    amounts = (0.0, 0.001, 0.05, 0.421, 0.5, 0.996, 1.0, 1.54, 12.0, 128.4, None)
    assert [cores(each) for each in amounts] == ["0", "<0.01", "0.05", "0.42", "0.5", "1", "1", "1.5", "12", "128", "?"]


def test_yaml_keys_are_set_off_and_nothing_is_lost() -> None:
    for text in (
        "  - name: odoo",
        "kind: Pod",
        "# a comment: with colon",
        "- --addons=/mnt",
        'image: "a:b"',
        "    url: http://x:1",
    ):
        assert text_of(yaml_line(text)) == text
    assert yaml_line("kind: Pod")[0] == ("kind:", "accent")
    assert all(style != "accent" for _, style in yaml_line("- --addons=/mnt"))


@pytest.mark.parametrize("day", DAYS)
def test_boards_mean_what_they_are_named_for_and_travel(day: str) -> None:
    board = DAYS[day](NOW)
    expected = {"broken": "critical", "denied": "warning", "unknown": "unknown"}.get(day, "ok")
    assert pane_state(board, "cluster", NOW).state == expected
    if day != "crowd":
        copy = Board()
        for reading in board:
            copy.apply(frames.decoder.decode(frames.encoder.encode(frames.keyframe(reading))))
        assert copy == board


def test_usage_belongs_to_its_rows() -> None:
    board = boards.alone()
    use, pods = board.get(KubernetesUsage, CLUSTER), board.get(KubernetesPods, CLUSTER)
    assert use is not None and pods is not None and use.pods.keys() == pods.pods.keys()
