"""The tile of a Kubernetes cluster."""

from __future__ import annotations

from collections.abc import Sequence

from console.readings import Finding, Trend
from screens.cluster_facts import Platform, platform_at, platforms
from screens.cluster_figures import NEARLY
from screens.cluster_head import hidden_words
from screens.cluster_pods import fact_of
from screens.cluster_side import Trouble, fullest, troubles
from screens.cluster_state import FINE, Counted, counted, node_state
from screens.kept import Kept
from screens.tile_drawing import Figure, TileFacts
from screens.tile_extras import Part
from screens.tile_words import about, marked, silent, speaks_of, tile_state, trend_of
from screens.view import View
from widgets.format import count, percent, since
from widgets.spans import Line, fit, joined, line

_counts: dict[str, Kept[tuple[Counted, tuple[Trouble, ...]]]] = {}
"""Cluster → its pods as counted last: 5,000 of them are not counted again for each picture."""


def _pods(platform: Platform) -> tuple[Counted, tuple[Trouble, ...]]:
    reading, lost = platform.pods.reading, platform.lost
    found = reading.pods if reading else {}
    kept = _counts.setdefault(platform.name, Kept())
    return kept(lambda: (counted(found.values(), lost), troubles(found, lost)), reading and found, lost)


def cluster_tile(view: View, name: str, narrow: bool = False) -> TileFacts:
    """Nodes, pods, what they use, and the fullest quota."""
    platform = platform_at(view.board, name, view.now)
    found = about(view, "cluster", name)
    alone = len(platforms(view.board)) == 1
    state, age_s, why = tile_state(view, "cluster", name, alone)
    counts, bad = _pods(platform)
    if platform.api.reading is None:
        said = silent(platform.api.raw, view.now, narrow, view.lost)
        members = [line(("? API server  ", "unknown strong"), (said, "unknown"))]
    else:
        members = [_nodes(platform, found), _pod_line(platform, counts, narrow), *_down(platform, view)]
        members += [hidden] if (hidden := hidden_words(platform)) else []
    return TileFacts(
        "cluster", name, "Cluster" if alone else f"Cluster · {name}", "2", state, age_s, why, tuple(members),
        tuple(_figures(view, platform, found)), tuple(_parts(view, platform, bad)),
    )  # fmt: skip


def _nodes(platform: Platform, found: Sequence[Finding]) -> Line:
    """``nodes   6/6   3 zones``."""
    label = fit(line(("nodes", "muted")), 7)
    reading = platform.nodes.reading
    if reading is None:
        return line(label, (f"? {platform.nodes.why}", "unknown"))
    ready = sum(node.ready == "True" for node in reading.nodes.values())
    total = len(reading.nodes)
    zones = {node.zone for node in reading.nodes.values() if node.zone}
    look = "" if ready == total else "warning" if ready else "critical"
    severity = speaks_of(found, "node", "zone") or look
    return line(
        label,
        (marked(f"{ready}/{total}", severity if ready < total else ""), severity if ready < total else "strong"),
        (f"   {count(len(zones), 'zone')}" if zones else "", "muted"),
    )


def _down(platform: Platform, view: View) -> list[Line]:
    """The nodes that are not as they should be, three at most."""
    found = platform.nodes.reading.nodes if platform.nodes.reading else {}
    wrong = [(name, state) for name, node in found.items() if (state := node_state(node, view.now)).rank < FINE]
    wrong.sort(key=lambda each: (each[1].rank, each[0]))
    return [line("       ", (f"{name} {state.words}", state.style)) for name, state in wrong[:3]]


def _pod_line(platform: Platform, counts: Counted, narrow: bool) -> Line:
    """``pods    212   ▲ 2 CrashLoopBackOff``."""
    label = fit(line(("pods", "muted")), 7)
    if platform.pods.reading is None:
        return line(label, (f"? {platform.pods.why}", "unknown"))
    wrong = [
        fact_of(_short(state.words) if narrow else state.words, many, state.style)
        for state, many in counts.others
        if state.rank < FINE
    ]
    return line(label, (count(counts.total), "strong"), *(("   ", ""), *joined(wrong, "  ")) if wrong else ())


