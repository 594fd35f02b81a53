"""``day``, ``week``, ``month``: clock time in the calendar window of the zone (CONTRACT 5), seconds.

A limit of several weeks counts those before, too, and is reached only while the clock runs (RULEBOOK 3).
An instant belongs to the window that contains it, so at a window's end the count has begun anew.
"""

from __future__ import annotations

from detectors.kernels.clocks.spans import total, total_at
from detectors.kernels.jit import inlined
from detectors.kernels.layout import state as State
from detectors.kernels.layout.arrays import Limits, Memory
from detectors.kernels.layout.values import I64, INF, NONE
from detectors.kernels.limits import hours
from detectors.kernels.limits.episode import lowest_open_amount


@inlined
def window_index(limits: Limits, limit: int, at: int) -> int:
    """Index in ``bounds`` of the window that contains ``at``."""
    low = limits.calendar[limit, 0]
    high = low + limits.calendar[limit, 1]
    while high - low > 1:
        middle = (low + high) // 2
        if limits.bounds[middle] <= at:
            low = middle
        else:
            high = middle
    return low


@inlined
def first_begins(limits: Limits, limit: int, index: int) -> int:
    """Where counting begins for the window of an index: earlier than it where several weeks are counted."""
    return limits.bounds[max(index - limits.weeks[limit] + 1, limits.calendar[limit, 0])]


@inlined
def turn(mem: Memory, row: int, state: I64, limits: Limits, limit: int, at: int) -> bool:
    """Begin the count anew when ``at`` lies in another window; True when a window has ended.

    Precondition: a clock that ran over the boundary has been brought to the boundary itself.
    """
    word = State.limit_at(limit)
    if hours.is_masked(limits, limit):
        hours.take_closed(mem, state, limits, limit, at)
    if at < state[word + State.LIMIT_WINDOW_END]:
        return False
    index = window_index(limits, limit, at)
    begin = first_begins(limits, limit, index)
    state[word + State.LIMIT_EPISODE] = begin
    state[word + State.LIMIT_WINDOW_END] = limits.bounds[index + 1]
    if hours.is_masked(limits, limit):
        state[word + State.LIMIT_COUNT0] = -hours.closed_part(mem, row, state, limits, limit, begin, at)
    elif limits.weeks[limit] > 1:
        state[word + State.LIMIT_COUNT0] = total_at(mem, row, state, limits.clock[limit], begin)
    else:
        state[word + State.LIMIT_COUNT0] = total(state, limits.clock[limit], at)
    state[word + State.LIMIT_FLAGS] = 0
    state[word + State.LIMIT_REMINDED] = 0
    return True


@inlined
def counted(mem: Memory, row: int, state: I64, limits: Limits, limit: int, at: int) -> int:
    """Seconds counted at ``at``."""
    word = State.limit_at(limit)
    if at >= state[word + State.LIMIT_WINDOW_END]:
        if limits.weeks[limit] == 1:
            return 0
        clock, begin = limits.clock[limit], first_begins(limits, limit, window_index(limits, limit, at))
        if hours.is_masked(limits, limit):
            return hours.counted(mem, row, state, limits, limit, begin, at)
        return total(state, clock, at) - total_at(mem, row, state, clock, begin)
    return counted_here(state, limits, limit, at)


@inlined
def counted_here(state: I64, limits: Limits, limit: int, at: int) -> int:
    """Seconds counted at ``at``, in the window that the state stands in."""
    word = State.limit_at(limit)
    if hours.is_masked(limits, limit):
        done = hours.running_part(state, limits, limit, state[word + State.LIMIT_EPISODE], at)
    else:
        done = total(state, limits.clock[limit], at)
    return done - state[word + State.LIMIT_COUNT0]


@inlined
def next_instant(state: I64, limits: Limits, limit: int) -> int:
    """The next instant at which this limit changes, if nothing else happens."""
    word = State.limit_at(limit)
    clock = limits.clock[limit]
    if state[State.clock_at(clock) + State.CLOCK_RUN] == 1:
        at = state[State.AT]
        missing = lowest_open_amount(state, limits, limit) - counted_here(state, limits, limit, at)
        if hours.is_masked(limits, limit):
            reached = INF if missing >= INF // 2 else hours.instant_after(limits, limit, at, missing)
        else:
            reached = at + missing
        return min(reached, state[word + State.LIMIT_WINDOW_END])
    if state[word + State.LIMIT_FLAGS] != 0 or state[word + State.LIMIT_HOLD_FROM] != NONE:
        return state[word + State.LIMIT_WINDOW_END]
    return INF


@inlined
def window_start(state: I64, limits: Limits, limit: int, at: int) -> int:
    """Where what is counted at ``at`` begins; ``at`` is not before the state's instant."""
    word = State.limit_at(limit)
    if at < state[word + State.LIMIT_WINDOW_END]:
        return state[word + State.LIMIT_EPISODE]
    return first_begins(limits, limit, window_index(limits, limit, at))


@inlined
def window_end(state: I64, limit: int) -> int:
    """Where the window that the state stands in ends."""
    return state[State.limit_at(limit) + State.LIMIT_WINDOW_END]


@inlined
def steady_until(state: I64, limits: Limits, limit: int, now: int) -> tuple[bool, int]:
    """Whether the count grows with time at ``now``, and until when it goes on as it does."""
    runs = state[State.clock_at(limits.clock[limit]) + State.CLOCK_RUN] == 1
    end = window_end(state, limit)
    if limits.weeks[limit] > 1 and now >= end:
        end = limits.bounds[window_index(limits, limit, now) + 1]
    if runs and hours.is_masked(limits, limit):
        runs, turns = hours.counts_at(limits, limit, now)
        end = min(end, turns)
    return runs, end if now < end else INF


@inlined
def resume_after(limits: Limits, limit: int, at: int) -> int:
    """Where the window that contains ``at`` ends."""
    return limits.bounds[window_index(limits, limit, at) + 1]
