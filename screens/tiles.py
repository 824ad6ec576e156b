"""The overview's tiles: one for each database cluster and each cache that is configured."""

from __future__ import annotations

from console.readings import Pane
from screens.cache_group import caches
from screens.database_cluster import clusters
from screens.tile_cache import cache_tile
from screens.tile_database import database_tile
from screens.tile_drawing import TileFacts, draw_tile
from screens.view import View

__all__ = ["TileFacts", "all_tiles", "draw_tile", "tile_names"]

NARROW = 52
"""Width of a tile below which its lines are the short ones."""


def tile_names(view: View) -> list[tuple[Pane, str]]:
    """Pane and subject of a tile for each cluster and each cache that is configured."""
    found: list[tuple[Pane, str]] = [("database", name) for name in clusters(view.board)]
    return found + [("cache", name) for name in caches(view.board)]


def all_tiles(view: View, cells: int) -> list[TileFacts]:
    """What the tiles show where each is ``cells`` wide."""
    narrow = cells < NARROW
    return [
        database_tile(view, name, narrow) if pane == "database" else cache_tile(view, name, narrow)
        for pane, name in tile_names(view)
    ]
