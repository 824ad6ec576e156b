"""Faults: how the laboratory is broken on purpose, what must be seen of it, and how it is healed."""
