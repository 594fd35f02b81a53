"""Tables of Markdown, and JSON Schemas as tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

#: The ids of all messages; said in words once, on the page of messages.
_ID = "^[A-Za-z0-9_.:-]{1,64}$"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a bar or a line break in a cell does not end it."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(_cell(cell) for cell in line)} |\n" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").strip()


def code(text: str) -> str:
    """The text as code; nothing for nothing."""
    return f"`{text}`" if text else ""


def described(text: str) -> str:
    """A docstring's or a description's text in which angle brackets and double backquotes are Markdown's."""
    return text.replace("``", "`").replace("<", "&lt;").strip()


def type_of(schema: Mapping[str, Any]) -> str:
    """A JSON Schema's type in a few words; what is named is linked to its heading."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "const" in schema:
        return f'`"{schema["const"]}"`'
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "oneOf" in schema:
        return " or ".join(type_of(one) for one in schema["oneOf"])
    if "anyOf" in schema:
        return " or ".join(type_of(one) for one in schema["anyOf"])
    if schema.get("type") == "array":
        if "prefixItems" in schema:
            return f"list of {len(schema['prefixItems'])}: " + ", ".join(map(type_of, schema["prefixItems"]))
        return f"list of {type_of(schema.get('items', {}))}"
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {type_of(schema['additionalProperties'])}"
    kind = str(schema.get("type", "any"))
    return f"{kind} ({schema['format']})" if "format" in schema else kind


def bounds(schema: Mapping[str, Any]) -> str:
    """What else a JSON Schema asks of a value: bounds, lengths, a pattern."""
    words = {
        "minimum": "at least {}", "exclusiveMinimum": "above {}", "maximum": "at most {}",
        "minLength": "at least {} characters", "maxLength": "at most {} characters",
        "minItems": "at least {}", "maxItems": "at most {}", "pattern": "like `{}`",
    }  # fmt: skip
    inner = [one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"]
    if any(one.get("pattern") == _ID for one in inner):
        return "An id"
    text = "; ".join(words[key].format(one[key]) for one in inner for key in words if key in one)
    return text[:1].upper() + text[1:]


def fields(schema: Mapping[str, Any]) -> str:
    """The properties of an object's JSON Schema as a table."""
    needed = set(schema.get("required", ()))
    rows = []
    for name, one in schema.get("properties", {}).items():
        text = [described(one.get("description", "")), bounds(one)]
        if "default" in one and one["default"] not in (None, [], ""):
            text.append(f"Default `{one['default']}`")
        about = " ".join(part if part.endswith((".", ":")) else f"{part}." for part in text if part)
        rows.append([code(name), type_of(one), "yes" if name in needed else "", about])
    return table(["field", "type", "needed", "about"], rows)
