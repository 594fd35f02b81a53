"""From the events of one instant to what is open: orders, sessions, breaks, and the clocks they run.

An instant's events lie sorted by (order, platform, type, void first), so the events of one order are
neighbours, and a void stands before what it takes back. Ends are applied before beginnings.
"""

from __future__ import annotations

from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout import (
    ACCEPTED,
    BREAK_ENDED,
    BREAK_STARTED,
    C_EDGE,
    C_RUN,
    CANCELLED,
    CLOCK_WORDS,
    DELIVERED,
    E_ORDER,
    E_PACKED,
    E_T,
    EVENT_WORDS,
    I64,
    JUST_ENDED,
    LOADED_CLOCK,
    M_BREACHES,
    M_BYMAX,
    M_CONFIRMED,
    M_ENDED,
    M_PRE_EDGE,
    M_PRE_RUN,
    M_SEALING,
    NONE,
    O_HASH,
    O_LOADED,
    O_PLATFORM,
    O_START,
    OFFLINE,
    ONLINE,
    ONLINE_CLOCK,
    ORDER_CLOCK,
    P_BREAK,
    P_ID,
    P_SESSION,
    PACK_CONFIRMED,
    PACK_PLATFORM,
    PACK_REAL,
    PACK_TYPE,
    PACK_VOID_KEY,
    PICKED_UP,
    R_BASE_OPEN,
    R_ENDED,
    R_ENDED_N,
    R_EVENTS,
    S_CLOCKS,
    S_ORDERS,
    S_PLATFORMS,
    S_ZONE,
    ZONE_MASK,
    Memory,
    Rules,
)
from detectors.kernels.spans import close

ENDED_HASH_BITS = 16
DAY_S = 86_400


@inlined
def taken_back(mem: Memory, block: int, index: int, first: int) -> bool:
    """Whether the event is a void, or a void of its own kind stands in the same second."""
    word = block + index * EVENT_WORDS
    packed = mem.heap[word + E_PACKED]
    if (packed >> PACK_REAL) & 1 == 0:
        return True
    order = mem.heap[word + E_ORDER]
    for before in range(index - 1, first - 1, -1):
        other = block + before * EVENT_WORDS
        if mem.heap[other + E_ORDER] != order:
            return False
        if mem.heap[other + E_PACKED] >> PACK_VOID_KEY != packed >> PACK_VOID_KEY:
            return False
        if (mem.heap[other + E_PACKED] >> PACK_REAL) & 1 == 0:
            return True
    return False


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
def find_platform(mem: Memory, state: I64, platform: int) -> int:
    for index in range(state[S_PLATFORMS]):
        if mem.open_platforms[index, P_ID] == platform:
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


@inlined
def zone_is_greater(mem: Memory, zone: int, other: int) -> bool:
    """Compare two zones as strings."""
    if other == NONE:
        return True
    for index in range(min(mem.zone_lengths[zone], mem.zone_lengths[other])):
        if mem.zones[zone, index] != mem.zones[other, index]:
            return mem.zones[zone, index] > mem.zones[other, index]
    return mem.zone_lengths[zone] > mem.zone_lengths[other]


@inlined
def end_on_platform(mem: Memory, state: I64, platform: int, kind: int) -> None:
    """What an acceptance, a break's end or an offline ends on its platform."""
    index = find_platform(mem, state, platform)
    if index == NONE:
        return
    if mem.open_platforms[index, P_BREAK] >= 0:
        mem.open_platforms[index, P_BREAK] = JUST_ENDED
    if kind == OFFLINE:
        mem.open_platforms[index, P_SESSION] = NONE


@inlined
def end_platforms_at_maximum(mem: Memory, state: I64, at: int, rules: Rules) -> None:
    for index in range(state[S_PLATFORMS]):
        session = mem.open_platforms[index, P_SESSION]
        paused = mem.open_platforms[index, P_BREAK]
        if session != NONE and session + rules.max_open_session == at:
            mem.open_platforms[index, P_SESSION] = NONE
            if paused == NONE:
                mem.misc[M_BYMAX + ONLINE_CLOCK] = 1
        if paused >= 0 and paused + rules.max_open_break == at:
            mem.open_platforms[index, P_BREAK] = JUST_ENDED


@inlined
def begin_on_platform(mem: Memory, state: I64, platform: int, kind: int, at: int) -> None:
    index = find_platform(mem, state, platform)
    if index == NONE:
        index = state[S_PLATFORMS]
        mem.open_platforms[index, P_ID] = platform
        mem.open_platforms[index, P_SESSION] = NONE
        mem.open_platforms[index, P_BREAK] = NONE
        state[S_PLATFORMS] = index + 1
    if kind == ONLINE:
        if mem.open_platforms[index, P_SESSION] == NONE:
            mem.open_platforms[index, P_SESSION] = at
    elif mem.open_platforms[index, P_BREAK] < 0:
        mem.open_platforms[index, P_BREAK] = at


