"""A container's command line and environment, from its manifest."""

from __future__ import annotations

import base64
import binascii
import os
import re
from pathlib import Path
from typing import NamedTuple

from console.lab.kube.cluster import Cluster
from console.lab.kube.kinds import Json, Kind
from console.lab.kube.selectors import look_up
from console.lab.platform.images import Program
from console.lab.platform.kinds import CONFIG_MAP, SECRET
from console.lab.process import MARK

POD_MARK = "BANKSMAN_POD"
"""Environment variable with the uid of the pod that a process belongs to."""

_FROM_HOST = ("PATH", "HOME", "LANG", "LC_ALL", "PYTHONPATH", "TZ")
_REFERENCE = re.compile(r"\$\$|\$\(([^()\s]+)\)")
_LABEL = re.compile(r"metadata\.(labels|annotations)\['([^']+)'\]")


class ConfigError(Exception):
    """The manifest names something that is not there; the text says what, as a real kubelet words it."""


class Command(NamedTuple):
    """What is started."""

    argv: list[str]
    environment: dict[str, str]


def expand(text: str, known: dict[str, str]) -> str:
    """Text with ``$(NAME)`` replaced where the name is known; ``$$`` stands for one ``$``."""

    def replaced(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        return known.get(match[1], match[0])

    return _REFERENCE.sub(replaced, text)


def field(pod: Json, path: str) -> str:
    """What a fieldRef refers to."""
    if match := _LABEL.fullmatch(path):
        return str((pod["metadata"].get(match[1]) or {}).get(match[2], ""))
    found = look_up(pod, path)
    return "" if found is None else str(found)


class _Sources:
    """ConfigMaps and Secrets of a namespace."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self._cluster = cluster
        self._namespace = namespace

    def all(self, kind: Kind, reference: Json) -> dict[str, str]:
        """Everything in one.

        Raises:
            ConfigError: There is none.
        """
        name = reference.get("name", "")
        stored = self._cluster.store.get(kind.key, self._namespace, name)
        if stored is None:
            if reference.get("optional"):
                return {}
            raise ConfigError(f'{kind.singular} "{name}" not found')
        data: dict[str, str] = stored.data.get("data") or {}
        if kind != SECRET:
            return data
        try:
            return {key: base64.b64decode(value).decode() for key, value in data.items()}
        except (binascii.Error, UnicodeDecodeError):
            raise ConfigError(f'secret "{name}" holds what is no text') from None

    def one(self, kind: Kind, reference: Json) -> str | None:
        """One key of one; None if that is optional and not there.

        Raises:
            ConfigError: There is none.
        """
        found = self.all(kind, reference)
        if reference["key"] in found:
            return found[reference["key"]]
        if reference.get("optional"):
            return None
        where = f"{self._namespace}/{reference.get('name')}"
        raise ConfigError(f"couldn't find key {reference['key']} in {kind.kind} {where}")


def _value(each: Json, pod: Json, sources: _Sources, known: dict[str, str]) -> str | None:
    origin = each.get("valueFrom") or {}
    if "fieldRef" in origin:
        return field(pod, origin["fieldRef"]["fieldPath"])
    if "secretKeyRef" in origin:
        return sources.one(SECRET, origin["secretKeyRef"])
    if "configMapKeyRef" in origin:
        return sources.one(CONFIG_MAP, origin["configMapKeyRef"])
    return expand(str(each.get("value", "")), known)


def variables(cluster: Cluster, pod: Json, container: Json) -> dict[str, str]:
    """What the manifest says of a container's environment.

    Raises:
        ConfigError: It names something that is not there.
    """
    sources = _Sources(cluster, pod["metadata"]["namespace"])
    found: dict[str, str] = {}
    for each in container.get("envFrom") or []:
        for key, kind in (("configMapRef", CONFIG_MAP), ("secretRef", SECRET)):
            if key in each:
                prefix = each.get("prefix", "")
                found |= {prefix + name: value for name, value in sources.all(kind, each[key]).items()}
    for each in container.get("env") or []:
        value = _value(each, pod, sources, found)
        if value is not None:
            found[each["name"]] = value
    return found


def command(cluster: Cluster, directory: Path, pod: Json, container: Json, program: Program, port: int) -> Command:
    """The command line and environment of a container of a pod that has its address.

    Raises:
        ConfigError: It names something that is not there.
    """
    told = variables(cluster, pod, container)
    argv = [expand(str(each), told) for each in container.get("command") or []] or list(program.argv)
    argv += [expand(str(each), told) for each in container.get("args") or []]
    base = {name: os.environ[name] for name in _FROM_HOST if name in os.environ}
    base |= {"HOSTNAME": pod["metadata"]["name"], MARK: str(directory), POD_MARK: pod["metadata"]["uid"]}
    base |= {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(port)}
    return Command(argv, {**base, **told, MARK: str(directory)})
