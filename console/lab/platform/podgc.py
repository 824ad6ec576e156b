"""Failed pods: forgotten after a while, so that those that were evicted do not stay for ever."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from console.lab.kube import ages
from console.lab.kube.store import Change, Stored
from console.lab.platform import objects
from console.lab.platform.controller import Controller, Place, own
from console.lab.platform.kinds import POD

_KEEP_S = 120.0
"""Kubernetes forgets them only when there are 12,500."""


class FailedPods(Controller):
    """Deletes failed pods that somebody else has replaced."""

    kind = POD

    def concerned(self, change: Change) -> Iterable[Place]:
        return own(change, POD) if change.new is not None and _counts(change.new) else ()

    def reconcile(self, stored: Stored) -> None:
        if not _counts(stored):
            return
        turned = ages.parse(objects.condition(stored.data, "Ready").get("lastTransitionTime"))
        since = turned or ages.parse(stored.metadata["creationTimestamp"])
        left = _KEEP_S - (datetime.now(UTC) - since).total_seconds() if since else 0.0
        if left > 0:
            self.again(stored.place, left + 0.1)
        else:
            self.cluster.deletions.delete(POD, *stored.place)


def _counts(stored: Stored) -> bool:
    failed = (stored.data.get("status") or {}).get("phase") == "Failed"
    return failed and bool(objects.controller_of(stored.data)) and not objects.leaving(stored.data)
