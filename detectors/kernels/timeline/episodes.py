"""What one limit undergoes at an instant: reached, reminded, warned of, held, released (CONTRACT 5)."""

from __future__ import annotations

from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout import (
    APPROACHING,
    BY_CONFIRM,
    C_RUN,
    CLOCK_WORDS,
    FIRED,
    HOLD_RELEASED,
    I64,
    L_FLAGS,
    L_HOLD_COUNTED,
    L_HOLD_FROM,
    L_HOLD_NEWEST,
    L_HOLD_WINDOW,
    L_REMINDED,
    LIMIT_REACHED,
    LIMIT_WORDS,
    M_CONFIRMED,
    NONE,
    REMIND,
    REMINDER,
    S_CLOCKS,
    S_LIMITS,
    SPAN,
    WARN_FIRED_BIT,
    WARN_TOLD_BIT,
    Limits,
    Memory,
)
from detectors.kernels.limits.dispatch import counted, turn, window_start
from detectors.kernels.limits.holds import hold_is_over
from detectors.kernels.timeline.records import note


@kernel
def end_hold(mem: Memory, row: int, state: I64, limits: Limits, limit: int, at: int) -> None:
    note(mem, row, state, limits, limit, at, HOLD_RELEASED, 0, NONE)
    state[S_LIMITS + limit * LIMIT_WORDS + L_HOLD_FROM] = NONE


@inlined
def reach(mem: Memory, row: int, state: I64, limits: Limits, limit: int, at: int, count: int) -> None:
    """The limit is reached at ``at``: fire, begin or renew the hold, tell."""
    word = S_LIMITS + limit * LIMIT_WORDS
    state[word + L_FLAGS] |= FIRED
    if limits.remind[limit] > 0:
        state[word + L_REMINDED] = (count - limits.amount[limit]) // limits.remind[limit]
    if limits.effect[limit] != REMIND:
        if state[word + L_HOLD_FROM] == NONE:
            state[word + L_HOLD_FROM] = at
        state[word + L_HOLD_NEWEST] = at
        state[word + L_HOLD_COUNTED] = count
        state[word + L_HOLD_WINDOW] = window_start(state, limits, limit, at)
    note(mem, row, state, limits, limit, at, LIMIT_REACHED, count, NONE)


@inlined
def warn(
    mem: Memory, row: int, state: I64, limits: Limits, limit: int, at: int, count: int, reached: bool
) -> None:
    """Fire the warnings whose amount is reached; tell the one with the shortest lead where one is told."""
    word = S_LIMITS + limit * LIMIT_WORDS
    told = NONE
    for index in range(limits.warnings[limit]):
        bit = 1 << (WARN_FIRED_BIT + index)
        if state[word + L_FLAGS] & bit == 0 and count >= limits.warn[limit, index]:
            state[word + L_FLAGS] |= bit
            if told == NONE:
                told = index
    if told != NONE and not reached and state[word + L_HOLD_FROM] == NONE:
        if at >= limits.since[limit]:
            state[word + L_FLAGS] |= 1 << (WARN_TOLD_BIT + told)
        note(mem, row, state, limits, limit, at, APPROACHING, count, NONE)


@inlined
def judge_limit(mem: Memory, row: int, state: I64, limits: Limits, limit: int, at: int) -> None:
    """What happens to one limit at ``at``, the clocks having been brought there."""
    word = S_LIMITS + limit * LIMIT_WORDS
    ended = turn(mem, row, state, limits, limit, at)
    if state[word + L_HOLD_FROM] != NONE and hold_is_over(mem, state, limits, limit, at, ended):
        end_hold(mem, row, state, limits, limit, at)
    runs = state[S_CLOCKS + limits.clock[limit] * CLOCK_WORDS + C_RUN] == 1
    # Elapsed time reaches an amount only while the clock runs; counted time does so by itself.
    if limits.kind[limit] == SPAN and not runs:
        confirm(mem, row, state, limits, limit, at)
        return
    count = counted(mem, row, state, limits, limit, at)
    reached = state[word + L_FLAGS] & FIRED == 0 and count >= limits.amount[limit]
    if reached:
        reach(mem, row, state, limits, limit, at, count)
    confirm(mem, row, state, limits, limit, at)
    if limits.remind[limit] > 0 and not reached and state[word + L_FLAGS] & FIRED != 0:
        passed = (count - limits.amount[limit]) // limits.remind[limit]
        if passed > state[word + L_REMINDED]:
            state[word + L_REMINDED] = passed
            note(mem, row, state, limits, limit, at, REMINDER, count, NONE)
    if limits.warnings[limit] > 0:
        warn(mem, row, state, limits, limit, at, count, reached)


@inlined
def confirm(mem: Memory, row: int, state: I64, limits: Limits, limit: int, at: int) -> None:
    """A confirmation at ``at`` ends the hold of a ``confirm`` limit."""
    held = state[S_LIMITS + limit * LIMIT_WORDS + L_HOLD_FROM] != NONE
    if held and limits.release[limit] == BY_CONFIRM and mem.misc[M_CONFIRMED] == 1:
        end_hold(mem, row, state, limits, limit, at)
