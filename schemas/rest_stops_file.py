"""The file of rest stops and estates: a table (CSV) or GeoJSON; all faults in one message."""

from __future__ import annotations

import csv
import difflib
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import ValidationError

from schemas.faults.field import choices_of, field_fault, guessed
from schemas.faults.json_text import syntax
from schemas.faults.meant import listed
from schemas.rest_stops import SERVICES, Estate, RestStop

#: More entries are no list of a district's.
MOST_ENTRIES = 100_000
_MOST_FAULTS = 50
_TEXTS = {
    "missing": "is missing",
    "too_short": "is empty",
    "string_too_short": "is empty: fill it in",
    "string_too_long": "is longer than 500 characters: shorten it",
    "string_type": "must be a text",
    "tuple_type": "must be a list",
    "model_type": 'must be {"zh": "…", "en": "…"}',
    "model_attributes_type": 'must be {"zh": "…", "en": "…"}',
}
COLUMNS = (
    "stop_id", "estate_id", "name_zh", "name_en", "name", "zone", "address", "hours", "services", "access",
    "source", "checked_on",
)  # fmt: skip
_NEEDS = "needs a stop_id (a rest stop) or an estate_id (an estate)"


class InvalidRestStops(ValueError):
    """A file that is refused; the message has every fault with its place."""


class Row(NamedTuple):
    """An entry as it stands in the file, and where."""

    place: str
    fields: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RestStopsContents:
    """What a file says; ``doubts`` are what is allowed and hardly meant."""

    stops: tuple[RestStop, ...] = ()
    estates: tuple[Estate, ...] = ()
    doubts: tuple[str, ...] = ()


def parse_rest_stops(text: str, origin: str) -> RestStopsContents:
    """What a file says; GeoJSON is known by its first brace.

    Parameters
    ----------
    origin
        Where the text came from, for the message.

    Raises
    ------
    InvalidRestStops
        With every fault.
    """
    faults: list[str] = []
    doubts: list[str] = []
    rows = _features(text, faults, doubts) if text.lstrip().startswith("{") else _lines(text, faults, doubts)
    stops: list[RestStop] = []
    estates: list[Estate] = []
    for row in rows:
        found = _entry(row, faults)
        if isinstance(found, RestStop):
            stops.append(found)
            doubts += _doubts(row.place, found)
        elif found is not None:
            estates.append(found)
    for kind in ("stop_id", "estate_id"):
        ids = [str(row.fields[kind]) for row in rows if kind in row.fields]
        faults += [f"{kind} {name}: stands twice, give each its own" for name in _repeated(ids)]
    if len(rows) > MOST_ENTRIES:
        faults.append(f"{len(rows)} entries, at most {MOST_ENTRIES}: split the file by city")
    if not rows and not faults:
        faults.append("has no entry: a line for each rest stop or estate below the head")
    if faults:
        # A misspelt column is why another is missing.
        faults += [doubt for doubt in doubts if "did you mean" in doubt]
        told = [f"{origin}: {one}" for one in faults[:_MOST_FAULTS]]
        more = len(faults) - len(told)
        raise InvalidRestStops("\n".join([*told, f"{origin}: and {more} more"] if more else told))
    return RestStopsContents(tuple(stops), tuple(estates), tuple(doubts))


