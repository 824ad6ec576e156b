"""The sources that answer a request: the log of a pod, an object as YAML. Each has a connection of its own, while it is looked at."""

from __future__ import annotations

from console.clients.kubernetes import Kubernetes
from console.settings.defaults import Cadences
from console.settings.environment import EnvironmentFile
from console.sources.base import Source
from console.sources.kubernetes import access
from console.sources.kubernetes_log import PodLogSource
from console.sources.kubernetes_object import ObjectSource
from console.sources.kubernetes_target import wanted_log, wanted_object


def log_source(environment: EnvironmentFile, target: str, cadences: Cadences) -> Source | None:
    """The log of a pod; None where ``target`` means none of this environment."""
    wanted = wanted_log(target)
    settings = environment.kubernetes.get(wanted.cluster) if wanted else None
    if wanted is None or settings is None:
        return None
    api = Kubernetes(access(settings))
    return PodLogSource(api, wanted, target, every_s=cadences.fast.every_s, deadline_s=cadences.normal.deadline_s)


def object_source(environment: EnvironmentFile, target: str, cadences: Cadences) -> Source | None:
    """A description; None where ``target`` means nothing of this environment."""
    wanted = wanted_object(target)
    settings = environment.kubernetes.get(wanted.cluster) if wanted else None
    if wanted is None or settings is None:
        return None
    api = Kubernetes(access(settings))
    return ObjectSource(api, wanted, target, every_s=cadences.fast.every_s, deadline_s=cadences.normal.deadline_s)
