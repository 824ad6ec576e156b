"""Paths of the API: what is meant by each."""

from __future__ import annotations

from typing import NamedTuple

from console.lab.kube.errors import NotServedError, method_not_allowed
from console.lab.kube.kinds import Kind, Registry
from console.lab.kube.rbac import Action

_VERBS = {"GET": "get", "HEAD": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


class Target(NamedTuple):
    """A resource that a request is about."""

    verb: str
    kind: Kind
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    def action(self, query: dict[str, str]) -> Action:
        """What has to be allowed; as a real server, it takes the name from a field selector for one object."""
        name, namespace = self.name, self.namespace
        if self.kind.plural == "namespaces" and not self.kind.group and self.name:
            namespace = self.name
        selector = query.get("fieldSelector", "")
        if not name and selector.startswith("metadata.name=") and "," not in selector:
            name = selector.partition("=")[2].lstrip("=")
        return Action(self.verb, self.kind.group, self.kind.plural, self.subresource, namespace, name)


def target(registry: Registry, method: str, path: str, query: dict[str, str]) -> Target:
    """What a path below ``/api/v1`` or ``/apis/GROUP/VERSION`` names.

    Raises:
        NotServedError: Nothing that is served.
        ApiError: 405.
    """
    parts = [part for part in path.split("/") if part]
    if parts[0] == "api":
        group, version, rest = "", parts[1], parts[2:]
    else:
        group, version, rest = parts[1], parts[2], parts[3:]
    namespace = ""
    if (
        rest[0] == "namespaces"
        and len(rest) > 2
        and not (len(rest) == 3 and not group and rest[2] in ("status", "finalize"))
    ):
        namespace, rest = rest[1], rest[2:]
    kind = registry.find(group, version, rest[0])
    if kind is None or len(rest) > 3 or (namespace and not kind.namespaced):
        raise NotServedError
    name, subresource = [*rest, "", ""][1:3]
    if subresource and subresource not in {each.name for each in kind.subresources()}:
        raise NotServedError
    verb = _VERBS.get(method, "")
    if not name:
        verb = {"get": "list", "delete": "deletecollection"}.get(verb, verb)
    if verb == "list" and query.get("watch") in ("true", "1"):
        verb = "watch"
    whole = verb in ("create", "list", "watch", "deletecollection")
    if (
        not verb
        or (whole and name and not subresource)
        or (not whole and not name)
        or (kind.namespaced and not namespace and verb not in ("list", "watch"))
    ):
        raise method_not_allowed()
    if not subresource and verb not in kind.verbs:
        raise method_not_allowed()
    return Target(verb, kind, namespace, name, subresource)