def _short(words: str) -> str:
    return {
        "CrashLoopBackOff": "crash",
        "ImagePullBackOff": "pull",
        "ErrImagePull": "pull",
        "Unschedulable": "no room",
    }.get(words, words)


def _figures(view: View, platform: Platform, found: Sequence[Finding]) -> list[Figure]:
    use = _use(platform, view)
    return [*use[:1], *_quota(platform, found), *use[1:]]


def _quota(platform: Platform, found: Sequence[Finding]) -> list[Figure]:
    """The fullest quota."""
    seen = platform.quotas
    if seen.reading is None:
        if seen.absent or platform.api.reading is None:
            return []
        return [
            Figure("quota", "?", "unknown", note="denied" if seen.raw and seen.raw.status == "denied" else "not known")
        ]
    full = fullest(platform)
    if not full:
        return []
    share, namespace, resource, _, _ = full[0]
    severity = speaks_of(found, "quota") or ("warning" if share >= NEARLY else "")
    return [Figure("quota", marked(percent(share), severity), severity, note=f"{namespace} {resource}")]


def _use(platform: Platform, view: View) -> list[Figure]:
    """CPU and memory in use and asked for, of all that the nodes have."""
    nodes = platform.nodes.reading.nodes.values() if platform.nodes.reading else ()
    cpu = sum(node.cpu_allocatable or 0.0 for node in nodes)
    memory = sum(node.memory_allocatable or 0 for node in nodes)
    if not cpu or not memory:
        return []

    def trend(series: str) -> Trend | None:
        return trend_of(view.board, "cluster", platform.name, series)

    use = platform.node_use.values()
    asked = sum(node.cpu_requested for node in nodes) / cpu, sum(node.memory_requested for node in nodes) / memory
    figures = [Figure("asked", percent(asked[0]), note=f"of cpu, {percent(asked[1])} of memory")]
    if not use:
        absent = platform.usage.absent
        note = "no metrics API" if absent else "not known"
        return [Figure("cpu", "?", "muted" if absent else "unknown", note=note), *figures]
    return [
        Figure("cpu", percent(sum(each.cpu for each in use) / cpu), "", trend("cpu"), cpu),
        Figure("memory", percent(sum(each.memory for each in use) / memory), "", trend("memory"), memory),
        *figures,
    ]


def _parts(view: View, platform: Platform, bad: tuple[Trouble, ...]) -> list[Part]:
    """Pods in trouble, quotas, warnings, where there is room."""
    troubled = [
        line(
            fit(line((each.words, each.style)), 17),
            " ",
            each.name,
            (f"  ×{each.pod.restarts}" if each.pod.restarts else "", "muted"),
        )
        for each in bad[:10]
    ]
    quotas = [
        line(
            fit(line((percent(share), "warning" if share >= NEARLY else "")), 6, "right"),
            "  ",
            namespace,
            (f" {resource}", "muted"),
        )
        for share, namespace, resource, _, _ in fullest(platform)[:6]
    ]
    warnings = platform.warnings.reading.warnings.values() if platform.warnings.reading else ()
    newest = sorted(
        (each for each in warnings if each.last_at),
        key=lambda each: each.last_at.timestamp() if each.last_at else 0.0,
        reverse=True,
    )
    events = [
        line(
            fit(line((since(each.last_at, view.now), "muted")), 6, "right"),
            "  ",
            (each.reason, "warning"),
            " ",
            each.object.partition("/")[2],
            (f"  {each.message}", "muted"),
        )
        for each in newest[:8]
    ]
    return [
        part for part in (("pods in trouble", troubled), ("fullest quotas", quotas), ("warnings", events)) if part[1]
    ]
