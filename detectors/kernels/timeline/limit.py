"""What one limit undergoes at an instant: reached, reminded, warned of, held, released (CONTRACT 5).

The clocks and what is open have been brought to the instant; the state is the scratch state.
"""

from __future__ import annotations

from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout import codes, misc as Misc, state as State
from detectors.kernels.layout.arrays import Limits, Memory
from detectors.kernels.layout.values import I64, NONE
from detectors.kernels.limits import dispatch
from detectors.kernels.limits.holds import is_held, is_in_force, is_over
from detectors.kernels.timeline.lifting import is_lifted, no_longer_lifted
from detectors.kernels.timeline.records import note


@kernel
def end_hold(mem: Memory, row: int, limits: Limits, limit: int, at: int) -> None:
    note(mem, row, limits, limit, at, codes.HOLD_RELEASED, 0, NONE)
    mem.state[State.limit_at(limit) + State.LIMIT_HOLD_FROM] = NONE


@inlined
def reach(mem: Memory, row: int, state: I64, limits: Limits, limit: int, at: int, count: int) -> None:
    """The limit is reached at ``at``: fire; while its policy is in force begin or renew the hold, tell."""
    word = State.limit_at(limit)
    state[word + State.LIMIT_FLAGS] |= State.FIRED
    if limits.remind[limit] > 0:
        state[word + State.LIMIT_REMINDED] = (count - limits.amount[limit]) // limits.remind[limit]
    if not is_in_force(limits, limit, at):
        return
    if limits.effect[limit] != codes.REMIND:
        if state[word + State.LIMIT_HOLD_FROM] == NONE:
            state[word + State.LIMIT_HOLD_FROM] = at
        state[word + State.LIMIT_HOLD_NEWEST] = at
        state[word + State.LIMIT_HOLD_COUNTED] = count
        state[word + State.LIMIT_HOLD_WINDOW] = dispatch.window_start(state, limits, limit, at)
    note(mem, row, limits, limit, at, codes.LIMIT_REACHED, count, NONE)


@inlined
def warn(
    mem: Memory, row: int, state: I64, limits: Limits, limit: int, at: int, count: int, reached: bool
) -> None:
    """Fire the warnings whose amount is reached; tell the one with the shortest lead where one is told."""
    word = State.limit_at(limit)
    told = NONE
    for index in range(limits.warnings[limit]):
        bit = 1 << (State.WARN_FIRED_BIT + index)
        if state[word + State.LIMIT_FLAGS] & bit == 0 and count >= limits.warn[limit, index]:
            state[word + State.LIMIT_FLAGS] |= bit
            if told == NONE:
                told = index
    if told != NONE and not reached and not is_held(state, limit) and is_in_force(limits, limit, at):
        if at >= limits.since[limit]:
            state[word + State.LIMIT_FLAGS] |= 1 << (State.WARN_TOLD_BIT + told)
        note(mem, row, limits, limit, at, codes.APPROACHING, count, NONE)


@inlined
def judge_limit(mem: Memory, row: int, state: I64, limits: Limits, limit: int, at: int) -> None:
    """What happens to one limit at ``at``, the clocks having been brought there.

    One whose policy has ended says nothing any more once its hold has ended, and is not counted on.
    """
    if at >= limits.ends[limit] and not is_held(state, limit):
        return
    word = State.limit_at(limit)
    turned = dispatch.turn(mem, row, state, limits, limit, at)
    if is_held(state, limit):
        over = is_over(mem, state, limits, limit, at, turned)
        if over:
            no_longer_lifted(mem, limit)
        if over or is_lifted(mem, limit):
            end_hold(mem, row, limits, limit, at)
            no_longer_lifted(mem, limit)
    if not dispatch.can_reach(state, limits, limit):
        confirm(mem, row, state, limits, limit, at)
        return
    count = dispatch.counted(mem, row, state, limits, limit, at)
    reached = state[word + State.LIMIT_FLAGS] & State.FIRED == 0 and count >= limits.amount[limit]
    if reached:
        reach(mem, row, state, limits, limit, at, count)
    confirm(mem, row, state, limits, limit, at)
    if limits.remind[limit] > 0 and not reached and state[word + State.LIMIT_FLAGS] & State.FIRED != 0:
        passed = (count - limits.amount[limit]) // limits.remind[limit]
        if passed > state[word + State.LIMIT_REMINDED]:
            state[word + State.LIMIT_REMINDED] = passed
            if is_in_force(limits, limit, at):
                note(mem, row, limits, limit, at, codes.REMINDER, count, NONE)
    if limits.warnings[limit] > 0:
        warn(mem, row, state, limits, limit, at, count, reached)


@inlined
def confirm(mem: Memory, row: int, state: I64, limits: Limits, limit: int, at: int) -> None:
    """A confirmation at ``at`` ends the hold of a ``confirm`` limit."""
    if is_held(state, limit) and limits.release[limit] == codes.BY_CONFIRM and mem.misc[Misc.CONFIRMED] == 1:
        end_hold(mem, row, limits, limit, at)
