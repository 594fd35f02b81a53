"""What each limit says of a rider."""

from __future__ import annotations

from detectors.kernels.jit import kernel
from detectors.kernels.layout import (
    CALENDAR,
    FIRED,
    I64,
    L_FLAGS,
    L_HOLD_FROM,
    LIMIT_WORDS,
    NONE,
    PAST,
    S_LIMITS,
    Limits,
    Memory,
)
from detectors.kernels.limits.calendar import window_index
from detectors.kernels.limits.dispatch import counted, window_start
from detectors.kernels.limits.holds import hold_until
from detectors.kernels.reading.columns import D_COUNTED, D_FIRED, D_HOLD_FROM, D_HOLD_UNTIL, D_RESUME, D_START
from detectors.kernels.reading.eligibility import resume_after


@kernel
def describe(mem: Memory, limits: Limits, now: int, out: I64) -> None:
    """Write what each limit says of the copied rider at ``now``, (limits, DESCRIPTION_WORDS)."""
    state = mem.state
    for limit in range(limits.kind.shape[0]):
        word = S_LIMITS + limit * LIMIT_WORDS
        out[limit, D_COUNTED] = counted(mem, 0, state, limits, limit, now)
        start = window_start(state, limits, limit, now)
        if limits.kind[limit] == CALENDAR:
            start = limits.bounds[window_index(limits, limit, now)]
        out[limit, D_START] = max(start, PAST)
        out[limit, D_HOLD_FROM] = state[word + L_HOLD_FROM]
        out[limit, D_HOLD_UNTIL] = NONE
        if state[word + L_HOLD_FROM] != NONE:
            out[limit, D_HOLD_UNTIL] = hold_until(state, limits, limit, now)
        out[limit, D_FIRED] = state[word + L_FLAGS] & FIRED
        out[limit, D_RESUME] = resume_after(state, limits, limit, now, now)
