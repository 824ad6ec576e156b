"""Where engines live: short enough, for one person alone, the same for whoever asks."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from console import place


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Short: below pytest's own folder, and its workers', a socket's path would already be too long."""
    with tempfile.TemporaryDirectory(prefix="bm-") as folder:
        yield Path(folder)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    path = tmp_path / "environment.yaml"
    path.write_text("# ours\nkind: dedicated\nname: prod-eu\n")
    return path


def test_named_by_environment_and_file(file: Path, tmp_path: Path) -> None:
    found = place.private(file)
    assert found.name == "prod-eu"
    assert found.socket.name.startswith("prod-eu-")
    assert found.socket.parent == tmp_path / "banksman"
    link = tmp_path / "link.yaml"
    link.symlink_to(file)
    assert place.private(link) == found
    other = tmp_path / "other.yaml"
    other.write_text(file.read_text())
    assert place.private(other).socket != found.socket


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("name: a\n", "a"),
        ('name: "b.c"\n', "b.c"),
        ("name:   'd'  # why\n", "d"),
        ("  name: no\n", "odd-one"),
        ("", "odd-one"),
    ],
)
def test_the_name_is_found_without_a_parser(tmp_path: Path, text: str, name: str) -> None:
    path = tmp_path / "odd one.yaml"
    path.write_text(text)
    assert place.private(path).name == name


def test_a_path_too_long_for_a_socket_moves_to_a_short_one(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(deep))
    found = place.private(file)
    assert len(os.fsencode(found.socket)) <= place.SOCKET_PATH_LIMIT
    found.prepare()
    assert found.socket.parent.stat().st_mode & 0o777 == 0o700
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(found.socket))
    found.socket.unlink()


def test_directories_are_for_their_owner_alone(file: Path) -> None:
    found = place.private(file)
    found.socket.parent.mkdir(mode=0o777)
    found.socket.parent.chmod(0o777)
    found.prepare()
    for folder in (found.socket.parent, found.state, found.recordings):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_a_directory_that_is_a_link_or_anothers_is_refused(file: Path, tmp_path: Path) -> None:
    found = place.private(file)
    (tmp_path / "elsewhere").mkdir()
    found.socket.parent.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(place.PlaceError):
        found.prepare()
    found.socket.parent.unlink()
    if os.geteuid() == 0:
        found.socket.parent.mkdir(mode=0o700)
        os.chown(found.socket.parent, 54_321, 54_321)
        with pytest.raises(place.PlaceError):
            found.prepare()


def test_where_nothing_can_be_made_a_sentence_says_so(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(file))
    with pytest.raises(place.PlaceError, match="cannot be made"):
        place.private(file).prepare()


def test_shared_engines_have_fixed_places() -> None:
    found = place.shared("prod-eu")
    assert str(found.socket) == "/run/banksman/prod-eu.sock"
    assert str(found.state) == "/var/lib/banksman/prod-eu"


def test_a_digest_follows_the_bytes(file: Path) -> None:
    before = place.digest(file)
    file.write_text(file.read_text() + "\n")
    assert place.digest(file) != before
    assert place.digest(file.with_name("none")) == ""
