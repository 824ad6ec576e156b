"""What a right file yields, where environments are looked for, and that a password shows nowhere."""

from __future__ import annotations

import copy
import hashlib
import logging
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.settings import (
    EnvironmentFile,
    SettingsError,
    config_dir,
    load_defaults,
    load_environment,
    paths,
    schema,
)

EXAMPLE = config_dir() / "example.yaml"
VALIDATOR = jsonschema.Draft202012Validator(schema.environment_schema())


def test_example_loads_as_it_reads() -> None:
    loaded = load_environment(EXAMPLE)
    environment = loaded.environment
    assert loaded.path == EXAMPLE.resolve()
    assert loaded.digest == hashlib.sha256(EXAMPLE.read_bytes()).hexdigest()
    assert environment.production
    assert list(environment.postgres["main"].servers) == ["pg-1", "pg-2", "pg-3"]
    assert environment.postgres["main"].servers["pg-2"].port == 5432
    assert environment.redis["cache"].sentinel is not None
    assert environment.redis["cache"].sentinel.servers["sentinel-3"].port == 26379
    assert environment.applications["acme"].databases == ["acme_*"]


def test_example_agrees_with_the_library(tmp_path: Path) -> None:
    """The loader's own walk yields what PyYAML and msgspec yield for a right file."""
    plain = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    assert load_environment(EXAMPLE).environment == msgspec.convert(plain, EnvironmentFile)
    VALIDATOR.validate(plain)


def test_schema_file_is_current() -> None:
    current = (config_dir() / schema.FILE).read_text(encoding="utf-8")
    assert current == schema.text(), "run: python -m console.settings.schema"


def test_sentinels_have_their_own_port(tmp_path: Path) -> None:
    path = tmp_path / "e.yaml"
    path.write_text("name: e\nredis: {c: {servers: {a: {host: h}}, sentinel: {master: m, servers: {s: {host: h}}}}}\n")
    cache = load_environment(path).environment.redis["c"]
    assert cache.sentinel is not None
    assert (cache.servers["a"].port, cache.sentinel.servers["s"].port) == (6379, 26379)


def test_unspecific_byte_order_mark_and_crlf(tmp_path: Path) -> None:
    path = tmp_path / "e.yaml"
    path.write_bytes("\ufeffname: e\r\nkind: dedicated\r\n".encode())
    assert load_environment(path).environment.kind == "dedicated"


@pytest.mark.parametrize(
    "host", ["10.0.0.1", "::1", "fe80::1%eth0", "pg-1.db.svc.cluster.local", "h", "/run/postgresql"]
)
def test_hosts(tmp_path: Path, host: str) -> None:
    path = tmp_path / "e.yaml"
    path.write_text(f"name: e\npostgres: {{m: {{servers: {{a: {{host: '{host}'}}}}}}}}\n")
    assert load_environment(path).environment.postgres["m"].servers["a"].host == host


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    monkeypatch.setattr(paths, "SYSTEM_CONFIG", tmp_path / "etc")
    (tmp_path / "config/banksman/environments").mkdir(parents=True)
    (tmp_path / "etc").mkdir()
    return tmp_path


def test_search_order(home: Path) -> None:
    (home / "etc/prod.yaml").write_text("name: system\n")
    assert load_environment("prod").environment.name == "system"
    own = home / "config/banksman/environments/prod.yaml"
    own.write_text("name: own\n")
    assert load_environment("prod").environment.name == "own"
    assert load_environment(str(home / "etc/prod.yaml")).environment.name == "system"
    assert load_environment(None).environment.name == "own"  # the only name there is


def test_no_environment_and_several(home: Path) -> None:
    with pytest.raises(SettingsError, match="banksman demo needs none"):
        load_environment(None)
    for name in ("a", "b"):
        (home / f"etc/{name}.yaml").write_text(f"name: {name}\n")
    with pytest.raises(SettingsError, match="several: a, b"):
        load_environment(None)
    with pytest.raises(SettingsError, match="there are a, b"):
        load_environment("c")


def test_lab_is_the_laboratory_in_its_default_directory(home: Path) -> None:
    with pytest.raises(SettingsError, match="banksman lab up"):
        load_environment("lab")
    folder = paths.lab_dir()
    assert folder == home / "state/banksman/lab"
    folder.mkdir(parents=True)
    (folder / "environment.yaml").write_text("name: lab\nlaboratory: true\n")
    assert load_environment("lab").environment.laboratory
    assert load_environment(None).environment.laboratory


def test_relative_xdg_is_ignored(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "config")
    monkeypatch.setenv("HOME", str(home))
    assert paths.environment_dirs()[0] == home / ".config/banksman/environments"


