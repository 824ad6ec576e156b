"""One object of a cluster as YAML, read again while somebody looks at it.

Asked for by list and name, so that the role that watches is enough.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from console.clients.clean import clean
from console.clients.kubernetes import Kubernetes, KubernetesError
from console.clients.redact import redact
from console.readings import Description, Reading
from console.sources.base import Check, SourceError
from console.sources.kubernetes_target import Wanted
from console.threads import in_daemon

MOST_LINES = 3000
LINE_LIMIT = 400
_TEXT = 4000
"""Characters of one text that are kept."""
_SCALARS = 6000
"""Values of an object that are kept."""
_MOST_BYTES = 4 * 2**20
_SECRET = re.compile(r"passw|secret|token|credential|api.?key|private.?key|\bdsn\b|database_url", re.IGNORECASE)
_MASKED = "***"
_DROPPED = frozenset({"kubectl.kubernetes.io/last-applied-configuration"})
_FIRST = ("apiVersion", "kind", "metadata", "spec", "status")


class ObjectSource:
    """Describes one object."""

    reading: type[Reading] = Description
    privilege = "list on the kind of the object"

    def __init__(self, api: Kubernetes, wanted: Wanted, key: str, *, every_s: float, deadline_s: float) -> None:
        self.key = key
        self.every_s = every_s
        self.deadline_s = deadline_s
        self._api = api
        self._wanted = wanted

    async def read(self) -> Description:
        """As it is now. Raises SourceError."""
        wanted = self._wanted
        try:
            body = await self._api.get(wanted.path, self.deadline_s, fieldSelector=f"metadata.name={wanted.name}")
            if len(body) > _MOST_BYTES:
                raise SourceError(f"{wanted.path}: more than {_MOST_BYTES // 2**20} MiB")
            found = msgspec.json.decode(body, type=dict[str, Any])
        except KubernetesError as error:
            raise SourceError(error.problem, denied=error.denied) from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise SourceError(f"{wanted.path}: not of the shape expected: {clean(str(error), 160)}") from None
        items = found.get("items")
        if not isinstance(items, list) or not items or not isinstance(items[0], dict):
            where = f" in namespace {wanted.namespace}" if wanted.namespace else ""
            raise SourceError(f"there is no {wanted.plural}/{wanted.name}{where} any more")
        head = {"apiVersion": found.get("apiVersion", ""), "kind": str(found.get("kind", "")).removesuffix("List")}
        lines = await in_daemon(lambda: yaml_of({**head, **items[0]}), "describe")
        place = f"{wanted.namespace}/" if wanted.namespace else ""
        return Description(
            key=self.key,
            taken_at=datetime.now(UTC),
            title=clean(f"{head['kind']} {place}{wanted.name}", 300),
            lines=dict(enumerate(lines, 1)),
        )

    def abandon(self) -> None:
        """A request that is under way is cancelled with the look."""

    async def close(self) -> None:
        """End the connection."""
        await self._api.close()

    async def examine(self) -> list[Check]:
        """It is made for one look at one object: nothing to examine."""
        return []


def yaml_of(found: Mapping[str, Any]) -> list[str]:
    """An object as lines of YAML, without managed fields; what looks secret is masked, what is long is cut."""
    import yaml

    shown = _Shown(secret=found.get("kind") == "Secret").of(found)
    ordered = {name: shown[name] for name in _FIRST if name in shown} | {
        name: value for name, value in shown.items() if name not in _FIRST
    }
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text: str = yaml.dump(ordered, Dumper=dumper, sort_keys=False, allow_unicode=True, width=160)
    lines = text.splitlines()
    kept = [_line(line) for line in lines[:MOST_LINES]]
    return kept if len(lines) <= MOST_LINES else [*kept, f"# … and {len(lines) - MOST_LINES} more lines"]


def _line(text: str) -> str:
    indent = len(text) - len(text.lstrip(" "))
    return " " * min(indent, 80) + clean(text.lstrip(" "), LINE_LIMIT)


def _secret(name: str, value: str) -> bool:
    """Whether a value is one by its name; ``secretName`` and ``secretKeyRef`` only say where one is."""
    if name.endswith(("Name", "Ref", "Path")):
        return False
    pair = f"{name}: {value[:200]}"
    return bool(_SECRET.search(name)) or (redact(pair) != pair and redact(value) == value)


class _Shown:
    """A copy of an object with what may be shown of it."""

    def __init__(self, *, secret: bool) -> None:
        self._left = _SCALARS
        self._secret = secret

    def of(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """The whole object."""
        return {
            key: self._masked(value) if self._secret and key in ("data", "stringData") else self._value(key, value)
            for key, value in found.items()
        }

    def _masked(self, data: Any) -> Any:
        return dict.fromkeys(data, _MASKED) if isinstance(data, dict) else _MASKED

    def _value(self, name: str, value: Any) -> Any:
        if self._left <= 0:
            return "…"
        if isinstance(value, dict):
            return self._map(value)
        if isinstance(value, list):
            return [self._value(name, each) for each in value[: max(0, self._left)]]
        self._left -= 1
        if isinstance(value, str):
            if value and _secret(name, value):
                return _MASKED
            return redact(value) if len(value) <= _TEXT else redact(value[:_TEXT]) + "…"
        return value

    def _map(self, found: dict[str, Any]) -> dict[str, Any]:
        # An environment variable: {name: DB_PASSWORD, value: …}.
        named = found.get("name")
        if isinstance(named, str) and _SECRET.search(named) and isinstance(found.get("value"), str):
            found = {**found, "value": _MASKED}
        return {
            key: self._value(key, value)
            for key, value in found.items()
            if key != "managedFields" and key not in _DROPPED
        }
