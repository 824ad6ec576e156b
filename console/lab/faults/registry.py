"""Every fault of the laboratory."""

from __future__ import annotations

from console.lab.errors import UsageError
from console.lab.faults import (
    cache,
    consensus,
    ingress,
    nodes,
    odoo_data,
    odoo_work,
    pods,
    primary,
    sessions,
    slot,
    standby,
)
from console.lab.faults.base import Deed, Fault

_ALL: dict[str, tuple[Fault, Deed]] = (
    primary.DEEDS
    | standby.DEEDS
    | consensus.DEEDS
    | sessions.DEEDS
    | slot.DEEDS
    | cache.DEEDS
    | nodes.DEEDS
    | pods.DEEDS
    | ingress.DEEDS
    | odoo_work.DEEDS
    | odoo_data.DEEDS
)
FAULTS: dict[str, Fault] = {name: fault for name, (fault, _) in _ALL.items()}


def find(name: str) -> tuple[Fault, Deed]:
    """A fault by name.

    Raises:
        UsageError: There is none.
    """
    if name not in _ALL:
        raise UsageError(f"there is no fault {name!r}; there are {', '.join(_ALL)}")
    return _ALL[name]
