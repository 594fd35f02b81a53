"""Rest stops and estates as a district keeps them: where a rider can sit down, and which gates let him in."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, get_args

# Its stubs leave its errors out.
from opening_hours import OpeningHours, ParserError  # type: ignore[attr-defined]
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, field_validator

from schemas.names import Id
from schemas.policy_words import Words

Service = Literal["rest", "toilet", "water", "tea", "microwave", "charging", "first_aid", "umbrella"]
SERVICES: tuple[str, ...] = get_args(Service)
Entry = Literal["open", "cart", "closed"]
ENTRIES: tuple[Entry, ...] = get_args(Entry)
#: An expression longer than this is no shop's hours.
_LONGEST_HOURS = 1000
_FROZEN = ConfigDict(extra="ignore", frozen=True)
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


def _day(value: object) -> object:
    """A date as text, and nothing that pydantic would take for one beside it."""
    if not isinstance(value, str) or len(value) != len("2026-11-28"):
        raise ValueError("must be a date like 2026-11-28")
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise ValueError("must be a date like 2026-11-28") from error


Day = Annotated[date, BeforeValidator(_day)]


def _several(value: object) -> object:
    """A list, or what a cell of a table has in place of one."""
    if isinstance(value, str):
        return tuple(dict.fromkeys(one.strip() for one in value.replace(",", ";").split(";") if one.strip()))
    return value


class RestStop(BaseModel):
    """A place that lets riders rest."""

    model_config = _FROZEN

    stop_id: Id
    name: Words
    zone: Annotated[Id, Field(description="The code that the riders' events name as `zone`, exactly.")]
    address: Line
    hours: Annotated[str, Field(description="OpenStreetMap's opening_hours, like Mo-Fr 08:00-22:00.")]
    services: Annotated[
        tuple[Service, ...], BeforeValidator(_several), Field(description="In a table with semicolons.")
    ] = ()
    source: Annotated[Line, Field(description="Where this was read.")]
    checked_on: Annotated[Day, Field(description="When somebody last made sure of it.")]

    @field_validator("hours")
    @classmethod
    def _understood(cls, value: str) -> str:
        text = value.strip()
        if not 0 < len(text) <= _LONGEST_HOURS:
            raise ValueError("must be opening_hours like Mo-Fr 08:00-22:00, or 24/7")
        try:
            OpeningHours(text)
        except ParserError as error:
            raise ValueError(
                f"is not understood{_column_of(error)}: write OpenStreetMap's opening_hours, like "
                "Mo-Fr 08:00-22:00; Sa 09:00-18:00, or 24/7; where they are not known: 24/7 unknown"
            ) from error
        return text


def _column_of(error: Exception) -> str:
    """Where the library stopped to understand."""
    place = str(error).partition("-->")[2].split("\n")[0].strip()
    column = place.rpartition(":")[2]
    return f" from character {column} on" if column.isdigit() else ""


class Estate(BaseModel):
    """A housing estate, an office park, a campus: whether a rider may ride in."""

    model_config = _FROZEN

    estate_id: Id
    name: Line
    zone: Id
    access: Annotated[
        Entry, Field(description="open: he rides in; cart: the estate's own carts; closed: neither.")
    ]
    source: Line
    checked_on: Day


class RestStopView(BaseModel):
    """A rest stop as the API tells of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stop_id: Id
    name: Words
    zone: Id
    address: str
    hours: str
    services: tuple[Service, ...]
    source: str
    checked_on: date
    open: Annotated[bool, Field(description="At `as_of`. Hours that are not known are not open.")]
    open_until: Annotated[
        str | None, Field(description="When it closes next; null: not open, or open for a year and more.")
    ]


class RestStops(BaseModel):
    """The rest stops of a zone, or of all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    as_of: Annotated[str, Field(description="The instant that `open` is about: `open_at`, else now.")]
    time_zone: Annotated[str, Field(description="Opening hours are read in it.")]
    stops: tuple[RestStopView, ...]
    estates: tuple[Estate, ...]
    estates_by_access: dict[Entry, int]


class ZoneWithoutStop(BaseModel):
    """A zone with riders on hold in which no rest stop is open."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    zone: Id
    riders_on_hold: Annotated[int, Field(ge=-1, description="-1: suppressed, fewer than k riders.")]
    stops: Annotated[int, Field(ge=0, description="Rest stops of the zone, all of them closed now.")]


class RestStopGaps(BaseModel):
    """Where riders are on hold and no rest stop is open, and estates by access."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    as_of: str
    time_zone: str
    k: Annotated[int | None, Field(description="Counts below this are suppressed; null: none are.")]
    complete: Annotated[bool, Field(description="False when some partition is not fresh or not in reach.")]
    zones: tuple[ZoneWithoutStop, ...]
    stops: int
    estates_by_access: dict[Entry, int]


def feature_schema() -> dict[str, Any]:
    """The JSON Schema of the file in its GeoJSON form."""
    stop, estate = RestStop.model_json_schema(), Estate.model_json_schema()
    defs = stop.pop("$defs", {}) | estate.pop("$defs", {})
    feature = {
        "type": "object",
        "required": ["type", "properties"],
        "properties": {
            "type": {"const": "Feature"},
            "geometry": {"description": "Not looked at; may be null."},
            "properties": {"anyOf": [{"$ref": "#/$defs/RestStop"}, {"$ref": "#/$defs/Estate"}]},
        },
    }
    return {
        "title": "RestStopsFile",
        "description": "A file of rest stops and estates as GeoJSON; a table (CSV) has the same fields.",
        "type": "object",
        "required": ["type", "features"],
        "properties": {
            "type": {"const": "FeatureCollection"},
            "features": {"type": "array", "items": feature},
        },
        "$defs": {**defs, "RestStop": stop, "Estate": estate},
    }
