"""Warning events, images, and CloudNativePG's clusters and poolers, as rows."""

from __future__ import annotations

from datetime import datetime

from console.readings import CnpgCluster, CnpgPooler, KubeImage, KubeWarning
from screens.cluster_facts import Platform
from screens.cluster_figures import blind, partly, seconds_since
from screens.cluster_pods import tag_of, workload_words
from screens.kept import KeptRows, Made, reads_for
from screens.section import Section, fact
from widgets.columns import Cell, Column, Row
from widgets.format import count, since
from widgets.spans import Line, joined, line

EVENTS = (
    Column("ago", "last", 6, "right", sort="L"),
    Column("count", "times", 5, "right", sort="T", descending=True),
    Column("namespace", "namespace", 13, drop=1, sort="N"),
    Column("object", "object", 24, flex=1, sort="O"),
    Column("reason", "reason", 16, sort="R"),
    Column("first", "first", 6, "right", drop=2, sort="F"),
    Column("message", "message", 18, flex=3, sort="M"),
)
IMAGES = (
    Column("image", "image", 20, flex=1, sort="I"),
    Column("namespace", "namespace", 13, sort="N"),
    Column("workload", "workload", 14, sort="W"),
    Column("pods", "pods", 4, "right", sort="P", descending=True),
    Column("state", "state", 16, flex=2, sort="S"),
    Column("digest", "runs", 12, drop=1, sort="R"),
    Column("found", "vulnerabilities", 16, drop=2, sort="V", descending=True),
)
DATABASES = (
    Column("namespace", "namespace", 13, sort="N"),
    Column("name", "cluster", 12, flex=1, sort="C"),
    Column("ready", "ready", 5, "right", sort="R"),
    Column("state", "state", 24, flex=2, sort="S"),
    Column("primary", "primary", 14, flex=1, sort="P"),
    Column("since", "since", 6, "right", drop=2, sort="I"),
    Column("backup", "last backup", 11, "right", drop=1, sort="B"),
    Column("window", "restorable for", 14, "right", drop=3, sort="O"),
    Column("timeline", "tl", 3, "right", drop=5, sort="T"),
    Column("certificates", "certs end in", 12, "right", drop=4, sort="E"),
    Column("image", "image", 16, drop=6, sort="M"),
)
POOLERS = (
    Column("namespace", "namespace", 13, sort="N"),
    Column("name", "pooler", 11, flex=1, sort="P"),
    Column("running", "running", 7, "right", sort="R"),
    Column("state", "state", 20, flex=1, sort="S"),
    Column("cluster", "cluster", 12, flex=1, sort="C"),
    Column("kind", "kind", 4, sort="K"),
    Column("mode", "pool mode", 12, drop=1, sort="M"),
)


# -- events ------------------------------------------------------------------------------------------------------------


def events(platform: Platform, kept: KeptRows, now: datetime) -> Section:
    """Warnings, the newest first."""
    seen = platform.warnings
    if seen.reading is None:
        return blind(EVENTS, seen, "events")
    found = seen.reading.warnings

    def make(key: str, each: KubeWarning) -> Made:
        away = seconds_since(each.last_at, now)
        old = away is None or away > 3600
        row = Row(
            key,
            (
                Cell(since(each.last_at, now) or "?", "", away if away is not None else 1e12),
                Cell(f"×{count(each.count)}" if each.count > 1 else "", "", each.count),
                Cell(each.namespace),
                Cell(each.object.replace("/", " ", 1)),
                Cell(each.reason, "muted" if old else "warning"),
                Cell(since(each.first_at, now), "muted", seconds_since(each.first_at, now)),
                Cell(each.message),
            ),
            "muted" if old else "",
        )
        last = each.last_at.timestamp() if each.last_at else 0.0
        return Made(row, (-last, key), reads_for(now, each.last_at, each.first_at))

    rows = kept((found,), lambda: ((key, (key, each)) for key, each in found.items()), make, now)
    more = f" and {count(seen.reading.more)} older that are not shown" if seen.reading.more else ""
    summary = (
        partly(seen.why),
        line(f"{count(len(found), 'warning')}{more}", (", of one object and reason together", "muted")),
    )
    return Section(EVENTS, rows, tuple(each for each in summary if each), empty="no warning event", count=len(rows))


