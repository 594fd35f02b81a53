"""Evidence that counts and may be wrong all the same, noted when it arrives: for counting, never for judging.

What an event looks like is decided by what has arrived of its rider by then, the chunk it came in included;
an explanation looks at all that has arrived (`detectors.doubts`).
"""

from __future__ import annotations

import numpy as np

from detectors.kernels.clocks.corrections import taken_back
from detectors.kernels.clocks.orders import DAY_BITS
from detectors.kernels.evidence.arrivals import Arrivals
from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout import (
    codes,
    event as Event,
    misc as Misc,
    open as Open,
    row as Row,
    state as State,
)
from detectors.kernels.layout.arrays import Limits, Memory, Rules
from detectors.kernels.layout.values import NONE, U8
from detectors.kernels.memory.lookup import find_rider
from detectors.kernels.memory.names import intern

#: A session of so many seconds at most is doubtful.
BRIEF_S = 10
#: A platform that has sent nothing of the rider for so long may have lost an ``offline``.
SILENT_S = 2 * 3600
#: Types of events that can be doubtful when they arrive.
_LOOKED_AT = 1 << codes.ONLINE | 1 << codes.OFFLINE | 1 << codes.ACCEPTED
_BEGIN_ORDERS = 1 << codes.ACCEPTED | 1 << codes.PICKED_UP


@inlined
def session_at_seal(mem: Memory, row: int, state: int, platform: int) -> int:
    """Since when the platform's session was open at the sealed point; NONE where none was."""
    place = mem.rows[row, Row.BASE_OPEN] + mem.rows[row, state + State.ORDERS] * Open.ORDER_WORDS
    for index in range(mem.rows[row, state + State.PLATFORMS]):
        word = place + index * Open.PLATFORM_WORDS
        if mem.heap[word + Open.PLATFORM_ID] == platform:
            return mem.heap[word + Open.PLATFORM_SESSION]
    return NONE


@kernel
def session_doubt(
    mem: Memory, row: int, limits: Limits, rules: Rules, platform: int, kind: int, at: int
) -> int:
    """The doubts that a platform's ``online`` or ``offline`` at an instant raises, as bits."""
    state = Row.base_at(limits)
    start = session_at_seal(mem, row, state, platform)
    # Where nothing is unsealed the last event lies before the sealed point.
    last = mem.rows[row, state + State.AT]
    block, count, index = mem.rows[row, Row.EVENTS], mem.rows[row, Row.EVENTS_N], 0
    while index < count and mem.heap[block + index * Event.WORDS + Event.AT] <= at:
        first, second = index, mem.heap[block + index * Event.WORDS + Event.AT]
        seen = 0
        while index < count and mem.heap[block + index * Event.WORDS + Event.AT] == second:
            packed = mem.heap[block + index * Event.WORDS + Event.PACKED]
            if Event.platform_of(packed) == platform and not taken_back(mem, block, index, first):
                seen |= 1 << Event.type_of(packed)
            index += 1
        ends = seen & 1 << codes.OFFLINE != 0
        over = NONE if start == NONE else start + rules.max_open_session
        if start != NONE and (second > over or (second == over and not ends)):
            start = NONE
        if second == at:
            if seen & 1 << kind == 0:
                return 0
            if kind == codes.OFFLINE:
                brief = start != NONE and at - start <= BRIEF_S
                return 1 << codes.BRIEF_SESSION if brief else 0
            silent = start != NONE and not ends and at - last >= SILENT_S
            return 1 << codes.REPEATED_ONLINE if silent else 0
        if ends:
            start = NONE
        if seen & 1 << codes.ONLINE != 0 and start == NONE:
            start = second
        if seen != 0:
            last = second
    return 0


