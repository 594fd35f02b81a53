"""Orders to lift a hold, from the wire to the riders."""

from __future__ import annotations

from detectors import pages
from detectors.lifting import Lift, lift
from detectors.store import RiderStore
from schemas.control import LiftHold
from schemas.decode import rider_hash


def lift_hold(store: RiderStore, rider: str, order: LiftHold, arrival_s: int) -> bool:
    """Take an order in that Kafka got in the second ``arrival_s``; False when it changes nothing."""
    key = rider.encode()
    return lift(store, key, rider_hash(key), Lift(order.policy, order.limit, order.begun_s, arrival_s))


def knows(store: RiderStore, rider: str) -> bool:
    """Whether a rider is known."""
    key = rider.encode()
    return pages.find(store, key, rider_hash(key)) is not None
