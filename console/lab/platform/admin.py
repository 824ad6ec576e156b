"""A small client of the platform's API for the laboratory itself: its set-up, faults and tests. It waits, synchronously."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import httpx

from console.lab.errors import LabError
from console.lab.kube.builtin import BUILTIN
from console.lab.kube.custom import CUSTOM
from console.lab.kube.kinds import Json, Kind
from console.lab.kube.patches import APPLY, MERGE
from console.lab.platform.settings import Files

MANAGER = "banksman-lab"
_POLL_S = 0.1
_PATIENCE_S = 10.0
_KINDS = {name: kind for kind in (*CUSTOM, *BUILTIN) for name in (kind.kind, kind.plural)}
"""By kind and by plural; where two groups have the same (``Cluster`` has not), Kubernetes' own."""


class AdminError(LabError):
    """A request was refused, or nothing answered (``code`` 0)."""

    def __init__(self, text: str, code: int = 0, reason: str = "") -> None:
        super().__init__(text)
        self.code = code
        self.reason = reason


def kind_of(name: str) -> Kind:
    """A kind by its name (``Deployment``) or plural (``deployments``).

    Raises:
        LabError: The laboratory does not have it.
    """
    try:
        return _KINDS[name]
    except KeyError:
        raise LabError(f"the laboratory has no kind {name}") from None


def condition(data: Json, name: str) -> str:
    """What a condition of an object says: True, False, Unknown, or "" without it."""
    found = (data.get("status") or {}).get("conditions") or []
    return next((str(each.get("status")) for each in found if each.get("type") == name), "")


