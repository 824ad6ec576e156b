"""Every kind of finding: one judge each. Importing this registers them."""

from __future__ import annotations

from console.assessment.kinds import (
    cache_load,
    cache_roles,
    members,
    patroni,
    primary,
    replication,
    sentinels,
    sessions,
    slots,
    upkeep,
)

__all__ = [
    "cache_load",
    "cache_roles",
    "members",
    "patroni",
    "primary",
    "replication",
    "sentinels",
    "sessions",
    "slots",
    "upkeep",
]
