"""The scale subresource: how many replicas an object wants and has."""

from __future__ import annotations

from console.lab.kube import selectors, validation
from console.lab.kube.api import PLAIN, Api, Options
from console.lab.kube.errors import invalid
from console.lab.kube.kinds import Json, Kind
from console.lab.kube.store import clone


def get(api: Api, kind: Kind, namespace: str, name: str) -> Json:
    """An object's Scale.

    Raises:
        ApiError: 404.
    """
    return _of(kind, api.find(kind, namespace, name).data)


def change(api: Api, kind: Kind, namespace: str, name: str, scale: Json, options: Options = PLAIN) -> Json:
    """Change how many replicas an object wants.

    Raises:
        ApiError: 404, 409 or 422.
    """
    old = api.find(kind, namespace, name)
    replicas = (scale.get("spec") or {}).get("replicas", 0)
    if not isinstance(replicas, int) or replicas < 0:
        raise invalid(
            "autoscaling",
            "Scale",
            name,
            [validation.wrong("spec.replicas", replicas, "must be greater than or equal to 0")],
        )
    data = clone(old.data)
    data["spec"][kind.scale] = replicas
    data["metadata"]["resourceVersion"] = (scale.get("metadata") or {}).get("resourceVersion")
    return _of(kind, api.change(kind, old, data, options))


def _of(kind: Kind, data: Json) -> Json:
    names = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    selector = (data.get("spec") or {}).get("selector")
    status: Json = {"replicas": (data.get("status") or {}).get(kind.scale, 0)}
    if isinstance(selector, dict):
        status["selector"] = selectors.as_text(selector)
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {name: data["metadata"][name] for name in names},
        "spec": {"replicas": data["spec"].get(kind.scale, 0)},
        "status": status,
    }
