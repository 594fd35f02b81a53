"""Orders of an operator to the workers, and what is noted beside them: values of the topic of orders.

The key is the rider. What counts is when Kafka got an order: ``arrival``, in whole seconds.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from schemas.instants import parse_instant
from schemas.names import is_id

FORGET: Literal["forget/1"] = "forget/1"
LIFT_HOLD: Literal["lift-hold/1"] = "lift-hold/1"
REVIEW: Literal["review/1"] = "review/1"
#: What an operator can answer.
Outcome = Literal["stands", "evidence_wrong", "hold_lifted"]


class InvalidOrder(ValueError):
    """A value that is no order; the message says what is wrong with it."""


class LiftHold(msgspec.Struct, frozen=True):
    """A review has ended a hold: of ``policy`` (name@version) and ``limit``, begun at ``hold_from``."""

    policy: str
    limit: str
    hold_from: str
    review_id: str = ""
    reason_sha256: str = ""
    schema: Literal["lift-hold/1"] = LIFT_HOLD

    @property
    def begun_s(self) -> int:
        """When the hold began, epoch seconds."""
        return parse_instant(self.hold_from)


class ReviewNote(msgspec.Struct, frozen=True):
    """What the record of holds keeps of a review: who asked, what came of it; texts only as digests."""

    review_id: str
    alert_id: str
    asked_by: str
    asked_at: str
    due_at: str
    text_sha256: str
    outcome: Outcome | None = None
    answered_at: str | None = None
    reason_sha256: str | None = None
    schema: Literal["review/1"] = REVIEW


def order_of(value: bytes | None) -> dict[str, Any]:
    """An order as an object with a ``schema``.

    Raises
    ------
    InvalidOrder
        It is none.
    """
    try:
        found = msgspec.json.decode(value or b"")
    except msgspec.DecodeError as error:
        raise InvalidOrder(f"is no JSON: {error}") from error
    if not isinstance(found, dict) or not isinstance(found.get("schema"), str):
        raise InvalidOrder("is no object with a schema")
    return found


def lift_of(order: dict[str, Any]) -> LiftHold:
    """An order to lift a hold.

    Raises
    ------
    InvalidOrder
        Something is missing or wrong.
    """
    try:
        found = msgspec.convert(order, LiftHold)
        parse_instant(found.hold_from)
    except (msgspec.ValidationError, ValueError) as error:
        raise InvalidOrder(f"lift-hold/1: {error}") from error
    return found


def lift_line(order: dict[str, Any]) -> tuple[str, int, LiftHold]:
    """A line of a file of orders: rider, arrival (epoch seconds), and the order.

    Raises
    ------
    InvalidOrder
        Something is missing or wrong.
    """
    if order["schema"] != LIFT_HOLD:
        raise InvalidOrder(f"{order['schema']}: a replay takes lift-hold/1")
    if not is_id(order.get("rider_id")):
        raise InvalidOrder("rider_id: 1 to 64 characters of A-Z a-z 0-9 _ . : -")
    if not isinstance(order.get("arrival"), str):
        raise InvalidOrder("arrival: is missing, when the order came, like 2026-11-23T16:05:00+08:00")
    try:
        arrival_s = parse_instant(order["arrival"])
    except ValueError as error:
        raise InvalidOrder(f"arrival: {error}") from error
    return order["rider_id"], arrival_s, lift_of(order)