def test_thresholds_over_defaults(tmp_path: Path) -> None:
    defaults = load_defaults()
    environment = EnvironmentFile(name="e")
    assert defaults.thresholds_for(environment) == defaults.thresholds
    path = tmp_path / "defaults.yaml"
    text = (config_dir() / "defaults.yaml").read_text(encoding="utf-8").split("\nthresholds:")[0]
    path.write_text(text + "\nthresholds: {a: {warning: 1, critical: 2}, b: {x: 3}}\n", encoding="utf-8")
    own = EnvironmentFile(name="e", thresholds={"a": {"critical": 9}})
    assert load_defaults(path).thresholds_for(own) == {"a": {"warning": 1, "critical": 9}, "b": {"x": 3}}


def test_every_known_threshold_is_accepted_and_no_other_name(tmp_path: Path) -> None:
    path = tmp_path / "e.yaml"
    known = load_defaults().thresholds
    path.write_text(yaml.safe_dump({"name": "e", "thresholds": known}))
    assert load_environment(path).environment.thresholds == known
    for kind, values in known.items():
        name = next(iter(values))
        path.write_text(yaml.safe_dump({"name": "e", "thresholds": {kind: {f"{name}x": 1}}}))
        with pytest.raises(SettingsError, match=f"did you mean {name}"):
            load_environment(path)


# --- the loader and the schema agree ---------------------------------------------------------------------------------

GOOD: dict[str, Any] = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 70000), st.floats(0, 9), st.just([]), st.just({}), st.just([1]),
    st.just({"a": {"host": "h"}}), st.sampled_from(["", "x", "yes", "a b", "env:X", "file:/x", "http://h:1", "/x", "a@b"]),
)  # fmt: skip


def _places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner: list[tuple[Any, ...]] = [at] if at else []
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in pairs:
        inner += _places(child, (*at, key))
    return inner


PLACES = _places(GOOD)


def _mutate(document: dict[str, Any], place: tuple[Any, ...], how: str, junk: Any) -> None:
    target: Any = document
    for key in place[:-1]:
        if not isinstance(target, (dict, list)) or (isinstance(target, dict) and key not in target):
            return
        if isinstance(target, list) and (not isinstance(key, int) or key >= len(target)):
            return
        target = target[key]
    last = place[-1]
    if isinstance(target, dict) and how == "add":
        target[f"{last}x"] = junk
    elif isinstance(target, dict) and how == "drop":
        target.pop(last, None)
    elif isinstance(target, dict) or (isinstance(target, list) and isinstance(last, int) and last < len(target)):
        target[last] = junk


def _semantic(error: SettingsError) -> bool:
    return all("each server once" in m.expected or m.key.startswith("thresholds.") for m in error.mistakes)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(["set", "add", "drop"]), JUNK), min_size=1, max_size=3)
)
def test_schema_accepts_and_rejects_like_the_loader(tmp_path: Path, mutations: list[Any]) -> None:
    document = copy.deepcopy(GOOD)
    for place, how, junk in mutations:
        _mutate(document, place, how, junk)
    path = tmp_path / "e.yaml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    by_schema = VALIDATOR.is_valid(document)
    try:
        load_environment(path)
    except SettingsError as error:
        assert not by_schema or _semantic(error), (error, document)
    else:
        assert by_schema, (list(VALIDATOR.iter_errors(document)), document)


# --- nothing but a SettingsError, whatever the file holds -------------------------------------------------------------


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.one_of(
        st.binary(max_size=400), st.text(max_size=400), st.text(alphabet="ab:-{}[]&*!|>'\"#%@`,? \n\t", max_size=200)
    )
)
def test_any_content_loads_or_is_explained(tmp_path: Path, content: bytes | str) -> None:
    path = tmp_path / "e.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass"))
    try:
        load_environment(path)
    except SettingsError as error:
        assert error.mistakes
        assert all(character.isprintable() or character == "\n" for character in str(error))


PASSWORD = "hunter2-Zz9"
SPOILT = [
    "password: {p}", "password: '{p}", "password: [{p}]", "password: {{x: {p}}}", "password: *{p}", "password: !{p} x",
    "password: !x!{p} y", "password: &{p} z", "password: {p}: {p}", "password: |\n      {p}", "password: {p}\n   user: x",
    "password: @{p}", "password: '{p}' '{p}'", "password: ENV:{p}", "password: env: {p}", "password: %{p}",
    "password: \"\\x{p}\"", "password: kube:{p}", "password: file:{p}", "pasword: {p}", "password: {p}\n    password: {p}",
    "host: user:{p}@h", "service: [{p}]",
]  # fmt: skip


@pytest.mark.parametrize("line", SPOILT)
def test_password_is_not_in_the_error(tmp_path: Path, line: str, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "e.yaml"
    path.write_text(f"name: e\npostgres:\n  main:\n    {line.format(p=PASSWORD)}\n    servers: {{a: {{host: h}}}}\n")
    with caplog.at_level(logging.DEBUG), pytest.raises(SettingsError) as caught:
        load_environment(path)
    assert PASSWORD not in str(caught.value)
    assert PASSWORD not in repr(caught.value)
    assert PASSWORD not in caplog.text
