"""What the engine knows of itself and of the environment it watches."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from console.readings.base import Pane, Reading, topic


class Watcher(msgspec.Struct, frozen=True, omit_defaults=True):
    """One client at the engine's socket, as the kernel names it."""

    user: str
    host: str = ""
    since: datetime | None = None
    kind: Literal["console", "status", "record", "other"] = "console"


class Tenant(msgspec.Struct, frozen=True, omit_defaults=True):
    """A tenant as the environment file has it (``applications``): by what it is found in the readings of other systems."""

    label: str = ""
    """What people call it."""
    databases: tuple[str, ...] = ()
    """Names or patterns."""
    cluster: str = ""
    """Of its databases; empty: there is only one."""
    hosts: tuple[str, ...] = ()
    """Names under which its users open it."""
    kubernetes: str = ""
    """Cluster of its workloads; empty: there is only one, or none."""
    namespace: str = ""
    log: bool = False
    """Whether its own log can be read."""


@topic("environment")
class Environment(Reading, frozen=True, kw_only=True, omit_defaults=True):
    """The environment, and which readings it will yield. Key ``""``."""

    name: str
    kind: Literal["multi-tenant", "dedicated"] = "multi-tenant"
    production: bool = False
    laboratory: bool = False
    stand_ins: dict[str, str] = {}
    """What in this environment is a stand-in → what it stands in for (shown on the screen)."""
    panes: dict[str, tuple[str, ...]] = {}
    """Pane → ``topic key`` pairs (joined by one blank) that are configured, whether or not read yet."""
    record_text: bool = False
    shared: bool = False
    engine_pid: int = 0
    engine_build: str = ""
    started_at: datetime | None = None
    watchers: dict[str, Watcher] = {}
    applications: dict[str, Tenant] = {}
    """Everybody who can feel it, in the order of the environment file."""


@topic("engine")
class EngineSelf(Reading, frozen=True, kw_only=True, omit_defaults=True):
    """What watching costs. Key ``""``."""

    cpu_percent: float = 0.0
    """Of one core, since the last reading."""
    rss_mb: float = 0.0
    readings_per_s: float = 0.0
    recording_mb: float = 0.0
    recording_problem: str = ""
    """Why the recording has a gap; empty when there is none."""
    server_ms: dict[str, float] = {}
    """Address of a source → milliseconds per second that its reads keep the server waiting or busy (round trips)."""


PANES: tuple[Pane, ...] = ("cluster", "database", "cache", "ingress", "storage", "backups", "application")