class Admin:
    """Speaks with a kubeconfig's rights. Use it in ``with``, or close it."""

    def __init__(self, kubeconfig: Path) -> None:
        try:
            config = json.loads(kubeconfig.read_text())
            cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
            context = ssl.create_default_context(cafile=cluster["certificate-authority"])
        except (OSError, ValueError, LookupError) as problem:
            raise AdminError(f"{kubeconfig} cannot be used: {problem}") from problem
        headers = {"Authorization": f"Bearer {user['token']}", "User-Agent": MANAGER}
        self._client = httpx.Client(
            base_url=cluster["server"], headers=headers, verify=context, timeout=_PATIENCE_S, trust_env=False
        )

    @classmethod
    def of(cls, directory: Path) -> Self:
        """Of the laboratory in this directory, with all rights."""
        return cls(Files(directory).admin)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def ask(
        self, method: str, path: str, body: Any = None, content_type: str = "application/json", **query: str
    ) -> Any:
        """Send one request; the answer's JSON.

        Raises:
            AdminError: It was refused, or nothing answered.
        """
        content = None if body is None else json.dumps(body).encode()
        try:
            answer = self._client.request(
                method, path, params=query, content=content, headers={"Content-Type": content_type}
            )
        except httpx.HTTPError as problem:
            raise AdminError(f"the platform's API does not answer: {problem!r}") from problem
        if answer.is_success:
            return (
                answer.json() if answer.headers.get("content-type", "").startswith("application/json") else answer.text
            )
        try:
            status = answer.json()
        except ValueError:
            status = {"message": answer.text.strip()}
        raise AdminError(str(status.get("message")), answer.status_code, str(status.get("reason", "")))

    def get(self, kind: str, name: str, namespace: str = "") -> Json:
        """An object.

        Raises:
            AdminError: 404, or anything else.
        """
        found: Json = self.ask("GET", _path(kind_of(kind), namespace, name))
        return found

    def find(self, kind: str, name: str, namespace: str = "") -> Json | None:
        """An object, or None."""
        try:
            return self.get(kind, name, namespace)
        except AdminError as error:
            if error.code == 404:
                return None
            raise

    def objects(self, kind: str, namespace: str = "", labels: str = "") -> list[Json]:
        """Objects of one namespace or of all, selected by labels."""
        query = {"labelSelector": labels} if labels else {}
        found: list[Json] = self.ask("GET", _path(kind_of(kind), namespace), **query)["items"]
        return found

    def create(self, manifest: Json) -> Json:
        """Make an object."""
        kind, namespace, _ = _place(manifest)
        found: Json = self.ask("POST", _path(kind, namespace), manifest, fieldManager=MANAGER)
        return found

    def apply(self, *manifests: Json, manager: str = MANAGER) -> list[Json]:
        """Have objects be as these say (server-side, taking fields that others set), in this order."""
        found: list[Json] = []
        for manifest in manifests:
            kind, namespace, name = _place(manifest)
            query = {"fieldManager": manager, "force": "true"}
            found.append(self.ask("PATCH", _path(kind, namespace, name), manifest, APPLY, **query))
        return found

    def patch(
        self, kind: str, name: str, patch: Any, namespace: str = "", *, content_type: str = MERGE, subresource: str = ""
    ) -> Json:
        """Patch an object, or its ``status`` or ``scale``; a merge patch if nothing else is said."""
        path = _path(kind_of(kind), namespace, name) + (f"/{subresource}" if subresource else "")
        found: Json = self.ask("PATCH", path, patch, content_type, fieldManager=MANAGER)
        return found

    def scale(self, kind: str, name: str, replicas: int, namespace: str = "") -> None:
        """Ask for so many replicas."""
        self.patch(kind, name, {"spec": {"replicas": replicas}}, namespace, subresource="scale")

    def delete(self, kind: str, name: str, namespace: str = "", *, grace_s: int | None = None) -> None:
        """Delete an object, or do nothing if there is none."""
        query = {} if grace_s is None else {"gracePeriodSeconds": str(grace_s)}
        try:
            self.ask("DELETE", _path(kind_of(kind), namespace, name), **query)
        except AdminError as error:
            if error.code != 404:
                raise

    def evict(self, name: str, namespace: str) -> None:
        """Ask a pod away, as ``kubectl drain`` does.

        Raises:
            AdminError: 429 while a disruption budget forbids it.
        """
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": namespace}}
        self.ask("POST", _path(kind_of("Pod"), namespace, name) + "/eviction", body)

    def wait_for(
        self, kind: str, name: str, namespace: str, test: Callable[[Json], object], seconds: float, what: str = ""
    ) -> Json:
        """Wait until an object is there and a test holds of it; returns it.

        Raises:
            LabError: It did not come to that; the object's status is in the text.
        """
        end = time.monotonic() + seconds
        found: Json | None = None
        while time.monotonic() < end:
            try:
                found = self.find(kind, name, namespace)
            except AdminError as error:
                if error.code:
                    raise
            if found is not None and test(found):
                return found
            time.sleep(_POLL_S)
        status = "there is none" if found is None else json.dumps(found.get("status"))
        raise LabError(f"{kind} {namespace}/{name}: {what or 'not as wanted'} after {seconds:g} s: {status}")

    def wait_gone(self, kind: str, name: str, namespace: str, seconds: float) -> None:
        """Wait until an object is no more.

        Raises:
            LabError: It stays.
        """
        end = time.monotonic() + seconds
        while self.find(kind, name, namespace) is not None:
            if time.monotonic() > end:
                raise LabError(f"{kind} {namespace}/{name} is still there after {seconds:g} s")
            time.sleep(_POLL_S)

    def rolled_out(self, name: str, namespace: str, seconds: float) -> Json:
        """Wait until a Deployment's newest template is what runs, all of it available; returns the Deployment."""
        return self.wait_for("Deployment", name, namespace, _rolled_out, seconds, "not rolled out")


def _rolled_out(data: Json) -> bool:
    status, wanted = data.get("status") or {}, data["spec"]["replicas"]
    counts = [status.get(name, 0) for name in ("replicas", "updatedReplicas", "availableReplicas")]
    return status.get("observedGeneration") == data["metadata"]["generation"] and counts == [wanted] * 3


def _path(kind: Kind, namespace: str = "", name: str = "") -> str:
    parts = ["apis", kind.group] if kind.group else ["api"]
    parts.append(kind.version)
    if kind.namespaced and namespace:
        parts += ["namespaces", namespace]
    return "/" + "/".join([*parts, kind.plural, *([name] if name else [])])


def _place(manifest: Json) -> tuple[Kind, str, str]:
    kind, metadata = kind_of(manifest["kind"]), manifest["metadata"]
    return kind, metadata.get("namespace", "default") if kind.namespaced else "", metadata.get("name", "")
