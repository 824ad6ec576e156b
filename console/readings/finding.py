"""Findings: what is wrong, for whom, since when, on what evidence."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from console.readings.base import Pane, PrivateText, Reading, topic

Severity = Literal["warning", "critical"]
Scope = Literal["platform", "tenant"]


class Evidence(msgspec.Struct, frozen=True, omit_defaults=True):
    """One measured fact under a finding. Text is complete with units: ``188 of 200``, ``14.2 MB``."""

    what: str
    value: str
    threshold: str = ""
    source: str = ""
    """``topic key`` of the reading it was taken from."""
    taken_at: datetime | None = None
    text: PrivateText = ""
    """Query or log text that belongs to it."""


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """One problem. ``id`` is stable for the same problem: ``kind:subject``."""

    id: str
    kind: str
    """The finding's kind: the name of its function, its thresholds and its runbook (kebab-case)."""
    pane: Pane
    subject: str
    """What it is about: ``main``, ``main/pg-1``, ``cache/cache-1``."""
    severity: Severity
    title: str
    """At most ~70 characters; names the subject."""
    impact: str
    """One sentence: what users feel, for whom (databases and applications)."""
    action: str
    """One sentence: what to do next."""
    since: datetime
    """When the problem began, as well as it is known (not when it was noticed, where the system tells)."""
    scope: Scope = "platform"
    affects: tuple[str, ...] = ()
    """Databases, tenants or applications that feel it, worst first."""
    tenants: tuple[str, ...] = ()
    """Of ``affects``, the tenants of the environment file by name, worst first."""
    evidence: tuple[Evidence, ...] = ()
    caused_by: str = ""
    """Id of the finding that most probably causes this one."""
    runbook: str = ""
    """Name of a page in ``config/runbooks`` (without ``.md``)."""
    loudest: bool = False
    """Comes before every other one, whatever explains it: more than one member out of recovery."""
    state: Literal["open", "unknown"] = "open"
    """``unknown``: it was open and its source can no longer be read."""


@topic("findings")
class Findings(Reading, frozen=True, kw_only=True, omit_defaults=True):
    """All open findings by id. Key ``""``."""

    rows: dict[str, Finding] = {}
    looked: dict[str, int] = {}
    """``topic key`` → looks since the engine started, counted up to 9: enough have been made when ``needed`` is reached."""
    needed: int = 2
    """Looks that a finding needs to open: before that a pane is unknown."""
