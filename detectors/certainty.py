"""What limits would say of a rider if everything uncertain had not been: the reading that is best for him.

Uncertain are orders and sessions that are open still, or that a maximum has ended: of these nobody has said
when they ended. They are taken out of a copy of the rider's evidence, and the same transition function judges
what is left. What is sealed lies in merged spans; where one of these is uncertain nothing can be taken out.
"""

from __future__ import annotations

from detectors.kernels.layout import row as Row, state as State
from detectors.kernels.layout.arrays import Limits, Memory, Rules
from detectors.kernels.layout.codes import CLOCKS, PICKED_UP
from detectors.kernels.layout.values import I64
from detectors.pieces import (
    drop,
    events_of,
    grouped,
    not_taken_back,
    open_at_seal,
    order_pieces,
    session_pieces,
)

#: Clocks that duty status runs: what of it is uncertain is not taken out.
_OF_DUTY = frozenset({"driving", "duty"})


def leave_out_uncertain(
    mem: Memory, limits: Limits, rules: Rules, limit: int, span: tuple[int, int]
) -> bool | None:
    """Take what is uncertain out of the copied rider's events; whether any of it counts within ``span``.

    None when that cannot be done: it is sealed, or it is a matter of duty status or of two clocks.

    Precondition: row 0 of the memory is a rider copied whole.
    """
    base = mem.rows[0, Row.base_at(limits) :]
    clock = int(limits.clock[limit])
    if CLOCKS[clock] in _OF_DUTY or int(limits.reset_clock[limit]) != clock:
        return None
    if _sealed_by_maximum(mem, base, clock, span[0]):
        return None
    words = events_of(mem)
    real = not_taken_back(words)
    orders, sessions = grouped(words, real)
    open_orders, open_sessions = open_at_seal(mem, base)
    pieces = [
        piece
        for key in {*orders, *open_orders}
        for piece in order_pieces(key, orders.get(key, ()), rules.max_open_order, open_orders.get(key))
    ]
    if CLOCKS[clock] == "online":
        pieces += [
            piece
            for key in {*sessions, *open_sessions}
            for piece in session_pieces(
                key, sessions.get(key, ()), rules.max_open_session, open_sessions.get(key)
            )
        ]
    unsure = [one for one in pieces if not one.sure]
    begun = {**open_orders, **open_sessions}
    if any(begun.get(one.key) == one.start_s for one in unsure):
        return None
    drop(mem, words, pieces, unsure)
    if CLOCKS[clock] == "loaded":
        picked = {key: [one.at_s for one in of if one.kind == PICKED_UP] for key, of in orders.items()}
        unsure = [
            one
            for one in unsure
            if any(one.start_s <= at < min(one.end_s, span[1]) for at in picked.get(one.key, ()))
        ]
    return any(one.start_s < span[1] and one.end_s > span[0] for one in unsure)


def _sealed_by_maximum(mem: Memory, base: I64, clock: int, since_s: int) -> bool:
    block, count = int(mem.rows[0, Row.SPANS + clock]), int(base[State.clock_at(clock) + State.CLOCK_SPANS])
    spans = mem.heap[block : block + count * State.SPAN_WORDS].reshape(count, State.SPAN_WORDS).tolist()
    return any(end & 1 and end >> 1 > since_s for _, end, _ in spans)
