"""Secrets that the environment file keeps in a cluster (``kube:namespace/secret/key``): read by name, and nothing else of them.

They are read from the first cluster under ``kubernetes:``, or where there is none from the one that the engine runs in.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from urllib.parse import quote

import msgspec

from console.clients.clean import clean
from console.clients.kubernetes import Access, Kubernetes, KubernetesError
from console.settings.environment import EnvironmentFile
from console.settings.secrets import keep
from console.sources.kubernetes import access, kept_in_cluster

AGAIN_S = 60.0
"""A secret that was rotated is known after so long."""
FAILED_S = 10.0
"""One that could not be read is asked for again."""
_PATIENCE_S = 3.0


class _Secret(msgspec.Struct, frozen=True):
    data: dict[str, str] | None = None


async def fetch(environment: EnvironmentFile) -> bool:
    """Read them all, each at most some seconds; whether every one could be read."""
    wanted = kept_in_cluster(environment)
    if not wanted:
        return True
    first = next(iter(environment.kubernetes.values()), None)
    api = Kubernetes(access(first) if first is not None else Access())
    try:
        return all(await asyncio.gather(*(_fetched(api, reference) for reference in wanted)))
    finally:
        await api.close()


async def _fetched(api: Kubernetes, reference: str) -> bool:
    namespace, name, key = reference.removeprefix("kube:").split("/", 2)
    path = f"/api/v1/namespaces/{quote(namespace, safe='')}/secrets/{quote(name, safe='')}"
    try:
        data = msgspec.json.decode(await api.get(path, _PATIENCE_S), type=_Secret).data or {}
        if key not in data:
            raise KubernetesError(f"secret {namespace}/{name} has no key {clean(key, 60)}")
        value = base64.b64decode(data[key], validate=True).decode()
    except KubernetesError as error:
        keep(reference, problem=error.problem)
        return False
    except (msgspec.DecodeError, binascii.Error, UnicodeDecodeError):
        # The exception may carry what was read.
        keep(reference, problem="not a secret of text")
        return False
    keep(reference, next(iter(value.splitlines()), ""))
    return True
