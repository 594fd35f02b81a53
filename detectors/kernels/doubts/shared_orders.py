"""Orders that two riders have in hand at once: a bounded memory of recent orders, whosever they are.

Riders lie in different partitions, so this stands beside the rider stores: sets of entries with the orders
seen last. Where a set is full, a new order takes the place of the one that was begun longest ago.
"""

from __future__ import annotations

import numpy as np

from detectors.kernels.evidence.arrivals import Arrivals
from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout import codes, event as Event
from detectors.kernels.layout.arrays import Rules
from detectors.kernels.layout.values import I64, INF, NONE, U8
from detectors.kernels.layout.words import Words

_entry = Words()
#: The order's hash (0: free), and whether its two riders have been noted.
ORDER, NOTED = _entry.each(2)
FIRST, SECOND = _entry.block(3), _entry.block(3)
ENTRY_WORDS = _entry.size
_half = Words()
#: Of each of two riders: the hash of his id (0: none), since when and until when (INF) he has the order.
RIDER, BEGIN, END = _half.each(3)
WAYS = 4
#: Both may have it for so long: a hand-over takes some seconds, and clocks differ.
HANDOVER_S = 60

_pair = Words()
#: An order, and the stretch in which two riders had it.
PAIR_ORDER, PAIR_BEGIN, PAIR_END = _pair.each(3)
PAIR_WORDS = _pair.size


@inlined
def entry_of(table: I64, order: int) -> int:
    """The entry of an order, or the one that it may take."""
    sets = np.uint64(table.shape[0] // WAYS)
    first = np.int64((np.uint64(order) >> np.uint64(8)) % sets) * WAYS
    oldest = first
    for entry in range(first, first + WAYS):
        if table[entry, ORDER] == order:
            return entry
        begun = max(table[entry, FIRST + BEGIN], table[entry, SECOND + BEGIN])
        if begun < max(table[oldest, FIRST + BEGIN], table[oldest, SECOND + BEGIN]):
            oldest = entry
    return oldest


@inlined
def half_of(table: I64, entry: int, rider: int) -> int:
    """The word of an entry at which a rider stands; NONE where he does not."""
    if table[entry, FIRST + RIDER] == rider:
        return FIRST
    return SECOND if table[entry, SECOND + RIDER] == rider else NONE


@inlined
def begin_order(table: I64, entry: int, order: int, rider: int, at: int, accepted: bool) -> None:
    """A rider has the order from an instant on, in the place of the one of two who began before the other."""
    if table[entry, ORDER] != order:
        table[entry, :] = 0
        table[entry, ORDER] = order
    half = half_of(table, entry, rider)
    if half != NONE and at < table[entry, half + END]:
        # Events of an order come in any order.
        table[entry, half + BEGIN] = min(table[entry, half + BEGIN], at)
        return
    if half != NONE and not accepted:
        return
    if half == NONE:
        half = FIRST if table[entry, FIRST + BEGIN] <= table[entry, SECOND + BEGIN] else SECOND
    table[entry, half + RIDER] = rider
    table[entry, half + BEGIN] = at
    table[entry, half + END] = INF
    table[entry, NOTED] = 0


@inlined
def take_back(table: I64, entry: int, rider: int, at: int, begins: bool) -> None:
    """A void has come for what began or ended the order at an instant."""
    half = half_of(table, entry, rider)
    if half == NONE:
        return
    if begins and table[entry, half + BEGIN] == at:
        table[entry, half : half + END + 1] = 0
    elif not begins and table[entry, half + END] == at:
        table[entry, half + END] = INF


@inlined
def both_had_it(table: I64, entry: int, longest: int) -> tuple[int, int]:
    """The stretch in which both riders of an entry had the order; empty where they had not."""
    if table[entry, FIRST + RIDER] == 0 or table[entry, SECOND + RIDER] == 0:
        return 0, 0
    first, second = table[entry, FIRST + BEGIN], table[entry, SECOND + BEGIN]
    ends = min(table[entry, FIRST + END], table[entry, SECOND + END])
    return max(first, second), min(ends, min(first, second) + longest)


@kernel
def note_shared(table: I64, cols: Arrivals, became: U8, rules: Rules, doubts: U8, pairs: I64) -> int:
    """Remember the orders of a chunk, and note the ends of those that two riders have had at once.

    An end decides, for by then the first rider's cancellation should have come: an order that is given to
    another is none of two. Lines of ``pairs`` are written; how many.
    """
    count = 0
    for i in range(became.shape[0]):
        if became[i] != codes.NEW or not Event.is_one_of(cols.type[i], codes.OF_ORDERS):
            continue
        order, rider, at = np.int64(cols.order_hash[i]), np.int64(cols.rider_hash[i]), cols.event_s[i]
        entry = entry_of(table, order)
        begins = not Event.is_one_of(cols.type[i], codes.END_ORDERS)
        if cols.flags[i] & codes.FLAG_VOID != 0:
            if table[entry, ORDER] == order:
                take_back(table, entry, rider, at, begins)
        elif begins:
            begin_order(table, entry, order, rider, at, cols.type[i] == codes.ACCEPTED)
        elif table[entry, ORDER] == order:
            half = half_of(table, entry, rider)
            if half == NONE or at < table[entry, half + BEGIN]:
                continue
            table[entry, half + END] = min(table[entry, half + END], at)
            start, end = both_had_it(table, entry, rules.max_open_order)
            if table[entry, NOTED] == 0 and end - start > HANDOVER_S:
                table[entry, NOTED] = 1
                doubts[i] |= 1 << codes.SHARED_ORDER
                pairs[count, PAIR_ORDER] = order
                pairs[count, PAIR_BEGIN] = start
                pairs[count, PAIR_END] = end
                count += 1
    return count
