"""The overview's tiles: one for each cluster, database and cache that is configured, in the order of their keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from console.board import Board
from console.readings import Pane
from screens.cache_group import caches
from screens.cluster_facts import platforms
from screens.database_cluster import clusters
from screens.ingress_group import ingresses
from screens.tile_cache import cache_tile
from screens.tile_cluster import cluster_tile
from screens.tile_database import database_tile
from screens.tile_drawing import TileFacts, draw_tile
from screens.tile_ingress import ingress_tile
from screens.tile_tenants import crowds, tenants_tile
from screens.view import View

__all__ = ["TileFacts", "all_tiles", "draw_tile", "tile_names"]

NARROW = 52
"""Width of a tile below which its lines are the short ones."""


class _Kind(NamedTuple):
    """The tiles of one pane: whose there are, and how one is made (view, name, whether it is narrow)."""

    pane: Pane
    names: Callable[[Board], list[str]]
    make: Callable[[View, str, bool], TileFacts]


_KINDS = (
    _Kind("cluster", platforms, cluster_tile),
    _Kind("database", clusters, database_tile),
    _Kind("cache", caches, cache_tile),
    _Kind("ingress", ingresses, ingress_tile),
    _Kind("application", crowds, tenants_tile),
)


def tile_names(view: View) -> list[tuple[Pane, str]]:
    """Pane and subject of a tile for each system that is configured."""
    return [(kind.pane, name) for kind in _KINDS for name in kind.names(view.board)]


def all_tiles(view: View, cells: int) -> list[TileFacts]:
    """What the tiles show where each is ``cells`` wide."""
    narrow = cells < NARROW
    return [kind.make(view, name, narrow) for kind in _KINDS for name in kind.names(view.board)]
