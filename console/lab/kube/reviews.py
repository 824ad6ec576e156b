"""Access reviews: questions that are answered and not kept."""

from __future__ import annotations

from console.lab.kube.errors import bad_request
from console.lab.kube.kinds import Json
from console.lab.kube.rbac import MASTERS, Action, Authorizer, User


def _action(spec: Json) -> Action:
    if (found := spec.get("resourceAttributes")) is not None:
        names = ("verb", "group", "resource", "subresource", "namespace", "name")
        return Action(**{name: found.get(name, "") for name in names})
    if (found := spec.get("nonResourceAttributes")) is not None:
        return Action(found.get("verb", ""), path=found.get("path", ""))
    raise bad_request("exactly one of nonResourceAttributes or resourceAttributes must be specified")


def _access(authorizer: Authorizer, user: User, spec: Json) -> Json:
    reason = authorizer.allowed(user, _action(spec))
    return {"allowed": reason is not None} | ({"reason": reason} if reason else {})


def _rules(authorizer: Authorizer, user: User, namespace: str) -> Json:
    found = [grant.rule for grant in authorizer.grants(user) if grant.namespace in ("", namespace)]
    if MASTERS in user.groups:
        found.append({"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]})
    plain = [rule for rule in found if "nonResourceURLs" in rule]
    return {
        "resourceRules": [rule for rule in found if "resources" in rule],
        "nonResourceRules": plain,
        "incomplete": False,
    }


def answer(authorizer: Authorizer, user: User, kind: str, body: Json) -> Json:
    """A review with its status.

    Raises:
        ApiError: 400.
    """
    spec: Json = body.get("spec") or {}
    if kind == "SelfSubjectAccessReview":
        status = _access(authorizer, user, spec)
    elif kind == "SubjectAccessReview":
        status = _access(authorizer, User(spec.get("user", ""), tuple(spec.get("groups") or ())), spec)
    elif kind == "SelfSubjectRulesReview":
        status = _rules(authorizer, user, spec.get("namespace", ""))
    else:
        status = {"userInfo": {"username": user.name, "groups": list(user.groups)}}
    return {**body, "metadata": body.get("metadata") or {}, "status": status}
