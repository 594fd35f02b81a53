"""An operator's orders as they lie in Kafka: to forget a rider, to lift a hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import structlog

from schemas.control import FORGET, LIFT_HOLD, REVIEW, InvalidOrder, LiftHold, lift_of, order_of
from schemas.names import is_rider

log = structlog.get_logger()


class Record(Protocol):
    """A record of the topic of orders."""

    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Order:
    """An order about a rider; ``lift`` is None where he is to be forgotten.

    ``arrival_ms`` is when Kafka got it, epoch milliseconds.
    """

    rider: str
    arrival_ms: int
    lift: LiftHold | None

    @property
    def arrival_s(self) -> int:
        """The second in which it arrived."""
        return self.arrival_ms // 1000


def read_order(record: Record) -> Order | None:
    """The order of a record; None for what orders nothing, which is said where it is no note of a review."""
    if record.key is None or not is_rider(record.key):
        return None
    try:
        found = order_of(record.value)
        if found["schema"] == FORGET:
            return Order(record.key.decode(), int(record.timestamp), None)
        if found["schema"] == LIFT_HOLD:
            return Order(record.key.decode(), int(record.timestamp), lift_of(found))
        fault = None if found["schema"] == REVIEW else f"{found['schema']}: is no order"
    except InvalidOrder as error:
        fault = str(error)
    if fault is not None:
        log.warning("no order, left out", partition=record.partition, offset=record.offset, detail=fault)
    return None
