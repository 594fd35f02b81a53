"""Orders in hand: begun, loaded, ended, ended by their longest time (CONTRACT 4.2, 4.4)."""

from __future__ import annotations

from detectors.kernels.clocks.corrections import taken_back
from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout import (
    ACCEPTED,
    E_ORDER,
    E_PACKED,
    E_T,
    EVENT_WORDS,
    I64,
    LOADED_CLOCK,
    M_BREACHES,
    M_BYMAX,
    M_ENDED,
    M_SEALING,
    NONE,
    O_HASH,
    O_LOADED,
    O_PLATFORM,
    O_START,
    ONLINE_CLOCK,
    ORDER_CLOCK,
    PACK_PLATFORM,
    PACK_TYPE,
    PICKED_UP,
    R_BASE_OPEN,
    R_ENDED,
    R_ENDED_N,
    R_EVENTS,
    S_ORDERS,
    Memory,
    Rules,
)

ENDED_HASH_BITS = 16

DAY_S = 86_400


@kernel
def begun_before(mem: Memory, row: int, base: I64, order: int, instant: int, upto: int, rules: Rules) -> bool:
    """Whether the order had begun before ``instant``: then a pick-up begins nothing.

    Looks at the unsealed events below index ``upto``, at what was open at the sealed point and at the
    orders that ended before it, which are remembered for ``keep``.
    """
    block = mem.rows[row, R_EVENTS]
    second_first = 0
    second = NONE
    for index in range(upto):
        word = block + index * EVENT_WORDS
        if mem.heap[word + E_T] != second:
            second = mem.heap[word + E_T]
            second_first = index
        if mem.heap[word + E_ORDER] == order:
            kind = (mem.heap[word + E_PACKED] >> PACK_TYPE) & 15
            if (kind == ACCEPTED or kind == PICKED_UP) and not taken_back(mem, block, index, second_first):
                return True
    open_block = mem.rows[row, R_BASE_OPEN]
    for index in range(base[S_ORDERS]):
        if mem.heap[open_block + index * 4 + O_HASH] == order:
            return True
    ended = mem.rows[row, R_ENDED]
    for index in range(mem.rows[row, R_ENDED_N]):
        word = mem.heap[ended + index]
        if (word ^ order) >> ENDED_HASH_BITS == 0:
            age_days = ((instant // DAY_S) & 0xFFFF) - (word & 0xFFFF)
            if age_days * DAY_S <= rules.keep:
                return True
    return False


@inlined
def find_order(mem: Memory, state: I64, order: int) -> int:
    for index in range(state[S_ORDERS]):
        if mem.orders[index, O_HASH] == order:
            return index
    return NONE


@inlined
def open_order(mem: Memory, state: I64, order: int, platform: int, at: int, loaded: int) -> None:
    index = state[S_ORDERS]
    mem.orders[index, O_HASH] = order
    mem.orders[index, O_PLATFORM] = platform
    mem.orders[index, O_START] = at
    mem.orders[index, O_LOADED] = loaded
    state[S_ORDERS] = index + 1


@inlined
def drop_order(mem: Memory, state: I64, index: int, at: int) -> None:
    """Take the order out of hand; while sealing, remember that it has ended."""
    remember_ended(mem, mem.orders[index, O_HASH], at)
    last = state[S_ORDERS] - 1
    for word in range(4):
        mem.orders[index, word] = mem.orders[last, word]
    state[S_ORDERS] = last


@inlined
def remember_ended(mem: Memory, order: int, at: int) -> None:
    if mem.misc[M_SEALING] == 1:
        count = mem.misc[M_ENDED]
        day = (at // DAY_S) & 0xFFFF
        mem.ended[count] = ((order >> ENDED_HASH_BITS) << ENDED_HASH_BITS) | day
        mem.misc[M_ENDED] = count + 1


@inlined
def end_orders_at_maximum(mem: Memory, state: I64, at: int, rules: Rules) -> None:
    """Close the orders whose longest time is over; what an event ended at this instant is gone already."""
    index = 0
    while index < state[S_ORDERS]:
        if mem.orders[index, O_START] + rules.max_open_order == at:
            mem.misc[M_BYMAX + ORDER_CLOCK] = 1
            mem.misc[M_BYMAX + ONLINE_CLOCK] = 1
            if mem.orders[index, O_LOADED] != NONE:
                mem.misc[M_BYMAX + LOADED_CLOCK] = 1
            drop_order(mem, state, index, at)
        else:
            index += 1


@kernel
def note_breach(mem: Memory, platform: int) -> None:
    count = mem.misc[M_BREACHES]
    for index in range(count):
        if mem.breaches[index] == platform:
            return
    mem.breaches[count] = platform
    mem.misc[M_BREACHES] = count + 1


@inlined
def apply_order(
    mem: Memory, row: int, state: I64, base: I64, at: int, first: int, marks: int, rules: Rules, word: int
) -> None:
    """Apply what one order underwent at this instant; ``marks`` are bits 1 accepted, 2 picked up, 4 ended."""
    order = mem.heap[word + E_ORDER]
    platform = mem.heap[word + E_PACKED] >> PACK_PLATFORM
    accepted, picked, ended = marks & 1 != 0, marks & 2 != 0, marks & 4 != 0
    index = find_order(mem, state, order)
    loaded = at if picked else NONE
    if index != NONE:
        over = mem.orders[index, O_START] + rules.max_open_order == at
        if not ended and not over:
            if picked and mem.orders[index, O_LOADED] == NONE:
                mem.orders[index, O_LOADED] = at
            return
        if not ended:
            # Its longest time is over; left in hand for end_orders_at_maximum, unless begun anew here.
            if not accepted:
                return
            mem.misc[M_BYMAX + ORDER_CLOCK] = 1
            mem.misc[M_BYMAX + ONLINE_CLOCK] = 1
            if mem.orders[index, O_LOADED] != NONE:
                mem.misc[M_BYMAX + LOADED_CLOCK] = 1
        drop_order(mem, state, index, at)
        if accepted:
            open_order(mem, state, order, platform, at, loaded)
            note_breach(mem, platform)
        return
    if not accepted and not (picked and not begun_before(mem, row, base, order, at, first, rules)):
        return
    if accepted:
        note_breach(mem, platform)
    if ended:
        remember_ended(mem, order, at)
    else:
        open_order(mem, state, order, platform, at, loaded)
