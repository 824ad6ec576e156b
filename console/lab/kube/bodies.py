"""Bodies of requests: decoded, and refused in a real server's words."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import yaml

from console.lab.kube import protobuf
from console.lab.kube.errors import ApiError, bad_request, unsupported_media
from console.lab.kube.kinds import Json, Kind

_JSON = {"", "application/json", "text/plain", "application/octet-stream", "application/x-www-form-urlencoded"}
_YAML = {"application/yaml", "application/apply-patch+yaml"}


class _Loader(yaml.SafeLoader):
    """YAML as Kubernetes reads it: a date is text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}

_EXPECTED = {
    "Expecting property name enclosed in double quotes": "looking for beginning of object key string",
    "Expecting value": "looking for beginning of value",
    "Expecting ':' delimiter": "after object key",
    "Expecting ',' delimiter": "after object key:value pair",
}


def _why_not(raw: bytes) -> str:
    """Why something is not JSON, in the words of Go's decoder."""
    text = raw.decode(errors="replace")
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        if error.pos >= len(text):
            return "unexpected end of JSON input"
        return f"invalid character '{text[error.pos]}' {_EXPECTED.get(error.msg, 'looking for beginning of value')}"
    return "cannot unmarshal into Go value"


def decode(raw: bytes, content_type: str) -> Any:
    """A body of no particular kind, as patches are.

    Raises:
        ApiError: 400 or 415.
    """
    if content_type == protobuf.MEDIA_TYPE:
        return protobuf.decode(raw)
    if content_type in _YAML:
        try:
            return yaml.load(raw, _Loader)  # noqa: S506  (a safe loader)
        except yaml.YAMLError as error:
            raise bad_request(f"error decoding YAML: {error}") from error
    if content_type not in _JSON and not content_type.endswith("+json"):
        known = "application/json, application/yaml"
        raise unsupported_media(
            f"the body of the request was in an unknown format - accepted media types include: {known}", None
        )
    try:
        return msgspec.json.decode(raw)
    except msgspec.DecodeError as error:
        raise bad_request(f"error decoding patch: {_why_not(raw)}") from error


def decode_object(raw: bytes, content_type: str, kind: Kind, expected: str = "") -> Json:
    """An object of a kind (or of the kind that a subresource expects).

    Raises:
        ApiError: 400 or 415.
    """
    wanted = expected or kind.kind
    try:
        found = decode(raw, content_type)
    except ApiError as error:
        if error.code != 400:
            raise
        shown = raw[:200].decode(errors="replace")
        why = f"couldn't get version/kind; json parse error: {_why_not(raw)} ({shown})"
        raise bad_request(f"the object provided is unrecognized (must be of type {wanted}): {why}") from error
    if not isinstance(found, dict):
        raise bad_request(f"the object provided is unrecognized (must be of type {wanted}): couldn't get version/kind")
    named = found.get("kind") or wanted
    if named != wanted:
        raise bad_request(_conversion(str(found.get("apiVersion", "")), named, kind, wanted))
    if not expected and found.get("apiVersion", kind.api_version) != kind.api_version:
        given = found["apiVersion"]
        raise bad_request(
            f"the API version in the data ({given}) does not match the expected API version ({kind.api_version})"
        )
    return found


def _conversion(version: str, named: str, kind: Kind, wanted: str) -> str:
    internal = kind.group.split(".")[0] or "core"
    short = version.rpartition("/")[2]
    why = f"converting ({short}.{named}) to ({internal}.{wanted}): unknown conversion"
    return f'{named} in version "{version}" cannot be handled as a {wanted}: {why}'
