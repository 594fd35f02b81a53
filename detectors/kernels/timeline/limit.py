"""What one limit undergoes at an instant: reached, reminded, warned of, held, released (CONTRACT 5).

The clocks and what is open have been brought to the instant; the state is the scratch state.
"""

from __future__ import annotations

from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout import codes, misc as Misc, state as State
from detectors.kernels.layout.arrays import Limits, Memory
from detectors.kernels.layout.values import I64, NONE
from detectors.kernels.limits import dispatch, gates
from detectors.kernels.limits.episode import may_say
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
def is_met(count: int, amount: int, exactly: bool) -> bool:
    """Whether a count has come to an amount; ``exactly``: at this very instant."""
    return count == amount if exactly else count >= amount


@inlined
def fire_warnings(state: I64, limits: Limits, limit: int, count: int, exactly: bool) -> int:
    """Fire the warnings whose amount is reached; the one with the shortest lead among them, or NONE."""
    word = State.limit_at(limit)
    told = NONE
    for index in range(limits.warnings[limit]):
        bit = 1 << (State.WARN_FIRED_BIT + index)
        if state[word + State.LIMIT_FLAGS] & bit == 0 and is_met(count, limits.warn[limit, index], exactly):
            state[word + State.LIMIT_FLAGS] |= bit
            if told == NONE:
                told = index
    return told


@inlined
def warn(
    mem: Memory, row: int, state: I64, limits: Limits, limit: int, at: int, count: int, told: int
) -> None:
    """Tell a warning, if there is one, where one is told."""
    word = State.limit_at(limit)
    if told != NONE and not is_held(state, limit) and is_in_force(limits, limit, at):
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
    if limits.kind[limit] == dispatch.BAN:
        judge_ban(mem, row, state, limits, limit, at)
        return
    exactly = False
    if limits.gate[limit] == gates.WHEN_GATE:
        # What is above already is told only while the clock runs; of a clock that stops, what it reaches so.
        exactly = state[State.clock_at(limits.clock[limit]) + State.CLOCK_RUN] == 0
        silent = not may_say(state, limits, limit)
        if silent or (exactly and not dispatch.was_met_just_now(mem, row, state, limits, limit, at)):
            confirm(mem, row, state, limits, limit, at)
            return
    if not dispatch.can_reach(state, limits, limit):
        confirm(mem, row, state, limits, limit, at)
        return
    count = dispatch.counted(mem, row, state, limits, limit, at)
    unfired = state[word + State.LIMIT_FLAGS] & State.FIRED == 0
    reached = unfired and is_met(count, limits.amount[limit], exactly)
    if reached:
        reach(mem, row, state, limits, limit, at, count)
    confirm(mem, row, state, limits, limit, at)
    if limits.remind[limit] > 0 and not reached and state[word + State.LIMIT_FLAGS] & State.FIRED != 0:
        passed = (count - limits.amount[limit]) // limits.remind[limit]
        whole = count - limits.amount[limit] == passed * limits.remind[limit]
        if passed > state[word + State.LIMIT_REMINDED] and (whole or not exactly):
            state[word + State.LIMIT_REMINDED] = passed
            if is_in_force(limits, limit, at):
                note(mem, row, limits, limit, at, codes.REMINDER, count, NONE)
    if limits.warnings[limit] > 0:
        told = fire_warnings(state, limits, limit, count, exactly)
        warn(mem, row, state, limits, limit, at, count, told if not reached else NONE)


@inlined
def judge_ban(mem: Memory, row: int, state: I64, limits: Limits, limit: int, at: int) -> None:
    """Reach a ban that is on while the clock runs; warn where a stretch begins a lead later, as known now."""
    if state[State.clock_at(limits.clock[limit]) + State.CLOCK_RUN] == 0:
        return
    fired = state[State.limit_at(limit) + State.LIMIT_FLAGS] & State.FIRED != 0
    if not fired and dispatch.can_reach(state, limits, limit):
        reach(mem, row, state, limits, limit, at, 0)
    elif limits.warnings[limit] > 0:
        told = gates.lead_told_at(limits, limit, state[State.ZONE], at)
        warn(mem, row, state, limits, limit, at, 0, told)


@inlined
def confirm(mem: Memory, row: int, state: I64, limits: Limits, limit: int, at: int) -> None:
    """A confirmation at ``at`` ends the hold of a ``confirm`` limit."""
    if is_held(state, limit) and limits.release[limit] == codes.BY_CONFIRM and mem.misc[Misc.CONFIRMED] == 1:
        end_hold(mem, row, limits, limit, at)
