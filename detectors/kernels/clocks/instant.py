"""From the events of one instant to what is open: orders, sessions, breaks, and the clocks they run.

An instant's events lie sorted by (order, platform, type, void first), so the events of one order are
neighbours, and a void stands before what it takes back. Ends are applied before beginnings.
"""

from __future__ import annotations

from detectors.kernels.clocks.corrections import taken_back
from detectors.kernels.clocks.orders import apply_order, end_orders_at_maximum
from detectors.kernels.clocks.sessions import (
    begin_on_platform,
    end_on_platform,
    end_platforms_at_maximum,
    tidy_platforms,
)
from detectors.kernels.clocks.spans import close
from detectors.kernels.jit import inlined
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
    EVENT_WORDS,
    I64,
    M_BREACHES,
    M_BYMAX,
    M_CONFIRMED,
    M_PRE_EDGE,
    M_PRE_RUN,
    NONE,
    O_LOADED,
    OFFLINE,
    ONLINE,
    ONLINE_CLOCK,
    ORDER_CLOCK,
    P_BREAK,
    P_SESSION,
    PACK_CONFIRMED,
    PACK_PLATFORM,
    PACK_TYPE,
    PICKED_UP,
    R_EVENTS,
    S_CLOCKS,
    S_ORDERS,
    S_PLATFORMS,
    S_ZONE,
    ZONE_MASK,
    Memory,
    Rules,
)


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
