"""Pods and workloads of a cluster as rows, those in trouble first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from console.readings import KubePod, KubeUse, KubeWorkload
from screens.cluster_facts import Platform
from screens.cluster_figures import NEARLY, blind, cores, partly, seconds_since, used_cell
from screens.cluster_nodes import usage_words
from screens.cluster_state import FINE, Counted, pod_state, workload_state, worst_pod
from screens.kept import KeptRows, Made, Parts, reads_for
from screens.section import Section
from widgets.columns import Cell, Column, Row
from widgets.format import count, short_age, since, size
from widgets.spans import Line, joined, line

PODS = (
    Column("namespace", "namespace", 13, sort="N"),
    Column("name", "pod", 20, flex=2, sort="P"),
    Column("state", "state", 16, flex=1, sort="S"),
    Column("ready", "ready", 5, "right", sort="R"),
    Column("restarts", "rst", 4, "right", sort="T", descending=True),
    Column("last_end", "last end", 17, drop=2, sort="L"),
    Column("node", "node", 12, drop=1, sort="O"),
    Column("zone", "zone", 8, drop=6, sort="Z"),
    Column("cpu", "cpu cores", 13, "right", drop=4, sort="C", descending=True),
    Column("memory", "memory", 18, "right", drop=3, sort="M", descending=True),
    Column("age", "age", 6, "right", sort="A"),
    Column("owner", "owner", 20, flex=1, drop=7, sort="W"),
)
WORKLOADS = (
    Column("namespace", "namespace", 13, sort="N"),
    Column("name", "workload", 14, flex=1, sort="W"),
    Column("ready", "ready", 6, "right", sort="R"),
    Column("state", "state", 24, flex=2, sort="S"),
    Column("tenant", "tenant", 9, drop=3, sort="T"),
    Column("single", "hangs on", 11, drop=1, sort="H"),
    Column("updated", "updated", 7, "right", drop=6, sort="U"),
    Column("images", "images", 18, drop=2, sort="I"),
    Column("zones", "zones", 14, drop=7, sort="Z"),
    Column("age", "age", 6, "right", drop=5, sort="A"),
)
RECENT_S = 3600
"""An end longer ago than this is muted."""


# -- pods --------------------------------------------------------------------------------------------------------------


def pods(platform: Platform, counts: Counted, kept: KeptRows, now: datetime) -> Section:
    """All pods."""
    seen = platform.pods
    if seen.reading is None:
        return blind(PODS, seen, "pods")
    found, use, zone_of, lost = seen.reading.pods, platform.pod_use, platform.zone_of, platform.lost
    nodes = platform.nodes.reading.nodes if platform.nodes.reading else None

    def make(key: str, pod: KubePod, used: KubeUse | None, zone: str, gone: bool) -> Made:
        row = pod_row(key, pod, used, zone, gone, now)
        state = pod_state(pod, gone)
        return Made(row, (state.rank, pod.namespace, pod.name), reads_for(now, pod.created_at, pod.ended_at))

    rows = kept(
        (found, use, nodes),
        lambda: (
            (key, (key, pod, use.get(key), zone_of.get(pod.node, ""), pod.node in lost)) for key, pod in found.items()
        ),
        make,
        now,
    )
    summary = [partly(seen.why), count_words(counts)]
    if not use:
        summary.append(usage_words(platform))
    return Section(PODS, rows, tuple(each for each in summary if each), empty="no pod", count=len(rows))


def count_words(counts: Counted) -> Line:
    """``24 pods   22 running   2 CrashLoopBackOff``, what is wrong before the rest."""
    wrong = [fact_of(state.words, many, state.style) for state, many in counts.others if state.rank < FINE]
    rest = [fact_of(state.words, many, "muted") for state, many in counts.others if state.rank >= FINE]
    return joined((line(count(counts.total, "pod")), *wrong, fact_of("running", counts.running, ""), *rest), "   ")


def fact_of(words: str, many: int, style: str) -> Line:
    """``2 CrashLoopBackOff``."""
    sign = {"critical": "■ ", "warning": "▲ ", "unknown": "? "}.get(style, "")
    return line((f"{sign}{count(many)} {words}", style))


def pod_row(key: str, pod: KubePod, used: KubeUse | None, zone: str, lost: bool, now: datetime) -> Row:
    """One pod."""
    state = pod_state(pod, lost)
    near = used is not None and bool(pod.memory_limit) and used.memory / pod.memory_limit >= NEARLY
    done = pod.phase == "Succeeded"
    ready = f"{'?' if lost else pod.ready}/{pod.containers}"
    return Row(
        key,
        (
            pod.namespace,
            Cell(pod.name, "strong" if state.rank < FINE else ""),
            Cell(state.words, state.style, state.rank),
            Cell(ready, "muted" if done else "unknown" if lost else "" if pod.ready >= pod.containers else state.style),
            Cell(count(pod.restarts), "muted" if not pod.restarts else "", pod.restarts),
            last_end(pod, now),
            pod.node or Cell("none", "muted"),
            Cell(zone, "muted"),
            used_cell(used.cpu if used else None, pod.cpu_request, cores),
            used_cell(used.memory if used else None, pod.memory_request, size, near),
            Cell(since(pod.created_at, now), "muted", seconds_since(pod.created_at, now)),
            Cell(pod.owner or "nobody", "muted"),
        ),
        "muted" if done else "",
    )


def last_end(pod: KubePod, now: datetime) -> Cell:
    """Why a container ended last, and how long ago."""
    if not pod.ended_reason and pod.ended_at is None:
        return Cell("")
    away = seconds_since(pod.ended_at, now)
    reason = pod.ended_reason or "ended"
    if reason == "Error" and pod.ended_code:
        reason = f"exit {pod.ended_code}"
    bad = pod.ended_reason not in ("", "Completed") and (away is None or away < RECENT_S)
    ago = f" {short_age(away)}" if away is not None else ""
    return Cell(line((reason, "warning" if bad else "muted"), (ago, "muted")), "", away if away is not None else 1e12)


# -- workloads ---------------------------------------------------------------------------------------------------------

Owned = Mapping[tuple[str, str], tuple[KubePod, ...]]


class WorkloadRows:
    """The rows of workloads; a workload whose pods did not change keeps its row."""

    def __init__(self) -> None:
        self._rows = KeptRows()

    def __call__(self, platform: Platform, owned: Owned, now: datetime) -> Section:
        """All workloads, the worst first."""
        seen = platform.workloads
        if seen.reading is None:
            return blind(WORKLOADS, seen, "workloads")
        found, lost, tenants = seen.reading.workloads, platform.lost, platform.tenants

        def make(key: str, workload: KubeWorkload, tenant: str, gone: frozenset[str], *mine: KubePod) -> Made:
            worst = worst_pod(mine, gone)
            state = workload_state(workload, worst[1] if worst else None)
            row = workload_row(key, workload, state.words, state.style, tenant, now)
            order = (state.rank, workload.namespace, workload.name, workload.kind)
            return Made(row, order, reads_for(now, workload.created_at))

        def items() -> Iterator[tuple[str, Parts]]:
            for key, each in found.items():
                mine = owned.get((each.namespace, f"{each.kind}/{each.name}"), ())
                gone = frozenset(pod.node for pod in mine if pod.node in lost)
                yield key, (key, each, tenants.get(each.namespace, ""), gone, *mine)

        rows = self._rows((found, owned, lost), items, make, now)
        summary = [partly(seen.why), replica_words(found)]
        return Section(
            WORKLOADS, rows, tuple(each for each in summary if each), empty="no Deployment, StatefulSet or DaemonSet",
            count=len(rows),
        )  # fmt: skip


def replica_words(found: Mapping[str, KubeWorkload]) -> Line:
    """How many there are, how many lack replicas, how many hang on one thing."""
    short = [each for each in found.values() if each.ready < each.desired]
    none = sum(each.ready == 0 for each in short)
    missing = sum(each.desired - each.ready for each in short)
    single = sum(bool(each.single) for each in found.values())
    return joined(
        (
            line(count(len(found), "workload")),
            line((f"■ {none} without a ready pod", "critical")) if none else (),
            line((f"▲ {len(short)} short of {count(missing, 'replica')}", "warning"))
            if short
            else line(("all replicas ready", "ok")),
            line((f"{single} hang on one replica, node or zone", "muted")) if single else (),
        ),
        "   ",
    )


def workload_row(key: str, workload: KubeWorkload, words: str, style: str, tenant: str, now: datetime) -> Row:
    """One workload."""
    short = workload.ready < workload.desired
    return Row(
        key,
        (
            workload.namespace,
            Cell(workload_words(f"{workload.kind}/{workload.name}", "strong" if short else ""), "", workload.name),
            Cell(f"{workload.ready}/{workload.desired}", style if short else "", workload.ready - workload.desired),
            Cell(words, style),
            tenant,
            Cell(workload.single, "muted"),
            Cell(f"{workload.updated}/{workload.desired}", "" if workload.updated < workload.desired else "muted"),
            Cell(", ".join(map(tag_of, workload.images))),
            Cell(", ".join(workload.zones), "muted"),
            Cell(since(workload.created_at, now), "muted", seconds_since(workload.created_at, now)),
        ),
    )


_SHORT = {"Deployment": "deploy", "StatefulSet": "sts", "DaemonSet": "ds", "ReplicaSet": "rs", "Pod": "pod"}
"""As kubectl shortens them."""


def workload_words(owner: str, style: str = "") -> Line:
    """``deploy/odoo`` of ``Deployment/odoo``."""
    kind, _, name = owner.partition("/")
    return line((f"{_SHORT.get(kind, kind)}/", "muted"), (name, style))


def tag_of(image: str) -> str:
    """``odoo:18.0`` of ``registry.example/team/odoo:18.0@sha256:…``: name and tag without where it comes from."""
    name, _, digest = image.partition("@")
    short = name.rpartition("/")[2]
    return short if ":" in short or not digest else f"{short}@{digest.removeprefix('sha256:')[:8]}"
