"""When a hold ends by its ``release`` (CONTRACT 5); confirmations are `timeline.limit`'s."""

from __future__ import annotations

from detectors.kernels.jit import inlined
from detectors.kernels.layout import codes, misc as Misc, state as State
from detectors.kernels.layout.arrays import Limits, Memory
from detectors.kernels.layout.values import I64, INF, NONE
from detectors.kernels.limits import dispatch, gates
from detectors.kernels.limits.episode import may_say
from detectors.kernels.limits.rests import complete_at, earliest_end


@inlined
def is_held(state: I64, limit: int) -> bool:
    """Whether a hold of the limit is under way."""
    return state[State.limit_at(limit) + State.LIMIT_HOLD_FROM] != NONE


@inlined
def hold_until(state: I64, limits: Limits, limit: int, at: int) -> int:
    """The earliest instant at which the hold can end, as seen from ``at``; NONE where it is not known."""
    release = limits.release[limit]
    if release == codes.BY_ELAPSED:
        until = state[State.limit_at(limit) + State.LIMIT_HOLD_NEWEST] + limits.hold_for[limit]
    elif release == codes.BY_REST:
        until, _, _ = earliest_end(state, limits, limit, at)
    elif release == codes.BY_WINDOW:
        until = dispatch.window_end(state, limits, limit, at)
    else:
        until = NONE
    return min(until, ends_at_latest(state, limits, limit, at))


@inlined
def ends_at_latest(state: I64, limits: Limits, limit: int, at: int) -> int:
    """When a hold ends whatever the rider does, as known at ``at``: with its policy, with its condition."""
    if limits.gate[limit] == gates.WHEN_GATE:
        return min(limits.ends[limit], gates.known_end(limits, limit, state[State.ZONE], at))
    return limits.ends[limit]


@inlined
def is_over(mem: Memory, state: I64, limits: Limits, limit: int, at: int, turned: bool) -> bool:
    """Whether the hold under way ends at ``at`` by anything but a confirmation.

    It ends with its policy and with its condition, too.

    ``turned``: episode or window have ended at ``at``.
    """
    newest = state[State.limit_at(limit) + State.LIMIT_HOLD_NEWEST]
    release = limits.release[limit]
    if at >= limits.ends[limit] or not may_say(state, limits, limit):
        return True
    if release == codes.BY_ELAPSED:
        return at >= newest + limits.hold_for[limit]
    if release == codes.BY_REST:
        clock = limits.reset_clock[limit]
        rest = mem.misc[Misc.BEFORE_EDGE + clock]
        if mem.misc[Misc.BEFORE_RUN + clock] == 1 or rest < newest:
            return False
        adds_up = limits.part_count[limit] > 0 or limits.reset_sum[limit] > 0
        return at - rest >= limits.reset[limit] or (turned and adds_up)
    return turned


@inlined
def next_release(state: I64, limits: Limits, limit: int) -> int:
    """When what was told of the limit ends by time alone: its hold, or all of it with its policy.

    Infinite where episode, window or rider end it.
    """
    if not is_held(state, limit):
        warned = state[State.limit_at(limit) + State.LIMIT_FLAGS] >> State.WARN_TOLD_BIT != 0
        ends = limits.ends[limit]
        return ends if warned and ends > state[State.AT] else INF
    found = limits.ends[limit]
    if limits.gate[limit] == gates.WHEN_GATE:
        found = min(found, gates.next_turn(limits, limit, state[State.ZONE], state[State.AT]))
    if limits.release[limit] == codes.BY_ELAPSED:
        found = min(found, state[State.limit_at(limit) + State.LIMIT_HOLD_NEWEST] + limits.hold_for[limit])
    if limits.release[limit] == codes.BY_REST:
        found = min(found, complete_at(state, limits, limit))
    return found


@inlined
def is_in_force(limits: Limits, limit: int, at: int) -> bool:
    """Whether the limit's policy is in force at ``at``."""
    return limits.begins[limit] <= at < limits.ends[limit]
