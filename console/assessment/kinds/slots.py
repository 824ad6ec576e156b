"""Replication slots that keep WAL from removal."""

from __future__ import annotations

from console.assessment.look import Look, fact
from console.assessment.symptom import Clear, Said, Symptom, kind
from console.assessment.views import Cluster
from console.assessment.words import clock, share, short, size
from console.readings import PostgresMember, Slot
from console.readings.finding import Severity


@kind("slot-retains-wal", "database", "warning_share", "critical_share", "warning_bytes")
def slot_retains_wal(look: Look) -> Said:
    """A slot keeps much WAL: the disk fills, or the slot is about to be cut off."""
    for cluster in look.clusters.values():
        if cluster.writer is None or cluster.writer.sql is None:
            continue
        sql = cluster.writer.sql
        for slot in sql.slots.values():
            severity = _weigh(look, cluster, slot)
            subject = f"{cluster.name}/{slot.name}"
            yield _symptom(cluster, sql, slot, severity) if severity else Clear(subject=subject, stands_on=(sql,))


def _weigh(look: Look, cluster: Cluster, slot: Slot) -> Severity | None:
    name, subject = "slot-retains-wal", f"{cluster.name}/{slot.name}"
    if slot.wal_status == "lost":
        return "warning"
    if slot.wal_status == "unreserved":
        return "critical"
    if slot.retained_bytes is None:
        return None
    if slot.safe_bytes is not None:
        part = slot.retained_bytes / max(1, slot.retained_bytes + max(0, slot.safe_bytes))
        if part >= look.limit(name, "critical_share", subject):
            return "critical"
        return "warning" if part >= look.limit(name, "warning_share", subject) else None
    return "warning" if slot.retained_bytes >= look.limit(name, "warning_bytes", subject) else None


def _symptom(cluster: Cluster, sql: PostgresMember, slot: Slot, severity: Severity) -> Symptom:
    reader = next((name for name in cluster.members if name.replace("-", "_").replace(".", "_") == slot.name), "")
    lost = slot.wal_status == "lost"
    kept = size(slot.retained_bytes) if slot.retained_bytes is not None else "an unknown amount"
    if lost:
        title = f"Slot {short(slot.name)} of {cluster.name} was cut off: its WAL is gone"
        impact = "Users feel nothing; whoever reads this slot cannot go on and must be built anew."
        action = f"Rebuild its reader ({reader or 'whoever it is'}), or drop the slot if nobody needs it."
    else:
        title = f"Slot {short(slot.name)} of {cluster.name} keeps {kept} of WAL"
        impact = "Users feel nothing yet; " + (
            "the slot is cut off when it keeps more, and its reader must be built anew."
            if slot.safe_bytes is not None
            else "the disk of the primary fills, and a full disk stops every write."
        )
        action = (
            f"Bring its reader back ({reader})." if reader else "Find out who reads this slot; drop it if nobody does."
        )
    evidence = [fact(sql, "WAL kept", kept)]
    if slot.safe_bytes is not None and slot.retained_bytes is not None:
        room = slot.retained_bytes + max(0, slot.safe_bytes)
        evidence.append(
            fact(sql, "until it is cut off", size(max(0, slot.safe_bytes)), share(slot.retained_bytes, room) + " used")
        )
    evidence.append(
        fact(sql, "read by", "somebody now" if slot.active else f"nobody since {clock(slot.inactive_since)}")
    )
    evidence.append(fact(sql, "wal_status", slot.wal_status or "?"))
    return Symptom(
        subject=f"{cluster.name}/{slot.name}",
        severity=severity,
        title=title,
        impact=impact,
        action=action,
        stands_on=(sql,),
        since=slot.inactive_since,
        affects=(),
        evidence=tuple(evidence),
        causes=(
            f"standby-unreachable:{cluster.name}/{reader}",
            f"standby-lagging:{cluster.name}/{reader}",
            f"standby-not-streaming:{cluster.name}/{reader}",
        )
        if reader
        else (),
    )
