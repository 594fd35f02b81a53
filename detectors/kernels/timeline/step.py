"""The one transition function: bring a rider's state to an instant and note what is to be told there.

Both ways into it are the same: the rider's next event in order, and judging him anew from his sealed
point after late evidence.
"""

from __future__ import annotations

from detectors.kernels.clocks.instant import apply_instant
from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout import (
    E_PACKED,
    E_T,
    EVENT_WORDS,
    HEARTBEAT,
    I64,
    INF,
    M_BREACHES,
    NONE,
    O_START,
    P_BREAK,
    P_SESSION,
    PACK_TYPE,
    R_EVENTS,
    R_EVENTS_N,
    R_FLAGS,
    ROW_SEEN,
    S_NEXT,
    S_ORDERS,
    S_PLATFORMS,
    S_T,
    Limits,
    Memory,
    Rules,
)
from detectors.kernels.limits.dispatch import next_of_limit
from detectors.kernels.timeline.breaches import judge_breaches
from detectors.kernels.timeline.episodes import judge_limit


@kernel
def next_instant(mem: Memory, row: int, state: I64, limits: Limits, rules: Rules, horizon: int) -> int:
    """The next instant after the state's at which anything changes if no event comes.

    Exact up to ``horizon``, beyond it a lower bound that lies beyond it too.
    """
    found = INF
    for index in range(state[S_ORDERS]):
        found = min(found, mem.orders[index, O_START] + rules.max_open_order)
    for index in range(state[S_PLATFORMS]):
        if mem.open_platforms[index, P_SESSION] != NONE:
            found = min(found, mem.open_platforms[index, P_SESSION] + rules.max_open_session)
        if mem.open_platforms[index, P_BREAK] != NONE:
            found = min(found, mem.open_platforms[index, P_BREAK] + rules.max_open_break)
    for limit in range(limits.kind.shape[0]):
        found = min(found, next_of_limit(mem, row, state, limits, limit, horizon))
    return found


@kernel
def step(
    mem: Memory, row: int, state: I64, base: I64, limits: Limits, rules: Rules, at: int, first: int, last: int
) -> None:
    """Bring the state to ``at``, where the events ``first..last`` (perhaps none) happen.

    Precondition: nothing else changes between the state's instant and ``at``.
    """
    apply_instant(mem, row, state, base, at, first, last, rules)
    state[S_T] = at
    for limit in range(limits.kind.shape[0]):
        judge_limit(mem, row, state, limits, limit, at)
    if mem.misc[M_BREACHES] > 0:
        judge_breaches(mem, row, state, limits, at, rules)


@inlined
def advance(
    mem: Memory, row: int, state: I64, base: I64, limits: Limits, rules: Rules, before: int, horizon: int
) -> None:
    """Step through every instant before ``before`` at which something changes by itself.

    Afterwards ``S_NEXT`` is exact up to ``horizon``.
    """
    while state[S_NEXT] < before:
        following = next_instant(mem, row, state, limits, rules, before)
        if following < before:
            step(mem, row, state, base, limits, rules, following, 0, 0)
            following = next_instant(mem, row, state, limits, rules, horizon)
        state[S_NEXT] = following


@inlined
def apply_events(
    mem: Memory, row: int, base: I64, limits: Limits, rules: Rules, first: int, last: int, horizon: int
) -> None:
    """Run the scratch state over the unsealed events ``first..last``, second by second."""
    block = mem.rows[row, R_EVENTS]
    while first < last:
        at = mem.heap[block + first * EVENT_WORDS + E_T]
        group = first
        while group < last and mem.heap[block + group * EVENT_WORDS + E_T] == at:
            if (mem.heap[block + group * EVENT_WORDS + E_PACKED] >> PACK_TYPE) & 15 != HEARTBEAT:
                mem.rows[row, R_FLAGS] |= ROW_SEEN
            group += 1
        advance(mem, row, mem.state, base, limits, rules, at, horizon)
        step(mem, row, mem.state, base, limits, rules, at, first, group)
        until = horizon
        if group < last:
            until = min(until, mem.heap[block + group * EVENT_WORDS + E_T])
        mem.state[S_NEXT] = next_instant(mem, row, mem.state, limits, rules, until)
        first = group


@inlined
def events_until(mem: Memory, row: int, instant: int) -> int:
    """How many unsealed events lie at or before ``instant``."""
    block = mem.rows[row, R_EVENTS]
    low, high = 0, mem.rows[row, R_EVENTS_N]
    while low < high:
        middle = (low + high) // 2
        if mem.heap[block + middle * EVENT_WORDS + E_T] <= instant:
            low = middle + 1
        else:
            high = middle
    return low
