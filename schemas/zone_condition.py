"""ZoneCondition: what is announced of zones, like heat or a curfew, and why a message is none."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, ValidationError
from pydantic_core import ErrorDetails

from schemas.faults.event import id_fault, kind_of, shown
from schemas.instants import parse_instant
from schemas.names import Id
from schemas.work_state import LONGEST_DETAIL, Refused, printable, read_object

SCHEMA = "zone-condition/1"
LONGEST_S = 14 * 86_400
MOST_ZONES = 1_000
_TIME = '"2026-07-12T11:00:00+08:00"'
_EXAMPLES = {
    "schema": f'"{SCHEMA}"',
    "condition_id": '"sh-heat-20260712"',
    "condition": '"heat-37"',
    "zones": '["310105", "3101*"]',
    "from": _TIME,
    "until": _TIME,
    "announced_at": _TIME,
}
_PATTERN = re.compile(r"[A-Za-z0-9_.:-]{1,64}|[A-Za-z0-9_.:-]{0,63}\*", re.ASCII)


def checked_zone(value: object) -> object:
    """The text of a zone or of a pattern of zones, as it is.

    Raises
    ------
    ValueError
        When it is none.
    """
    if not isinstance(value, str) or not _PATTERN.fullmatch(value):
        raise ValueError('is no zone: an id like "310105", or the beginning of some like "3101*"')
    return value


def _checked_instant(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError(f"is {kind_of(value)}, must be a text like {_TIME}")  # noqa: TRY004 - a fault in data
    parse_instant(value)
    return value


Instant = Annotated[str, BeforeValidator(_checked_instant)]
Zone = Annotated[str, BeforeValidator(checked_zone)]


class ZoneCondition(BaseModel):
    """A version of a condition of zones; the newest announced one of an id is in force.

    Unknown fields are ignored; of repeated ones the last counts.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, title="ZoneCondition")

    schema_: Annotated[str, Field(alias="schema", pattern=rf"^{SCHEMA}$")]
    condition_id: Annotated[Id, Field(description="Of all its versions, and the key of the record.")]
    condition: Annotated[Id, Field(description="What policies name, like heat-37.")]
    zones: Annotated[
        tuple[Zone, ...],
        Field(min_length=1, max_length=MOST_ZONES, description="A trailing * stands for any rest."),
    ]
    from_: Annotated[Instant, Field(alias="from", description="It is on from here on.")]
    until: Annotated[Instant, Field(description="And no longer here; after `from`, at most 14 days.")]
    announced_at: Annotated[
        Instant | None,
        Field(description="With the wall clock not looked at: the record's arrival counts. Else needed."),
    ] = None
    source: Annotated[str | None, Field(description="Who announced it, where it was read.")] = None
    void: Annotated[StrictBool | None, Field(description="Taken back: this id is not on.")] = None

    @property
    def from_s(self) -> int:
        """Epoch seconds."""
        return parse_instant(self.from_)

    @property
    def until_s(self) -> int:
        """Epoch seconds."""
        return parse_instant(self.until)

    @property
    def announced_s(self) -> int | None:
        """Epoch seconds; None where the message does not say it."""
        return None if self.announced_at is None else parse_instant(self.announced_at)


def read_condition(value: bytes | None, *, needs_announcement: bool) -> ZoneCondition:
    """The condition of a message's value.

    Parameters
    ----------
    value
        The message's bytes.
    needs_announcement
        Whether the field ``announced_at`` is needed: it is not with the wall clock.

    Raises
    ------
    Refused
        With the first reason that applies.
    """
    tree = read_object(value, SCHEMA)
    if not needs_announcement:
        # Whatever it says: the record's arrival counts.
        tree = {key: value for key, value in tree.items() if key != "announced_at"}
    try:
        found = ZoneCondition.model_validate(tree)
    except ValidationError as error:
        faults = dict.fromkeys(_fault(one, tree) for one in _first_of_each(error.errors()))
        raise Refused("invalid", printable("; ".join(faults), LONGEST_DETAIL)) from error
    if contradictions := _contradictions(found, needs_announcement=needs_announcement):
        raise Refused("invalid", printable("; ".join(contradictions), LONGEST_DETAIL))
    return found


def _contradictions(one: ZoneCondition, *, needs_announcement: bool) -> list[str]:
    faults = []
    if one.until_s <= one.from_s:
        faults.append(f"until = {shown(one.until)}: must be after from = {shown(one.from_)}")
    elif one.until_s - one.from_s > LONGEST_S:
        faults.append(
            f"until = {shown(one.until)}: more than 14 days after from = {shown(one.from_)}: announce the "
            "rest under another condition_id"
        )
    if needs_announcement and one.announced_at is None:
        faults.append(_missing("announced_at"))
    return faults


def _first_of_each(errors: Iterable[ErrorDetails]) -> list[ErrorDetails]:
    """Of each field its first fault: that a list is short follows from what is wrong with its items."""
    return list({str(one["loc"][0]): one for one in reversed(list(errors))}.values())[::-1]


def _missing(name: str, what: str = "missing") -> str:
    example = f', like "{name}": {_EXAMPLES[name]}' if name in _EXAMPLES else ""
    return f"{name} is {what}: every condition needs it{example}"


def _fault(one: ErrorDetails, tree: dict[str, Any]) -> str:
    name = str(one["loc"][0])
    value = tree.get(name)
    if value is None:
        return _missing(name, "null" if name in tree else "missing")
    begin = f"{name} = {shown(value)}"
    if name == "zones":
        if one["type"] == "too_long":
            return f"zones has {len(value)}, at most {MOST_ZONES}: a trailing * stands for any rest"
        if len(one["loc"]) > 1 and isinstance(value, list | tuple):
            inner = value[int(one["loc"][1])]
            return f"zones[{int(one['loc'][1]) + 1}] = {shown(inner)} {one['ctx']['error']}"
        return f"{begin}: must be a list of at least one zone, like {_EXAMPLES['zones']}"
    if name in ("from", "until", "announced_at"):
        return f"{name}: {one['ctx']['error']}"
    if name == "void":
        return f"{begin}: must be true or false, without quotation marks, or left out"
    if name == "source":
        return f"{begin}: is {kind_of(value)}, must be a text"
    if name == "schema":
        return f'{begin}: must be "{SCHEMA}"'
    example = _EXAMPLES.get(name, "x").strip('"')
    return f"{begin}: {id_fault(value, example)}"
