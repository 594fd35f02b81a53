"""From the events of one instant to what is open and the clocks that it runs (CONTRACT 1 and 4).

An instant's events lie sorted by (order, platform, type, void first), so the events of one order are
neighbours, and a void stands before what it takes back. Ends are applied before beginnings.
"""

from __future__ import annotations

from detectors.kernels.clocks.corrections import taken_back
from detectors.kernels.clocks.orders import (
    IS_ACCEPTED,
    IS_ENDED,
    IS_PICKED_UP,
    apply_order,
    end_orders_at_maximum,
)
from detectors.kernels.clocks.sessions import (
    begin_on_platform,
    change_duty,
    end_on_platform,
    end_platforms_at_maximum,
    tidy_platforms,
)
from detectors.kernels.clocks.spans import close
from detectors.kernels.jit import inlined
from detectors.kernels.layout import (
    codes,
    event as Event,
    misc as Misc,
    open as Open,
    row as Row,
    state as State,
)
from detectors.kernels.layout.arrays import Limits, Memory, Rules
from detectors.kernels.layout.values import I64, NONE


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
    block = mem.rows[row, Row.EVENTS]
    index = first
    best_zone = NONE
    while index < last:
        word = block + index * Event.WORDS
        order = mem.heap[word + Event.ORDER]
        marks = 0
        here = index
        while here < last and mem.heap[block + here * Event.WORDS + Event.ORDER] == order:
            packed = mem.heap[block + here * Event.WORDS + Event.PACKED]
            if not taken_back(mem, block, here, first):
                kind = Event.type_of(packed)
                if kind == codes.ACCEPTED:
                    marks |= IS_ACCEPTED
                elif kind == codes.PICKED_UP:
                    marks |= IS_PICKED_UP
                elif Event.is_one_of(kind, codes.END_ORDERS):
                    marks |= IS_ENDED
                if Event.is_one_of(kind, codes.END_BREAKS):
                    end_on_platform(mem, state, Event.platform_of(packed), kind)
                if kind >= codes.DUTY:
                    change_duty(mem, state, Event.platform_of(packed), kind - codes.DUTY, at, rules)
                if (packed >> Event.CONFIRMED_SHIFT) & 1 == 1:
                    mem.misc[Misc.CONFIRMED] = 1
                zone = (packed & Event.ZONE_MASK) - 1
                if (
                    zone >= 0
                    and Event.is_one_of(kind, codes.GIVE_ZONE)
                    and zone_is_greater(mem, zone, best_zone)
                ):
                    best_zone = zone
            here += 1
        if marks != 0:
            apply_order(mem, row, base, at, first, marks, rules, word)
        index = here
    if best_zone != NONE:
        state[State.ZONE] = best_zone


@inlined
def apply_beginnings(mem: Memory, row: int, state: I64, at: int, first: int, last: int) -> None:
    """Second pass: sessions and breaks that begin at this instant."""
    block = mem.rows[row, Row.EVENTS]
    for index in range(first, last):
        packed = mem.heap[block + index * Event.WORDS + Event.PACKED]
        kind = Event.type_of(packed)
        if Event.is_one_of(kind, codes.BEGIN_ON_PLATFORMS) and not taken_back(mem, block, index, first):
            begin_on_platform(mem, state, Event.platform_of(packed), kind, at)


@inlined
def see_what_runs(mem: Memory, state: I64) -> None:
    """Say of each clock whether what is open runs it (CONTRACT 1): a further clock has its rule here."""
    loaded, driving, duty = 0, 0, 0
    for index in range(state[State.ORDERS]):
        if mem.orders[index, Open.ORDER_LOADED] != NONE:
            loaded = 1
    order = 1 if state[State.ORDERS] > 0 else 0
    online = order
    for index in range(state[State.PLATFORMS]):
        begun = mem.open_platforms[index, Open.PLATFORM_SESSION] != NONE
        if begun and mem.open_platforms[index, Open.PLATFORM_BREAK] < 0:
            online = 1
        if mem.open_platforms[index, Open.PLATFORM_DUTY] == codes.DRIVING:
            driving = 1
        if mem.open_platforms[index, Open.PLATFORM_DUTY] != NONE:
            duty = 1
    mem.misc[Misc.RUNS + codes.ORDER_CLOCK] = order
    mem.misc[Misc.RUNS + codes.ONLINE_CLOCK] = online
    mem.misc[Misc.RUNS + codes.LOADED_CLOCK] = loaded
    mem.misc[Misc.RUNS + codes.DRIVING_CLOCK] = driving
    mem.misc[Misc.RUNS + codes.DUTY_CLOCK] = max(duty, online)


@inlined
def turn_clocks(mem: Memory, row: int, state: I64, limits: Limits, at: int) -> None:
    """Start and stop the clocks as what is open says; keeps what they did before in ``misc``."""
    see_what_runs(mem, state)
    mem.misc[Misc.BY_MAXIMUM + codes.DUTY_CLOCK] |= mem.misc[Misc.BY_MAXIMUM + codes.ONLINE_CLOCK]
    for clock in range(codes.CLOCK_COUNT):
        if limits.kept[clock] == 0:
            continue
        base = State.clock_at(clock)
        runs = mem.misc[Misc.RUNS + clock]
        ran = state[base + State.CLOCK_RUN]
        mem.misc[Misc.BEFORE_RUN + clock] = ran
        mem.misc[Misc.BEFORE_EDGE + clock] = state[base + State.CLOCK_EDGE]
        if runs == ran:
            continue
        if ran == 1:
            close(mem, row, state, clock, at, mem.misc[Misc.BY_MAXIMUM + clock])
        state[base + State.CLOCK_RUN] = runs
        state[base + State.CLOCK_EDGE] = at


@inlined
def apply_instant(
    mem: Memory,
    row: int,
    state: I64,
    base: I64,
    limits: Limits,
    rules: Rules,
    at: int,
    first: int,
    last: int,
) -> None:
    """Bring what is open and the clocks to ``at``, with the events ``first..last`` of that second."""
    mem.misc[Misc.BREACHES] = 0
    mem.misc[Misc.CONFIRMED] = 0
    mem.misc[Misc.BEFORE_AT] = state[State.AT]
    mem.misc[Misc.BEFORE_ZONE] = state[State.ZONE]
    for clock in range(codes.CLOCK_COUNT):
        mem.misc[Misc.BY_MAXIMUM + clock] = 0
    if last > first:
        apply_ends(mem, row, state, base, at, first, last, rules)
    end_orders_at_maximum(mem, state, at, rules)
    end_platforms_at_maximum(mem, state, at, rules)
    if last > first:
        apply_beginnings(mem, row, state, at, first, last)
    turn_clocks(mem, row, state, limits, at)
    tidy_platforms(mem, state)
