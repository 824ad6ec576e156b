"""The run's laboratory."""

from tests.rigs_lab import laboratory, laboratory_of_this_run

__all__ = ["laboratory", "laboratory_of_this_run"]
