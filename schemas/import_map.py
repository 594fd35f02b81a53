"""Maps for ``respite import``: which columns of a table are rider, platform, order, times and state."""

from __future__ import annotations

import tomllib
from typing import Annotated, Literal, Self, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from schemas.durations import parse_duration
from schemas.faults.field import causes, field_fault, place_in
from schemas.faults.toml_text import toml_fault
from schemas.names import Id, is_id
from schemas.work_state import TYPES_OF_ORDERS, EventType

#: What a map leaves to whoever imports: ``--zone``, ``--year``, ``--rider`` say it.
ASKED = "?"
_NOT_OF_TABLES = ("heartbeat", "duty_status")
Text = Annotated[str, Field(strict=True, min_length=1, max_length=2000)]
Column = Annotated[str, Field(strict=True, min_length=1, max_length=200)]
IfMissing = Literal["skip", "drop", "open", "last"]
_IF_MISSING = get_args(IfMissing)


class InvalidMap(ValueError):
    """A map that is none; the message has every fault with its place."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def _if_missing(value: object) -> object:
    if isinstance(value, str) and value in _IF_MISSING:
        return value
    if not isinstance(value, str):
        raise ValueError("must be text in quotation marks")  # noqa: TRY004 - pydantic wants a ValueError
    try:
        parse_duration(value)
    except ValueError as error:
        raise ValueError(f'must be {", ".join(_IF_MISSING)} or a duration like "30min"') from error
    return value


def _known_zone(value: object) -> object:
    if isinstance(value, str) and value != ASKED:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f'"{value}" is no time zone: name one like "Europe/Paris"') from error
    return value


class Words(_Model):
    """The same in both languages."""

    zh: Text
    en: Text


class Value(_Model):
    """Where a value comes from: a column, several that name it together, or always the same.

    ``constant = "?"``: whoever imports says it.
    """

    column: Column | None = None
    columns: Annotated[list[Column], Field(min_length=1)] | None = None
    constant: str | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if sum(one is not None for one in (self.column, self.columns, self.constant)) != 1:
            raise ValueError("must be one of column, columns and constant")
        if self.constant not in (None, ASKED) and not is_id(self.constant):
            raise ValueError(f'constant "{self.constant}" must be 1 to 64 of A-Z a-z 0-9 _ . : -')
        return self

    @property
    def reads(self) -> list[str]:
        """The columns that it needs."""
        return self.columns or ([self.column] if self.column is not None else [])


class Times(_Model):
    """How times are written.

    Parameters
    ----------
    format
        ``iso``, ``epoch_s``, ``epoch_ms``, or a form like ``%d.%m.%Y %H:%M``.
    zone
        Of times without an offset.
    year
        Of times whose form has none.
    ignore_offset
        The offset that is written is wrong: times are local to the zone.
    zero_is_missing
        0 stands for no time.
    """

    format: Text = "iso"
    zone: Annotated[str, BeforeValidator(_known_zone)] = "UTC"
    year: Annotated[int, Field(ge=2000, le=2099)] | Literal["?"] | None = None
    ignore_offset: bool = False
    zero_is_missing: bool = False

    @model_validator(mode="after")
    def _has_a_year(self) -> Self:
        form = self.format
        if form not in ("iso", "epoch_s", "epoch_ms"):
            if "%" not in form:
                raise ValueError(
                    'format: must be "iso", "epoch_s", "epoch_ms" or a form like "%d.%m.%Y %H:%M"'
                )
            has_year = any(code in form for code in ("%Y", "%y", "%c", "%x"))
            if has_year == (self.year is not None):
                raise ValueError(
                    "year: the format has one: leave it out"
                    if has_year
                    else 'year: the format has none: add year = 2026, or "?" to be asked for --year'
                )
        elif self.year is not None:
            raise ValueError(f"year: times of the format {form} have one: leave it out")
        return self


class MappedEvent(_Model):
    """An event that a row gives.

    Parameters
    ----------
    type, type_column
        Its type, or the column that says it, by `ImportMap.types`.
    time
        The column of its time.
    when, unless
        Only of rows whose column has one of these values, or none of them.
    if_missing
        Without a time: ``skip`` the event, ``drop`` the row, leave what it would end ``open``, end it at the
        ``last`` time of the row, or so long (``"30min"``) after that.
    """

    type: EventType | None = None
    type_column: Column | None = None
    time: Column
    when: dict[str, list[str]] = Field(default_factory=dict)
    unless: dict[str, list[str]] = Field(default_factory=dict)
    if_missing: Annotated[str, BeforeValidator(_if_missing)] = "drop"

    @model_validator(mode="after")
    def _has_a_type(self) -> Self:
        if (self.type is None) == (self.type_column is None):
            raise ValueError("must have one of type and type_column")
        if self.type in _NOT_OF_TABLES:
            raise ValueError(f"type: a table gives no {self.type}: leave it out")
        return self


class ImportMap(_Model):
    """A map: from the rows of a table to events.

    Parameters
    ----------
    ids
        Riders and orders as ``pseudonyms`` (keyed HMAC) or ``kept`` as they are.
    only
        Rows whose column has none of these values are left out, and counted.
    types
        From what `MappedEvent.type_column` says to types of events.
    embedded
        The column that holds a whole event; ``.`` for the row itself. Nothing else is then mapped.
    """

    name: Id
    title: Words
    about: Words
    source: Text
    ids: Literal["pseudonyms", "kept"] = "pseudonyms"
    only: dict[str, list[str]] = Field(default_factory=dict)
    embedded: Column | None = None
    rider: Value | None = None
    platform: Value | None = None
    order: Value | None = None
    zone: Value | None = None
    times: Times = Times()
    types: dict[str, EventType] = Field(default_factory=dict)
    event: list[MappedEvent] = Field(default_factory=list)

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.embedded is not None:
            given = [name for name in ("rider", "platform", "order", "zone") if getattr(self, name)]
            if given or self.event:
                raise ValueError("embedded: leave out rider, platform, order, zone and event beside it")
            return self
        missing = [name for name in ("rider", "platform", "event") if not getattr(self, name)]
        if missing:
            raise ValueError(f"missing: {', '.join(missing)}")
        orders = any(one.type in TYPES_OF_ORDERS for one in self.event)
        if orders and self.order is None:
            raise ValueError("order: is missing, and events of orders need one")
        if any(one.type_column for one in self.event) and not self.types:
            raise ValueError("types: is missing: it says what the words of type_column mean")
        return self

    @property
    def needs_key(self) -> bool:
        """Whether ids are made, which takes a key."""
        read = [one for value in (self.rider, self.order) if value for one in value.reads]
        return self.ids == "pseudonyms" and bool(read)

    @property
    def needs(self) -> list[str]:
        """The columns that a table must have: not a zone's, nor those of events that may be skipped."""
        named = [one for value in (self.rider, self.platform, self.order) if value for one in value.reads]
        for event in self.event:
            named += [*event.when, *event.unless] + ([event.time] if event.if_missing != "skip" else [])
            named += [event.type_column] if event.type_column else []
        named += list(self.only)
        if self.embedded not in (None, "."):
            named.append(str(self.embedded).partition(".")[0])
        return list(dict.fromkeys(named))


def load_map(text: str, place: str) -> ImportMap:
    """The map of a TOML text; ``place`` is named in messages.

    Raises
    ------
    InvalidMap
        With every fault.
    """
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidMap(f"{place}: {toml_fault(text, error)}") from error
    try:
        return ImportMap.model_validate(tree)
    except ValidationError as error:
        faults = []
        for one in causes(error.errors()):
            where = place_in(one["loc"], tree)
            faults.append(f"  {where or 'the map'}: {field_fault(one, ImportMap.model_fields)}")
        raise InvalidMap(f"{place}: {len(faults)} faults\n" + "\n".join(faults)) from error
