"""What is wrong with a field of a file or a question, in words, where a model of the file has refused it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic.fields import FieldInfo

from schemas.faults.event import kind_of
from schemas.faults.meant import OF_IDS, OF_NAMES, listed, meant, name_fault, name_form

#: What a form that is written as a pattern means: the characters beside letters and digits, and how many.
_NAMES = {
    "[A-Za-z0-9_.:-]{1,64}": (OF_IDS, 64),
    "[A-Za-z0-9._-]{1,64}": (OF_NAMES, 64),
    "[A-Za-z0-9._-]{1,200}": (OF_NAMES, 200),
}
_FORMS = {"[0-9a-f]{32}": "32 characters of 0-9 a-f"}
Fields = Mapping[str, FieldInfo]
_WANTED = {
    "string_type": "must be a text in quotation marks",
    "bool_type": "must be true or false, without quotation marks",
    "bool_parsing": "must be true or false, without quotation marks",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a smaller whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "tuple_type": "must be a list: [...]",
    "list_type": "must be a list: [...]",
    "model_type": "must be a table: { name = value }",
    "model_attributes_type": "must be a table: { name = value }",
    "dict_type": "must be a table: { name = value }",
    "string_too_short": "is empty: write the text",
}


def field_fault(fault: Mapping[str, Any], fields: Fields | None = None) -> str:
    """A fault as its reader needs it: what is wrong with the value, and what would be right.

    Parameters
    ----------
    fault
        As pydantic tells it.
    fields
        The fields that there are by name, to find the one that was meant, and bounds and defaults.
    """
    kind, about, fields = str(fault["type"]), fault.get("ctx", {}), fields or {}
    name = str(fault["loc"][-1]) if fault["loc"] else ""
    if kind == "value_error":
        return str(about["error"])
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        if instead := about.get("missing"):
            return f"is not known; did you mean {instead}, which is missing?"
        near = meant(name, fields)
        return f"is not known; did you mean {near}?" if near else "is not known: leave it out"
    value = fault.get("input")
    of_field = fields.get(name)
    wanted = _wanted(kind, about, value) if of_field is None else _by_field(kind, about, value, of_field)
    if "input" in fault and kind.endswith("_type"):
        return f"is {kind_of(value)}, {wanted}"
    return wanted


def causes(errors: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The faults of a file without those that are the consequence of another.

    A misspelt name is why another is missing, and of a list with nothing good in it each entry is told. Where
    one name is unknown and one is missing, the one is taken for the other.
    """
    places = [one["loc"] for one in errors]
    instead: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for loc in (one["loc"] for one in errors if one["type"] == "extra_forbidden"):
        beside = [one["loc"] for one in errors if one["loc"][:-1] == loc[:-1] and one["type"] == "missing"]
        others = [
            one["loc"] for one in errors if one["loc"][:-1] == loc[:-1] and one["type"] == "extra_forbidden"
        ]
        near = meant(loc[-1], [str(one[-1]) for one in beside])
        if near is None and len(beside) == len(others) == 1:
            near = str(beside[0][-1])
        if near is not None and (*loc[:-1], near) not in instead.values():
            instead[loc] = (*loc[:-1], near)
    kept = []
    for one in errors:
        loc = one["loc"]
        within = any(len(other) > len(loc) and other[: len(loc)] == loc for other in places)
        if one["type"] == "missing" and loc in instead.values():
            continue
        if one["type"] == "too_short" and within:
            continue
        kept.append({**one, "ctx": {"missing": instead[loc][-1]}} if loc in instead else one)
    return kept


def place_in(location: Sequence[int | str], tree: object) -> str:
    """The way to a fault as a reader of the file would say it: elements by number from 1, and by name.

    Examples
    --------
    >>> place_in(("endpoint", 0, "url"), {"endpoint": [{"name": "meituan"}]})
    'endpoint[1] "meituan".url'
    """
    parts: list[str] = []
    for step in location:
        try:
            tree = tree[step]  # type: ignore[index]
        except (KeyError, IndexError, TypeError):
            tree = None
        if isinstance(step, str):
            parts.append(step)
            continue
        name = tree.get("name") if isinstance(tree, dict) else None
        known = f' "{name[:64]}"' if isinstance(name, str) else ""
        parts.append(f"{parts.pop() if parts else ''}[{step + 1}]{known}")
    return ".".join(parts)


def allowed_numbers(field: FieldInfo) -> str:
    """The bounds of a number: ``from 0 to 65535``, ``above 0 and at most 5``; empty where it has none."""
    bound = {
        name: getattr(one, name)
        for one in field.metadata
        for name in ("ge", "gt", "le")
        if hasattr(one, name)
    }
    if "gt" in bound:
        return f"above {bound['gt']}" + (f" and at most {bound['le']}" if "le" in bound else "")
    if "ge" in bound:
        return f"from {bound['ge']} " + (f"to {bound['le']}" if "le" in bound else "on")
    return f"at most {bound['le']}" if "le" in bound else ""


