"""The pulse of an API server: ``/readyz``, check by check, and its version."""

from __future__ import annotations

import contextlib
from typing import Any

import msgspec

from console.clients.clean import clean
from console.clients.kubernetes import Kubernetes, KubernetesError

_VERSION_EVERY = 60
"""Its version is asked with every so many-th beat: an upgrade is seen within minutes."""
_MOST = 20


class _Version(msgspec.Struct, frozen=True):
    version: str = msgspec.field(default="", name="gitVersion")


class Pulse:
    """Asks whether one server is ready."""

    def __init__(self, api: Kubernetes) -> None:
        self._api = api
        self._beats = 0
        self._version = ""

    async def beat(self, patience_s: float) -> dict[str, Any]:
        """Fields of ``KubernetesApi``. Raises KubernetesError where nobody answers, or refuses the credentials."""
        try:
            verdict = _ready(await self._api.get("/readyz", patience_s, verbose=""))
        except KubernetesError as error:
            # 403 is the answer to a role that may not ask; 500 that of a server that is there and not ready.
            if error.status not in (403, 500, 503):
                self._beats = 0
                raise
            verdict = _unready(error)
        if self._beats % _VERSION_EVERY == 0:
            with contextlib.suppress(KubernetesError, msgspec.DecodeError, UnicodeDecodeError):
                body = await self._api.get("/version", patience_s)
                self._version = clean(msgspec.json.decode(body, type=_Version).version, 40)
        self._beats += 1
        return {**verdict, "version": self._version}


def _ready(body: bytes) -> dict[str, Any]:
    """A line for each check that the server makes, ``[+]etcd ok``; just ``ok`` where it does not tell."""
    return {"ready": True, "checks": sum(line.startswith(b"[+]") for line in body.splitlines())}


def _unready(error: KubernetesError) -> dict[str, Any]:
    if error.status == 403:
        return {"status": "partial", "problem": error.problem}
    checks = tuple(clean(word[3:], 80) for word in error.problem.split() if word.startswith("[-]"))[:_MOST]
    return {"ready": False, "failing": checks or (clean(error.problem, 200),)}
