"""Many frames folded into readings at once: as plain data, each reading made only at the end.

A jump has to go through up to five minutes of changes within a fifth of a second; applying each to a typed reading takes
several times as long.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from console.frames import Delta, Frame, Keyframe
from console.readings import Address, Reading, topics


class Fold:
    """Bodies of readings by address."""

    def __init__(self) -> None:
        self._bodies: dict[Address, dict[str, Any]] = {}

    def take(self, frames: Iterable[Frame]) -> None:
        """Fold these in. Bodies of keyframes become ours."""
        for frame in frames:
            where = Address(frame.topic, frame.key)
            if isinstance(frame, Keyframe):
                self._bodies[where] = frame.body
            elif isinstance(frame, Delta):
                self._change(where, frame)
            else:
                self._bodies.pop(where, None)

    def readings(self) -> Iterator[Reading]:
        """What is there after all. A topic that this version does not know, or content that does not fit it, is left out."""
        known = topics()
        for where, body in self._bodies.items():
            cls = known.get(where.topic)
            if cls is None:
                continue
            try:
                yield msgspec.convert(body, cls)
            except msgspec.ValidationError:
                continue

    def _change(self, where: Address, frame: Delta) -> None:
        body = self._bodies.get(where)
        if body is None:
            return
        body.update(frame.set)
        for name, lost in frame.gone.items():
            rows = body.get(name, {})
            for key in lost:
                rows.pop(key, None)
        for name, parts in frame.parts.items():
            rows = body.get(name, {})
            for key, part in parts.items():
                if key in rows:
                    rows[key].update(part)
        for name, fresh in frame.rows.items():
            body.setdefault(name, {}).update(fresh)
