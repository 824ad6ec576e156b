"""Deployments: a ReplicaSet for every template they ever had, rolled from one to the next."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec

from console.lab.kube.kinds import Json
from console.lab.kube.store import Change, Stored, clone
from console.lab.platform import deployment_status, objects, rollout
from console.lab.platform.controller import Controller, Place, own, put_status
from console.lab.platform.kinds import DEPLOYMENT, POD, REPLICA_SET
from console.lab.platform.rollout import Counts

NAME = "deployment-controller"
HASH = "pod-template-hash"
_PREFIX = "deployment.kubernetes.io/"
REVISION = f"{_PREFIX}revision"
_HISTORY, _DESIRED, _MOST = f"{_PREFIX}revision-history", f"{_PREFIX}desired-replicas", f"{_PREFIX}max-replicas"
_NOT_COPIED = {REVISION, _HISTORY, _DESIRED, _MOST, "kubectl.kubernetes.io/last-applied-configuration"}
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


def template_hash(template: Json, salt: int = 0) -> str:
    """A short name for a template."""
    number = int.from_bytes(hashlib.sha256(msgspec.json.encode([template, salt], order="sorted")).digest()[:6], "big")
    letters: list[str] = []
    while len(letters) < 10:
        number, digit = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[digit])
    return "".join(letters)


def _bare(template: Json) -> Json:
    """A template without the label that a ReplicaSet's has more."""
    found = clone(template)
    labels = (found.get("metadata") or {}).get("labels") or {}
    labels.pop(HASH, None)
    return {**found, "metadata": {**(found.get("metadata") or {}), "labels": labels}}


def _revision(data: Json) -> int:
    return int((data["metadata"].get("annotations") or {}).get(REVISION, 0))


def _counts(data: Json) -> Counts:
    return Counts(data["spec"]["replicas"], (data.get("status") or {}).get("availableReplicas", 0))


