"""What orders took, from events: from acceptance to delivery, by the rules that the clock of orders goes by.

CONTRACT 4.2: in hand from the first acceptance or pick-up to the first delivery or cancellation after it;
from then on only an acceptance begins it anew. What a maximum ends, and what is cancelled, took nothing that
says how fast a rider is.
"""

from __future__ import annotations

from detectors.models.instants import F64, I64
from detectors.models.jit import kernel

#: What an event of an order says; those of one instant are applied in this order.
DELIVERED, CANCELLED, PICKED_UP, ACCEPTED = range(4)
_ENDS, _BEGINS = 1 << DELIVERED | 1 << CANCELLED, 1 << PICKED_UP | 1 << ACCEPTED
_NOTHING = -(1 << 60)


@kernel
def delivered(orders: I64, at: I64, what: I64, longest: int, took: F64) -> None:
    """Write what each delivery took, 0.0 for one that ends nothing and for other events.

    ``orders``, ``at``, ``what`` are sorted in this order; ``longest``: after so many seconds an order without
    an end has ended.
    """
    begun, known, place = _NOTHING, 0, 0
    while place < orders.shape[0]:
        if place == 0 or orders[place] != orders[place - 1]:
            begun, known = _NOTHING, 0
        first, now, marks = place, at[place], 0
        while place < orders.shape[0] and orders[place] == orders[first] and at[place] == now:
            marks |= 1 << what[place]
            took[place] = 0.0
            place += 1
        ends, accepted = marks & _ENDS != 0, marks & 1 << ACCEPTED != 0
        if begun != _NOTHING and now > begun + longest:
            begun = _NOTHING
        if begun != _NOTHING:
            if marks & 1 << DELIVERED != 0:
                took[first] = now - begun
            if ends or now == begun + longest:
                begun = now if accepted else _NOTHING
        elif not ends and (accepted or (marks & 1 << PICKED_UP != 0 and known == 0)):
            begun = now
        known = 1 if marks & _BEGINS != 0 else known
