"""An Odoo tenant as judges want it: what may be believed of its readings, and which findings of the platform explain its own."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import msgspec

from console.assessment.symptom import Clear, Said, Symptom
from console.assessment.words import listing, short
from console.readings import Evidence, OdooDatabase, OdooFiles, OdooLog, OdooPages, Reading, address, believed
from console.settings import Application

if TYPE_CHECKING:
    from console.assessment.look import Look

R = TypeVar("R", bound=Reading)

_STEP_WORDS = {
    "log in": "logging in",
    "project": "opening a project",
    "document": "opening a document",
    "purchase": "ordering",
}


class Tenant:
    """One application that the environment file calls Odoo."""

    def __init__(self, look: Look, name: str, application: Application) -> None:
        board, now = look.board, look.now
        self._look = look
        self.name = name
        self.application = application
        self.label = application.label or name
        keys = [f"{name}/{database}" for database in dict.fromkeys(application.databases)]
        self.databases = _told(believed(board.get(OdooDatabase, key), now) for key in keys)
        self.files = _told(believed(board.get(OdooFiles, key), now) for key in keys)
        self.pages_last = board.get(OdooPages, name)
        self.pages = believed(self.pages_last, now)
        self.log = believed(board.get(OdooLog, name), now)
        self._single = len(keys) == 1

    def subject(self, reading: OdooDatabase | OdooFiles | OdooLog | OdooPages | None = None) -> str:
        """A finding's subject: the tenant, and its database where it has several."""
        if reading is None or self._single or "/" not in reading.key:
            return short(self.name, 60)
        return short(reading.key, 120)

    def untold(self, reading: OdooDatabase | OdooFiles | OdooLog | OdooPages) -> Clear:
        """The part that tells it could not be read this time: what was open stays so, as unknown."""
        return Clear(subject=self.subject(reading), stands_on=())

    @property
    def whose(self) -> dict[str, Any]:
        """Whom it is about, as fields of a symptom."""
        return {"scope": "tenant", "tenants": (self.name,), "affects": (self.name,)}

    @functools.cached_property
    def cluster(self) -> str:
        """Name of the PostgreSQL cluster that holds its databases; empty: not known."""
        clusters = self._look.environment.postgres
        wanted = self.application.cluster
        if wanted:
            return wanted if wanted in clusters else ""
        return next(iter(clusters)) if len(clusters) == 1 else ""

    @functools.cached_property
    def database_down(self) -> tuple[str, ...]:
        """Findings beside which nothing needs to be said of a tenant whose database is in that cluster."""
        cluster = self._look.clusters.get(self.cluster)
        if cluster is None:
            return ()
        members = [member.subject for member in cluster.members.values()]
        return (
            f"no-primary:{cluster.name}",
            *(f"{kind}:{subject}" for kind in ("primary-unreachable", "primary-hung") for subject in (cluster.name, *members)),
            *(f"primary-restarted:{subject}" for subject in members),
        )  # fmt: skip

    @functools.cached_property
    def database_slow(self) -> tuple[str, ...]:
        """Findings that explain why its SQL waits."""
        cluster = self._look.clusters.get(self.cluster)
        if cluster is None:
            return ()
        members = [member.subject for member in cluster.members.values()]
        return (
            f"two-primaries:{cluster.name}",
            f"lock-waits:{cluster.name}",
            *(f"connections-near-limit:{subject}" for subject in members),
            f"sync-standby-missing:{cluster.name}",
        )

    @functools.cached_property
    def cache_down(self) -> tuple[str, ...]:
        """Findings about the cache that keeps its sessions."""
        store = self.application.sessions
        if store is None or store.cache not in self._look.caches:
            return ()
        cache = self._look.caches[store.cache]
        servers = tuple(f"cache-writes-refused:{cache.name}/{server}" for server in cache.servers)
        return (f"cache-primary-down:{cache.name}", *servers)

    @functools.cached_property
    def way_down(self) -> tuple[str, ...]:
        """Findings of the ingress beside which nothing needs to be said of pages that do not answer."""
        found: list[str] = []
        host = short(urlsplit(self.application.url).hostname or "", 60)
        for name in self._look.environment.traefik:
            subject = f"{name}/{short(self.name, 60)}"
            kinds = ("backend-down", "router-broken", "middleware-missing")
            found += [f"ingress-unreachable:{name}", *(f"{kind}:{subject}" for kind in kinds)]
            found += [f"{kind}:{name}/{host}" for kind in ("cert-wrong-host", "cert-untrusted", "cert-expiring")]
        return tuple(found)

    @functools.cached_property
    def way_slow(self) -> tuple[str, ...]:
        """Findings of the ingress that explain why its pages are late."""
        names = self._look.environment.traefik
        return tuple(
            f"{kind}:{name}/{short(self.name, 60)}" for name in names for kind in ("requests-flood", "backend-slow")
        )

    @functools.cached_property
    def pods_down(self) -> tuple[str, ...]:
        """Findings about the pods that it runs in, and the nodes below them."""
        space = self.application.namespace
        found: list[str] = []
        for kube in self._look.kubes.values():
            if not space or self.application.kubernetes not in ("", kube.name):
                continue
            for (namespace, owner), row in kube.workload_of.items():
                if namespace == space:
                    causes = (*kube.node_causes(row.nodes), *kube.pod_causes(space, owner))
                    found += [*causes, f"workload-short:{kube.subject(space, owner)}"]
            found += kube.quota_causes(space)
        return tuple(found)

    @property
    def pages_covered(self) -> tuple[Any, ...]:
        """What cannot be read while its pages do not answer."""
        return (address(OdooPages, self.name),)


