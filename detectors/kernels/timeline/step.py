"""The one transition function: bring a rider's state to an instant and note what is to be told there.

All ways lead through it: the rider's next event in order, judging anew from the sealed point after late
evidence, sealing, and a reader's copy brought to *now*. The state is the scratch state (`Memory.state`);
``base`` is the state at the sealed point.
"""

from __future__ import annotations

from detectors.kernels.clocks.instant import apply_instant
from detectors.kernels.jit import inlined
from detectors.kernels.layout import (
    codes,
    event as Event,
    misc as Misc,
    open as Open,
    row as Row,
    state as State,
)
from detectors.kernels.layout.arrays import Limits, Memory, Rules
from detectors.kernels.layout.values import I64, INF, NONE
from detectors.kernels.limits import dispatch, gates
from detectors.kernels.limits.holds import next_release
from detectors.kernels.timeline.breaches import judge_breaches
from detectors.kernels.timeline.lifting import see_lifts
from detectors.kernels.timeline.limit import judge_limit


@inlined
def next_gated(state: I64, limits: Limits, limit: int, following: int) -> int:
    """The next instant of a limit that is on and off; one that was announced late is not lost."""
    clock = State.clock_at(limits.clock[limit])
    if limits.gate[limit] == gates.WHEN_GATE and state[clock + State.CLOCK_RUN] == 1:
        following = min(following, gates.next_turn(limits, limit, state[State.ZONE], state[State.AT]))
    return max(following, state[State.AT] + 1)


@inlined
def next_instant(mem: Memory, row: int, limits: Limits, rules: Rules, horizon: int) -> int:
    """The next instant after the state's at which anything changes if no event comes.

    Exact up to ``horizon``, beyond it a lower bound that lies beyond it too.
    """
    state = mem.state
    found = INF
    for index in range(state[State.ORDERS]):
        found = min(found, mem.orders[index, Open.ORDER_START] + rules.max_open_order)
    for index in range(state[State.PLATFORMS]):
        if mem.open_platforms[index, Open.PLATFORM_SESSION] != NONE:
            found = min(found, mem.open_platforms[index, Open.PLATFORM_SESSION] + rules.max_open_session)
        if mem.open_platforms[index, Open.PLATFORM_BREAK] != NONE:
            found = min(found, mem.open_platforms[index, Open.PLATFORM_BREAK] + rules.max_open_break)
        if mem.open_platforms[index, Open.PLATFORM_DUTY] != NONE:
            found = min(found, mem.open_platforms[index, Open.PLATFORM_DUTY_SINCE] + rules.max_open_duty)
    for limit in range(limits.kind.shape[0]):
        if state[State.AT] >= limits.ends[limit]:
            continue
        following = dispatch.next_instant(mem, row, state, limits, limit, min(horizon, found))
        if limits.gate[limit] != gates.OPEN:
            following = next_gated(state, limits, limit, following)
        found = min(found, following)
        found = min(found, next_release(state, limits, limit))
    return found


@inlined
def step(
    mem: Memory, row: int, base: I64, limits: Limits, rules: Rules, at: int, first: int, last: int
) -> None:
    """Bring the state to ``at``, where the events ``first..last`` (perhaps none) happen.

    Precondition: nothing else changes between the state's instant and ``at``.
    """
    state = mem.state
    apply_instant(mem, row, state, base, limits, rules, at, first, last)
    state[State.AT] = at
    see_lifts(mem, row, state, limits, first, last)
    for limit in range(limits.kind.shape[0]):
        judge_limit(mem, row, state, limits, limit, at)
    if mem.misc[Misc.BREACHES] > 0:
        judge_breaches(mem, row, limits, at, rules)


@inlined
def advance(
    mem: Memory, row: int, base: I64, limits: Limits, rules: Rules, before: int, horizon: int
) -> None:
    """Step through every instant before ``before`` at which something changes by itself.

    Afterwards ``State.NEXT`` is exact up to ``horizon``.
    """
    state = mem.state
    while state[State.NEXT] < before:
        following = next_instant(mem, row, limits, rules, before)
        if following < before:
            step(mem, row, base, limits, rules, following, 0, 0)
            following = next_instant(mem, row, limits, rules, horizon)
        state[State.NEXT] = following


@inlined
def apply_events(
    mem: Memory, row: int, base: I64, limits: Limits, rules: Rules, first: int, last: int, horizon: int
) -> None:
    """Run the scratch state over the unsealed events ``first..last``, second by second."""
    block = mem.rows[row, Row.EVENTS]
    while first < last:
        at = mem.heap[block + first * Event.WORDS + Event.AT]
        group = first
        while group < last and mem.heap[block + group * Event.WORDS + Event.AT] == at:
            if Event.type_of(mem.heap[block + group * Event.WORDS + Event.PACKED]) != codes.HEARTBEAT:
                mem.rows[row, Row.FLAGS] |= Row.FLAG_SEEN
            group += 1
        advance(mem, row, base, limits, rules, at, horizon)
        step(mem, row, base, limits, rules, at, first, group)
        until = horizon
        if group < last:
            until = min(until, mem.heap[block + group * Event.WORDS + Event.AT])
        mem.state[State.NEXT] = next_instant(mem, row, limits, rules, until)
        first = group
