"""Which sources an environment has, and which panes they make."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from console.readings import topics
from console.readings.environment import PANES, Tenant
from console.settings import Defaults, EnvironmentFile
from console.sources import sources_for
from console.sources.base import Source


def sources_of(environment: EnvironmentFile, defaults: Defaults) -> list[Source]:
    """Every source of the environment. Client libraries are imported when an engine starts, no earlier."""
    return sources_for(environment, defaults.cadences)


def panes_of(sources: Iterable[Source]) -> dict[str, tuple[str, ...]]:
    """Pane → ``topic key`` pairs that will be read. Panes that exist and have none are there, empty: not configured."""
    built: set[str] = {cls.pane for cls in topics().values() if cls.pane}
    panes: dict[str, list[str]] = {pane: [] for pane in PANES if pane in built}
    for source in sources:
        if source.reading.pane:
            panes.setdefault(source.reading.pane, []).append(f"{source.reading.topic} {source.key}")
    return {pane: tuple(sorted(pairs)) for pane, pairs in panes.items()}


def applications_of(environment: EnvironmentFile) -> dict[str, Tenant]:
    """Everybody who can feel it, in the order of the environment file."""
    return {
        name: Tenant(
            label=each.label,
            databases=tuple(each.databases),
            cluster=each.cluster,
            hosts=(host,) if each.url and (host := urlsplit(each.url).hostname) else (),
            kubernetes=each.kubernetes,
            namespace=each.namespace,
            log=each.log is not None,
        )
        for name, each in environment.applications.items()
    }


def log_source(environment: EnvironmentFile, target: str, defaults: Defaults) -> Source:
    """The source of one log: of a server as the environment file names it, or of a pod; see ``console.readings.reply``.

    Raises LookupError with a sentence where there is none.
    """
    from console.sources import kubernetes_reply, logs

    source = kubernetes_reply.log_source(environment, target, defaults.cadences)
    source = source or logs.log_source(environment, target, defaults.cadences.fast)
    if source is None:
        raise LookupError(f"the environment file names no log for {target[:80]}")
    return source


def object_source(environment: EnvironmentFile, target: str, defaults: Defaults) -> Source:
    """The source that describes one object. Raises LookupError with a sentence where ``target`` means none."""
    from console.sources import kubernetes_reply

    source = kubernetes_reply.object_source(environment, target, defaults.cadences)
    if source is None:
        raise LookupError(f"{target[:80]} is nothing that can be described")
    return source
