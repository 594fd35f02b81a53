"""Elapsed time since the clock first ran after the last qualifying rest (``span``, ``rest_within``).

Rests too short to qualify count; the amount is reached at the first instant at which it has elapsed and
the clock runs. Episodes turn as those of ``continuous`` do.
"""

from __future__ import annotations

from detectors.kernels.jit import inlined
from detectors.kernels.layout import (
    C_RUN,
    CLOCK_WORDS,
    I64,
    INF,
    L_EPISODE,
    L_FLAGS,
    LIMIT_WORDS,
    S_CLOCKS,
    S_LIMITS,
    Limits,
)
from detectors.kernels.limits.continuous import in_episode, lowest_open_amount, rest_qualifies_at


@inlined
def counted(state: I64, limits: Limits, limit: int, at: int) -> int:
    """Seconds elapsed in the episode at ``at``; 0 when none is under way."""
    if not in_episode(state, limits, limit, at):
        return 0
    return at - state[S_LIMITS + limit * LIMIT_WORDS + L_EPISODE]


@inlined
def next_instant(state: I64, limits: Limits, limit: int) -> int:
    """The next instant at which this limit changes, if nothing else happens."""
    word = S_LIMITS + limit * LIMIT_WORDS
    if state[S_CLOCKS + limits.clock[limit] * CLOCK_WORDS + C_RUN] == 1:
        return state[word + L_EPISODE] + lowest_open_amount(state, limits, limit)
    if state[word + L_FLAGS] != 0:
        return rest_qualifies_at(state, limits, limit)
    return INF
