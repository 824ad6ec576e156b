"""Errors in the shape that a real API server gives them: a ``Status`` object with reason and details."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from console.lab.kube.kinds import Kind

Json = dict[str, Any]


class Cause(NamedTuple):
    """One thing wrong in one field."""

    reason: str
    message: str
    field: str


class ApiError(Exception):
    """A request that is answered with a failure.

    Attributes:
        code: The HTTP code.
        reason: The machine-readable word, as ``NotFound``.
        details: What it is about; None leaves the field out.
        metadata: The Status object's own metadata; only an expired list has any.
        retry_after_s: For 429.
    """

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        details: Json | None = None,
        metadata: Json | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.metadata = metadata or {}
        self.retry_after_s = retry_after_s

    def status(self) -> Json:
        """The body of the answer."""
        status: Json = {"kind": "Status", "apiVersion": "v1", "metadata": self.metadata, "status": "Failure"}
        status |= {"message": self.message, "reason": self.reason}
        if self.details is not None:
            status["details"] = self.details
        return {**status, "code": self.code}


class NotServedError(Exception):
    """A path of which this server knows nothing; answered with plain text, not with a Status."""


def details(name: str, group: str, kind: str, **more: Any) -> Json:
    """Details, without what is empty."""
    found = {"name": name, "group": group, "kind": kind, **more}
    return {key: value for key, value in found.items() if value}


def bad_request(message: str) -> ApiError:
    """400."""
    return ApiError(400, "BadRequest", message)


def unauthorized() -> ApiError:
    """401: the token is unknown or has run out."""
    return ApiError(401, "Unauthorized", "Unauthorized")


def forbidden(kind: Kind, name: str, why: str, causes: list[Json] | None = None) -> ApiError:
    """403 by admission."""
    more = {"causes": causes} if causes else {}
    found = details(name, kind.group, kind.plural, **more)
    return ApiError(403, "Forbidden", f'{kind.resource} "{name}" is forbidden: {why}', found)


def not_found(kind: Kind, name: str) -> ApiError:
    """404 for an object."""
    return ApiError(404, "NotFound", f'{kind.resource} "{name}" not found', details(name, kind.group, kind.plural))


def method_not_allowed() -> ApiError:
    """405."""
    message = "the server does not allow this method on the requested resource"
    return ApiError(405, "MethodNotAllowed", message, {})


def already_exists(kind: Kind, name: str) -> ApiError:
    """409 for a create."""
    return ApiError(
        409, "AlreadyExists", f'{kind.resource} "{name}" already exists', details(name, kind.group, kind.plural)
    )


def modified(kind: Kind, name: str) -> ApiError:
    """409: the resourceVersion given is not the current one."""
    why = "the object has been modified; please apply your changes to the latest version and try again"
    message = f'Operation cannot be fulfilled on {kind.resource} "{name}": {why}'
    return ApiError(409, "Conflict", message, details(name, kind.group, kind.plural))


def precondition_failed(kind: Kind, name: str, why: str) -> ApiError:
    """409: a delete's precondition does not hold. The real server names the kind here, not the resource."""
    what = f"{kind.kind}.{kind.group}" if kind.group else kind.kind
    message = f'Operation cannot be fulfilled on {what} "{name}": {why}'
    return ApiError(409, "Conflict", message, details(name, kind.group, kind.kind))


def expired(message: str, metadata: Json | None = None) -> ApiError:
    """410: the history that is asked for is gone."""
    return ApiError(410, "Expired", message, None, metadata)


def unsupported_media(message: str, found: Json | None) -> ApiError:
    """415."""
    return ApiError(415, "UnsupportedMediaType", message, found)


def invalid(group: str, kind: str, name: str, causes: list[Cause]) -> ApiError:
    """422 with a cause per field."""
    lines = [f"{cause.field}: {cause.message}" for cause in causes]
    why = lines[0] if len(lines) == 1 else f"[{', '.join(lines)}]"
    what = f"{kind}.{group}" if group else kind
    listed = [{"reason": c.reason, "message": c.message, "field": c.field} for c in causes]
    return ApiError(422, "Invalid", f'{what} "{name}" is invalid: {why}', details(name, group, kind, causes=listed))


def unprocessable() -> ApiError:
    """422 for a JSON patch that does not apply."""
    return ApiError(422, "Invalid", "the server rejected our request due to an error in our request", {})
