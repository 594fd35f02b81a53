"""Why a message is no event, in words: the field, its value, the form and an example."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from schemas.instants import END_S, FIRST_S, parse_instant
from schemas.names import is_id

_EXAMPLES = {
    "event_id": "m-20261123-000001",
    "rider_id": "r_7f3a09",
    "platform": "meituan",
    "order_id": "o-991",
    "zone": "310105",
}
_TIME_EXAMPLE = '"2026-11-23T12:00:00+08:00"'
_ID_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-")
_LONGEST_ID = 64
_SHOWN = 60
_MISSING = object()
#: What json's messages begin with, and what is said instead.
_SYNTAX = (
    ("Expecting property name", "the name of a field in double quotation marks is expected"),
    ("Illegal trailing comma", "a comma before a closing bracket"),
    ("Expecting ':'", "a colon after the field's name is expected"),
    ("Expecting ','", "a comma or a closing bracket is expected"),
    ("Expecting value", "a value is expected: text in double quotation marks, a number, true, false or null"),
    ("Extra data", "there is more after the end of the object: one line is one event"),
    ("Unterminated string", "a text has no closing quotation mark"),
    ("Invalid control character", "a control character in a text: write it as \\n, \\t or \\u00XX"),
    ("Invalid \\", "a backslash that begins nothing known: write \\\\ for itself"),
    ("Unexpected UTF-8 BOM", "a byte order mark stands before it"),
)


def kind_of(value: object) -> str:
    """What a value of JSON is called."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    kinds = ((str, "a text"), (int | float, "a number"), (list, "an array"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "an object")


def shown(value: object) -> str:
    """A value as JSON writes it, not long."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def syntax(error: json.JSONDecodeError) -> str:
    """What is wrong with a text that is no JSON, and where."""
    why = next((words for begin, words in _SYNTAX if error.msg.startswith(begin)), "it breaks off")
    if error.pos >= len(error.doc.rstrip()):
        return f"it ends at character {error.pos} before it is complete"
    near = error.doc[max(0, error.pos - 12) : error.pos + 12]
    return f"at character {error.pos + 1}, near {json.dumps(near, ensure_ascii=False)}: {why}"


def faults_of(
    names: Iterable[str], tree: Mapping[str, object], types: tuple[str, ...], duties: tuple[str, ...]
) -> str:
    """What is wrong with the fields of these names, one after the other."""
    wrong = list(dict.fromkeys(names))
    kind = tree.get("type")
    ordered = isinstance(kind, str) and kind in types and kind.startswith("order_")
    if ordered and not is_id(tree.get("order_id")) and "order_id" not in wrong:
        wrong.append("order_id")
    if kind == "duty_status" and tree.get("duty") not in duties and "duty" not in wrong:
        wrong.append("duty")
    return "; ".join(_fault(name, tree, duties if name == "duty" else types) for name in wrong)


def _fault(name: str, tree: Mapping[str, object], types: tuple[str, ...]) -> str:
    value = tree.get(name, _MISSING)
    if value is _MISSING or value is None:
        return _missing(name, tree, is_null=value is None)
    if name in ("type", "duty"):
        return _choice(name, value, types)
    if name == "event_time":
        return _event_time(value)
    if name in ("confirmed", "void"):
        return f"{name} = {shown(value)}: must be true or false, without quotation marks, or left out"
    if name == "schema":
        return f'schema = {shown(value)}: must be "work-state/1"'
    return _id(name, value)


def _missing(name: str, tree: Mapping[str, object], *, is_null: bool) -> str:
    examples = {
        "schema": '"work-state/1"',
        "event_time": _TIME_EXAMPLE,
        "type": '"order_accepted"',
        "duty": '"driving"',
    }
    example = examples.get(name) or f'"{_EXAMPLES.get(name, "x")}"'
    who = f"{tree['type']} needs it" if name in ("order_id", "duty") else "every event needs it"
    text = f'{name} is {"null" if is_null else "missing"}: {who}, like "{name}": {example}'
    like = [one for one in tree if one != name and _plain(one) == _plain(name)]
    return text + (f'; there is "{like[0]}", which is not looked at: is that it?' if like else "")


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").replace(" ", "").lower()


def _choice(name: str, value: object, types: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(str(value).lower(), types, 1)
    guess = f'; did you mean "{near[0]}"?' if near else ""
    return f"{name} = {shown(value)}: must be one of {', '.join(types)}{guess}"


def _event_time(value: object) -> str:
    if isinstance(value, str):
        try:
            parse_instant(value)
        except ValueError as error:
            return f"event_time: {error}"
    text = f"event_time = {shown(value)}: is {kind_of(value)}, must be a text like {_TIME_EXAMPLE}"
    if isinstance(value, int | float) and not isinstance(value, bool):
        for unit, name in ((1, "seconds"), (1000, "milliseconds")):
            if FIRST_S <= value / unit < END_S:
                when = datetime.fromtimestamp(value // unit, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
                return f'{text}; as {name} since 1970 it would be "{when}"'
    return text


def _id(name: str, value: object) -> str:
    form = f"1 to {_LONGEST_ID} characters of A-Z a-z 0-9 _ . : -"
    example = f'like "{_EXAMPLES.get(name, "x")}"'
    begin = f"{name} = {shown(value)}"
    if isinstance(value, int) and not isinstance(value, bool):
        return f'{begin}: is a number, must be a text of {form}: write "{value}"'
    if not isinstance(value, str):
        return f"{begin}: is {kind_of(value)}, must be a text of {form}, {example}"
    if not value:
        return f"{begin}: is empty, must be {form}, {example}"
    strange = next((char for char in value if char not in _ID_CHARACTERS), None)
    if strange is not None:
        return f"{begin}: {json.dumps(strange, ensure_ascii=False)} cannot stand in it: {form}, {example}"
    return f"{begin}: has {len(value)} characters, may have {_LONGEST_ID} at most"
