"""Laboratories for tests, healed between them: a whole one, and a cheaper one of databases and cache alone.

Import the fixtures where they are used (or in an area's conftest.py)::

    from tests.rigs_lab import database_laboratory, database_laboratory_of_this_run  # noqa: F401
    from tests.rigs_lab import laboratory, laboratory_of_this_run  # noqa: F401

A test that looks at nothing but PostgreSQL and Valkey takes ``database_laboratory``: it is up in ten seconds, and costs a
third of the memory.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

_up: dict[str, Path] = {}
"""The run's laboratories: one of each sort, though every area's conftest.py that imports the fixtures defines them anew."""


def _of_this_run(sort: str, folders: pytest.TempPathFactory, *, platform: bool) -> Iterator[Path]:
    from console.lab.lifecycle import down, up

    if sort not in _up:
        directory = folders.mktemp(sort) / "lab"
        up(directory, owner=os.getpid(), platform=platform)
        _up[sort] = directory
    yield _up[sort]
    down(_up[sort])


@pytest.fixture(scope="session")
def laboratory_of_this_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The run's whole laboratory, in whatever condition. It ends with this process, even one that was killed."""
    yield from _of_this_run("laboratory", tmp_path_factory, platform=True)


@pytest.fixture(scope="session")
def database_laboratory_of_this_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The run's laboratory of databases and cache, in whatever condition. It ends with this process."""
    yield from _of_this_run("databases", tmp_path_factory, platform=False)


@pytest.fixture
def laboratory(laboratory_of_this_run: Path) -> Iterator[Path]:
    """The directory of a healthy laboratory; whatever the test breaks in it is healed afterwards."""
    _mend(laboratory_of_this_run)
    yield laboratory_of_this_run
    _mend(laboratory_of_this_run)


@pytest.fixture
def database_laboratory(database_laboratory_of_this_run: Path) -> Iterator[Path]:
    """The same, of databases and cache alone."""
    _mend(database_laboratory_of_this_run)
    yield database_laboratory_of_this_run
    _mend(database_laboratory_of_this_run)


def _mend(directory: Path) -> None:
    from console.lab.faults.operate import active, heal
    from console.lab.lifecycle import status

    if active(directory) or status(directory)[1]:
        heal(directory)