@inlined
def tidy_platforms(mem: Memory, state: I64) -> None:
    """Forget platforms on which nothing is open."""
    index = 0
    while index < state[S_PLATFORMS]:
        if mem.open_platforms[index, P_BREAK] == JUST_ENDED:
            mem.open_platforms[index, P_BREAK] = NONE
        if mem.open_platforms[index, P_SESSION] == NONE and mem.open_platforms[index, P_BREAK] == NONE:
            last = state[S_PLATFORMS] - 1
            for word in range(3):
                mem.open_platforms[index, word] = mem.open_platforms[last, word]
            state[S_PLATFORMS] = last
        else:
            index += 1


@inlined
def apply_ends(
    mem: Memory, row: int, state: I64, base: I64, at: int, first: int, last: int, rules: Rules
) -> None:
    """First pass over an instant's events: orders, the ends on platforms, zone and confirmation."""
    block = mem.rows[row, R_EVENTS]
    index = first
    best_zone = NONE
    while index < last:
        word = block + index * EVENT_WORDS
        order = mem.heap[word + E_ORDER]
        marks = 0
        here = index
        while here < last and mem.heap[block + here * EVENT_WORDS + E_ORDER] == order:
            packed = mem.heap[block + here * EVENT_WORDS + E_PACKED]
            if not taken_back(mem, block, here, first):
                kind = (packed >> PACK_TYPE) & 15
                if kind == ACCEPTED:
                    marks |= 1
                elif kind == PICKED_UP:
                    marks |= 2
                elif kind == DELIVERED or kind == CANCELLED:
                    marks |= 4
                if kind == ACCEPTED or kind == BREAK_ENDED or kind == OFFLINE:
                    end_on_platform(mem, state, packed >> PACK_PLATFORM, kind)
                if (packed >> PACK_CONFIRMED) & 1 == 1:
                    mem.misc[M_CONFIRMED] = 1
                zone = (packed & ZONE_MASK) - 1
                if zone >= 0 and kind <= CANCELLED and zone_is_greater(mem, zone, best_zone):
                    best_zone = zone
            here += 1
        if marks != 0:
            apply_order(mem, row, state, base, at, first, marks, rules, word)
        index = here
    if best_zone != NONE:
        state[S_ZONE] = best_zone


@inlined
def apply_beginnings(mem: Memory, row: int, state: I64, at: int, first: int, last: int) -> None:
    """Second pass: sessions and breaks that begin at this instant."""
    block = mem.rows[row, R_EVENTS]
    for index in range(first, last):
        packed = mem.heap[block + index * EVENT_WORDS + E_PACKED]
        kind = (packed >> PACK_TYPE) & 15
        if (kind == ONLINE or kind == BREAK_STARTED) and not taken_back(mem, block, index, first):
            begin_on_platform(mem, state, packed >> PACK_PLATFORM, kind, at)


@inlined
def turn_clocks(mem: Memory, row: int, state: I64, at: int) -> None:
    """Start and stop the clocks as what is open says; keeps what they did before in ``misc``."""
    loaded = 0
    for index in range(state[S_ORDERS]):
        if mem.orders[index, O_LOADED] != NONE:
            loaded = 1
    order = 1 if state[S_ORDERS] > 0 else 0
    online = order
    for index in range(state[S_PLATFORMS]):
        if mem.open_platforms[index, P_SESSION] != NONE and mem.open_platforms[index, P_BREAK] < 0:
            online = 1
    for clock in range(3):
        base = S_CLOCKS + clock * CLOCK_WORDS
        runs = order if clock == ORDER_CLOCK else (online if clock == ONLINE_CLOCK else loaded)
        ran = state[base + C_RUN]
        mem.misc[M_PRE_RUN + clock] = ran
        mem.misc[M_PRE_EDGE + clock] = state[base + C_EDGE]
        if runs == ran:
            continue
        if ran == 1:
            close(mem, row, state, clock, at, mem.misc[M_BYMAX + clock])
        state[base + C_RUN] = runs
        state[base + C_EDGE] = at


@inlined
def apply_instant(
    mem: Memory, row: int, state: I64, base: I64, at: int, first: int, last: int, rules: Rules
) -> None:
    """Bring what is open and the clocks to ``at``, with the events ``first..last`` of that second."""
    mem.misc[M_BREACHES] = 0
    mem.misc[M_CONFIRMED] = 0
    for clock in range(3):
        mem.misc[M_BYMAX + clock] = 0
    if last > first:
        apply_ends(mem, row, state, base, at, first, last, rules)
    end_orders_at_maximum(mem, state, at, rules)
    end_platforms_at_maximum(mem, state, at, rules)
    if last > first:
        apply_beginnings(mem, row, state, at, first, last)
    turn_clocks(mem, row, state, at)
    tidy_platforms(mem, state)
