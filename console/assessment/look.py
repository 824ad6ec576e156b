"""One look at the board: what every judge is given."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping
from datetime import datetime

from console.assessment.ingress import Ingress
from console.assessment.kubernetes import Kube
from console.assessment.memory import CacheMemory, ClusterMemory, Memory
from console.assessment.people import Crowd, crowd, hosted, users_of_cache
from console.assessment.tenants import Tenant, tenants
from console.assessment.views import Cache, Cluster
from console.board import Board
from console.readings import Evidence, PatroniMember, Reading
from console.settings import EnvironmentFile

_EASE = 0.9
"""An open finding stays until its value is this share of the threshold: a value on the edge must not flap."""

Thresholds = Mapping[str, Mapping[str, float]]


class Look:
    """What is on the board at ``now``, with what earlier looks told."""

    def __init__(
        self,
        board: Board,
        now: datetime,
        environment: EnvironmentFile,
        thresholds: Thresholds,
        memory: Memory,
        opened: Collection[str] = (),
    ) -> None:
        self.board = board
        self.now = now
        self.environment = environment
        self.memory = memory
        self._thresholds = thresholds
        self._opened = opened
        self.clusters = {name: Cluster(board, now, name, settings) for name, settings in environment.postgres.items()}
        self.caches = {name: Cache(board, now, name, settings) for name, settings in environment.redis.items()}
        self.kubes = {name: Kube(board, now, name, environment) for name in environment.kubernetes}
        memory.learn(self.clusters, self.caches)
        memory.learn_kubernetes(self.kubes)

    @functools.cached_property
    def ingresses(self) -> dict[str, Ingress]:
        """Every ingress by name."""
        traefik = self.environment.traefik
        return {name: Ingress(self.board, self.now, name, settings) for name, settings in traefik.items()}

    @functools.cached_property
    def tenants(self) -> dict[str, Tenant]:
        """Every Odoo tenant by name."""
        return tenants(self)

    def threshold(self, kind: str, name: str) -> float:
        """A threshold as configured."""
        return self._thresholds[kind][name]

    def limit(self, kind: str, name: str, subject: str) -> float:
        """A threshold above which it is bad: eased a little while the finding is open."""
        value = self._thresholds[kind][name]
        return value * _EASE if self.is_open(kind, subject) else value

    def is_open(self, kind: str, subject: str) -> bool:
        """Whether this finding was open before this look."""
        return f"{kind}:{subject}" in self._opened

    def remembers(self, cluster: Cluster) -> ClusterMemory:
        """What earlier looks told of a cluster."""
        return self.memory.clusters[cluster.name]

    def remembers_cache(self, cache: Cache) -> CacheMemory:
        """What earlier looks told of a cache."""
        return self.memory.caches[cache.name]

    def users(self, cluster: Cluster) -> Crowd:
        """Everybody who uses a cluster: as its primary last told, else as the environment file says."""
        memory = self.remembers(cluster)
        used = sorted(memory.databases, key=lambda name: (-memory.databases[name], name))
        if not used and len(self.environment.postgres) == 1:
            used = hosted(self.environment)
        return crowd(self.environment, used, f"every database of {cluster.name} (which are in use is not known)")

    def these(self, databases: Mapping[str, int]) -> Crowd:
        """Users of these databases, given with how many sessions feel it."""
        ordered = sorted(databases, key=lambda name: (-databases[name], name))
        return crowd(self.environment, ordered, "sessions whose database is not known")

    def cache_users(self, cache: Cache) -> Crowd:
        """Everybody who uses a cache."""
        return Crowd(*users_of_cache(self.environment, cache.name, self.remembers_cache(cache).apps))


def fact(reading: Reading | None, what: str, value: str, threshold: str = "", text: str = "") -> Evidence:
    """One measured fact with the reading it was taken from."""
    if reading is None:
        return Evidence(what, value, threshold, text=text)
    return Evidence(what, value, threshold, f"{reading.topic} {reading.key}".strip(), reading.taken_at, text)


def patroni_says(patroni: PatroniMember) -> str:
    """What a Patroni that answers says of its PostgreSQL."""
    return (
        f"answers: PostgreSQL is {patroni.state}" if patroni.state else "answers, but knows nothing of its PostgreSQL"
    )
