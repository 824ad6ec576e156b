"""One laboratory for all tests that need a whole one, healed between them.

Import both fixtures where they are used (or in an area's conftest.py)::

    from tests.rigs_lab import laboratory, laboratory_of_this_run  # noqa: F401
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

_up: list[Path] = []
"""The run's laboratory: one, though every area's conftest.py that imports the fixtures defines them anew."""


@pytest.fixture(scope="session")
def laboratory_of_this_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The run's laboratory, in whatever condition. It ends with this process, even one that was killed."""
    from console.lab.lifecycle import down, up

    if not _up:
        directory = tmp_path_factory.mktemp("laboratory") / "lab"
        up(directory, owner=os.getpid())
        _up.append(directory)
    yield _up[0]
    down(_up[0])


@pytest.fixture
def laboratory(laboratory_of_this_run: Path) -> Iterator[Path]:
    """The directory of a healthy laboratory; whatever the test breaks in it is healed afterwards."""
    _mend(laboratory_of_this_run)
    yield laboratory_of_this_run
    _mend(laboratory_of_this_run)


def _mend(directory: Path) -> None:
    from console.lab.faults.operate import active, heal
    from console.lab.lifecycle import status

    if active(directory) or status(directory)[1]:
        heal(directory)
