"""Clock time accumulated since the last qualifying rest (``continuous``), and what `span` shares with it.

The episode begins when the clock first runs after a rest of at least ``reset`` and ends when such a rest
has been taken. While nothing has fired, the end of an episode is found when the clock next starts.
"""

from __future__ import annotations

from detectors.kernels.clocks.spans import total
from detectors.kernels.jit import inlined
from detectors.kernels.layout import (
    C_EDGE,
    C_RUN,
    CLOCK_WORDS,
    FIRED,
    I64,
    INF,
    L_COUNT0,
    L_EPISODE,
    L_FLAGS,
    L_REMINDED,
    LIMIT_WORDS,
    M_PRE_EDGE,
    M_PRE_RUN,
    NONE,
    S_CLOCKS,
    S_LIMITS,
    S_T,
    Limits,
    Memory,
)


@inlined
def turn_episode(mem: Memory, state: I64, limits: Limits, limit: int, at: int) -> bool:
    """End the episode when a qualifying rest has been taken by ``at``, begin one when the clock runs.

    True when an episode has ended.
    """
    word = S_LIMITS + limit * LIMIT_WORDS
    clock = limits.clock[limit]
    ended = False
    rested = mem.misc[M_PRE_RUN + clock] == 0 and at - mem.misc[M_PRE_EDGE + clock] >= limits.reset[limit]
    if rested and state[word + L_EPISODE] != NONE:
        state[word + L_EPISODE] = NONE
        state[word + L_FLAGS] = 0
        state[word + L_REMINDED] = 0
        ended = True
    if state[S_CLOCKS + clock * CLOCK_WORDS + C_RUN] == 1 and state[word + L_EPISODE] == NONE:
        state[word + L_EPISODE] = at
        state[word + L_COUNT0] = total(state, clock, at)
    return ended


@inlined
def in_episode(state: I64, limits: Limits, limit: int, at: int) -> bool:
    """Whether an episode is under way at ``at``; nothing has happened since the state's instant."""
    word = S_LIMITS + limit * LIMIT_WORDS
    base = S_CLOCKS + limits.clock[limit] * CLOCK_WORDS
    if state[word + L_EPISODE] == NONE:
        return False
    return state[base + C_RUN] == 1 or at - state[base + C_EDGE] < limits.reset[limit]


@inlined
def counted(state: I64, limits: Limits, limit: int, at: int) -> int:
    """Seconds counted at ``at``."""
    if not in_episode(state, limits, limit, at):
        return 0
    return total(state, limits.clock[limit], at) - state[S_LIMITS + limit * LIMIT_WORDS + L_COUNT0]


@inlined
def lowest_open_amount(state: I64, limits: Limits, limit: int) -> int:
    """The least amount that has not fired yet in this episode: a warning, the limit or the next reminder."""
    word = S_LIMITS + limit * LIMIT_WORDS
    flags = state[word + L_FLAGS]
    lowest = INF
    if flags & FIRED == 0:
        lowest = limits.amount[limit]
    elif limits.remind[limit] > 0:
        lowest = limits.amount[limit] + (state[word + L_REMINDED] + 1) * limits.remind[limit]
    for index in range(limits.warnings[limit]):
        if (flags >> (1 + index)) & 1 == 0:
            lowest = min(lowest, limits.warn[limit, index])
    return lowest


@inlined
def rest_qualifies_at(state: I64, limits: Limits, limit: int) -> int:
    """When the rest under way will qualify; infinite while the clock runs."""
    base = S_CLOCKS + limits.clock[limit] * CLOCK_WORDS
    if state[base + C_RUN] == 1:
        return INF
    return state[base + C_EDGE] + limits.reset[limit]


@inlined
def next_instant(state: I64, limits: Limits, limit: int) -> int:
    """The next instant at which this limit changes, if nothing else happens."""
    word = S_LIMITS + limit * LIMIT_WORDS
    clock = limits.clock[limit]
    if state[S_CLOCKS + clock * CLOCK_WORDS + C_RUN] == 1:
        done = total(state, clock, state[S_T]) - state[word + L_COUNT0]
        return state[S_T] + lowest_open_amount(state, limits, limit) - done
    if state[word + L_FLAGS] != 0:
        return rest_qualifies_at(state, limits, limit)
    return INF
