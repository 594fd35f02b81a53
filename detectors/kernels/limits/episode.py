"""Episodes, which qualifying rests end (CONTRACT 5): what `continuous`, `elapsed` and `rolling` share.

An episode begins when the clock first runs after a rest of at least ``reset`` and ends when such a rest has
been taken. While nothing has fired, its end is found when the clock next starts.
"""

from __future__ import annotations

from detectors.kernels.clocks.spans import total
from detectors.kernels.jit import inlined
from detectors.kernels.layout import state as State
from detectors.kernels.layout.arrays import Limits, Memory
from detectors.kernels.layout.values import I64, INF, NONE
from detectors.kernels.limits import gates
from detectors.kernels.limits.rests import complete_at, needed_alone, take_rest


@inlined
def turn(mem: Memory, state: I64, limits: Limits, limit: int, at: int, by_reset: bool) -> bool:
    """End the episode when qualifying rests have been taken by ``at``, begin one when the clock runs.

    ``by_reset``: it begins with the clock whose rests end it.

    True when an episode has ended.
    """
    word = State.limit_at(limit)
    clock = limits.reset_clock[limit] if by_reset else limits.clock[limit]
    ended = False
    if state[word + State.LIMIT_EPISODE] != NONE and take_rest(mem, state, limits, limit, at):
        state[word + State.LIMIT_EPISODE] = NONE
        state[word + State.LIMIT_FLAGS] = 0
        state[word + State.LIMIT_REMINDED] = 0
        ended = True
    if state[State.clock_at(clock) + State.CLOCK_RUN] == 1 and state[word + State.LIMIT_EPISODE] == NONE:
        state[word + State.LIMIT_EPISODE] = at
        state[word + State.LIMIT_COUNT0] = total(state, clock, at)
        state[word + State.LIMIT_TAKEN] = 0
    return ended


@inlined
def is_under_way(state: I64, limits: Limits, limit: int, at: int) -> bool:
    """Whether an episode is under way at ``at``; nothing has happened since the state's instant."""
    if state[State.limit_at(limit) + State.LIMIT_EPISODE] == NONE:
        return False
    return at < complete_at(state, limits, limit)


@inlined
def window_start(state: I64, limits: Limits, limit: int, at: int) -> int:
    """The episode's beginning; ``at`` when none is under way."""
    if not is_under_way(state, limits, limit, at):
        return at
    return state[State.limit_at(limit) + State.LIMIT_EPISODE]


@inlined
def may_say(state: I64, limits: Limits, limit: int) -> bool:
    """Whether the limit says anything at the state's instant: one with ``when`` only while that is on."""
    return limits.gate[limit] != gates.WHEN_GATE or gates.is_on(
        limits, limit, state[State.ZONE], state[State.AT]
    )


@inlined
def lowest_open_amount(state: I64, limits: Limits, limit: int) -> int:
    """The least amount that has not fired yet in this episode: a warning, the limit or the next reminder."""
    word = State.limit_at(limit)
    flags = state[word + State.LIMIT_FLAGS]
    lowest = INF
    if not may_say(state, limits, limit):
        return lowest
    if flags & State.FIRED == 0:
        lowest = limits.amount[limit]
    elif limits.remind[limit] > 0:
        lowest = limits.amount[limit] + (state[word + State.LIMIT_REMINDED] + 1) * limits.remind[limit]
    for index in range(limits.warnings[limit]):
        if (flags >> (State.WARN_FIRED_BIT + index)) & 1 == 0:
            lowest = min(lowest, limits.warn[limit, index])
    return lowest


@inlined
def steady_until(state: I64, limits: Limits, limit: int, now: int, in_rests: bool) -> tuple[bool, int]:
    """Whether the count grows with time at ``now``, and until when it goes on as it does.

    The episode ends with a qualifying rest; until then a count that goes on ``in_rests`` grows.
    """
    runs = state[State.clock_at(limits.clock[limit]) + State.CLOCK_RUN] == 1
    complete = complete_at(state, limits, limit)
    if state[State.limit_at(limit) + State.LIMIT_EPISODE] == NONE or now >= complete:
        return False, INF
    return runs or in_rests, complete


@inlined
def resume_after(state: I64, limits: Limits, limit: int, now: int) -> int:
    """When a rest that has begun, or begins ``now``, will have qualified; NONE where none does."""
    if limits.reset[limit] == 0:
        return NONE
    complete = complete_at(state, limits, limit)
    if complete == INF:
        return now + needed_alone(state, limits, limit)
    # A rested rider too: then the order alone is longer than the limit.
    return complete if complete > now else NONE