class Deployments(Controller):
    """Rolls Deployments out."""

    kind = DEPLOYMENT

    def concerned(self, change: Change) -> Iterable[Place]:
        stored = change.new or change.old
        assert stored is not None
        namespace = stored.place[0]
        if change.key == REPLICA_SET.key:
            owner = objects.controller_of(stored.data)
            return ((namespace, owner["name"]),) if owner.get("kind") == "Deployment" else ()
        if change.key == POD.key and change.new is None:  # whoever recreates waits for that
            owner = objects.controller_of(stored.data)
            parent = self.store.get(REPLICA_SET.key, namespace, owner.get("name", ""))
            above = objects.controller_of(parent.data) if parent else {}
            return ((namespace, above["name"]),) if above.get("kind") == "Deployment" else ()
        return own(change, DEPLOYMENT)

    def sets(self, stored: Stored) -> list[Stored]:
        """Its ReplicaSets, the oldest revision first."""
        uid = stored.metadata["uid"]
        found = self.store.objects(REPLICA_SET.key, stored.place[0])
        mine = [each for each in found if objects.controller_of(each.data).get("uid") == uid]
        return sorted(mine, key=lambda each: _revision(each.data))

    def reconcile(self, stored: Stored) -> None:
        if objects.leaving(stored.data):
            return
        listed = self.sets(stored)
        template = _bare(stored.data["spec"]["template"])
        new = next((each for each in listed if _bare(each.data["spec"]["template"]) == template), None)
        paused = bool(stored.data["spec"].get("paused"))
        note = ""
        if new is None and not paused:
            new, note = self._make(stored, listed), "NewReplicaSetCreated"
        elif new is not None and not paused:
            note = "FoundNewReplicaSet" if self._renew(stored, new, listed) else ""
        self._size(stored, new, paused)
        listed = self.sets(stored)
        new = next((each for each in listed if new and each.place == new.place), None)
        current = self.store.get(DEPLOYMENT.key, *stored.place)
        if current is not None:
            self._tell(current, new, listed, note)
        self._clean(stored, [each for each in listed if each is not new])

    def _annotations(self, data: Json, revision: int, old: Json | None = None) -> dict[str, str]:
        wanted, kept = data["spec"]["replicas"], data["metadata"].get("annotations") or {}
        found = {**(old or {}), **{key: value for key, value in kept.items() if key not in _NOT_COPIED}}
        most = wanted + (rollout.limits(data["spec"]).surge if rollout.rolls(data) else 0)
        return {**found, REVISION: str(revision), _DESIRED: str(wanted), _MOST: str(most)}

    def _make(self, stored: Stored, listed: list[Stored]) -> Stored:
        """The ReplicaSet of a new template."""
        data, (namespace, name) = stored.data, stored.place
        short, salt = template_hash(data["spec"]["template"]), 0
        while self.store.get(REPLICA_SET.key, namespace, f"{name}-{short}") is not None:
            salt += 1
            short = template_hash(data["spec"]["template"], salt)
        template, selector = clone(data["spec"]["template"]), clone(data["spec"]["selector"])
        template["metadata"] = {**(template.get("metadata") or {})}
        template["metadata"]["labels"] = {**(template["metadata"].get("labels") or {}), HASH: short}
        selector["matchLabels"] = {**(selector.get("matchLabels") or {}), HASH: short}
        revision = max((_revision(each.data) for each in listed), default=0) + 1
        spec: Json = {"replicas": 0, "selector": selector, "template": template}
        if data["spec"].get("minReadySeconds"):
            spec["minReadySeconds"] = data["spec"]["minReadySeconds"]
        metadata: Json = {"name": f"{name}-{short}", "labels": template["metadata"]["labels"]}
        metadata["annotations"] = self._annotations(data, revision)
        metadata["ownerReferences"] = [objects.owner_reference(DEPLOYMENT, data)]
        self.api.create(REPLICA_SET, namespace, {"metadata": metadata, "spec": spec})
        self._mark(stored, revision)
        return self.api.find(REPLICA_SET, namespace, metadata["name"])

    def _renew(self, stored: Stored, new: Stored, listed: list[Stored]) -> bool:
        """Have the ReplicaSet of the current template carry the newest revision; whether that is a step back to it."""
        others = max((_revision(each.data) for each in listed if each is not new), default=0)
        was = _revision(new.data)
        revision = was if was > others else others + 1
        annotations = new.metadata.get("annotations") or {}
        wanted = self._annotations(stored.data, revision, annotations)
        if revision != was:
            wanted[_HISTORY] = ",".join(filter(None, [annotations.get(_HISTORY, ""), str(was)]))
        if wanted != annotations:
            data = clone(new.data)
            data["metadata"]["annotations"] = wanted
            self.api.replace(REPLICA_SET, *new.place, data)
        self._mark(stored, revision)
        return revision != was

    def _mark(self, stored: Stored, revision: int) -> None:
        if _revision(stored.data) != revision:
            data = clone(self.api.find(DEPLOYMENT, *stored.place).data)
            data["metadata"]["annotations"] = {**(data["metadata"].get("annotations") or {}), REVISION: str(revision)}
            self.api.replace(DEPLOYMENT, *stored.place, data)

    def _size(self, stored: Stored, new: Stored | None, paused: bool) -> None:
        spec, wanted = stored.data["spec"], stored.data["spec"]["replicas"]
        listed = self.sets(stored)
        current = next((each for each in listed if new and each.place == new.place), None)
        old = [each for each in listed if each is not current]
        if current is None or paused:
            shown = [each for each in listed if each.data["spec"]["replicas"]]
            if len(shown) == 1 or (current is not None and not shown):
                self._scale(stored, shown[0] if shown else current, wanted)
            return
        if not rollout.rolls(stored.data):
            for each in old:
                self._scale(stored, each, 0)
            if not any(self._has_pods(each) for each in old):
                self._scale(stored, current, wanted)
            return
        room = rollout.limits(spec)
        size = rollout.new_size(wanted, room, _counts(current.data), [_counts(each.data) for each in old])
        self._scale(stored, current, size)
        fresh = self.api.find(REPLICA_SET, *current.place)
        sizes = rollout.old_sizes(wanted, room, _counts(fresh.data), [_counts(each.data) for each in old])
        for each, less in zip(old, sizes, strict=True):
            self._scale(stored, each, less)

    def _has_pods(self, stored: Stored) -> bool:
        uid = stored.metadata["uid"]
        found = self.store.objects(POD.key, stored.place[0])
        return any(objects.controller_of(each.data).get("uid") == uid and not objects.done(each.data) for each in found)

    def _scale(self, stored: Stored, target: Stored | None, size: int) -> None:
        if target is None or target.data["spec"]["replicas"] == size:
            return
        was, name = target.data["spec"]["replicas"], target.place[1]
        data = clone(self.api.find(REPLICA_SET, *target.place).data)
        data["spec"]["replicas"] = size
        self.api.replace(REPLICA_SET, *target.place, data)
        way = "up" if size > was else "down"
        text = f"Scaled {way} replica set {name} from {was} to {size}"
        self.recorder.note(DEPLOYMENT, stored.data, "ScalingReplicaSet", text, source=NAME)

    def _tell(self, stored: Stored, new: Stored | None, listed: list[Stored], note: str) -> None:
        found = [each.data.get("status") or {} for each in listed]
        fresh = (new.data.get("status") or {}) if new else {}
        status: Json = {
            "observedGeneration": stored.metadata["generation"],
            "replicas": sum(each.get("replicas", 0) for each in found),
            "updatedReplicas": fresh.get("replicas", 0),
            "readyReplicas": sum(each.get("readyReplicas", 0) for each in found),
            "availableReplicas": sum(each.get("availableReplicas", 0) for each in found),
        }
        asked = sum(each.data["spec"]["replicas"] for each in listed)
        status["unavailableReplicas"] = max(asked - status["availableReplicas"], 0)
        status = {name: value for name, value in status.items() if value}
        status["conditions"], again_s = deployment_status.conditions(stored, new, listed, status, note)
        if again_s is not None:
            self.again(stored.place, again_s)
        put_status(self.cluster, DEPLOYMENT, stored, status)

    def _clean(self, stored: Stored, old: list[Stored]) -> None:
        """Forget the oldest ReplicaSets beyond the history that is to be kept."""
        keep = int(stored.data["spec"].get("revisionHistoryLimit", 10))
        idle = [each for each in old if not each.data["spec"]["replicas"] and not self._has_pods(each)]
        for each in idle[: max(len(idle) - keep, 0)]:
            self.cluster.deletions.delete(REPLICA_SET, *each.place)
