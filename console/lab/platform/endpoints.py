"""EndpointSlices: which pods a Service leads to, and whether each serves."""

from __future__ import annotations

import random
from collections.abc import Iterable

from console.lab.kube.kinds import Json
from console.lab.kube.store import Change, Stored
from console.lab.platform import objects
from console.lab.platform.controller import Controller, Place, own
from console.lab.platform.kinds import NODE, POD, SERVICE, SLICE
from console.lab.platform.scheduler import ZONE

_SERVICE = "kubernetes.io/service-name"
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


def selected(selector: dict[str, str], pod: Json) -> bool:
    """Whether a Service leads to a pod."""
    return selector.items() <= (pod["metadata"].get("labels") or {}).items()


def endpoint(pod: Json, zone: str) -> Json:
    """A pod as an endpoint."""
    serves, goes = objects.ready(pod), objects.leaving(pod)
    metadata = pod["metadata"]
    reference = {"kind": "Pod", "namespace": metadata["namespace"], "name": metadata["name"], "uid": metadata["uid"]}
    found: Json = {
        "addresses": [pod["status"]["podIP"]],
        "conditions": {"ready": serves and not goes, "serving": serves, "terminating": goes},
        "nodeName": pod["spec"]["nodeName"],
        "targetRef": reference,
    }
    return {**found, "zone": zone} if zone else found


def port_number(target: int | str, pods: list[Json]) -> int | None:
    """The number of a Service's target port, which may be a name that the pods give one of theirs."""
    if isinstance(target, int) or str(target).isdigit():
        return int(target)
    for pod in pods:
        for container in pod["spec"]["containers"]:
            for port in container.get("ports") or []:
                if port.get("name") == target:
                    return int(port["containerPort"])
    return None


class Endpoints(Controller):
    """One slice for each Service that selects pods."""

    kind = SERVICE

    def concerned(self, change: Change) -> Iterable[Place]:
        if change.key == POD.key:
            found = [each.data for each in (change.old, change.new) if each is not None]
            services = self.store.objects(SERVICE.key, found[0]["metadata"]["namespace"])
            return [each.place for each in services if any(selected(_selector(each), pod) for pod in found)]
        return own(change, SERVICE)

    def reconcile(self, stored: Stored) -> None:
        selector = _selector(stored)
        if "" in selector or objects.leaving(stored.data):
            return
        namespace, name = stored.place
        found = [each.data for each in self.store.objects(POD.key, namespace) if selected(selector, each.data)]
        pods = [pod for pod in found if (pod.get("status") or {}).get("podIP") and not objects.done(pod)]
        ports = []
        for each in stored.data["spec"].get("ports") or []:
            number = port_number(each.get("targetPort", each["port"]), pods or found)
            if number is not None:
                ports.append({"name": each.get("name", ""), "port": number, "protocol": each.get("protocol", "TCP")})
        endpoints = [endpoint(pod, self._zone(pod)) for pod in pods]
        labels = {_SERVICE: name, "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io"}
        wanted: Json = {"addressType": "IPv4", "endpoints": endpoints, "ports": ports}
        old = self._slice(stored)
        if old is None:
            metadata = {"name": f"{name}-{''.join(random.choices(_LETTERS, k=5))}", "labels": labels}
            owners = [objects.owner_reference(SERVICE, stored.data)]
            self.api.create(SLICE, namespace, {"metadata": {**metadata, "ownerReferences": owners}, **wanted})
        elif any(old.data.get(key) != value for key, value in wanted.items()):
            self.api.replace(SLICE, *old.place, {**old.data, **wanted})

    def _slice(self, stored: Stored) -> Stored | None:
        uid = stored.metadata["uid"]
        found = self.store.objects(SLICE.key, stored.place[0])
        return next((each for each in found if objects.controller_of(each.data).get("uid") == uid), None)

    def _zone(self, pod: Json) -> str:
        node = self.store.get(NODE.key, "", pod["spec"]["nodeName"])
        return str((node.metadata.get("labels") or {}).get(ZONE, "")) if node else ""


def _selector(stored: Stored) -> dict[str, str]:
    found: dict[str, str] = stored.data["spec"].get("selector") or {}
    return found or {"": ""}  # without a selector it selects nothing
