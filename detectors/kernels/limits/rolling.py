"""``rolling``: clock time in the trailing window, with ``reset`` only since a qualifying rest (CONTRACT 5).

Between the edges of its spans the count grows, falls or stays by whole seconds, so the instant at which
an amount is reached or left is found by walking those edges.
"""

from __future__ import annotations

from detectors.kernels.clocks.spans import end_of, first_ending_after, total, total_at
from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout import row as Row, state as State
from detectors.kernels.layout.arrays import Limits, Memory
from detectors.kernels.layout.values import I64, INF, NONE, PAST
from detectors.kernels.limits import episode, hours
from detectors.kernels.limits.rests import complete_at


@kernel
def window_start(state: I64, limits: Limits, limit: int, at: int) -> int:
    """Beginning of what is counted at ``at``; ``at`` itself when no episode is under way."""
    start = at - limits.window[limit]
    if limits.reset[limit] == 0:
        return start
    begin = state[State.limit_at(limit) + State.LIMIT_EPISODE]
    if begin == NONE or at >= complete_at(state, limits, limit):
        return at
    return max(start, begin)


@kernel
def counted(mem: Memory, row: int, state: I64, limits: Limits, limit: int, at: int) -> int:
    """Seconds counted at ``at``, not before the state's instant."""
    start = window_start(state, limits, limit, at)
    if start >= at:
        return 0
    clock = limits.clock[limit]
    if hours.is_masked(limits, limit):
        return hours.counted(mem, row, state, limits, limit, start, at)
    return total(state, clock, at) - total_at(mem, row, state, clock, start)


@kernel
def drop_flags_below(state: I64, limits: Limits, limit: int, count: int) -> bool:
    """End the episodes of the amounts that ``count`` is below; True when the limit's own is not reached."""
    word = State.limit_at(limit)
    flags = state[word + State.LIMIT_FLAGS]
    for index in range(limits.warnings[limit]):
        if count < limits.warn[limit, index]:
            flags &= ~((1 << (State.WARN_FIRED_BIT + index)) | (1 << (State.WARN_TOLD_BIT + index)))
    below = count < limits.amount[limit]
    if below:
        flags &= ~State.FIRED
    state[word + State.LIMIT_FLAGS] = flags
    return below


@inlined
def counted_before(mem: Memory, row: int, state: I64, limits: Limits, limit: int, at: int) -> int:
    """Seconds counted a second before ``at``, at which the clock has stopped and an episode is under way."""
    clock = limits.clock[limit]
    start = at - 1 - limits.window[limit]
    if limits.reset[limit] > 0:
        start = max(start, state[State.limit_at(limit) + State.LIMIT_EPISODE])
    if hours.is_masked(limits, limit):
        return hours.closed_part(mem, row, state, limits, limit, start, at - 1)
    return total_at(mem, row, state, clock, at - 1) - total_at(mem, row, state, clock, start)


@inlined
def turn(mem: Memory, row: int, state: I64, limits: Limits, limit: int, at: int) -> bool:
    """End the episodes of the amounts that the count at ``at`` is below; True when the limit's own is."""
    if limits.reset[limit] > 0:
        flags = state[State.limit_at(limit) + State.LIMIT_FLAGS]
        episode.turn(mem, state, limits, limit, at, True)
        state[State.limit_at(limit) + State.LIMIT_FLAGS] = flags
    return drop_flags_below(state, limits, limit, counted(mem, row, state, limits, limit, at))


@inlined
def spans_from(state: I64, limits: Limits, limit: int) -> int:
    """Where the window at the state's instant begins: no later one reaches further back."""
    return state[State.AT] - limits.window[limit]


@kernel
def edge_after(mem: Memory, row: int, state: I64, clock: int, at: int, floor: int) -> tuple[int, int]:
    """Whether time at ``at`` was counted (0 or 1), and until when that stays so.

    ``floor`` is where counting began; what lies before it was not counted.
    """
    base = State.clock_at(clock)
    if at < floor:
        return 0, floor
    block = mem.rows[row, Row.SPANS + clock]
    count = state[base + State.CLOCK_SPANS]
    index = first_ending_after(mem, block, count, at)
    if index < count:
        word = block + index * State.SPAN_WORDS
        start = mem.heap[word + State.SPAN_START]
        if start <= at:
            return 1, end_of(mem, word)
        return 0, start
    if state[base + State.CLOCK_RUN] == 1:
        if at >= state[base + State.CLOCK_EDGE]:
            return 1, INF
        return 0, state[base + State.CLOCK_EDGE]
    return 0, INF


@kernel
def walk(
    mem: Memory, row: int, state: I64, limits: Limits, limit: int, amount: int, falling: bool, horizon: int
) -> int:
    """First instant after the state's at which the count is no longer below ``amount`` (or, falling, below).

    The clock goes on as it does now. Beyond ``horizon`` a lower bound is enough.
    """
    clock = limits.clock[limit]
    at = state[State.AT]
    running = state[State.clock_at(clock) + State.CLOCK_RUN]
    count = counted(mem, row, state, limits, limit, at)
    missing = count - amount + 1 if falling else amount - count
    if at + missing > horizon:
        return at + missing
    floor = PAST
    if limits.reset[limit] > 0:
        floor = state[State.limit_at(limit) + State.LIMIT_EPISODE]
    left = at - limits.window[limit]
    while at <= horizon:
        leaves, until = edge_after(mem, row, state, clock, left, floor)
        enters, lasts = running, INF
        if hours.is_masked(limits, limit):
            if until != INF or leaves == 1:
                leaves, until = masked_edge(limits, limit, left, leaves, until)
            if running == 1:
                enters, lasts = masked_edge(limits, limit, at, running, INF)
        gain = leaves - enters if falling else enters - leaves
        stretch = min(until - left, lasts - at)
        if gain == 1 and missing <= stretch:
            return at + missing
        if until == INF and lasts == INF:
            return INF
        missing -= gain * stretch
        at += stretch
        left += stretch
    return at


@inlined
def masked_edge(limits: Limits, limit: int, at: int, counts: int, until: int) -> tuple[int, int]:
    """What `edge_after` says at ``at``, of the hours that count."""
    within, turns = hours.counts_at(limits, limit, at)
    if counts == 1 and not within:
        counts = 0
    return counts, min(until, turns)


@kernel
def next_instant(mem: Memory, row: int, state: I64, limits: Limits, limit: int, horizon: int) -> int:
    """The next instant at which this limit changes, if nothing else happens; a lower bound past horizon."""
    word = State.limit_at(limit)
    flags = state[word + State.LIMIT_FLAGS]
    running = state[State.clock_at(limits.clock[limit]) + State.CLOCK_RUN] == 1
    if not running and flags == 0 and state[word + State.LIMIT_HOLD_FROM] == NONE:
        return INF
    found = INF
    if limits.reset[limit] > 0:
        if not running:
            found = complete_at(state, limits, limit)
            if found <= state[State.AT]:
                found = INF
        if state[word + State.LIMIT_EPISODE] == NONE:
            return found
    rises = running and episode.may_say(state, limits, limit)
    for index in range(limits.warnings[limit] + 1):
        amount = limits.amount[limit] if index == 0 else limits.warn[limit, index - 1]
        fired = (flags >> index) & 1 == 1
        if fired or rises:
            found = min(found, walk(mem, row, state, limits, limit, amount, fired, min(horizon, found)))
    return found
