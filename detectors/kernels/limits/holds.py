"""When a hold ends by its `release` (CONTRACT 5)."""

from __future__ import annotations

from detectors.kernels.jit import inlined
from detectors.kernels.layout import (
    BY_ELAPSED,
    BY_REST,
    BY_WINDOW,
    C_EDGE,
    C_RUN,
    CALENDAR,
    CLOCK_WORDS,
    I64,
    L_HOLD_NEWEST,
    L_WINDOW_END,
    LIMIT_WORDS,
    M_PRE_EDGE,
    M_PRE_RUN,
    NONE,
    S_CLOCKS,
    S_LIMITS,
    Limits,
    Memory,
)


@inlined
def hold_until(state: I64, limits: Limits, limit: int, at: int) -> int:
    """The earliest instant at which the hold can end, as seen from ``at``; NONE where it is not known."""
    word = S_LIMITS + limit * LIMIT_WORDS
    release = limits.release[limit]
    if release == BY_ELAPSED:
        return state[word + L_HOLD_NEWEST] + limits.hold_for[limit]
    if release == BY_REST:
        base = S_CLOCKS + limits.clock[limit] * CLOCK_WORDS
        if state[base + C_RUN] == 1:
            return at + limits.reset[limit]
        return state[base + C_EDGE] + limits.reset[limit]
    if release == BY_WINDOW and limits.kind[limit] == CALENDAR:
        return state[word + L_WINDOW_END]
    return NONE


@inlined
def hold_is_over(mem: Memory, state: I64, limits: Limits, limit: int, at: int, ended: bool) -> bool:
    """Whether the hold under way ends at ``at`` by anything but a confirmation."""
    newest = state[S_LIMITS + limit * LIMIT_WORDS + L_HOLD_NEWEST]
    release = limits.release[limit]
    if release == BY_ELAPSED:
        return at >= newest + limits.hold_for[limit]
    if release == BY_REST:
        clock = limits.clock[limit]
        rest = mem.misc[M_PRE_EDGE + clock]
        return mem.misc[M_PRE_RUN + clock] == 0 and rest >= newest and at - rest >= limits.reset[limit]
    return ended