def guessed(value: object, words: Sequence[str], other_names: Mapping[str, str] | None = None) -> str:
    """The end of a sentence that asks for the word that was meant; empty where that is not known."""
    near = meant(value, words, other_names) if isinstance(value, str) else None
    return f'; did you mean "{near}"?' if near else ""


def choices_of(expected: object) -> list[str]:
    """The words of a choice, of pydantic's list of them."""
    return [one.strip("' ") for one in str(expected).replace(" or ", ", ").split(",")]


def _by_field(kind: str, about: Mapping[str, Any], value: object, field: FieldInfo) -> str:
    """What is wanted, with the bounds and the default of a number."""
    numbers = allowed_numbers(field)
    if not numbers or not kind.startswith(("int_", "float_", "greater_", "less_")):
        return _wanted(kind, about, value)
    what = "a whole number" if field.annotation is int else "a number"
    default = field.default
    more = f", like {default}, the default" if isinstance(default, int | float) else ""
    return f"must be {what} {numbers}{more}"


def _wanted(kind: str, about: Mapping[str, Any], value: object) -> str:
    if kind in ("literal_error", "enum"):
        words = choices_of(about["expected"])
        return f"must be {listed(words)}{guessed(value, words)}"
    if kind == "string_pattern_mismatch":
        pattern = str(about["pattern"]).strip("^$").removesuffix(r"\z").removesuffix(r"\Z")
        if pattern not in _NAMES:
            return "must be " + _FORMS.get(pattern, f"of the form {pattern}")
        others, longest = _NAMES[pattern]
        told = name_fault(value, others, longest) if isinstance(value, str) else ""
        return told or "must be " + name_form(others, longest)
    if kind in ("greater_than_equal", "greater_than"):
        return (
            f"must be at least {about['ge']}" if "ge" in about else f"must be above {about['gt'] or 'zero'}"
        )
    if kind in ("less_than_equal", "less_than"):
        return f"must be at most {about['le']}" if "le" in about else f"must be below {about['lt']}"
    if kind in ("too_short", "too_long"):
        bound, count = (
            ("least", about["min_length"]) if kind == "too_short" else ("most", about["max_length"])
        )
        return f"must have at {bound} {count} {'entry' if count == 1 else 'entries'}"
    if kind == "string_too_long":
        return f"must have at most {about['max_length']} characters"
    return _WANTED.get(kind, "is not of the form that is wanted")


def written(value: object) -> str:
    """A value in a message, not too long.

    Examples
    --------
    >>> written("x" * 100)[:12], written(True)
    ('"xxxxxxxxxxx', 'true')
    """
    return json.dumps(value, ensure_ascii=False, default=str)[:80]


def with_value(name: str, value: object, text: str) -> str:
    """A fault with its value before it, which is then not told again.

    Examples
    --------
    >>> with_value("timeout", "10", '"10" is no duration')
    'timeout = "10": is no duration'
    """
    shown = written(value)
    return f"{name} = {shown}: {text.removeprefix(f'{shown}: ').removeprefix(f'{shown} ')}"


_CALLED = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


def json_fault(error: Exception) -> str:
    """Why a JSON text has been refused, where msgspec has read it.

    Examples
    --------
    >>> json_fault(ValueError("Expected `int`, got `str` - at `$.candidates[3].minutes`"))
    'candidates[3].minutes: must be a whole number, is a text'
    """
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8 at byte {error.start}"
    said, _, path = str(error).partition(" - at `")
    place = path.rstrip("`").removeprefix("$").removeprefix(".")
    return f"{place}: {_said(said)}" if place else _said(said)


def _said(said: str) -> str:
    if found := re.fullmatch(r"Expected `([^`]+)`, got `([^`]+)`", said):
        wanted, got = (_called(side) for side in found.groups())
        return f"must be {wanted}, is {got}"
    if found := re.fullmatch(r"Expected `([^`]+)` (of length )?(<=|>=|<|>) ([\d.]+)", said):
        bound = {"<=": "at most", ">=": "at least", "<": "below", ">": "above"}[found[3]]
        return f"must have {bound} {found[4]} entries" if found[2] else f"must be {bound} {found[4]}"
    if found := re.fullmatch(r"Object missing required field `([^`]+)`", said):
        return f"{found[1]} is missing"
    if found := re.fullmatch(r"Object contains unknown field `([^`]+)`", said):
        return f"{found[1]} is not known: leave it out"
    if found := re.fullmatch(r"JSON is malformed: .*\(byte (\d+)\)", said):
        return f"not JSON from byte {found[1]} on"
    if said.startswith("Invalid enum value"):
        return f"{said.removeprefix('Invalid enum value ')} is none of those that there are"
    if "truncated" in said:
        return "not JSON: it ends before it is complete"
    return "not of the form that is wanted"


def _called(kinds: str) -> str:
    return " or ".join(_CALLED.get(one, one) for one in kinds.split(" | "))
