"""What a cluster's screen shows besides the open tab: at the right of a wide one, and under the table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from console.readings import Finding, KubePod
from screens.cluster_facts import Platform
from screens.cluster_figures import FULL, NEARLY, amount_of, cores, share_of
from screens.cluster_limits import quota_share
from screens.cluster_state import FINE, RUNNING, pod_state
from screens.database_preview import Preview
from screens.pane_findings import findings_box, silent_words
from screens.section import fact
from screens.trends import Figure, trends_box
from screens.view import View
from widgets.format import count, percent, short_age, since, size
from widgets.spans import Block, Line, box, fit, joined, line, text_width, width, wrap

FIGURES: tuple[Figure, ...] = (
    ("cpu cores", "cpu", cores),
    ("memory", "memory", size),
    ("not ready", "not_ready", lambda value: "?" if value is None else f"{value:.0f} pods"),
)
MOST = 10


class Trouble(NamedTuple):
    """A pod that is not as it should be."""

    rank: int
    name: str
    """``namespace/pod``."""
    pod: KubePod
    words: str
    style: str


def troubles(pods: dict[str, KubePod], lost: frozenset[str]) -> tuple[Trouble, ...]:
    """Pods in trouble, the worst first."""
    found = []
    for key, pod in pods.items():
        state = pod_state(pod, pod.node in lost)
        if state is not RUNNING and state.rank < FINE:
            found.append(Trouble(state.rank, key, pod, state.words, state.style))
    return tuple(sorted(found, key=lambda each: (each.rank, each.name)))


def side(
    view: View, platform: Platform, bad: tuple[Trouble, ...], found: list[Finding], tab: str, cells: int, height: int
) -> Block:
    """Findings; then, as far as there is room, pods in trouble, the fullest quotas, the newest warnings; trends at the foot."""
    silent = silent_words(view.board, "cluster", platform.name, view.now)
    trends = trends_box(view, "cluster", platform.name, FIGURES, cells)
    room = height - len(trends)
    parts = findings_box(found, view.now, cells, max(3, room - 8), silent)
    for key, make in _PARTS:
        left = room - len(parts)
        if key != tab and left >= 4:
            parts = [*parts, *make(view, platform, bad, cells, left - 2)]
    parts = [*parts, *([()] * max(0, room - len(parts)))]
    return [*parts, *trends]


_Make = Callable[[View, Platform, tuple[Trouble, ...], int, int], Block]


def _boxed(lines: list[Line], cells: int, title: str, note: str = "", style: str = "line") -> Block:
    body = [line(" ", fit(each, cells - 4)) for each in lines]
    return box(body, cells, len(lines) + 2, title, line((note, "muted")) if note else "", style)


def _troubled(view: View, platform: Platform, bad: tuple[Trouble, ...], cells: int, most: int) -> Block:
    title = "Pods in trouble"
    if platform.pods.reading is None:
        return _boxed([line((platform.pods.why, "unknown"))], cells, title, style="unknown")
    if not bad:
        return _boxed([line(("none", "muted"))], cells, title)
    shown = bad[: min(most, MOST)]
    rows = [
        line(
            fit(line((each.words, each.style)), 17),
            " ",
            fit(line(each.name), cells - 4 - 18 - 11),
            fit(line((f"×{count(each.pod.restarts)}" if each.pod.restarts else "", "muted")), 5, "right"),
            fit(line((since(each.pod.created_at, view.now), "muted")), 6, "right"),
        )
        for each in shown
    ]
    return _boxed(rows, cells, title, f"{len(shown)} of {len(bad)}" if len(shown) < len(bad) else "")


def fullest(platform: Platform) -> list[tuple[float, str, str, float, float]]:
    """Share, namespace, resource, used, limit of each quota's fullest resource, the fullest first."""
    found = platform.quotas.reading.quotas if platform.quotas.reading else {}
    rows = []
    for quota in found.values():
        resource, share = quota.fullest
        if resource:
            rows.append((share, quota.namespace, resource, quota.used.get(resource, 0.0), quota.hard[resource]))
    return sorted(rows, key=lambda each: (-each[0], each[1]))