def _lines(text: str, faults: list[str], doubts: list[str]) -> list[Row]:
    """The rows of a table."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[Row] = []
    try:
        head = [name.strip() for name in next(reader, [])]
        if not {"stop_id", "estate_id"} & set(head):
            faults.append(
                f"line 1: {', '.join(head)[:80] or 'nothing'}: the head of the table {_NEEDS} among its "
                f"columns; those that there are: {', '.join(COLUMNS)}"
            )
            return rows
        faults += [f"line 1: column {name}: stands twice, remove one" for name in _repeated(head)]
        doubts += [f"line 1: {_unknown(name)}" for name in head if name not in COLUMNS]
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            place = f"line {reader.line_num}"
            if len(cells) != len(head):
                faults.append(
                    f"{place}: {len(cells)} cells under a head of {len(head)}: put quotation marks around "
                    "a cell with a comma"
                )
                continue
            rows.append(Row(place, _of_cells(dict(zip(head, cells, strict=True)))))
    except csv.Error:
        faults.append(
            f"line {reader.line_num}: no table: maybe a quotation mark has no "
            "end: save it as CSV with commas, in UTF-8"
        )
    return rows


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, COLUMNS, 1, 0.75)
    return f'"{name}" is not looked at' + (f"; did you mean {near[0]}?" if near else "")


def _repeated(names: Iterable[str]) -> list[str]:
    seen: dict[str, int] = {}
    for name in names:
        seen[name] = seen.get(name, 0) + 1
    return sorted(name for name, count in seen.items() if count > 1)


def _of_cells(cells: Mapping[str, str]) -> dict[str, Any]:
    """The fields of a line; empty cells say nothing."""
    return {name: cell.strip() for name, cell in cells.items() if cell.strip()}


def _features(text: str, faults: list[str], doubts: list[str]) -> list[Row]:
    """The features of a GeoJSON collection."""
    try:
        tree = json.loads(text)
    except json.JSONDecodeError as error:
        faults.append(f"not JSON: {syntax(error)}")
        return []
    except (ValueError, RecursionError):
        faults.append("not JSON: a number is too long, or lists stand too deep in one another")
        return []
    features = tree.get("features")
    if tree.get("type") != "FeatureCollection" or not isinstance(features, list):
        faults.append(
            f"type = {json.dumps(tree.get('type'))[:40]}: must be a FeatureCollection with a list of features"
        )
        return []
    rows = []
    unknown: dict[str, None] = {}
    for number, one in enumerate(features, 1):
        fields = one.get("properties") if isinstance(one, dict) else None
        if not isinstance(fields, dict):
            faults.append(f"feature {number}: has no properties: an object with a stop_id or an estate_id")
            continue
        unknown |= dict.fromkeys(name for name in fields if name not in COLUMNS)
        rows.append(Row(f"feature {number}", {name: v for name, v in fields.items() if v not in (None, "")}))
    doubts += [_unknown(name) for name in unknown]
    return rows


def _entry(row: Row, faults: list[str]) -> RestStop | Estate | None:
    """The rest stop or estate of a row; None when it has faults."""
    fields = dict(row.fields)
    kinds = [name for name in ("stop_id", "estate_id") if name in fields]
    if len(kinds) != 1:
        also = " and not both" if kinds else ""
        faults.append(f"{row.place}: {_NEEDS}{also}")
        return None
    place = f"{row.place}, {kinds[0]} {str(fields[kinds[0]])[:64]}"
    if kinds == ["stop_id"] and not isinstance(fields.get("name"), dict):
        alone = fields.pop("name", None)
        words = {lang: fields.get(f"name_{lang}") for lang in ("zh", "en")}
        fields["name"] = {lang: word for lang, word in words.items() if word is not None}
        if alone is not None and not fields["name"]:
            faults.append(f"{place}: name = {_shown(alone)}: give name_zh and name_en")
            return None
    if kinds == ["estate_id"]:
        # A table of both has the column of the rest stops.
        fields.setdefault("name", fields.get("name_zh") or fields.get("name_en") or "")
    model = RestStop if kinds == ["stop_id"] else Estate
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        faults += [f"{place}: {_told(one)}" for one in error.errors(include_url=False)]
        return None


def _told(fault: Mapping[str, Any]) -> str:
    """What is wrong with a field: its name, its value, the remedy."""
    field = "_".join(str(step) for step in fault["loc"] if not isinstance(step, int))
    kind = fault["type"]
    if kind == "missing":
        return f"{field} {_TEXTS[kind]}: fill it in"
    if kind == "literal_error":
        words = SERVICES if field == "services" else choices_of(fault["ctx"]["expected"])
        return f"{field} = {_shown(fault['input'])}: must be {listed(words)}{guessed(fault['input'], words)}"
    text = str(fault["ctx"]["error"]) if kind == "value_error" else _TEXTS.get(kind) or field_fault(fault)
    return f"{field} = {_shown(fault['input'])}: {text}"


def _shown(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)[:80]


def _doubts(place: str, stop: RestStop) -> Iterator[str]:
    hours = stop.hours.lower()
    if any(word in hours for word in ("sunrise", "sunset", "dawn", "dusk")):
        yield (
            f"{place}, stop_id {stop.stop_id}: hours by the sun: coordinates are not looked at, so it rises "
            "at 07:00 and sets at 19:00 all year; write clock times"
        )
    if "rest" not in stop.services:
        yield f"{place}, stop_id {stop.stop_id}: services do not name rest: is there a place to sit down?"
