"""The JSON schema of environment files, made from the types: ``python -m console.settings.schema`` writes it."""

from __future__ import annotations

import ast
import inspect
import json
import sys
from typing import Any

import msgspec

from console.settings import environment
from console.settings.paths import config_dir

FILE = "environment.schema.json"


def environment_schema() -> dict[str, Any]:
    """The schema: what the loader takes, but for what only shows when parts are seen together (the description says)."""
    (reference, *_), components = _generated()
    described = _attribute_texts()
    for name, definition in components.items():
        for field, text in described.get(name, {}).items():
            definition["properties"][field] = _with_description(definition["properties"][field], text)
    _exclusive_log(components["LogSource"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Banksman environment",
        "description": "What Banksman watches. Beyond this schema the loader refuses: two servers of a group with the "
        "same host and port, unknown names under thresholds, keys given twice, text with control characters.",
        **reference,
        "$defs": components,
    }


def text() -> str:
    """The schema as the file has it."""
    return json.dumps(environment_schema(), indent=2, ensure_ascii=False) + "\n"


def _generated() -> tuple[tuple[dict[str, Any], ...], dict[str, Any]]:
    schemas, components = msgspec.json.schema_components([environment.EnvironmentFile], ref_template="#/$defs/{name}")
    return schemas, components


def _with_description(schema: dict[str, Any], text: str) -> dict[str, Any]:
    # What a key means goes first; the type's own description says how it is written.
    own = schema.get("description")
    joined = f"{text} ({own})" if own else text
    return {**schema, "description": joined}


def _exclusive_log(definition: dict[str, Any]) -> None:
    definition["oneOf"] = [
        {"required": ["path"], "properties": {"path": {"minLength": 1}, "command": {"maxItems": 0}}},
        {
            "required": ["command"],
            "properties": {"path": {"maxLength": 0}, "command": {"minItems": 1, "prefixItems": [{"minLength": 1}]}},
        },
    ]


def _attribute_texts() -> dict[str, dict[str, str]]:
    """Class → attribute → the string under it: documentation that Python does not keep at run time."""
    texts: dict[str, dict[str, str]] = {}
    for node in ast.parse(inspect.getsource(environment)).body:
        if not isinstance(node, ast.ClassDef):
            continue
        for before, after in zip(node.body, node.body[1:], strict=False):
            if not (isinstance(before, ast.AnnAssign) and isinstance(before.target, ast.Name)):
                continue
            if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
                sentence = " ".join(str(after.value.value).split())
                texts.setdefault(node.name, {})[before.target.id] = sentence
    return texts


if __name__ == "__main__":
    (config_dir() / FILE).write_text(text(), encoding="utf-8")
    sys.stdout.write(f"{config_dir() / FILE}\n")
