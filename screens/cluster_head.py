"""The line over a cluster's zones: its nodes and pods, what is wrong with them, and what cannot be seen at all."""

from __future__ import annotations

from typing import Any

from screens.cluster_facts import Platform, Seen
from screens.cluster_pods import fact_of
from screens.cluster_state import FINE, Counted
from screens.database_head import subject_words
from screens.sections import Layout
from widgets.format import count
from widgets.spans import Block, Line, joined, line, spread, width


def node_words(platform: Platform) -> Line:
    """``nodes ▲ 5/6 ready``."""
    reading = platform.nodes.reading
    if reading is None:
        return line(("? nodes not known", "unknown"))
    ready = sum(node.ready == "True" for node in reading.nodes.values())
    total = len(reading.nodes)
    look = "" if ready == total else "critical" if not ready else "warning"
    sign = {"critical": "■ ", "warning": "▲ "}.get(look, "")
    return line(("nodes ", "muted"), (f"{sign}{ready}/{total} ready", look))


def pod_words(platform: Platform, counts: Counted) -> list[Line]:
    """``pods 24 running``, before it what is wrong."""
    if platform.pods.reading is None:
        return [line(("? pods not known", "unknown"))]
    wrong = [fact_of(state.words, many, state.style) for state, many in counts.others if state.rank < FINE]
    part = line((" ? in part", "unknown")) if platform.pods.partial else ()
    return [*wrong, line(("pods ", "muted"), f"{count(counts.running)}/{count(counts.total)} running", part)]


def hidden_words(platform: Platform) -> Line:
    """``? not seen: quotas, events``: kinds that we may not, or cannot now, read."""
    named: dict[str, Seen[Any]] = {
        "workloads": platform.workloads,
        "scalers": platform.scalers,
        "quotas": platform.quotas,
        "budgets": platform.budgets,
        "events": platform.warnings,
        "images": platform.images,
    }
    names = [name for name, seen in named.items() if seen.reading is None and not seen.absent]
    return line((f"? not seen: {', '.join(names)}", "unknown")) if names else ()


def head_lines(platform: Platform, counts: Counted, names: list[str], cells: int, layout: Layout) -> Block:
    """One line; what stands out comes before what is in order, so that a narrow screen cuts the latter."""
    right = subject_words(names, platform.name)
    api = platform.api.reading
    parts: list[Line] = [line((platform.name, "title"))]
    if api is None:
        parts.append(line((f"? API server: {platform.api.why}", "unknown")))
    elif api.ready is False:
        parts.append(line((f"■ API server not ready: {', '.join(api.failing)}", "critical")))
    parts += [
        node_words(platform),
        *pod_words(platform, counts),
        *([hidden_words(platform)] if api is not None else []),
    ]
    if api is not None and api.version:
        parts.append(line((f"Kubernetes {api.version}", "muted")))
    parts = [part for part in parts if part]
    gap = "   " if layout != "small" else "  "
    while len(parts) > 2 and width(joined(parts, gap)) + width(right) + 2 > cells:
        parts.pop()
    return [spread(line(" ", joined(parts, gap)), right, cells)]
