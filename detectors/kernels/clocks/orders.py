"""Orders in hand: begun, loaded, ended, ended by their longest time (CONTRACT 4.2, 4.4)."""

from __future__ import annotations

from detectors.kernels.clocks.corrections import taken_back
from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout import (
    codes,
    event as Event,
    misc as Misc,
    open as Open,
    row as Row,
    state as State,
)
from detectors.kernels.layout.arrays import Memory, Rules
from detectors.kernels.layout.values import DAY_S, I64, NONE

# An order that has ended is remembered as the upper bits of its hash and, below them, its day.
DAY_BITS = 16
DAY_MASK = (1 << DAY_BITS) - 1
# What one order underwent at an instant.
IS_ACCEPTED, IS_PICKED_UP, IS_ENDED = 1, 2, 4


@inlined
def ended_word(order: int, at: int) -> int:
    """An order that ended at ``at`` in one word."""
    return ((order >> DAY_BITS) << DAY_BITS) | ((at // DAY_S) & DAY_MASK)


@inlined
def age_s(ended: int, at: int) -> int:
    """How long before ``at`` an order ended, in whole days as seconds."""
    return (((at // DAY_S) & DAY_MASK) - (ended & DAY_MASK)) * DAY_S


@kernel
def begun_before(mem: Memory, row: int, base: I64, order: int, instant: int, upto: int, rules: Rules) -> bool:
    """Whether the order had begun before ``instant``: then a pick-up begins nothing.

    Looks at the unsealed events below index ``upto``, at what was open at the sealed point and at the
    orders that ended before it, which are remembered for ``keep``.
    """
    block = mem.rows[row, Row.EVENTS]
    second_first = 0
    second = NONE
    for index in range(upto):
        word = block + index * Event.WORDS
        if mem.heap[word + Event.AT] != second:
            second = mem.heap[word + Event.AT]
            second_first = index
        if mem.heap[word + Event.ORDER] == order:
            kind = Event.type_of(mem.heap[word + Event.PACKED])
            if (kind == codes.ACCEPTED or kind == codes.PICKED_UP) and not taken_back(
                mem, block, index, second_first
            ):
                return True
    open_block = mem.rows[row, Row.BASE_OPEN]
    for index in range(base[State.ORDERS]):
        if mem.heap[open_block + index * Open.ORDER_WORDS + Open.ORDER_HASH] == order:
            return True
    ended = mem.rows[row, Row.ENDED]
    for index in range(mem.rows[row, Row.ENDED_N]):
        word = mem.heap[ended + index]
        if (word ^ order) >> DAY_BITS == 0 and age_s(word, instant) <= rules.keep:
            return True
    return False


@inlined
def find_order(mem: Memory, state: I64, order: int) -> int:
    for index in range(state[State.ORDERS]):
        if mem.orders[index, Open.ORDER_HASH] == order:
            return index
    return NONE


@inlined
def open_order(mem: Memory, state: I64, order: int, platform: int, at: int, loaded: int) -> None:
    index = state[State.ORDERS]
    mem.orders[index, Open.ORDER_HASH] = order
    mem.orders[index, Open.ORDER_PLATFORM] = platform
    mem.orders[index, Open.ORDER_START] = at
    mem.orders[index, Open.ORDER_LOADED] = loaded
    state[State.ORDERS] = index + 1


@inlined
def drop_order(mem: Memory, state: I64, index: int, at: int) -> None:
    """Take the order out of hand; while sealing, remember that it has ended."""
    remember_ended(mem, mem.orders[index, Open.ORDER_HASH], at)
    last = state[State.ORDERS] - 1
    for word in range(Open.ORDER_WORDS):
        mem.orders[index, word] = mem.orders[last, word]
    state[State.ORDERS] = last


@inlined
def remember_ended(mem: Memory, order: int, at: int) -> None:
    if mem.misc[Misc.SEALING] == 1:
        count = mem.misc[Misc.ENDED]
        mem.ended[count] = ended_word(order, at)
        mem.misc[Misc.ENDED] = count + 1


@inlined
def ends_by_maximum(mem: Memory, index: int) -> None:
    """Note which clocks the order runs, for its longest time is over."""
    mem.misc[Misc.BY_MAXIMUM + codes.ORDER_CLOCK] = 1
    mem.misc[Misc.BY_MAXIMUM + codes.ONLINE_CLOCK] = 1
    if mem.orders[index, Open.ORDER_LOADED] != NONE:
        mem.misc[Misc.BY_MAXIMUM + codes.LOADED_CLOCK] = 1


@inlined
def end_orders_at_maximum(mem: Memory, state: I64, at: int, rules: Rules) -> None:
    """Close the orders whose longest time is over; what an event ended at this instant is gone already."""
    index = 0
    while index < state[State.ORDERS]:
        if mem.orders[index, Open.ORDER_START] + rules.max_open_order == at:
            ends_by_maximum(mem, index)
            drop_order(mem, state, index, at)
        else:
            index += 1


@kernel
def note_breach(mem: Memory, platform: int) -> None:
    count = mem.misc[Misc.BREACHES]
    for index in range(count):
        if mem.breaches[index] == platform:
            return
    mem.breaches[count] = platform
    mem.misc[Misc.BREACHES] = count + 1


@inlined
def apply_order(
    mem: Memory, row: int, base: I64, at: int, first: int, marks: int, rules: Rules, word: int
) -> None:
    """Apply what one order underwent at this instant: ``marks`` are IS_ACCEPTED and so on.

    ``word`` is where one of its events lies, ``first`` the index of the instant's first event.
    """
    state = mem.state
    order = mem.heap[word + Event.ORDER]
    platform = Event.platform_of(mem.heap[word + Event.PACKED])
    accepted, picked, ended = marks & IS_ACCEPTED != 0, marks & IS_PICKED_UP != 0, marks & IS_ENDED != 0
    index = find_order(mem, state, order)
    loaded = at if picked else NONE
    if index != NONE:
        over = mem.orders[index, Open.ORDER_START] + rules.max_open_order == at
        if not ended and not over:
            if picked and mem.orders[index, Open.ORDER_LOADED] == NONE:
                mem.orders[index, Open.ORDER_LOADED] = at
            return
        if not ended:
            # Its longest time is over; left in hand for end_orders_at_maximum, unless begun anew here.
            if not accepted:
                return
            ends_by_maximum(mem, index)
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
