"""The line over a cluster's topology: its name, who leads, how Patroni is, what is synchronous."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from screens.database_cluster import Cluster
from screens.database_coordination import flags, leader_words, store_state, synchronous_words
from screens.section import fact
from widgets.spans import Block, Line, joined, line, spread, width


def subject_words(names: list[str], name: str) -> Line:
    """``[ ] 1 of 2``: how to get to the others, where there are any."""
    if len(names) < 2 or name not in names:
        return ()
    return line(("[ ]", "key"), (f" {names.index(name) + 1} of {len(names)} ", "muted"))


def primary_words(cluster: Cluster) -> Line:
    """Who accepts writes, by SQL's own word."""
    names = [member.name for member in cluster.primaries]
    if len(names) > 1:
        return line((f"{len(names)} primaries: {', '.join(names)}", "critical"))
    if names:
        return fact("primary", names[0], "primary")
    if any(member.sql is None for member in cluster.members):
        return line(("primary not known", "unknown"))
    return line(("no primary", "critical"))


def head_lines(
    cluster: Cluster, names: list[str], now: datetime, cells: int, layout: Literal["small", "middle", "wide"]
) -> Block:
    """One line; what stands out comes before what is in order, so that a narrow screen cuts the latter."""
    right = subject_words(names, cluster.name)
    parts: list[Line] = [line((cluster.name, "title")), primary_words(cluster)]
    if cluster.has_patroni:
        wrong = flags(cluster)
        leader, store, synchronous = leader_words(cluster), store_state(cluster, now), synchronous_words(cluster)
        parts += wrong
        parts += [leader, store, synchronous] if layout != "wide" else []
    else:
        parts.append(line(("streaming replication without Patroni", "muted")))
        parts.append(synchronous_words(cluster))
    versions = sorted({member.sql.version for member in cluster.members if member.sql and member.sql.version})
    systems = {
        member.sql.system_identifier for member in cluster.members if member.sql and member.sql.system_identifier
    }
    if len(systems) > 1:
        parts.insert(1, line((f"{len(systems)} different system identifiers", "critical")))
    if versions:
        parts.append(line((f"PostgreSQL {', '.join(versions)}", "warning" if len(versions) > 1 else "muted")))
    if layout == "wide" and systems:
        parts.append(line((f"system {min(systems)}", "muted")))
    while len(parts) > 2 and width(joined(parts, "   ")) + width(right) + 3 > cells:
        parts.pop()
    gap = "   " if layout != "small" else "  "
    return [spread(line(" ", joined(parts, gap)), right, cells)]
