"""Odoo's exceptions by their names, and how JSON-RPC tells them: as HTTP 200 with an error object."""

from __future__ import annotations

import traceback
from typing import Any

import psycopg2  # type: ignore[import-untyped]


class OdooError(Exception):
    """Told to the client under ``name``."""

    name = "odoo.exceptions.UserError"


class UserError(OdooError):
    """Something that the user can put right."""


class AccessDenied(OdooError):  # noqa: N818 - Odoo's name
    """Wrong user or password."""

    name = "odoo.exceptions.AccessDenied"

    def __init__(self) -> None:
        super().__init__("Access Denied")


class AccessError(OdooError):
    """A user who may not do this."""

    name = "odoo.exceptions.AccessError"


class MissingError(OdooError):
    """A record that is gone."""

    name = "odoo.exceptions.MissingError"


class SessionExpired(OdooError):  # noqa: N818 - Odoo's name
    """A route for users, asked without one."""

    name = "odoo.http.SessionExpiredException"

    def __init__(self) -> None:
        super().__init__("Session expired")


class NotFound(Exception):  # noqa: N818 - Odoo's name
    """404."""


def error_object(error: BaseException) -> dict[str, Any]:
    """The ``error`` of a JSON-RPC answer."""
    expired = isinstance(error, SessionExpired)
    return {
        "code": 100 if expired else 200,
        "message": "Odoo Session Expired" if expired else "Odoo Server Error",
        "data": {
            "name": _name(error),
            "debug": "".join(traceback.format_exception(error)),
            "message": str(error),
            "arguments": [str(part) for part in error.args],
            "context": {},
        },
    }


def _name(error: BaseException) -> str:
    if isinstance(error, OdooError):
        return error.name
    kind = type(error)
    if isinstance(error, psycopg2.Error):
        return f"{kind.__module__}.{kind.__qualname__}"
    return f"builtins.{kind.__qualname__}"