def _quotas(view: View, platform: Platform, bad: tuple[Trouble, ...], cells: int, most: int) -> Block:
    title = "Fullest quotas"
    if platform.quotas.reading is None:
        return _boxed([line((platform.quotas.why, "unknown"))], cells, title, style="unknown")
    rows = fullest(platform)
    drawn = [
        line(
            fit(line(namespace), 14), " ", fit(line((resource, "muted")), 15), " ",
            *_line(quota_share(share, 5).text), "  ",
            (f"{amount_of(resource, used)} of {amount_of(resource, hard)}", "muted"),
        )
        for share, namespace, resource, used, hard in rows[: min(most, MOST)]
    ]  # fmt: skip
    return _boxed(drawn or [line(("no quota", "muted"))], cells, title)


def _line(text: str | Line) -> Line:
    return line(text) if isinstance(text, str) else text


def _events(view: View, platform: Platform, bad: tuple[Trouble, ...], cells: int, most: int) -> Block:
    title = "Newest warnings"
    if platform.warnings.reading is None:
        return _boxed([line((platform.warnings.why, "unknown"))], cells, title, style="unknown")
    found = [each for each in platform.warnings.reading.warnings.values() if each.last_at is not None]
    newest = sorted(found, key=lambda each: each.last_at.timestamp() if each.last_at else 0.0, reverse=True)
    drawn = [
        line(
            fit(line((since(each.last_at, view.now), "muted")), 6, "right"),
            "  ",
            fit(line((each.reason, "warning")), 17),
            " ",
            f"{each.namespace}/{each.object.partition('/')[2]}",
            (f"  ×{count(each.count)}" if each.count > 1 else "", "muted"),
        )
        for each in newest[: min(most, MOST)]
    ]
    return _boxed(drawn or [line(("none", "muted"))], cells, title)


_PARTS: tuple[tuple[str, _Make], ...] = (("pods", _troubled), ("quotas", _quotas), ("events", _events))


# -- under the table ---------------------------------------------------------------------------------------------------


def preview(view: View, platform: Platform, tab: str, row: Any, found: list[Finding], key: Any) -> Preview | None:
    """What the strip says of the row under the cursor: what the table has no room for, above all messages."""
    if tab == "findings":
        finding = next((each for each in found if each.id == key), None)
        if finding is None:
            return None
        evidence = [
            fact(each.what, each.value + (f" (limit {each.threshold})" if each.threshold else ""))
            for each in finding.evidence
        ]
        return Preview(finding.title, joined(evidence, "   "), f"{finding.impact} {finding.action}".strip())
    if row is None:
        return None
    make = {
        "pods": _pod,
        "workloads": _workload,
        "nodes": _node,
        "scalers": _message,
        "events": _event,
        "images": _image,
    }.get(tab)
    return make(view, platform, str(key), row) if make else None


def preview_strip(found: Preview, cells: int) -> Block:
    """The same on a small screen: a rule with the title, and two lines of the text."""
    title = fit(line((found.title, "title")), min(cells - 6, text_width(found.title)))
    rule = line(("── ", "line"), title, " ", ("─" * max(0, cells - 4 - width(title)), "line"))
    text = [line(" ", each) for each in wrap(found.text, cells - 2, limit=2)]
    return [rule, *text, *([()] * (2 - len(text)))]


def _told(platform: Platform, namespace: str, *objects: str) -> str:
    """The newest warnings about these objects, in a sentence each."""
    found = platform.warnings.reading.warnings.values() if platform.warnings.reading else ()
    mine = [each for each in found if each.namespace == namespace and each.object in objects]
    mine.sort(key=lambda each: each.last_at.timestamp() if each.last_at else 0.0, reverse=True)
    return "  ".join(f"{each.reason}: {each.message}" for each in mine[:3])


