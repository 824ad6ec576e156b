"""The laboratory's own tests."""

from tests.rigs_lab import (
    database_laboratory,
    database_laboratory_of_this_run,
    laboratory,
    laboratory_of_this_run,
)

__all__ = ["database_laboratory", "database_laboratory_of_this_run", "laboratory", "laboratory_of_this_run"]