# -- images ------------------------------------------------------------------------------------------------------------


def images(platform: Platform, kept: KeptRows, now: datetime) -> Section:
    """Images of workloads: what differs first, then what may change by itself."""
    seen = platform.images
    if seen.reading is None:
        return blind(IMAGES, seen, "images")
    found = seen.reading.images

    def make(key: str, each: KubeImage) -> Made:
        words, style, rank = image_state(each)
        row = Row(
            key,
            (
                Cell(image_words(each.image), "", each.image),
                each.namespace,
                Cell(workload_words(each.workload)),
                Cell(count(each.pods), "", each.pods),
                Cell(words, style),
                Cell(digests(each), "muted" if len(each.digests) < 2 else "warning"),
                vulnerabilities(each),
            ),
        )
        return Made(row, (rank, each.image, each.namespace, each.workload))

    rows = kept((found,), lambda: ((key, (key, each)) for key, each in found.items()), make, now)
    differ = sum(bool(each.differs) for each in found.values())
    mutable = sum(each.mutable for each in found.values())
    failing = sum(each.failed for each in seen.reading.policies.values())
    summary = (
        partly(seen.why),
        joined(
            (
                line(count(len({each.image for each in found.values()}), "image")),
                line((f"▲ {differ} differ from what is declared", "warning")) if differ else (),
                fact("with a tag that moves", str(mutable)) if mutable else (),
                line((f"▲ {count(failing, 'policy', 'policies')} failing", "warning")) if failing else (),
                _reports(seen.reading.vulnerability_reports, "vulnerability reports"),
                _reports(seen.reading.policy_reports, "policy reports"),
            ),
            "   ",
        ),
    )
    return Section(
        IMAGES, rows, tuple(each for each in summary if each), empty="no workload runs an image", count=len(rows)
    )


def image_words(image: str) -> Line:
    """``odoo:18.0  registry.example/team``: what differs first, where it comes from after it."""
    place = image.partition("@")[0].rpartition("/")[0]
    return line(tag_of(image), (f"  {place}" if place else "", "muted"))


def _reports(state: str, what: str) -> Line:
    """Only where reports should be there and cannot be seen."""
    return line((f"? {what}: {state}", "unknown")) if state in ("denied", "unreachable") else ()


def image_state(image: KubeImage) -> tuple[str, str, int]:
    """Words, style, rank."""
    if image.differs:
        return f"▲ {image.differs}", "warning", 0
    if image.mutable:
        return "tag may move", "", 1
    if "@sha256:" in image.image:
        return "pinned by digest", "ok", 3
    return "", "", 2


def digests(image: KubeImage) -> str:
    """``3f2a91c0e7d1``, the beginning of the digest that runs; of several how many."""
    if len(image.digests) > 1:
        return f"{len(image.digests)} digests"
    return image.digests[0].rpartition(":")[2][:12] if image.digests else "not told"


def vulnerabilities(image: KubeImage) -> Cell:
    """``2 critical 14 high`` as a scanner reported."""
    found = image.found
    if found is None:
        return Cell("", "muted", -1.0)
    parts = [f"{found.critical} critical"] if found.critical else []
    parts += [f"{found.high} high"] if found.high else []
    rank = found.critical * 1000.0 + found.high
    return Cell(
        " ".join(parts) or "none of weight", "warning" if found.critical else "" if found.high else "muted", rank
    )


# -- CloudNativePG -----------------------------------------------------------------------------------------------------


