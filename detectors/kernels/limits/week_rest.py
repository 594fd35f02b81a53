"""``rest_within`` per week: every calendar week must contain one unbroken rest (RULEBOOK 5), seconds.

What is counted is the time since the week began, in a week without a change of clocks. In the others weeks
are longer or shorter, and the amount, which is the week less the rest, is so too. Here the week's beginning
is moved instead: counted is a whole week less what is left of it, so that amounts stay the same in all weeks.
`shift` is the difference, which is added to what is told.

Of the limit's words ``LIMIT_COUNT0`` says whether a rest long enough has been taken in the week.
"""

from __future__ import annotations

from detectors.kernels.jit import inlined
from detectors.kernels.layout import misc as Misc, state as State
from detectors.kernels.layout.arrays import Limits, Memory
from detectors.kernels.layout.values import I64, INF, NONE, WEEK_S
from detectors.kernels.limits.calendar import window_index
from detectors.kernels.limits.episode import lowest_open_amount

#: By this much a week can be shorter than others, at most: an order may then reach that much earlier.
LEAST_SHORTER_S = 3 * 3_600


@inlined
def shift(limits: Limits, limit: int, begin: int) -> int:
    """By how much the week that begins at ``begin`` is longer than others."""
    index = window_index(limits, limit, begin)
    return limits.bounds[index + 1] - limits.bounds[index] - WEEK_S


@inlined
def week_of(state: I64, limits: Limits, limit: int, at: int) -> tuple[int, int]:
    """Beginning and end of the week that contains ``at``, not before the state's instant."""
    word = State.limit_at(limit)
    if at < state[word + State.LIMIT_WINDOW_END]:
        return state[word + State.LIMIT_EPISODE], state[word + State.LIMIT_WINDOW_END]
    index = window_index(limits, limit, at)
    return limits.bounds[index], limits.bounds[index + 1]


@inlined
def turn(mem: Memory, state: I64, limits: Limits, limit: int, at: int) -> bool:
    """Begin anew in another week, take the rest before ``at`` in; True when a week has ended."""
    word = State.limit_at(limit)
    turned = at >= state[word + State.LIMIT_WINDOW_END]
    if turned:
        begin, end = week_of(state, limits, limit, at)
        state[word + State.LIMIT_EPISODE] = begin
        state[word + State.LIMIT_WINDOW_END] = end
        state[word + State.LIMIT_COUNT0] = 0
        state[word + State.LIMIT_FLAGS] = 0
        state[word + State.LIMIT_REMINDED] = 0
    clock = limits.clock[limit]
    if mem.misc[Misc.BEFORE_RUN + clock] == 0:
        since = max(mem.misc[Misc.BEFORE_EDGE + clock], state[word + State.LIMIT_EPISODE])
        if at - since >= limits.reset[limit]:
            state[word + State.LIMIT_COUNT0] = 1
    return turned


@inlined
def is_rested(state: I64, limits: Limits, limit: int, at: int) -> bool:
    """Whether the rest has been taken in the week that contains ``at``, not before the state's instant."""
    word = State.limit_at(limit)
    if at < state[word + State.LIMIT_WINDOW_END] and state[word + State.LIMIT_COUNT0] == 1:
        return True
    clock = State.clock_at(limits.clock[limit])
    if state[clock + State.CLOCK_RUN] == 1:
        return False
    begin, _ = week_of(state, limits, limit, at)
    return at - max(state[clock + State.CLOCK_EDGE], begin) >= limits.reset[limit]


@inlined
def counted(state: I64, limits: Limits, limit: int, at: int) -> int:
    """A whole week less what is left of it at ``at``."""
    _, end = week_of(state, limits, limit, at)
    return WEEK_S - (end - at)


@inlined
def next_instant(state: I64, limits: Limits, limit: int) -> int:
    """The next instant at which this limit changes, if nothing else happens."""
    word = State.limit_at(limit)
    end = state[word + State.LIMIT_WINDOW_END]
    if state[State.clock_at(limits.clock[limit]) + State.CLOCK_RUN] == 1:
        if state[word + State.LIMIT_COUNT0] == 1:
            return end
        return min(end - WEEK_S + lowest_open_amount(state, limits, limit), end)
    if state[word + State.LIMIT_FLAGS] != 0 or state[word + State.LIMIT_HOLD_FROM] != NONE:
        return end
    return INF
