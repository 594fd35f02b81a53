"""The rests that end an episode: a single one, several in their order, or a sum of them (RULEBOOK 2).

They are rests of the clock that resets the limit. What has been taken since the episode's first counted
second is kept in one word of the limit: of a sum, the seconds; of parts, how many and where the last began.
"""

from __future__ import annotations

from detectors.kernels.jit import inlined
from detectors.kernels.layout import misc as Misc, state as State
from detectors.kernels.layout.arrays import Limits, Memory
from detectors.kernels.layout.values import I64, INF, NONE

#: A limit has two to four parts: how many have been taken stands below where the last one began.
COUNT_BITS = 3
COUNT_MASK = (1 << COUNT_BITS) - 1


@inlined
def parts_taken(state: I64, limits: Limits, limit: int, edge: int, at: int) -> tuple[int, bool]:
    """How many parts have been taken by ``at``, and whether the rest from ``edge`` on is one of them."""
    word = state[State.limit_at(limit) + State.LIMIT_TAKEN]
    count = word & COUNT_MASK
    if count > 0 and word >> COUNT_BITS == edge:
        return count, True
    if count < limits.part_count[limit] and at - edge >= limits.parts[limit, count]:
        return count + 1, True
    return count, False


@inlined
def needed_alone(state: I64, limits: Limits, limit: int) -> int:
    """How long a rest that begins now must last to end the episode by itself."""
    needed = limits.reset[limit]
    taken = state[State.limit_at(limit) + State.LIMIT_TAKEN]
    count = limits.part_count[limit]
    if count > 0 and taken & COUNT_MASK == count - 1:
        needed = min(needed, limits.parts[limit, count - 1])
    if limits.reset_sum[limit] > 0:
        needed = min(needed, max(limits.sum_part[limit], limits.reset_sum[limit] - taken))
    return needed


@inlined
def complete_at(state: I64, limits: Limits, limit: int) -> int:
    """When the rest under way ends the episode; infinite while the resetting clock runs."""
    clock = State.clock_at(limits.reset_clock[limit])
    if state[clock + State.CLOCK_RUN] == 1:
        return INF
    edge = state[clock + State.CLOCK_EDGE]
    word = State.limit_at(limit)
    if limits.part_count[limit] == 0 and limits.reset_sum[limit] == 0:
        return edge + limits.reset[limit]
    taken = state[word + State.LIMIT_TAKEN]
    used = limits.part_count[limit] > 0 and taken & COUNT_MASK > 0 and taken >> COUNT_BITS == edge
    if state[word + State.LIMIT_EPISODE] == NONE or used:
        return edge + limits.reset[limit]
    return edge + needed_alone(state, limits, limit)


@inlined
def take_rest(mem: Memory, state: I64, limits: Limits, limit: int, at: int) -> bool:
    """Take in what the rest before ``at`` has lasted; whether it has ended the episode under way."""
    clock = limits.reset_clock[limit]
    if mem.misc[Misc.BEFORE_RUN + clock] == 1:
        return False
    edge = mem.misc[Misc.BEFORE_EDGE + clock]
    word = State.limit_at(limit)
    if limits.part_count[limit] > 0:
        count, used = parts_taken(state, limits, limit, edge, at)
        if used:
            state[word + State.LIMIT_TAKEN] = edge << COUNT_BITS | count
        if count == limits.part_count[limit]:
            return True
    if limits.reset_sum[limit] > 0 and at - edge >= limits.sum_part[limit]:
        total = state[word + State.LIMIT_TAKEN] + at - edge
        if total >= limits.reset_sum[limit]:
            return True
        if state[State.clock_at(clock) + State.CLOCK_RUN] == 1:
            state[word + State.LIMIT_TAKEN] = total
    return at - edge >= limits.reset[limit]


@inlined
def earliest_end(state: I64, limits: Limits, limit: int, at: int) -> tuple[int, bool, int]:
    """The earliest instant, seen from ``at``, at which rests can be complete.

    Also whether it moves with passing time, and when that changes by itself. Between two parts the clock must
    run for a second.
    """
    clock = State.clock_at(limits.reset_clock[limit])
    runs = state[clock + State.CLOCK_RUN] == 1
    edge = at if runs else state[clock + State.CLOCK_EDGE]
    found = edge + limits.reset[limit]
    if limits.reset_sum[limit] > 0:
        found = edge + needed_alone(state, limits, limit)
    if limits.part_count[limit] == 0:
        return found, runs, INF
    count, used = state[State.limit_at(limit) + State.LIMIT_TAKEN] & COUNT_MASK, False
    if not runs:
        count, used = parts_taken(state, limits, limit, edge, at)
    if count >= limits.part_count[limit]:
        return found, runs, INF
    begin = at + 1 if used else edge
    rests = begin + limits.parts[limit, count]
    for index in range(count + 1, limits.part_count[limit]):
        rests += 1 + limits.parts[limit, index]
    if runs or rests >= found:
        return min(found, rests), runs, INF
    if used:
        # The single rest goes on: it is the nearer one once that much more has passed.
        return rests, True, at + found - rests + 1
    return rests, False, edge + limits.parts[limit, count]
