"""Hours of the day: which part of a clock's time a limit with ``between`` counts (RULEBOOK 4), seconds.

The local hours of a zone lie as half-open intervals in time, each with what all before it have lasted. So the
counted part of a run of the clock is a difference of two looks at that table, and the instant at which so
much will have been counted is found in it too.
"""

from __future__ import annotations

from detectors.kernels.clocks.spans import end_of, first_ending_after
from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout import misc as Misc, row as Row, state as State
from detectors.kernels.layout.arrays import Limits, Memory
from detectors.kernels.layout.values import EVIDENCE_SPANS, I64, INF


@inlined
def is_masked(limits: Limits, limit: int) -> bool:
    """Whether the limit counts certain hours only."""
    return limits.hours[limit, 1] > 0


@kernel
def last_begun(limits: Limits, limit: int, at: int) -> int:
    """The last interval that has begun at ``at``; one before the limit's first where none has."""
    low = limits.hours[limit, 0] - 1
    high = limits.hours[limit, 0] + limits.hours[limit, 1]
    while high - low > 1:
        middle = (low + high) // 2
        if limits.hour_bounds[middle, 0] <= at:
            low = middle
        else:
            high = middle
    return low


@inlined
def before(limits: Limits, limit: int, at: int) -> int:
    """How much of these hours lies before ``at``."""
    index = last_begun(limits, limit, at)
    if index < limits.hours[limit, 0]:
        return 0
    end = min(at, limits.hour_bounds[index, 1])
    return limits.hours_before[index] + end - limits.hour_bounds[index, 0]


@inlined
def between(limits: Limits, limit: int, start: int, end: int) -> int:
    """How much of these hours lies in ``[start, end)``."""
    if start >= end:
        return 0
    return before(limits, limit, end) - before(limits, limit, start)


@inlined
def counts_at(limits: Limits, limit: int, at: int) -> tuple[bool, int]:
    """Whether ``at`` lies within the hours, and until when that stays so."""
    index = last_begun(limits, limit, at)
    first = limits.hours[limit, 0]
    if index >= first and at < limits.hour_bounds[index, 1]:
        return True, limits.hour_bounds[index, 1]
    if index + 1 >= first + limits.hours[limit, 1]:
        return False, INF
    return False, limits.hour_bounds[index + 1, 0]


@kernel
def instant_after(limits: Limits, limit: int, at: int, needed: int) -> int:
    """The first instant at which ``needed`` more seconds of these hours have passed since ``at``."""
    if needed <= 0:
        return at
    wanted = before(limits, limit, at) + needed
    low = limits.hours[limit, 0]
    high = low + limits.hours[limit, 1]
    # The last interval before which less than that has passed is where it will have passed.
    while high - low > 1:
        middle = (low + high) // 2
        if limits.hours_before[middle] < wanted:
            low = middle
        else:
            high = middle
    found = limits.hour_bounds[low, 0] + wanted - limits.hours_before[low]
    return found if found <= limits.hour_bounds[low, 1] else INF


@inlined
def running_part(state: I64, limits: Limits, limit: int, since: int, at: int) -> int:
    """What the clock's run under way has counted from ``since`` to ``at``; 0 while it rests."""
    clock = State.clock_at(limits.clock[limit])
    if state[clock + State.CLOCK_RUN] == 0:
        return 0
    return between(limits, limit, max(state[clock + State.CLOCK_EDGE], since), at)


@inlined
def take_closed(mem: Memory, state: I64, limits: Limits, limit: int, at: int) -> None:
    """Take in the run that has ended at ``at``: it is no longer under way.

    ``LIMIT_COUNT0`` is what the runs that have ended in the window have counted, with its sign turned round,
    so that the count is as everywhere what the clock says now less that word.
    """
    clock = limits.clock[limit]
    if mem.misc[Misc.BEFORE_RUN + clock] == 0 or state[State.clock_at(clock) + State.CLOCK_RUN] == 1:
        return
    word = State.limit_at(limit)
    since = max(mem.misc[Misc.BEFORE_EDGE + clock], state[word + State.LIMIT_EPISODE])
    state[word + State.LIMIT_COUNT0] -= between(limits, limit, since, at)


@kernel
def closed_part(mem: Memory, row: int, state: I64, limits: Limits, limit: int, start: int, end: int) -> int:
    """What the runs that have ended have counted in ``[start, end)``."""
    clock = limits.clock[limit]
    block = mem.rows[row, Row.SPANS + clock]
    count = state[State.clock_at(clock) + State.CLOCK_SPANS]
    found = 0
    for index in range(first_ending_after(mem, block, count, start), count):
        word = block + index * State.SPAN_WORDS
        begin = max(mem.heap[word + State.SPAN_START], start)
        if begin >= end:
            break
        found += between(limits, limit, begin, min(end_of(mem, word), end))
    return found


@inlined
def counted(mem: Memory, row: int, state: I64, limits: Limits, limit: int, start: int, at: int) -> int:
    """Clock time within the hours in ``[start, at)``; ``at`` is not before the state's instant."""
    found = closed_part(mem, row, state, limits, limit, start, at)
    return found + running_part(state, limits, limit, start, at)


@inlined
def cut(limits: Limits, limit: int, start: int, end: int, found: int, out: I64, at: int) -> int:
    """Write the pieces of ``[start, end)`` within the hours, the last one first, behind ``found`` others."""
    first = limits.hours[limit, 0]
    index = last_begun(limits, limit, end - 1)
    while index >= first and limits.hour_bounds[index, 1] > start and found < EVIDENCE_SPANS:
        begin, until = max(limits.hour_bounds[index, 0], start), min(limits.hour_bounds[index, 1], end)
        if begin < until:
            out[at + 2 * found] = begin
            out[at + 2 * found + 1] = until
            found += 1
        index -= 1
    return found


@kernel
def evidence(
    mem: Memory, row: int, state: I64, limits: Limits, limit: int, start: int, end: int, out: I64, at: int
) -> int:
    """As `clocks.spans.evidence`, cut to the hours."""
    clock = limits.clock[limit]
    base = State.clock_at(clock)
    found = 0
    if state[base + State.CLOCK_RUN] == 1 and max(state[base + State.CLOCK_EDGE], start) < end:
        found = cut(limits, limit, max(state[base + State.CLOCK_EDGE], start), end, found, out, at)
    block = mem.rows[row, Row.SPANS + clock]
    index = state[base + State.CLOCK_SPANS] - 1
    while index >= 0 and found < EVIDENCE_SPANS:
        word = block + index * State.SPAN_WORDS
        if end_of(mem, word) <= start:
            break
        begin, until = max(mem.heap[word + State.SPAN_START], start), min(end_of(mem, word), end)
        if begin < until:
            found = cut(limits, limit, begin, until, found, out, at)
        index -= 1
    low, high = at, at + 2 * (found - 1)
    while low < high:
        for word in range(2):
            out[low + word], out[high + word] = out[high + word], out[low + word]
        low += 2
        high -= 2
    return found


@kernel
def estimated(mem: Memory, row: int, state: I64, clock: int, shown: I64, at: int, count: int) -> bool:
    """As `clocks.spans.estimated`, of intervals that were cut: ``count`` of them at ``shown[at:]``."""
    base = State.clock_at(clock)
    block = mem.rows[row, Row.SPANS + clock]
    spans = state[base + State.CLOCK_SPANS]
    for piece in range(count):
        begin = shown[at + 2 * piece]
        index = first_ending_after(mem, block, spans, begin)
        if index == spans:
            return True
        if mem.heap[block + index * State.SPAN_WORDS + State.SPAN_END] & 1 == 1:
            return True
    return False
