"""The HTTP API, from its own OpenAPI document."""

from __future__ import annotations

import functools
import json
from typing import Any

from docs.pages.tables import described, fields, table, type_of
from stream.api.app import new_app
from stream.settings import Settings


@functools.cache
def _document() -> dict[str, Any]:
    app = new_app(Settings(shared_dir="none"), follows=False)
    document: dict[str, Any] = app.openapi()
    return document


def document_text() -> str:
    """The OpenAPI document as a file."""
    return json.dumps(_document(), indent=2, ensure_ascii=False) + "\n"


def page() -> str:
    """Every route, and every object that is sent or answered."""
    document = _document()
    parts = [
        (
            "# HTTP API\n\nThe API serves the same as [an OpenAPI document](openapi.json) at `/openapi.json`. "
            "[Asking before you dispatch](../platform/asking.md) explains the first two routes.\n\n"
        ),
        document["info"]["description"].strip() + "\n",
    ]
    for path, operations in document["paths"].items():
        for method, one in operations.items():
            parts.append(_operation(f"{method.upper()} {path}", one))
    for name, schema in sorted(document["components"]["schemas"].items()):
        if "properties" in schema:
            parts.append(f"\n## {name}\n\n{described(schema.get('description', ''))}\n\n{fields(schema)}")
    return "".join(parts)


def _operation(title: str, one: dict[str, Any]) -> str:
    text = f"\n## {title}\n\n{described(one.get('description') or one.get('summary', ''))}\n"
    rows = [
        [f"`{given['name']}`", given["in"], type_of(given["schema"]),
         "yes" if given.get("required") else "", described(given.get("description", ""))]
        for given in one.get("parameters", ())
    ]  # fmt: skip
    if rows:
        text += "\n" + table(["parameter", "in", "type", "needed", "about"], rows)
    if "requestBody" in one:
        text += f"\nBody: {_content(one['requestBody'])}\n"
    answers = [
        [status, _content(said), described(said["description"])] for status, said in one["responses"].items()
    ]
    return text + "\n" + table(["status", "answer", "about"], answers)


def _content(said: dict[str, Any]) -> str:
    kinds = []
    for kind, content in said.get("content", {}).items():
        schema = type_of(content["schema"]) if content.get("schema") else ""
        kinds.append(schema if kind == "application/json" else f"{schema} as `{kind}`")
    return ", ".join(kinds)
