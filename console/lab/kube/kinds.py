"""What is served: kinds, their names and what may be done with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Json = dict[str, Any]
Key = tuple[str, str]
"""Group and plural: under which objects are kept."""

_ALL = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
_ALL_CUSTOM = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")


class Subresource(NamedTuple):
    """A further path below an object, as discovery lists it."""

    name: str
    kind: str
    verbs: tuple[str, ...]
    group: str = ""
    version: str = ""


class Column(NamedTuple):
    """A column that a CustomResourceDefinition asks for."""

    name: str
    path: str
    type: str = "string"
    priority: int = 0


@dataclass(frozen=True)
class Kind:
    """One kind in one version.

    Attributes:
        status: It has a status subresource, so that the main one leaves the status alone.
        scale: Where the replicas are, below ``spec``; "" for kinds that do not scale.
        generation: Its spec is counted.
        custom: It comes from a definition: no strategic patches, its kind in every item of a list.
        unconditional: It may be replaced without a resourceVersion.
        more: Subresources beside status and scale.
        columns: What ``kubectl get`` shows of a custom kind.
    """

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool = True
    short: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    status: bool = False
    scale: str = ""
    generation: bool = False
    custom: bool = False
    unconditional: bool = True
    verbs: tuple[str, ...] = _ALL
    more: tuple[Subresource, ...] = ()
    columns: tuple[Column, ...] = ()
    schema: Json = field(default_factory=dict, hash=False, compare=False)

    @property
    def key(self) -> Key:
        return (self.group, self.plural)

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def singular(self) -> str:
        return self.kind.lower()

    @property
    def resource(self) -> str:
        """The plural with its group, as messages name it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def list_kind(self) -> str:
        return f"{self.kind}List"

    def subresources(self) -> list[Subresource]:
        """All, sorted by name."""
        found = list(self.more)
        if self.scale:
            found.append(Subresource("scale", "Scale", ("get", "patch", "update"), "autoscaling", "v1"))
        if self.status:
            found.append(Subresource("status", self.kind, ("get", "patch", "update")))
        return sorted(found)


def custom_kind(group: str, version: str, kind: str, plural: str, **more: Any) -> Kind:
    """A kind as a CustomResourceDefinition makes it."""
    settings: Json = {"generation": True, "custom": True, "unconditional": False, "verbs": _ALL_CUSTOM}
    return Kind(group, version, kind, plural, **{**settings, **more})


class Registry:
    """The kinds served now; definitions add to them and take them away."""

    def __init__(self, kinds: tuple[Kind, ...]) -> None:
        self._kinds: dict[tuple[str, str, str], Kind] = {}
        self.changes = 0
        for kind in kinds:
            self.add(kind)

    def add(self, kind: Kind) -> None:
        self._kinds[kind.group, kind.version, kind.plural] = kind
        self.changes += 1

    def remove(self, kind: Kind) -> None:
        self._kinds.pop((kind.group, kind.version, kind.plural), None)
        self.changes += 1

    def find(self, group: str, version: str, plural: str) -> Kind | None:
        return self._kinds.get((group, version, plural))

    def of_kind(self, group: str, kind: str) -> Kind | None:
        """By group and kind, as owner references name it."""
        return next((k for k in self._kinds.values() if k.group == group and k.kind == kind), None)

    def of_key(self, key: Key) -> Kind | None:
        return next((k for k in self._kinds.values() if k.key == key), None)

    def of_version(self, group: str, version: str) -> list[Kind]:
        """Sorted by plural."""
        found = [k for k in self._kinds.values() if (k.group, k.version) == (group, version)]
        return sorted(found, key=lambda k: k.plural)

    def versions(self) -> dict[str, list[str]]:
        """Each group with its versions, in the order in which they came."""
        found: dict[str, list[str]] = {}
        for group, version, _plural in self._kinds:
            listed = found.setdefault(group, [])
            if version not in listed:
                listed.append(version)
        return found

    def __iter__(self) -> Iterator[Kind]:
        return iter(list(self._kinds.values()))
