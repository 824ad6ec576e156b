"""Who somebody is, and what they may do: tokens, and roles as the objects in the store grant them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from console.lab.kube import builtin
from console.lab.kube.errors import ApiError, details, unauthorized
from console.lab.kube.kinds import Json
from console.lab.kube.store import Change, Store, Stored

MASTERS = "system:masters"
_RBAC_KEYS = {
    kind.key for kind in (builtin.ROLE, builtin.CLUSTER_ROLE, builtin.ROLE_BINDING, builtin.CLUSTER_ROLE_BINDING)
}


class User(NamedTuple):
    name: str
    groups: tuple[str, ...] = ()


ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))


class Action(NamedTuple):
    """What somebody wants to do: to a resource, or, if ``path`` is given, to a path that is none."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @property
    def full_resource(self) -> str:
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


class Tokens:
    """Bearer tokens, each for one user and perhaps for a time only."""

    def __init__(self) -> None:
        self._users: dict[str, tuple[User, datetime | None]] = {}

    def add(self, token: str, name: str, groups: tuple[str, ...] = (), until: datetime | None = None) -> None:
        self._users[token] = (User(name, (*groups, "system:authenticated")), until)

    def revoke(self, token: str) -> None:
        self._users.pop(token, None)

    def user(self, authorization: str) -> User:
        """The user of an ``Authorization`` header; without one, nobody in particular.

        Raises:
            ApiError: 401.
        """
        if not authorization:
            return ANONYMOUS
        scheme, _, token = authorization.partition(" ")
        user, until = self._users.get(token.strip(), (None, None))
        if scheme.lower() != "bearer" or user is None or (until is not None and until <= datetime.now(UTC)):
            raise unauthorized()
        return user


class Grant(NamedTuple):
    """One rule that somebody has, where (everywhere, if "") and from whom."""

    rule: Json
    namespace: str
    reason: str


class Authorizer:
    """Evaluates roles and bindings."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._grants: dict[User, list[Grant]] = {}
        store.listeners.append(self._follow)

    def _follow(self, change: Change) -> None:
        if change.key in _RBAC_KEYS:
            self._grants.clear()

    def grants(self, user: User) -> list[Grant]:
        """Every rule that a user has."""
        if user not in self._grants:
            self._grants[user] = list(self._collect(user))
        return self._grants[user]

    def _collect(self, user: User) -> Iterator[Grant]:
        for key in (builtin.CLUSTER_ROLE_BINDING.key, builtin.ROLE_BINDING.key):
            for binding in self._store.objects(key):
                subject = next((each for each in binding.data.get("subjects") or [] if _is(each, user, binding)), None)
                role = self._role(binding)
                if subject is None or role is None:
                    continue
                bound, name = binding.data["kind"], "/".join(filter(None, binding.place))
                to = f'{subject["kind"]} "{subject["name"]}"'
                reason = f'RBAC: allowed by {bound} "{name}" of {role.data["kind"]} "{role.metadata["name"]}" to {to}'
                for rule in role.data.get("rules") or []:
                    yield Grant(rule, binding.place[0], reason)

    def _role(self, binding: Stored) -> Stored | None:
        reference = binding.data.get("roleRef") or {}
        if reference.get("kind") == "ClusterRole":
            return self._store.get(builtin.CLUSTER_ROLE.key, "", reference.get("name", ""))
        return self._store.get(builtin.ROLE.key, binding.place[0], reference.get("name", ""))

    def allowed(self, user: User, action: Action) -> str | None:
        """Why a user may do something, which may be ""; None if they may not."""
        if MASTERS in user.groups:
            return ""
        for grant in self.grants(user):
            if grant.namespace in ("", action.namespace) and _covers(grant.rule, action):
                return grant.reason
        return None

    def check(self, user: User, action: Action) -> None:
        """Refuse what a user may not do.

        Raises:
            ApiError: 403.
        """
        if self.allowed(user, action) is None:
            raise _refusal(user, action)


def _is(subject: Json, user: User, binding: Stored) -> bool:
    kind, name = subject.get("kind"), subject.get("name", "")
    if kind == "ServiceAccount":
        namespace = subject.get("namespace") or binding.place[0]
        return user.name == f"system:serviceaccount:{namespace}:{name}"
    return name in user.groups if kind == "Group" else kind == "User" and name == user.name


def _covers(rule: Json, action: Action) -> bool:
    verbs = rule.get("verbs") or []
    if action.verb not in verbs and "*" not in verbs:
        return False
    if action.path:
        return any(
            path in ("*", action.path) or (path.endswith("*") and action.path.startswith(path[:-1]))
            for path in rule.get("nonResourceURLs") or []
        )
    groups, resources, names = rule.get("apiGroups") or [], rule.get("resources") or [], rule.get("resourceNames") or []
    wanted = {"*", action.full_resource, f"*/{action.subresource}" if action.subresource else "*"}
    return (
        (action.group in groups or "*" in groups)
        and not wanted.isdisjoint(resources)
        and (not names or action.name in names)
    )


def _refusal(user: User, action: Action) -> ApiError:
    if action.path:
        return ApiError(
            403, "Forbidden", f'forbidden: User "{user.name}" cannot {action.verb} path "{action.path}"', {}
        )
    where = f'in the namespace "{action.namespace}"' if action.namespace else "at the cluster scope"
    what = f"{action.resource}.{action.group}" if action.group else action.resource
    named = f' "{action.name}"' if action.name else ""
    why = f'User "{user.name}" cannot {action.verb} resource "{action.full_resource}" in API group "{action.group}" {where}'
    return ApiError(
        403, "Forbidden", f"{what}{named} is forbidden: {why}", details(action.name, action.group, action.resource)
    )


_DISCOVERY = [
    "/api",
    "/api/*",
    "/apis",
    "/apis/*",
    "/healthz",
    "/livez",
    "/openapi",
    "/openapi/*",
    "/readyz",
    "/version",
    "/version/",
]
_PUBLIC = ["/healthz", "/livez", "/readyz", "/version", "/version/"]
_REVIEWS = ["selfsubjectaccessreviews", "selfsubjectrulesreviews"]

ROLES: dict[str, list[Json]] = {
    "cluster-admin": [
        {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
        {"nonResourceURLs": ["*"], "verbs": ["*"]},
    ],
    "system:basic-user": [
        {"apiGroups": ["authorization.k8s.io"], "resources": _REVIEWS, "verbs": ["create"]},
        {"apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"], "verbs": ["create"]},
    ],
    "system:discovery": [{"nonResourceURLs": _DISCOVERY, "verbs": ["get"]}],
    "system:public-info-viewer": [{"nonResourceURLs": _PUBLIC, "verbs": ["get"]}],
}
"""The roles that every cluster starts with, as far as anything here needs them."""

BINDINGS: dict[str, tuple[str, ...]] = {
    "cluster-admin": (MASTERS,),
    "system:basic-user": ("system:authenticated",),
    "system:discovery": ("system:authenticated",),
    "system:public-info-viewer": ("system:authenticated", "system:unauthenticated"),
}
"""To which groups each of them is bound."""
