"""References lead to secrets; secrets show themselves to nobody."""

from __future__ import annotations

import copy
import logging
import os
import pickle
import traceback
from pathlib import Path

import msgspec
import pytest

from console.settings.secrets import Secret, SecretError, keep, resolve

VALUE = "correct horse battery"


def test_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BANKSMAN_TEST", VALUE)
    assert resolve("env:BANKSMAN_TEST").reveal() == VALUE
    monkeypatch.setenv("BANKSMAN_TEST", "")
    with pytest.raises(SecretError, match="env:BANKSMAN_TEST: the environment variable is empty"):
        resolve("env:BANKSMAN_TEST")
    monkeypatch.delenv("BANKSMAN_TEST")
    with pytest.raises(SecretError, match="is not set"):
        resolve("env:BANKSMAN_TEST")


def test_from_a_file_its_first_line(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text(f"{VALUE}\nsecond\n")
    path.chmod(0o600)
    secret = resolve(f"file:{path}")
    assert (secret.reveal(), secret.warning) == (VALUE, "")


def test_file_that_everybody_can_read_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "secret"
    path.write_text(VALUE)
    path.chmod(0o644)
    with caplog.at_level(logging.WARNING):
        secret = resolve(f"file:{path}")
    assert "chmod 600" in secret.warning
    assert secret.warning in caplog.text
    assert VALUE not in caplog.text


def test_what_cannot_be_read_names_the_reference(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "latin").write_bytes(b"caf\xe9-" + VALUE.encode())
    (tmp_path / "large").write_bytes(b"x" * 70_000)
    os.mkfifo(tmp_path / "pipe")
    for name, problem in {
        "absent": "No such file", "empty": "first line is empty", "latin": "UTF-8", "large": "KiB", "pipe": "regular",
        ".": "Is a directory",
    }.items():  # fmt: skip
        with pytest.raises(SecretError, match=problem) as caught:
            resolve(f"file:{tmp_path / name}")
        assert str(tmp_path / name) in str(caught.value)
        assert VALUE not in "".join(traceback.format_exception(caught.value))


def test_secrets_of_a_cluster_are_those_that_were_fetched() -> None:
    reference = "kube:odoo/postgres/password"
    with pytest.raises(SecretError, match="not read"):
        resolve(reference)
    keep(reference, problem="secrets is forbidden")
    with pytest.raises(SecretError, match="forbidden"):
        resolve(reference)
    keep(reference, VALUE)
    assert resolve(reference).reveal() == VALUE
    keep(reference)
    with pytest.raises(SecretError, match="empty"):
        resolve(reference)


def test_what_is_no_reference_is_not_repeated() -> None:
    with pytest.raises(SecretError) as caught:
        resolve(VALUE)
    assert VALUE not in str(caught.value)


def test_a_secret_shows_itself_to_nobody() -> None:
    secret = Secret(VALUE)
    shown = [repr(secret), str(secret), f"{secret}", f"{secret:>40}", f"{secret!r}", repr([secret])]
    assert not any(VALUE in text for text in shown)
    for escape in (pickle.dumps, copy.deepcopy, msgspec.json.encode, msgspec.msgpack.encode):
        with pytest.raises(TypeError):
            escape(secret)
    assert not hasattr(secret, "__dict__")
