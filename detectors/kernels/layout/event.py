"""Words of an unsealed event: time, hash of the order, packed fields, hash of the id; sorted by the four."""

from __future__ import annotations

from detectors.kernels.jit import inlined
from detectors.kernels.layout.codes import HEARTBEAT
from detectors.kernels.layout.words import Words

_event = Words()
AT, ORDER, PACKED, ID = _event.each(4)
WORDS = _event.size

# Packed, as shifts: platform, type, "is not void" (a void sorts before what it takes back), confirmed. Below
# them lies the zone's number + 1.
PLATFORM_SHIFT, TYPE_SHIFT, REAL_SHIFT, CONFIRMED_SHIFT = 32, 28, 27, 26
ZONE_MASK = (1 << 24) - 1
TYPE_MASK = (1 << PLATFORM_SHIFT - TYPE_SHIFT) - 1
# What a void and the events it takes back have in common, within one second and order.
VOID_KEY_SHIFT = TYPE_SHIFT


@inlined
def platform_of(packed: int) -> int:
    """The platform's number."""
    return packed >> PLATFORM_SHIFT


@inlined
def type_of(packed: int) -> int:
    """The event type's code."""
    return (packed >> TYPE_SHIFT) & TYPE_MASK


@inlined
def is_lift(packed: int, order: int) -> bool:
    """Whether it is an operator's order that lifts a hold.

    It counts nothing, as a heartbeat, and is told from one by what it names: ``ORDER`` is the limit's
    `Limits.identity`, ``ID`` when the hold began.
    """
    return type_of(packed) == HEARTBEAT and order != 0


@inlined
def is_one_of(kind: int, types: int) -> bool:
    """Whether an event type is in a set of them (a bit for each, as in `layout.codes`)."""
    return (types >> kind) & 1 == 1
