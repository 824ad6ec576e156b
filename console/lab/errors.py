"""What the laboratory raises."""

from __future__ import annotations


class LabError(Exception):
    """The laboratory could not do what was asked; the text says why, in a sentence for people."""


class UsageError(LabError):
    """What was asked for does not exist: a fault, a parameter, a value."""
