"""WorkStateEvent: what a platform says of a courier's work, and why a message is none."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal, NoReturn, Self, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    ValidationError,
    model_validator,
)

from schemas.faults.event import faults_of, kind_of
from schemas.faults.json_text import requoted, syntax
from schemas.instants import parse_instant
from schemas.names import Id, is_id

SCHEMA = "work-state/1"
LARGEST_BYTES = 16 * 1024
DEEPEST = 100
#: Of what a refusal says in words, characters.
LONGEST_DETAIL = 1_000
EventType = Literal[
    "online",
    "offline",
    "order_accepted",
    "order_picked_up",
    "order_delivered",
    "order_cancelled",
    "break_started",
    "break_ended",
    "heartbeat",
    "duty_status",
]
#: In the order of the codes in the decoder's column.
EVENT_TYPES: tuple[EventType, ...] = get_args(EventType)
#: In the order in which those of one instant are applied.
DUTIES = ("off", "sleeper", "on_duty", "driving")
TYPES_OF_ORDERS = frozenset(name for name in EVENT_TYPES if name.startswith("order_"))


def _checked_instant(value: object) -> object:
    if isinstance(value, str):
        parse_instant(value)
    return value


class WorkStateEvent(BaseModel):
    """One event of one rider on one platform.

    Unknown fields are ignored; of repeated ones the last counts.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, title="WorkStateEvent")

    schema_: Annotated[Literal["work-state/1"], Field(alias="schema")]
    event_id: Annotated[Id, Field(description="For tracing only.")]
    rider_id: Annotated[Id, Field(description="Pseudonym, the same on every platform.")]
    platform: Id
    event_time: Annotated[
        str,
        BeforeValidator(_checked_instant),
        Field(
            strict=True,
            description="When it happened: RFC 3339, whole seconds count.",
            examples=["2026-11-23T12:00:00+08:00"],
        ),
    ]
    type: EventType
    order_id: Annotated[Any, Field(description="Needed for order_*; elsewhere not looked at.")] = None
    duty: Annotated[
        Any,
        Field(description="Needed for duty_status: off, sleeper, on_duty, driving; elsewhere not looked at."),
    ] = None
    zone: Annotated[Id | None, Field(description="An administrative code.")] = None
    confirmed: Annotated[StrictBool | None, Field(description="The rider wants to go on.")] = None
    void: Annotated[StrictBool | None, Field(description="A correction: takes back its like.")] = None

    @model_validator(mode="after")
    def _orders_are_named(self) -> Self:
        if self.type in TYPES_OF_ORDERS and not is_id(self.order_id):
            raise ValueError("order_id")
        if self.type == "duty_status" and self.duty not in DUTIES:
            raise ValueError("duty")
        return self

    @property
    def event_s(self) -> int:
        """Event time, epoch seconds."""
        return parse_instant(self.event_time)


class Refused(ValueError):
    """A message that is no event.

    Attributes
    ----------
    reason
        ``too_large``, ``malformed``, ``unsupported_schema`` or ``invalid``.
    detail
        What is wrong, for a person.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class _NotJson(ValueError):
    """What some readers take for JSON."""


def _no_constant(name: str) -> NoReturn:
    raise _NotJson(f"it knows no {name}: leave the field out or write null")


def read_object(value: bytes | None, known: str) -> dict[str, Any]:
    """The object of a message's value; of its fields only ``schema`` is looked at, ``known`` is its kind's.

    Raises
    ------
    Refused
        With the first reason that applies.
    """
    if value is not None and len(value) > LARGEST_BYTES:
        raise Refused("too_large", f"value of {len(value)} bytes, at most {LARGEST_BYTES}")
    tree = read_json(value)
    if not isinstance(tree, dict):
        raise Refused("malformed", f"is {kind_of(tree)}, must be an object: {{...}}")
    schema = tree.get("schema")
    if isinstance(schema, str) and schema != known:
        raise Refused("unsupported_schema", f'schema "{printable(schema)}", known is "{known}"')
    return tree


def read_event(value: bytes | None) -> WorkStateEvent:
    """The event of a message's value.

    Raises
    ------
    Refused
        With the first reason that applies.
    """
    try:
        tree = read_object(value, SCHEMA)
    except Refused as refused:
        raise _with_the_rest(refused) from refused
    try:
        return WorkStateEvent.model_validate(tree)
    except ValidationError as error:
        raise Refused("invalid", printable(_faults(error, tree), LONGEST_DETAIL)) from error


def _faults(error: ValidationError, tree: dict[str, Any]) -> str:
    names = [str(one["loc"][0] if one["loc"] else one["ctx"]["error"]) for one in error.errors()]
    return faults_of(names, tree, EVENT_TYPES, DUTIES)


def _with_the_rest(refused: Refused) -> Refused:
    """The same, and what would still be wrong where nothing but quotation marks keeps it from being JSON."""
    cause = refused.__cause__
    tree = requoted(cause.doc) if isinstance(cause, json.JSONDecodeError) else None
    if not isinstance(tree, dict):
        return refused
    try:
        WorkStateEvent.model_validate(tree)
    except ValidationError as error:
        rest = f"{refused.detail}; besides, {_faults(error, tree)}"
        return Refused(refused.reason, printable(rest, LONGEST_DETAIL))
    return refused


def platform_of(value: bytes | None) -> str | None:
    """The platform that a message names, refused or not; None when it names none that can be read."""
    try:
        tree = read_json(value)
    except Refused:
        return None
    name = tree.get("platform") if isinstance(tree, dict) else None
    return str(name) if is_id(name) else None


def read_json(value: bytes | None) -> object:
    """The tree of a value.

    Raises
    ------
    Refused
        It is empty, or no JSON: ``malformed``.
    """
    if not value:
        raise Refused("malformed", "the value is null" if value is None else "the value is empty")
    if value.count(b"[") + value.count(b"{") > DEEPEST and _depth(value) > DEEPEST:
        # Said here, for where Python's own limit lies depends on who calls.
        raise Refused("malformed", f"nested more than {DEEPEST} deep")
    try:
        tree: object = json.loads(value.decode("utf-8"), parse_constant=_no_constant)
        if b"\\u" in value:
            # A lone surrogate is JSON by its grammar and no text: it could not be written on.
            json.dumps(tree, ensure_ascii=False).encode("utf-8")
    except UnicodeDecodeError as error:
        raise Refused("malformed", f"not UTF-8 at byte {error.start}") from error
    except UnicodeEncodeError as error:
        raise Refused("malformed", "a lone surrogate in a string") from error
    except json.JSONDecodeError as error:
        raise Refused("malformed", f"not JSON: {printable(syntax(error), 300)}") from error
    except _NotJson as error:
        raise Refused("malformed", f"not JSON: {error}") from error
    except ValueError as error:
        raise Refused("malformed", "a number of more digits than are read") from error
    return tree


def _depth(value: bytes) -> int:
    """How deep brackets nest, not counting those in strings."""
    depth = deepest = 0
    for bracket in re.sub(rb'"(?:[^"\\]|\\.)*"', b"", value, flags=re.DOTALL):
        if bracket in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif bracket in b"]}":
            depth -= 1
    return deepest


def printable(text: str, most: int = 80) -> str:
    """The text as it can stand in a header or a log: no control characters, no lone surrogates, not long."""
    clean = text.encode("utf-8", "backslashreplace").decode("utf-8")
    shown = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in clean)
    return shown if len(shown) <= most else shown[: most - 1] + "…"
