"""Clock time in the calendar day or week of the policy's time zone (``day``, ``week``).

An instant belongs to the window that contains it, so at a window's end the count has begun anew.
"""

from __future__ import annotations

from detectors.kernels.clocks.spans import total
from detectors.kernels.jit import inlined
from detectors.kernels.layout import (
    C_RUN,
    CLOCK_WORDS,
    I64,
    INF,
    L_COUNT0,
    L_EPISODE,
    L_FLAGS,
    L_HOLD_FROM,
    L_REMINDED,
    L_WINDOW_END,
    LIMIT_WORDS,
    NONE,
    S_CLOCKS,
    S_LIMITS,
    S_T,
    Limits,
)
from detectors.kernels.limits.continuous import lowest_open_amount


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
def turn_window(state: I64, limits: Limits, limit: int, at: int) -> bool:
    """Begin the count anew when ``at`` lies in another window; True when a window has ended.

    Precondition: a clock that ran over the boundary has been brought to the boundary itself.
    """
    word = S_LIMITS + limit * LIMIT_WORDS
    if at < state[word + L_WINDOW_END]:
        return False
    index = window_index(limits, limit, at)
    state[word + L_EPISODE] = limits.bounds[index]
    state[word + L_WINDOW_END] = limits.bounds[index + 1]
    state[word + L_COUNT0] = total(state, limits.clock[limit], at)
    state[word + L_FLAGS] = 0
    state[word + L_REMINDED] = 0
    return True


@inlined
def counted(state: I64, limits: Limits, limit: int, at: int) -> int:
    """Seconds counted at ``at``."""
    word = S_LIMITS + limit * LIMIT_WORDS
    if at >= state[word + L_WINDOW_END]:
        return 0
    return total(state, limits.clock[limit], at) - state[word + L_COUNT0]


@inlined
def next_instant(state: I64, limits: Limits, limit: int) -> int:
    """The next instant at which this limit changes, if nothing else happens."""
    word = S_LIMITS + limit * LIMIT_WORDS
    clock = limits.clock[limit]
    if state[S_CLOCKS + clock * CLOCK_WORDS + C_RUN] == 1:
        done = total(state, clock, state[S_T]) - state[word + L_COUNT0]
        reached = state[S_T] + lowest_open_amount(state, limits, limit) - done
        return min(reached, state[word + L_WINDOW_END])
    if state[word + L_FLAGS] != 0 or state[word + L_HOLD_FROM] != NONE:
        return state[word + L_WINDOW_END]
    return INF
