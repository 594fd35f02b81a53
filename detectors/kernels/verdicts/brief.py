"""A rider in one cache line: enough for a dispatcher's question in a hold, or while every limit is far.

Written when the rider has been judged, read beside the stream. From it the seconds left follow for every
instant up to ``Brief.UNTIL`` as long as nothing comes in: a limit's count grows with time or stands still.
"""

from __future__ import annotations

from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout import brief as Brief, codes, row as Row, state as State
from detectors.kernels.layout.arrays import Limits, Memory
from detectors.kernels.layout.values import DAY_S, INF, NONE
from detectors.kernels.limits.dispatch import BAN, counted, counted_for_an_order, is_settled, steady_until
from detectors.kernels.limits.gates import is_on, next_turn
from detectors.kernels.limits.holds import is_in_force
from detectors.kernels.verdicts.status import Status


@inlined
def write_far(mem: Memory, row: int, limits: Limits, now: int) -> int:
    """Write what is left until the limits that hold; until when it goes on so, NONE: it cannot be said.

    A limit counts with time or stands still; the nearest of those not reached names the answer.
    """
    state = mem.state
    until = state[State.NEXT]
    run, still, run_far, still_far = INF, INF, INF, INF
    for limit in range(limits.kind.shape[0]):
        if not is_in_force(limits, limit, now):
            # One that comes into force while an order lasts is looked at closely.
            until = min(until, limits.begins[limit] - DAY_S) if now < limits.begins[limit] else until
            continue
        until = min(until, limits.ends[limit])
        if limits.kind[limit] == BAN:
            zone = state[State.ZONE]
            if is_on(limits, limit, zone, now):
                # Any order would begin in it.
                return NONE
            begins = next_turn(limits, limit, zone, now)
            until = min(until, begins)
            if limits.effect[limit] != codes.REMIND:
                run_far = min(run_far, begins - now)
            continue
        grows, steady = steady_until(state, limits, limit, now)
        if steady == NONE:
            return NONE
        if limits.effect[limit] == codes.REMIND:
            continue
        left = limits.amount[limit] - counted(mem, row, state, limits, limit, now)
        until = min(until, steady)
        open_here = state[State.limit_at(limit) + State.LIMIT_FLAGS] & State.FIRED == 0
        settled = is_settled(state, limits, limit, now)
        if open_here and left <= 0 and not settled:
            return NONE
        if settled:
            far = limits.amount[limit] - counted_for_an_order(mem, row, state, limits, limit, now)
            still_far = min(still_far, far)
            if open_here and left <= 0:
                still = min(still, limit)
            elif open_here:
                until = min(until, now + left)
                run = min(run, left << Brief.LIMIT_BITS | limit)
        elif grows:
            run_far = min(run_far, left)
            if open_here:
                until = min(until, now + left)
                run = min(run, left << Brief.LIMIT_BITS | limit)
        else:
            still_far = min(still_far, left)
            if open_here:
                still = min(still, left << Brief.LIMIT_BITS | limit)
    brief = mem.briefs[row]
    brief[Brief.RUN_FAR] = run_far
    brief[Brief.STILL_FAR] = still_far
    brief[Brief.RUN] = run
    brief[Brief.STILL] = still
    return until


@inlined
def recent_platforms(mem: Memory, row: int, now: int) -> int:
    """A bit for each of the first platforms that lately (`LATELY_S`) sent events for the rider."""
    found = 0
    for index in range(mem.rows[row, Row.MEMBERS_N]):
        word = mem.rows[row, Row.MEMBERS] + index * Row.MEMBER_WORDS
        platform = mem.heap[word + Row.MEMBER_PLATFORM]
        if platform < Brief.TOLD_PLATFORMS and mem.heap[word + Row.MEMBER_LAST] >= now - Brief.LATELY_S:
            found |= 1 << platform
    return found


@kernel
def write_brief(mem: Memory, row: int, limits: Limits, now: int, status: Status) -> None:
    """Write the brief of the rider whose scratch state stands at ``now``.

    Precondition: the rider is being changed (`kernels.memory.seqlock`), all events are applied.
    """
    if mem.rows[row, Row.FLAGS] & Row.FLAG_SEEN == 0 and mem.rows[row, Row.STATUS] == NONE:
        # Of one who has had nothing but heartbeats readers are to know nothing.
        return
    brief = mem.briefs[row]
    if status.code == codes.HELD:
        brief[Brief.HELD_FIXED] = status.fixed
        brief[Brief.HELD_MOVING] = status.moving
        brief[Brief.HELD_NAMING] = status.naming
        until = min(mem.state[State.NEXT], status.following)
    else:
        until = write_far(mem, row, limits, now)
        if until == NONE:
            # The one before is void by its number.
            return
    # The number that the rider has once this change is over: with any later one the brief is void.
    brief[Brief.STAMP] = mem.seq[row] + 1
    brief[Brief.FROM] = now
    brief[Brief.UNTIL] = until
    zone = (mem.state[State.ZONE] + 1) << Brief.TOLD_ZONE_SHIFT
    brief[Brief.TOLD] = recent_platforms(mem, row, now) << Brief.TOLD_PLATFORMS_SHIFT | zone | status.code


@inlined
def nearest_of(run: int, still: int, passed: int) -> tuple[int, int]:
    """The limit with the fewest seconds left after ``passed`` more, and these; NONE where there is none."""
    if run != INF:
        run -= passed << Brief.LIMIT_BITS
    nearest = min(run, still)
    if nearest == INF:
        return NONE, NONE
    return nearest & Brief.LIMIT_MASK, nearest >> Brief.LIMIT_BITS
