"""metrics.k8s.io: read-only, and there only while somebody provides it."""

from __future__ import annotations

from aiohttp import web

from console.lab.kube import answers, selectors
from console.lab.kube.builtin import METRICS
from console.lab.kube.cluster import Cluster
from console.lab.kube.errors import NotServedError, not_found
from console.lab.kube.kinds import Json
from console.lab.kube.rbac import Action, User

GROUP = METRICS[0].group
METRICS_PATH = f"/apis/{METRICS[0].api_version}/"


def metrics(cluster: Cluster, request: web.Request, user: User) -> web.Response:
    """Metrics of nodes or pods, of all or of one.

    Raises:
        NotServedError: Nobody provides metrics.
        ApiError: 403 or 404.
    """
    if cluster.metrics is None or request.method != "GET":
        raise NotServedError
    match request.path.removeprefix(METRICS_PATH).strip("/").split("/"):
        case ["nodes", *name]:
            kind, namespace, found = METRICS[0], "", cluster.metrics.nodes()
        case ["pods"]:
            kind, namespace, found, name = METRICS[1], "", cluster.metrics.pods(""), []
        case ["namespaces", namespace, "pods", *name]:
            kind, found = METRICS[1], cluster.metrics.pods(namespace)
        case _:
            raise NotServedError
    verb = "get" if name else "list"
    cluster.authorizer.check(user, Action(verb, GROUP, kind.plural, "", namespace, name[0] if name else ""))
    head = {"kind": kind.kind, "apiVersion": kind.api_version}
    if name:
        one = next((item for item in found if item["metadata"]["name"] == name[0]), None)
        if one is None:
            raise not_found(kind, name[0])
        return answers.encoded({**head, **one})
    test = selectors.labels(request.query.get("labelSelector", ""))
    items: list[Json] = [item for item in found if test(item["metadata"].get("labels") or {})]
    return answers.encoded({**head, "kind": kind.list_kind, "metadata": {}, "items": items})
