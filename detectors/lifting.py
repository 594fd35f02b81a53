"""Holds that an operator's review ends: orders as evidence, beside the rider's events."""

from __future__ import annotations

from dataclasses import dataclass

from detectors import pages
from detectors.kernels.evidence.lift import take_lift
from detectors.kernels.layout import codes
from detectors.limits import identity_of
from detectors.store import RiderStore


@dataclass(frozen=True, slots=True)
class Lift:
    """An order that ends a hold: of which policy (``name@version``) and limit, begun when, arrived when.

    Instants are epoch seconds.
    """

    policy: str
    limit: str
    begun_s: int
    arrival_s: int


def lift(store: RiderStore, rider: bytes, mixed: int, order: Lift) -> bool:
    """Take an order in; the next judging at its arrival or later ends the hold, if it is under way then.

    False when it was taken in before, or its instant is sealed. A rider who is not known yet is entered: his
    events may still be read.
    """
    row = pages.enter(store, rider, mixed)
    identity = identity_of(order.policy, order.limit)
    while True:
        result, became = take_lift(
            store.memory, row, store.packed_limits, order.arrival_s, identity, order.begun_s
        )
        if result == codes.DONE:
            return bool(became == codes.NEW)
        store.grow(int(result))
