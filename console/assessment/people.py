"""Who feels it: databases and applications in one phrase, honest where it is not known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from console.assessment.words import listing, short
from console.readings import Finding
from console.readings.finding import Scope
from console.settings import Application, EnvironmentFile

_GROUPS = 3
"""Applications that one sentence names."""


class Crowd(NamedTuple):
    """Those who feel something."""

    words: str
    """``payroll and purchasing of acme and bauhof``; where nobody is known, what can honestly be said."""
    databases: tuple[str, ...]
    """Worst first; empty: not known."""

    @property
    def scope(self) -> Scope:
        """Of what sessions of these do or suffer: one tenant's own where all of it is in one database."""
        return "tenant" if len(self.databases) == 1 else "platform"


def crowd(environment: EnvironmentFile, databases: Iterable[str], otherwise: str) -> Crowd:
    """Who uses these databases (worst first); ``otherwise`` is said where there are none."""
    names = tuple(dict.fromkeys(name for name in databases if name))
    if not names:
        return Crowd(otherwise, ())
    labels: dict[str, list[str]] = {}
    strangers: list[str] = []
    for name in names:
        found = _labels(environment, name)
        for label in found:
            labels.setdefault(label, []).append(name)
        if not found:
            strangers.append(name)
    phrases = _phrases(labels)
    if strangers:
        phrases.append(("database " if len(strangers) == 1 else "databases ") + listing(strangers))
    return Crowd(_joined(phrases), names)


def _labels(environment: EnvironmentFile, database: str) -> list[str]:
    return [
        application.label or name
        for name, application in environment.applications.items()
        if any(fnmatchcase(database, pattern) for pattern in application.databases)
    ]


def _phrases(labels: Mapping[str, list[str]]) -> list[str]:
    """Applications that share their databases go together: ``payroll and purchasing of acme and bauhof``."""
    together: dict[tuple[str, ...], list[str]] = {}
    for label, databases in labels.items():
        together.setdefault(tuple(databases), []).append(label)
    phrases = []
    for names, group in together.items():
        own = len(names) == 1 and len(group) == 1
        if own and names[0].casefold() in group[0].casefold():
            phrases.append(short(group[0]))
        elif own:
            phrases.append(f"{short(group[0])} ({short(names[0])})")
        else:
            phrases.append(f"{listing(group)} of {listing(names)}")
    return phrases


def _joined(phrases: list[str]) -> str:
    if len(phrases) > _GROUPS:
        return f"{', '.join(phrases[:_GROUPS])} and {len(phrases) - _GROUPS} more"
    return f"{', '.join(phrases[:-1])} and {phrases[-1]}" if len(phrases) > 1 else phrases[0]


def hosted(environment: EnvironmentFile) -> list[str]:
    """Databases that the environment file names outright: who lives here when no server can be asked."""
    return [
        name
        for application in environment.applications.values()
        for name in application.databases
        if not any(letter in name for letter in "*?[")
    ]


def users_of_cache(environment: EnvironmentFile, cache: str, apps: Mapping[str, int]) -> tuple[str, tuple[str, ...]]:
    """Who uses a cache: where it is the only one, every application of the environment; else whoever is connected.

    ``apps``: names of clients → connections. A name that a client did not choose (``user@address``) tells little.
    """
    labels = tuple(application.label or name for name, application in environment.applications.items())
    if labels and len(environment.redis) == 1:
        return listing(labels), labels
    ordered = sorted(apps, key=lambda name: (-apps[name], name))
    names = tuple(name for name in ordered if "@" not in name) or tuple(ordered)
    if names:
        return listing(names), names
    return f"every application that uses {short(cache)}", ()


# -- tenants by name: what a finding's ``tenants`` holds -----------------------------------------------------------------


def tenants_named(environment: EnvironmentFile, names: Iterable[str], cluster: str = "") -> tuple[str, ...]:
    """Tenants that are meant by names of databases (of ``cluster``, where it is known), by their own, or by their labels."""
    found: dict[str, None] = {}
    for wanted in names:
        for name, application in environment.applications.items():
            if wanted in (name, application.label) or _has(application, wanted, cluster):
                found[name] = None
    return tuple(found)


def tenants_in(environment: EnvironmentFile, kubernetes: str, namespaces: Iterable[str]) -> tuple[str, ...]:
    """Tenants whose workloads run in these namespaces of a cluster."""
    wanted = {namespace for namespace in namespaces if namespace}
    return tuple(
        name
        for name, application in environment.applications.items()
        if application.namespace in wanted and application.kubernetes in ("", kubernetes)
    )


def tenants_at(environment: EnvironmentFile, hosts: Iterable[str]) -> tuple[str, ...]:
    """Tenants whose users come by these host names."""
    wanted = {host.casefold() for host in hosts if host}
    return tuple(
        name for name, application in environment.applications.items() if _host(application).casefold() in wanted
    )


def felt(environment: EnvironmentFile, finding: Finding) -> Finding:
    """``finding`` with its tenants: those that its kind named, else those behind what it says it affects."""
    if finding.tenants or not finding.affects:
        return finding
    cluster = finding.subject.partition("/")[0] if finding.pane == "database" else ""
    named = tenants_named(environment, finding.affects, cluster)
    return msgspec.structs.replace(finding, tenants=named) if named else finding


def _has(application: Application, database: str, cluster: str) -> bool:
    if cluster and application.cluster not in ("", cluster):
        return False
    return any(fnmatchcase(database, pattern) for pattern in application.databases)


def _host(application: Application) -> str:
    return urlsplit(application.url).hostname or "" if application.url else ""
