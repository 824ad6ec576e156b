"""The made parts of the README are current, and what it shows works."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from console.cli import build_parser
from console.settings import load_environment
from console.sources.redis_privilege import sentinel_line, server_line
from tests.tools.readme import README, made

TEXT = README.read_text(encoding="utf-8")


def test_made_parts_are_current() -> None:
    assert made(TEXT) == TEXT, "run: make docs"


def test_environment_in_the_readme_loads(tmp_path: Path) -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    path = tmp_path / "prod-eu.yaml"
    path.write_text(block, encoding="utf-8")
    assert load_environment(path).environment.name == yaml.safe_load(block)["name"]


def test_every_command_is_listed() -> None:
    commands = next(
        action.choices for action in build_parser()._actions if action.choices and "status" in action.choices
    )
    for name in commands:
        assert f"`banksman {name}" in TEXT, name


def test_every_target_of_make_is_listed() -> None:
    makefile = (README.parent / "Makefile").read_text(encoding="utf-8")
    (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    for target in set(phony.split()) - {"lock", "clean"}:
        assert f"make {target}" in TEXT, target


def test_grants_are_those_of_the_doctor() -> None:
    text = TEXT.replace("\\|", "|")
    assert server_line((8, 0)).replace(">PASSWORD", ">…") in text
    assert sentinel_line().replace(">PASSWORD", ">…") in text


def test_pictures_and_links_are_there() -> None:
    for place in re.findall(r"\]\(([^)#:]+)\)", TEXT):
        assert (README.parent / place).is_file(), place