def databases(platform: Platform, kept: KeptRows, now: datetime) -> Section:
    """Clusters that the operator keeps."""
    seen = platform.databases
    if seen.reading is None:
        return blind(DATABASES, seen, "CloudNativePG clusters")
    found = seen.reading.clusters

    def make(key: str, each: CnpgCluster) -> Made:
        words, style, rank = database_state(each)
        short = each.ready < each.instances
        ends = -(seconds_since(each.certificates_expire_at, now) or 0.0)
        backup = f"{since(each.last_backup_at, now)} ago" if each.last_backup_at else "none"
        row = Row(
            key,
            (
                each.namespace,
                Cell(each.name, "strong" if rank < 3 else ""),
                Cell(f"{each.ready}/{each.instances}", style if short else "", each.ready - each.instances),
                Cell(words, style),
                Cell(each.primary or "none", "primary" if each.primary else "critical"),
                Cell(since(each.primary_since, now), "muted", seconds_since(each.primary_since, now)),
                Cell(backup, "" if each.last_backup_at else "warning", seconds_since(each.last_backup_at, now)),
                Cell(since(each.first_recoverable_at, now) or "?", "muted", seconds_since(each.first_recoverable_at, now)),
                Cell(str(each.timeline or "?"), "muted", each.timeline),
                Cell(_days(ends) if each.certificates_expire_at else "?", "warning" if 0 < ends < 7 * 86_400 else "muted", ends),
                Cell(tag_of(each.image), "muted"),
            ),
        )  # fmt: skip
        return Made(
            row, (rank, each.namespace, each.name),
            reads_for(now, each.primary_since, each.last_backup_at, each.first_recoverable_at, each.certificates_expire_at),
        )  # fmt: skip

    rows = kept(
        (found,), lambda: ((f"clusters/{key}", (f"clusters/{key}", each)) for key, each in found.items()), make, now
    )
    summary = (partly(seen.why), fact("as the operator's resources tell", count(len(found), "cluster")))
    return Section(DATABASES, rows, tuple(each for each in summary if each), empty="no cluster", count=len(rows))


def _days(seconds: float) -> str:
    return "ended" if seconds <= 0 else f"{seconds / 86_400:.0f} d" if seconds >= 86_400 else f"{seconds / 3600:.0f} h"


def database_state(cluster: CnpgCluster) -> tuple[str, str, int]:
    """Words, style, rank."""
    if cluster.switching:
        return f"▲ primary goes to {cluster.target}", "warning", 1
    if cluster.fenced:
        return f"▲ fenced: {'all' if '*' in cluster.fenced else ', '.join(cluster.fenced)}", "warning", 1
    if cluster.hibernated:
        return "hibernated", "muted", 4
    if cluster.ready == 0 and cluster.instances:
        return f"■ no instance is ready: {cluster.phase}", "critical", 0
    failing = [f"{name}: {each.reason}" if each.reason else name for name, each in cluster.conditions.items()]
    if cluster.ready < cluster.instances or failing:
        return "▲ " + (", ".join(failing) or cluster.phase), "warning", 2
    if "healthy" in cluster.phase.lower():
        return "healthy", "ok", 5
    return cluster.phase or "not told", "" if cluster.phase else "unknown", 3


def poolers(platform: Platform, kept: KeptRows, now: datetime) -> Section:
    """PgBouncers that the operator keeps."""
    seen = platform.databases
    if seen.reading is None:
        return blind(POOLERS, seen, "CloudNativePG poolers")
    found = seen.reading.poolers

    def make(key: str, each: CnpgPooler) -> Made:
        words, style, rank = ("■ paused: every client waits", "critical", 0) if each.paused else ("ok", "ok", 3)
        if not each.paused and each.running < each.instances:
            words, style, rank = "▲ instances are missing", "warning", 1
        row = Row(
            key,
            (
                each.namespace,
                each.name,
                Cell(f"{each.running}/{each.instances}", style if rank < 3 else "", each.running),
                Cell(words, style),
                each.cluster,
                Cell(each.kind, "muted"),
                Cell(each.mode, "muted"),
            ),
        )
        return Made(row, (rank, each.namespace, each.name))

    rows = kept(
        (found,), lambda: ((f"poolers/{key}", (f"poolers/{key}", each)) for key, each in found.items()), make, now
    )
    return Section(POOLERS, rows, (partly(seen.why),) if seen.why else (), empty="no pooler", count=len(rows))