def _pod(view: View, platform: Platform, key: str, pod: KubePod) -> Preview:
    facts = (
        fact("owner", pod.owner or "nobody"),
        fact("image", ", ".join(pod.images)),
        fact("cpu limit", f"{cores(pod.cpu_limit)} cores" if pod.cpu_limit else "none"),
        fact("memory limit", size(pod.memory_limit) if pod.memory_limit else "none"),
        fact("started", f"{since(pod.started_at, view.now)} ago") if pod.started_at else (),
    )
    text = "  ".join(part for part in (pod.message, _told(platform, pod.namespace, f"Pod/{pod.name}")) if part)
    return Preview(f"Pod {key}", joined(facts, "   "), text or "nothing is said of it")


def _workload(view: View, platform: Platform, key: str, row: Any) -> Preview:
    pods = platform.pods.reading.pods.values() if platform.pods.reading else ()
    owner = f"{row.kind}/{row.name}"
    mine = [pod for pod in pods if pod.namespace == row.namespace and pod.owner == owner]
    facts = (
        fact("pods", count(len(mine))),
        fact("nodes", ", ".join(row.nodes)) if row.nodes else (),
        fact("zones", ", ".join(row.zones)) if row.zones else (),
        fact("hangs on", row.single) if row.single else (),
        fact("images", ", ".join(row.images)),
    )
    worst = next((pod.message for pod in mine if pod.message), "")
    told = _told(platform, row.namespace, owner, *(f"Pod/{pod.name}" for pod in mine))
    text = "  ".join(part for part in (row.message, worst, told) if part)
    return Preview(f"{row.kind} {row.namespace}/{row.name}", joined(facts, "   "), text or "nothing is said of it")


def _node(view: View, platform: Platform, key: str, row: Any) -> Preview:
    use = platform.node_use.get(key)
    cpu, memory = share_of(use.cpu if use else None, row.cpu_allocatable), None
    memory = share_of(float(use.memory) if use else None, row.memory_allocatable)
    facts = (
        fact("capacity", f"{cores(row.cpu_capacity)} cores, {size(row.memory_capacity)}"),
        fact("for pods", f"{cores(row.cpu_allocatable)} cores, {size(row.memory_allocatable)}"),
        fact("cpu used", percent(cpu), "warning" if cpu is not None and cpu >= NEARLY else ""),
        fact("memory used", percent(memory), "critical" if memory is not None and memory >= FULL else ""),
        fact("taints", ", ".join(row.taints)) if row.taints else (),
    )
    text = "  ".join(
        part
        for part in (row.reason, _told(platform, "", f"Node/{key}"), _told(platform, "default", f"Node/{key}"))
        if part
    )
    return Preview(f"Node {key}", joined(facts, "   "), text or "nothing is said of it")


def _message(view: View, platform: Platform, key: str, row: Any) -> Preview | None:
    text = row.message or _told(platform, row.namespace, f"HorizontalPodAutoscaler/{row.name}")
    return Preview(f"Scaler {key}", fact("scales", row.target), text) if text else None


def _image(view: View, platform: Platform, key: str, row: Any) -> Preview:
    facts = (
        fact("workload", f"{row.workload} in {row.namespace}"),
        fact("pods", count(row.pods)),
        line((row.differs, "warning")) if row.differs else (),
        line(("its tag may move: the next pod may run something else", "warning")) if row.mutable else (),
    )
    return Preview(
        row.image, joined(facts, "   "), "runs " + ", ".join(row.digests) if row.digests else "no pod has run it"
    )


def _event(view: View, platform: Platform, key: str, row: Any) -> Preview:
    facts = (
        fact("times", count(row.count)),
        fact("first", f"{short_age((view.now - row.first_at).total_seconds())} ago") if row.first_at else (),
    )
    return Preview(
        f"{row.reason}  {row.object.replace('/', ' ', 1)} in {row.namespace}", joined(facts, "   "), row.message
    )
