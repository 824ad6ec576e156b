"""Nodes of a cluster as rows, and zones of nodes as a drawing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from console.readings import KubeNode, KubernetesApi, KubeUse
from screens.cluster_facts import NO_ZONE, Platform, Seen
from screens.cluster_figures import blind, partly, seconds_since, share_cell, share_of
from screens.cluster_state import node_state
from screens.kept import KeptRows, Made, reads_for
from screens.section import Section, fact, number_cell
from widgets.columns import Cell, Column, Row
from widgets.format import UNKNOWN, count, percent, since
from widgets.spans import Line, joined, line
from widgets.topology import Node, Topology

NODES = (
    Column("name", "node", 12, flex=1, sort="N"),
    Column("zone", "zone", 8, sort="Z"),
    Column("state", "state", 18, flex=1, sort="S"),
    Column("since", "since", 6, "right", drop=6, sort="I"),
    Column("pods", "pods", 9, "right", sort="P", descending=True),
    Column("cpu", "cpu asked", 10, sort="C", descending=True),
    Column("cpu_used", "used", 6, "right", drop=1, sort="U", descending=True),
    Column("memory", "mem asked", 10, sort="M", descending=True),
    Column("memory_used", "used", 6, "right", drop=1, sort="E", descending=True),
    Column("limits", "mem limits", 10, "right", drop=3, sort="L", descending=True),
    Column("kubelet", "kubelet", 9, drop=4, sort="K"),
    Column("taints", "taints", 18, drop=7, sort="T"),
    Column("age", "age", 6, "right", drop=5, sort="A"),
)
BAR = 4
FEW_ZONES = 4
"""Zones up to which they stand in order of their names; more stand worst first, since the last may be cut."""


def nodes(platform: Platform, kept: KeptRows, now: datetime) -> Section:
    """All nodes, the worst first, then by zone and name."""
    seen = platform.nodes
    if seen.reading is None:
        return blind(NODES, seen, "nodes")
    found, use = seen.reading.nodes, platform.node_use

    def make(name: str, node: KubeNode, used: KubeUse | None) -> Made:
        state = node_state(node, now)
        order = (state.rank, node.zone, name)
        return Made(node_row(name, node, used, now), order, reads_for(now, node.ready_since, node.created_at))

    rows = kept((found, use), lambda: ((name, (name, node, use.get(name))) for name, node in found.items()), make, now)
    return Section(
        NODES, rows, (partly(seen.why), totals(found, use, platform)) if seen.why else (totals(found, use, platform),),
        empty="the cluster has no node", count=len(rows),
    )  # fmt: skip


def node_row(name: str, node: KubeNode, used: KubeUse | None, now: datetime) -> Row:
    """One node."""
    state = node_state(node, now)
    cpu = share_of(used.cpu if used else None, node.cpu_allocatable)
    memory = share_of(float(used.memory) if used else None, node.memory_allocatable)
    limits = share_of(float(node.memory_limits), node.memory_allocatable)
    return Row(
        name,
        (
            Cell(name, "strong" if state.rank == 0 else ""),
            Cell(node.zone or NO_ZONE, "" if node.zone else "muted"),
            Cell(state.words, state.style, state.rank),
            Cell(since(node.ready_since, now), "muted", seconds_since(node.ready_since, now)),
            Cell(line(count(node.pods), (f" of {count(node.pods_allocatable)}", "muted")), "", node.pods),
            share_cell(share_of(node.cpu_requested, node.cpu_allocatable), BAR),
            _share(cpu),
            share_cell(share_of(float(node.memory_requested), node.memory_allocatable), BAR),
            _share(memory),
            number_cell(percent(limits), limits, "warning" if limits is not None and limits > 1 else ""),
            Cell(node.kubelet, "muted"),
            Cell(", ".join(node.taints), "muted"),
            Cell(since(node.created_at, now), "muted", seconds_since(node.created_at, now)),
        ),
    )


def _share(share: float | None) -> Cell:
    return number_cell(percent(share), share, "warning" if share is not None and share >= 0.9 else "")


def _sum(amounts: list[float | None]) -> float | None:
    known = [each for each in amounts if each is not None]
    return sum(known) if known else None


def totals(found: Mapping[str, KubeNode], use: Mapping[str, KubeUse], platform: Platform) -> Line:
    """CPU and memory of the whole cluster: asked for and used, of what there is."""
    cpu = _sum([node.cpu_allocatable for node in found.values()])
    memory = _sum([node.memory_allocatable for node in found.values()])
    asked_cpu = share_of(sum(node.cpu_requested for node in found.values()), cpu)
    asked_memory = share_of(float(sum(node.memory_requested for node in found.values())), memory)
    parts = [fact("cpu asked", percent(asked_cpu))]
    parts += [fact("used", percent(share_of(sum(each.cpu for each in use.values()), cpu)))] if use else []
    parts += [fact("memory asked", percent(asked_memory))]
    parts += [fact("used", percent(share_of(float(sum(each.memory for each in use.values())), memory)))] if use else []
    parts += [] if use else [usage_words(platform)]
    parts.append(
        fact("pods", f"{sum(n.pods for n in found.values())} of {sum(n.pods_allocatable or 0 for n in found.values())}")
    )
    return joined(parts, "   ")


def usage_words(platform: Platform) -> Line:
    """Why it is not known what is used."""
    if platform.usage.absent:
        return line(("no metrics API: what is used is not known", "muted"))
    return line((f"what is used: {platform.usage.why or 'not told'}", "unknown"))


# -- zones -------------------------------------------------------------------------------------------------------------


def zones(platform: Platform, severities: Mapping[str, str], now: datetime) -> Topology:
    """A box for each zone. ``severities``: subject of an open finding (``lab/node-1``) → its severity."""
    seen = platform.nodes
    if seen.reading is None:
        name = line(("? ", "unknown"), ("nodes", "strong"))
        whole = Node("nodes", name, (), line((seen.why, "unknown")), style="unknown")
        return Topology((whole,), (), api_server(platform.api))
    by_zone: dict[str, dict[str, KubeNode]] = {}
    for name_of, node in sorted(seen.reading.nodes.items()):
        by_zone.setdefault(node.zone or NO_ZONE, {})[name_of] = node
    drawn = [_zone(platform, zone, found, severities, now) for zone, found in sorted(by_zone.items())]
    if len(drawn) > FEW_ZONES:
        drawn.sort(key=lambda each: {"critical": 0, "unknown": 1, "warning": 2}.get(each.style, 3))
    return Topology(tuple(drawn), (), api_server(platform.api))


def _zone(
    platform: Platform, zone: str, found: Mapping[str, KubeNode], severities: Mapping[str, str], now: datetime
) -> Node:
    states = {name: node_state(node, now) for name, node in found.items()}
    down = sum(state.rank == 0 for state in states.values())
    ready = len(found) - down
    about = (f"{platform.name}/{name}" for name in (zone, *found))
    told = [severities[subject] for subject in about if subject in severities]
    wrong = [(name, state) for name, state in states.items() if state.rank < 8]
    style = "critical" if down == len(found) or "critical" in told else "warning" if wrong or told else "line"
    sign, look = ("●", "ok") if not wrong else ("■", "critical") if style == "critical" else ("▲", "warning")
    notes = tuple(
        line(
            (("■ " if state.rank == 0 else "▲ "), state.style),
            (f"{name} {state.words.removeprefix('ready, ')}", state.style),
        )
        for name, state in sorted(wrong, key=lambda each: (each[1].rank, each[0]))
    )
    return Node(
        key=zone,
        name=line((f"{sign} ", look), (zone, "strong")),
        role=line((count(len(found), "node"), "muted")),
        state=line((f"{ready} of {len(found)} ready", "ok" if not down else "critical" if not ready else "warning")),
        notes=notes,
        facts=_zone_facts(platform, found),
        style=style,
    )


def _zone_facts(platform: Platform, found: Mapping[str, KubeNode]) -> tuple[Line, ...]:
    use = {name: platform.node_use[name] for name in found if name in platform.node_use}
    cpu = _sum([node.cpu_allocatable for node in found.values()])
    memory = _sum([node.memory_allocatable for node in found.values()])

    def shares(label: str, asked: float, used: float, whole: float | None) -> Line:
        of_asked = line(fact(label, percent(share_of(asked, whole))), (" asked", "muted"))
        return joined((of_asked, line(percent(share_of(used, whole)), (" used", "muted")) if use else ()))

    pods = sum(node.pods for node in found.values())
    limit = sum(node.pods_allocatable or 0 for node in found.values())
    return (
        fact("pods", f"{pods} of {limit or UNKNOWN}"),
        shares("cpu", sum(n.cpu_requested for n in found.values()), sum(u.cpu for u in use.values()), cpu),
        shares(
            "mem",
            float(sum(n.memory_requested for n in found.values())),
            float(sum(u.memory for u in use.values())),
            memory,
        ),
    )


def api_server(seen: Seen[KubernetesApi]) -> Node:
    """The API server, and the kinds of which it shows us nothing."""
    api = seen.reading
    if api is None:
        return Node(
            "api", line(("? ", "unknown"), ("API server", "strong")), (), line((seen.why, "unknown")), style="unknown"
        )
    blind_to = [(kind, state) for kind, state in api.kinds.items() if state.state not in ("watching", "absent")]
    if api.ready is False:
        state, sign, style = line((f"not ready: {', '.join(api.failing)}", "critical")), ("■ ", "critical"), "critical"
    elif api.ready is None:
        state, sign, style = line(("we may not ask /readyz", "unknown")), ("? ", "unknown"), "unknown"
    else:
        checks = f", {api.checks} checks" if api.checks else ""
        state, sign, style = line((f"ready{checks}", "ok")), ("● ", "ok"), "line"
    objects = sum(each.objects for each in api.kinds.values())
    return Node(
        key="api",
        name=line(sign, ("API server", "strong")),
        role=(),
        state=state,
        corner=api.version,
        notes=tuple(line(("? ", "unknown"), (f"{kind}: {each.state}", "unknown")) for kind, each in blind_to),
        facts=(joined((fact("watched", count(objects, "object")), fact("kinds", str(len(api.kinds))))),),
        style="unknown" if blind_to and style == "line" else style,
    )
