"""What a fault is: what it does, what it must look like from outside, and how it is struck and mended."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import msgspec

from console.lab.errors import UsageError
from console.lab.state import Lab

Value = str | int | bool
PaneName = Literal["cluster", "database", "cache", "ingress", "application"]
EVERYBODY = "*"


class Parameter(msgspec.Struct, frozen=True):
    """One thing that may be said about a fault; its type is its default's."""

    name: str
    default: Value
    help: str
    choices: tuple[str, ...] = ()

    def parse(self, text: str) -> Value:
        """The value that a person typed.

        Raises:
            UsageError: It is none.
        """
        if isinstance(self.default, bool):
            if text.lower() in ("true", "yes", "1", "false", "no", "0"):
                return text.lower() in ("true", "yes", "1")
            raise UsageError(f"{self.name} is true or false, not {text!r}")
        if isinstance(self.default, int):
            if text.isascii() and text.isdigit():
                return int(text)
            raise UsageError(f"{self.name} is a whole number, not {text!r}")
        if self.choices and text not in self.choices:
            raise UsageError(f"{self.name} is one of {', '.join(self.choices)}, not {text!r}")
        return text


class Truth(msgspec.Struct, frozen=True):
    """What is really the matter, for scoring a diagnosis."""

    broken: str
    felt: str
    """What users feel, and which."""
    cause: str
    """The kind of the finding that names the right cause."""


class Signs(msgspec.Struct, frozen=True, kw_only=True):
    """How a fault must look to whoever watches the platform."""

    findings: tuple[str, ...]
    """Kinds that it must raise."""
    allowed: tuple[str, ...] = ()
    """Further kinds that may come with it, as its consequences or while the platform recovers; no others may."""
    panes: dict[PaneName, Literal["warning", "critical"]]
    """State that a pane turns to, or worse; panes that are not named keep theirs."""
    latency_s: float
    """After the first observable effect, by when all of it shows. Holds for the thresholds in ``config/defaults.yaml``."""
    lasts_s: float = 0.0
    """For how long at least its findings stay when nobody heals; after that the platform's own reaction may have turned
    them into those that are allowed. 0: until ``heal``."""
    heals_itself: bool = False
    """The platform recovers without ``heal``."""
    lingers_s: float = 0.0
    """How long its findings rightly stay after the platform is healthy again."""
    scope: Literal["platform", "tenant"] = "platform"
    """What its findings are about: something that tenants share, or one tenant's own."""
    tenants: tuple[str, ...] = ()
    """Tenants that its findings together must name, and no others: by name, ``{…}`` for what a parameter or a note of the
    stroke says (names with blanks between), ``*`` for all. Empty: nobody feels it, and its findings name nobody."""
    truth: Truth

    def felt_by(self, struck: Active, everybody: Iterable[str]) -> set[str]:
        """Those ``tenants`` by name."""
        said = {name: str(value) for name, value in [*struck.parameters.items(), *struck.notes.items()]}
        found: set[str] = set()
        for each in self.tenants:
            found |= set(everybody) if each == EVERYBODY else set(each.format_map(said).split())
        return found


class Variant(msgspec.Struct, frozen=True):
    """The signs of a fault struck with certain parameters."""

    when: dict[str, Value]
    signs: Signs


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One way in which the laboratory can be broken."""

    name: str
    does: str
    """Exactly what: which process, which signal, which statement."""
    observable_from: str
    """The moment at which its effect can first be seen from outside; ``break`` returns then."""
    signs: Signs
    needs_platform: bool = False
    """It breaks Kubernetes, Traefik or an Odoo: a laboratory of databases and cache alone does not have it."""
    parameters: tuple[Parameter, ...] = ()
    variants: tuple[Variant, ...] = ()

    def expect(self, parameters: dict[str, Value]) -> Signs:
        """Its signs when struck with these parameters (those not named have their defaults)."""
        full = self.complete(parameters)
        for variant in self.variants:
            if all(full[name] == value for name, value in variant.when.items()):
                return variant.signs
        return self.signs

    def complete(self, parameters: dict[str, Value]) -> dict[str, Value]:
        """All parameters, with defaults.

        Raises:
            UsageError: One is unknown.
        """
        known = {parameter.name: parameter.default for parameter in self.parameters}
        if unknown := set(parameters) - set(known):
            raise UsageError(f"{self.name} has no parameter {', '.join(sorted(unknown))}")
        return known | parameters

    def parse(self, words: list[str]) -> dict[str, Value]:
        """Parameters from ``name=value`` words."""
        known = {parameter.name: parameter for parameter in self.parameters}
        found: dict[str, Value] = {}
        for word in words:
            name, equals, text = word.partition("=")
            if not equals or name not in known:
                told = ", ".join(f"{each}=…" for each in known) or "no parameters"
                raise UsageError(f"{self.name} takes {told}; not {word!r}")
            found[name] = known[name].parse(text)
        return found


class Active(msgspec.Struct, frozen=True, kw_only=True):
    """A fault that has been struck and not been mended."""

    name: str
    parameters: dict[str, Value]
    notes: dict[str, str]
    """What mending it needs to know: which member, which process."""
    began_at: datetime
    visible_at: datetime | None = None
    """When its effect was first seen in the servers themselves."""


@dataclass
class Stroke:
    """One striking of one fault: the laboratory, the parameters, and notes to keep."""

    lab: Lab
    parameters: dict[str, Value]
    notes: dict[str, str] = field(default_factory=dict)

    def flag(self, name: str) -> bool:
        """A parameter that is true or false."""
        return self.parameters[name] is True

    def number(self, name: str) -> int:
        """A parameter that is a number."""
        return int(self.parameters[name])

    def text(self, name: str) -> str:
        """A parameter that is a word."""
        return str(self.parameters[name])


@dataclass(frozen=True)
class Deed:
    """How a fault is struck, seen and mended. Mending may be asked for twice, and on what healed by itself."""

    strike: Callable[[Stroke], None]
    visible: Callable[[Stroke], bool]
    mend: Callable[[Stroke], None]
    visible_within_s: float = 30.0
