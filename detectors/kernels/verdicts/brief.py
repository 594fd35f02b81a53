"""A rider in one cache line: enough for a dispatcher's question while he is on hold, or every limit is far.

Written when he has been judged, read beside the stream. From it the seconds left follow for every instant up
to ``B_UNTIL`` as long as nothing comes in: a limit's count either grows with time or stands still.
"""

from __future__ import annotations

from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout import (
    B_FIXED,
    B_FROM,
    B_MOVING,
    B_NAMING,
    B_PLATFORMS,
    B_RUN,
    B_RUN_FAR,
    B_STAMP,
    B_STILL,
    B_STILL_FAR,
    B_TOLD,
    B_TOLD_PLATFORMS,
    B_TOLD_ZONE,
    B_UNTIL,
    C_EDGE,
    C_RUN,
    CALENDAR,
    CLOCK_WORDS,
    FIRED,
    HELD,
    I64,
    INF,
    L_EPISODE,
    L_FLAGS,
    L_WINDOW_END,
    LATELY_S,
    LIMIT_WORDS,
    MEMBER_LAST,
    MEMBER_PLATFORM,
    MEMBER_WORDS,
    NONE,
    R_FLAGS,
    R_MEMBERS,
    R_MEMBERS_N,
    R_STATUS,
    REMIND,
    ROLLING,
    ROW_SEEN,
    S_CLOCKS,
    S_LIMITS,
    S_NEXT,
    S_ZONE,
    SPAN,
    Limits,
    Memory,
)
from detectors.kernels.limits.dispatch import counted
from detectors.kernels.verdicts.status import Status

#: Seconds left and a limit's number in one word, so that the least of them is the first of the nearest.
LIMIT_BITS = 8


@inlined
def steady_until(state: I64, limits: Limits, limit: int, now: int) -> tuple[bool, int]:
    """Whether the limit's count grows with time at ``now``, and until when it goes on as it does."""
    word = S_LIMITS + limit * LIMIT_WORDS
    clock = S_CLOCKS + limits.clock[limit] * CLOCK_WORDS
    runs = state[clock + C_RUN] == 1
    if limits.kind[limit] == CALENDAR:
        return runs, state[word + L_WINDOW_END] if now < state[word + L_WINDOW_END] else INF
    if runs:
        return True, INF
    # The episode ends with the rest; until then elapsed time counts, clock time does not.
    qualifies = state[clock + C_EDGE] + limits.reset[limit]
    if state[word + L_EPISODE] == NONE or now >= qualifies:
        return False, INF
    return limits.kind[limit] == SPAN, qualifies


@inlined
def write_far(mem: Memory, row: int, limits: Limits, now: int) -> int:
    """Write what is left until the limits that hold; until when it goes on so, NONE: it cannot be said.

    A limit counts with time or stands still; the nearest of those not reached names the answer.
    """
    state = mem.state
    until = state[S_NEXT]
    run, still, run_far, still_far = INF, INF, INF, INF
    for limit in range(limits.kind.shape[0]):
        if limits.kind[limit] == ROLLING:
            # A sliding window lets go of what leaves it: its count is no line.
            return NONE
        if limits.effect[limit] == REMIND:
            continue
        left = limits.amount[limit] - counted(mem, row, state, limits, limit, now)
        grows, steady = steady_until(state, limits, limit, now)
        until = min(until, steady)
        open_here = state[S_LIMITS + limit * LIMIT_WORDS + L_FLAGS] & FIRED == 0
        if open_here and left <= 0:
            return NONE
        if grows:
            run_far = min(run_far, left)
            if open_here:
                until = min(until, now + left)
                run = min(run, left << LIMIT_BITS | limit)
        else:
            still_far = min(still_far, left)
            if open_here:
                still = min(still, left << LIMIT_BITS | limit)
    brief = mem.briefs[row]
    brief[B_RUN_FAR] = run_far
    brief[B_STILL_FAR] = still_far
    brief[B_RUN] = run
    brief[B_STILL] = still
    return until


@inlined
def recent_platforms(mem: Memory, row: int, now: int) -> int:
    """A bit for each of the first platforms that lately (`LATELY_S`) sent events for the rider."""
    found = 0
    for index in range(mem.rows[row, R_MEMBERS_N]):
        word = mem.rows[row, R_MEMBERS] + index * MEMBER_WORDS
        platform = mem.heap[word + MEMBER_PLATFORM]
        if platform < B_PLATFORMS and mem.heap[word + MEMBER_LAST] >= now - LATELY_S:
            found |= 1 << platform
    return found


@kernel
def write_brief(mem: Memory, row: int, limits: Limits, now: int, status: Status) -> None:
    """Write the brief of the rider whose scratch state stands at ``now``.

    Precondition: he is being changed (`kernels.memory.seqlock`), and all his events are applied.
    """
    if mem.rows[row, R_FLAGS] & ROW_SEEN == 0 and mem.rows[row, R_STATUS] == NONE:
        # Of one who has had nothing but heartbeats readers are to know nothing.
        return
    brief = mem.briefs[row]
    if status.code == HELD:
        brief[B_FIXED] = status.fixed
        brief[B_MOVING] = status.moving
        brief[B_NAMING] = status.naming
        until = min(mem.state[S_NEXT], status.following)
    else:
        until = write_far(mem, row, limits, now)
        if until == NONE:
            # The one before is void by its number.
            return
    # The number that the rider has once this change is over: with any later one the brief is void.
    brief[B_STAMP] = mem.seq[row] + 1
    brief[B_FROM] = now
    brief[B_UNTIL] = until
    zone = (mem.state[S_ZONE] + 1) << B_TOLD_ZONE
    brief[B_TOLD] = recent_platforms(mem, row, now) << B_TOLD_PLATFORMS | zone | status.code


@inlined
def nearest_of(run: int, still: int, passed: int) -> tuple[int, int]:
    """The limit with the fewest seconds left after ``passed`` more, and these; NONE where there is none."""
    if run != INF:
        run -= passed << LIMIT_BITS
    nearest = min(run, still)
    if nearest == INF:
        return NONE, NONE
    return nearest & ((1 << LIMIT_BITS) - 1), nearest >> LIMIT_BITS