def _told(readings: Iterable[R | None]) -> list[R]:
    return [reading for reading in readings if reading is not None]


def tenants(look: Look) -> dict[str, Tenant]:
    """Every Odoo tenant of the environment, by name."""
    applications = look.environment.applications
    return {name: Tenant(look, name, each) for name, each in applications.items() if each.odoo}


SEVERAL = "several tenants"
_LEAST = 3
_SETTLE_S = 30.0


def together(kind: str, said: Said, everybody: int, title: str, action: str) -> Said:
    """The tenants' symptoms of one kind; where many tenants have it at once, one of the platform's stands before them.

    Args:
        kind: Its name.
        said: What was said of each tenant.
        everybody: How many tenants there are.
        title: What happens at ``several tenants``, without an end: how many they are is added.
        action: What to do next, since it is none of the tenants' own doing.
    """
    found: list[Symptom] = []
    for word in said:
        if isinstance(word, Symptom):
            found.append(word)
        else:
            yield word
    for symptom in found:
        # Also while there are few: on the way back the last ones go a little after the others.
        hidden_by = (f"{kind}:{SEVERAL}", *symptom.hidden_by)
        yield msgspec.structs.replace(symptom, hidden_by=hidden_by, settle_s=max(symptom.settle_s, _SETTLE_S))
    if len(found) < _LEAST or 2 * len(found) < everybody:
        return
    names = [name for symptom in found for name in symptom.tenants]
    readings = tuple(reading for symptom in found for reading in symptom.stands_on)
    severe = any(symptom.severity == "critical" for symptom in found)
    since = since_of(symptom.since for symptom in found)
    first = found[0]
    yield Symptom(
        subject=SEVERAL,
        severity="critical" if severe else "warning",
        title=f"{title}: {len(names)} of {everybody}",
        impact=f"{listing(names)}: {short(first.impact.partition(': ')[2], 150)}",
        action=action,
        stands_on=readings,
        since=since,
        affects=tuple(names),
        tenants=tuple(names),
        evidence=tuple(_of(symptom) for symptom in found[:8] if symptom.evidence),
        causes=first.causes,
        hidden_by=first.hidden_by,
        after_s=max(symptom.after_s for symptom in found),
        settle_s=first.settle_s,
    )


def _of(symptom: Symptom) -> Evidence:
    """Its first evidence, and whose it is."""
    evidence = symptom.evidence[0]
    return msgspec.structs.replace(evidence, what=f"{listing(symptom.tenants)}: {evidence.what}")


def in_words(steps: Iterable[str]) -> list[str]:
    """Steps of ``OdooPages`` as people do them."""
    return [_STEP_WORDS.get(step, step) for step in steps]


def since_of(moments: Iterable[datetime | None]) -> datetime | None:
    """The earliest that is known."""
    return min((moment for moment in moments if moment is not None), default=None)
