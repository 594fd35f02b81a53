"""What is wrong with a field of a file or a question, in words, where a model of the file has refused it."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from schemas.event_faults import kind_of

#: What a form that is written as a pattern means.
_FORMS = {
    "[A-Za-z0-9_.:-]{1,64}": "1 to 64 characters of A-Z a-z 0-9 _ . : -",
    "[A-Za-z0-9._-]{1,64}": "1 to 64 characters of A-Z a-z 0-9 . _ -",
    "[A-Za-z0-9._-]{1,200}": "1 to 200 characters of A-Z a-z 0-9 . _ -",
    "[0-9a-f]{32}": "32 characters of 0-9 a-f",
}
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


def field_fault(fault: Mapping[str, Any], names: Collection[str] = ()) -> str:
    """A fault as its reader needs it: what is wrong with the value, and what would be right.

    Parameters
    ----------
    fault
        As pydantic tells it.
    names
        The fields that there are, to find the one that was meant.
    """
    kind, about = str(fault["type"]), fault.get("ctx", {})
    if kind == "value_error":
        return str(about["error"])
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(str(fault["loc"][-1]), names, 1)
        return f"is not known; did you mean {near[0]}?" if near else "is not known: leave it out"
    if "input" in fault and kind.endswith("_type"):
        return f"is {kind_of(fault['input'])}, {_wanted(kind, about)}"
    return _wanted(kind, about)


def causes(errors: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The faults of a file without those that are the consequence of another.

    A misspelt name is why another is missing, and of a list with nothing good in it each entry is told.
    """
    places = [one["loc"] for one in errors]
    unknown = [one["loc"] for one in errors if one["type"] == "extra_forbidden"]
    kept = []
    for one in errors:
        loc = one["loc"]
        beside = [str(other[-1]) for other in unknown if other[:-1] == loc[:-1]]
        within = any(len(other) > len(loc) and other[: len(loc)] == loc for other in places)
        misspelt = one["type"] == "missing" and difflib.get_close_matches(str(loc[-1]), beside, 1)
        if not misspelt and not (one["type"] == "too_short" and within):
            kept.append(one)
    return kept


def _wanted(kind: str, about: Mapping[str, Any]) -> str:
    if kind in ("literal_error", "enum"):
        return "must be " + str(about["expected"]).replace("'", "")
    if kind == "string_pattern_mismatch":
        pattern = str(about["pattern"]).strip("^$").removesuffix(r"\z").removesuffix(r"\Z")
        return "must be " + _FORMS.get(pattern, f"of the form {pattern}")
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