@inlined
def order_at_seal(mem: Memory, row: int, state: int, order: int) -> int:
    """Since when the order was in hand at the sealed point; NONE where it was not."""
    place = mem.rows[row, Row.BASE_OPEN]
    for index in range(mem.rows[row, state + State.ORDERS]):
        word = place + index * Open.ORDER_WORDS
        if mem.heap[word + Open.ORDER_HASH] == order:
            return mem.heap[word + Open.ORDER_START]
    return NONE


@inlined
def ended_before_seal(mem: Memory, row: int, order: int) -> bool:
    """Whether the order is remembered as one that had ended before the sealed point."""
    place = mem.rows[row, Row.ENDED]
    for index in range(mem.rows[row, Row.ENDED_N]):
        if (mem.heap[place + index] ^ order) >> DAY_BITS == 0:
            return True
    return False


@kernel
def order_doubt(mem: Memory, row: int, limits: Limits, rules: Rules, order: int, at: int) -> int:
    """The doubts that an ``order_accepted`` at an instant raises, as bits."""
    state = Row.base_at(limits)
    start = order_at_seal(mem, row, state, order)
    begun = start != NONE
    ended, delivered = NONE, False
    if ended_before_seal(mem, row, order):
        ended = mem.rows[row, state + State.AT]
    block, count, index = mem.rows[row, Row.EVENTS], mem.rows[row, Row.EVENTS_N], 0
    while index < count and mem.heap[block + index * Event.WORDS + Event.AT] <= at:
        first, second = index, mem.heap[block + index * Event.WORDS + Event.AT]
        seen = 0
        while index < count and mem.heap[block + index * Event.WORDS + Event.AT] == second:
            word = block + index * Event.WORDS
            if mem.heap[word + Event.ORDER] == order and not taken_back(mem, block, index, first):
                seen |= 1 << Event.type_of(mem.heap[word + Event.PACKED])
            index += 1
        if seen & codes.OF_ORDERS == 0:
            continue
        if second == at and seen & 1 << codes.ACCEPTED == 0:
            return 0
        ends, accepted = seen & codes.END_ORDERS != 0, seen & 1 << codes.ACCEPTED != 0
        over = NONE if start == NONE else start + rules.max_open_order
        if start != NONE and (second > over or (second == over and not ends)):
            start, ended, delivered = NONE, over, False
        if start != NONE:
            if ends:
                start, ended, delivered = NONE, second, seen & 1 << codes.DELIVERED != 0
            if second == at:
                return 1 << codes.REUSED_ORDER if start == NONE and delivered else 0
            if ends and accepted:
                start = second
        elif accepted or (seen & _BEGIN_ORDERS != 0 and not begun):
            if second == at:
                again = delivered or (ended != NONE and at - ended > rules.max_open_order)
                return 1 << codes.REUSED_ORDER if again else 0
            begun = True
            if ends:
                ended, delivered = second, seen & 1 << codes.DELIVERED != 0
            else:
                start = second
    return 0


@kernel
def note_doubts(mem: Memory, cols: Arrivals, became: U8, limits: Limits, rules: Rules, doubts: U8) -> None:
    """Of each event that is new, the doubts that it raises, as bits; ``became`` is that of `ingest`."""
    for i in range(became.shape[0]):
        void = cols.flags[i] & codes.FLAG_VOID != 0
        if became[i] != codes.NEW or void or not Event.is_one_of(cols.type[i], _LOOKED_AT):
            continue
        row, _ = find_rider(mem, cols.buf, cols.rider_off[i], np.int64(cols.rider_len[i]), cols.rider_hash[i])
        if row == NONE:
            continue
        if cols.type[i] == codes.ACCEPTED:
            doubts[i] |= order_doubt(mem, row, limits, rules, np.int64(cols.order_hash[i]), cols.event_s[i])
        else:
            platform = intern(
                mem, cols.buf, cols.platform_off[i], cols.platform_len[i],
                mem.platform_table, mem.platforms, mem.platform_lengths, Misc.PLATFORMS,
            )  # fmt: skip
            doubts[i] |= session_doubt(mem, row, limits, rules, platform, cols.type[i], cols.event_s[i])
