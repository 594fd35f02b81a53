"""The one place that knows which file judges which kind of limit."""

from __future__ import annotations

from detectors.kernels.jit import inlined
from detectors.kernels.layout import (
    BY_ELAPSED,
    BY_REST,
    CALENDAR,
    CONTINUOUS,
    I64,
    L_EPISODE,
    L_FLAGS,
    L_HOLD_FROM,
    L_HOLD_NEWEST,
    LIMIT_WORDS,
    NONE,
    ROLLING,
    S_LIMITS,
    Limits,
    Memory,
)
from detectors.kernels.limits import calendar, continuous, elapsed, rolling


@inlined
def counted(mem: Memory, row: int, state: I64, limits: Limits, limit: int, at: int) -> int:
    """What the limit counts at ``at``, when nothing has happened since the state's instant."""
    kind = limits.kind[limit]
    if kind == CONTINUOUS:
        return continuous.counted(state, limits, limit, at)
    if kind == CALENDAR:
        return calendar.counted(state, limits, limit, at)
    if kind == ROLLING:
        return rolling.counted(mem, row, state, limits, limit, at)
    return elapsed.counted(state, limits, limit, at)


@inlined
def window_start(state: I64, limits: Limits, limit: int, at: int) -> int:
    """Where the window of an alert at ``at`` begins."""
    if limits.kind[limit] == ROLLING:
        return rolling.window_start(state, limits, limit, at)
    if limits.kind[limit] != CALENDAR and not continuous.in_episode(state, limits, limit, at):
        return at
    return state[S_LIMITS + limit * LIMIT_WORDS + L_EPISODE]


@inlined
def turn(mem: Memory, row: int, state: I64, limits: Limits, limit: int, at: int) -> bool:
    """Turn episode or window at ``at``; True when that ends a ``window`` or ``confirm`` hold."""
    kind = limits.kind[limit]
    if kind == CALENDAR:
        return calendar.turn_window(state, limits, limit, at)
    if kind == ROLLING:
        if limits.reset[limit] > 0:
            flags = state[S_LIMITS + limit * LIMIT_WORDS + L_FLAGS]
            continuous.turn_episode(mem, state, limits, limit, at)
            state[S_LIMITS + limit * LIMIT_WORDS + L_FLAGS] = flags
        count = rolling.counted(mem, row, state, limits, limit, at)
        return rolling.drop_flags_below(state, limits, limit, count)
    return continuous.turn_episode(mem, state, limits, limit, at)


@inlined
def next_of_limit(mem: Memory, row: int, state: I64, limits: Limits, limit: int, horizon: int) -> int:
    """The next instant at which this limit or its hold changes, if no event comes."""
    kind = limits.kind[limit]
    if kind == CONTINUOUS:
        found = continuous.next_instant(state, limits, limit)
    elif kind == CALENDAR:
        found = calendar.next_instant(state, limits, limit)
    elif kind == ROLLING:
        found = rolling.next_instant(mem, row, state, limits, limit, horizon)
    else:
        found = elapsed.next_instant(state, limits, limit)
    word = S_LIMITS + limit * LIMIT_WORDS
    if state[word + L_HOLD_FROM] != NONE:
        if limits.release[limit] == BY_ELAPSED:
            found = min(found, state[word + L_HOLD_NEWEST] + limits.hold_for[limit])
        elif limits.release[limit] == BY_REST:
            found = min(found, continuous.rest_qualifies_at(state, limits, limit))
    return found
