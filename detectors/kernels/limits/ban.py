"""``ban``: no new orders while a condition or certain hours are on where the rider is (BEYOND-HOURS 2).

It counts nothing: it is reached at the first instant at which it is on and the clock runs. Of the limit's
words ``LIMIT_EPISODE`` is where the stretch of being on for the rider began. While nothing has fired, that is
brought up to date only when something happens to the rider; who asks in between looks at `gates`.
"""

from __future__ import annotations

from detectors.kernels.jit import inlined
from detectors.kernels.layout import misc as Misc, state as State
from detectors.kernels.layout.arrays import Limits, Memory
from detectors.kernels.layout.values import I64, INF, NONE
from detectors.kernels.limits import gates


@inlined
def turn(mem: Memory, state: I64, limits: Limits, limit: int, at: int) -> bool:
    """Bring the stretch to ``at``; True when the one before has ended.

    Between the instant before and this one the rider was in one zone.
    """
    word = State.limit_at(limit)
    begun, since = state[word + State.LIMIT_EPISODE], NONE
    if gates.is_on(limits, limit, state[State.ZONE], at):
        since = at
        before = mem.misc[Misc.BEFORE_ZONE]
        if gates.is_on(limits, limit, before, at - 1):
            since = gates.begun_at(limits, gates.set_of(limits, limit, before), at - 1)
            if begun != NONE and since <= mem.misc[Misc.BEFORE_AT]:
                since = begun
    ended = begun != NONE and since != begun
    state[word + State.LIMIT_EPISODE] = since
    if ended:
        state[word + State.LIMIT_FLAGS] &= ~State.FIRED
    if state[word + State.LIMIT_FLAGS] >> State.WARN_TOLD_BIT != 0:
        for index in range(limits.warnings[limit]):
            if not gates.is_near(limits, limit, state[State.ZONE], at, -limits.warn[limit, index]):
                state[word + State.LIMIT_FLAGS] &= ~(1 << (State.WARN_TOLD_BIT + index))
    return ended


@inlined
def is_met(state: I64, limits: Limits, limit: int) -> bool:
    """Whether it is on for the rider at the state's instant, and the clock runs."""
    on = state[State.limit_at(limit) + State.LIMIT_EPISODE] != NONE
    return on and state[State.clock_at(limits.clock[limit]) + State.CLOCK_RUN] == 1


@inlined
def next_instant(state: I64, limits: Limits, limit: int) -> int:
    """The next instant at which this limit changes, if nothing else happens."""
    word = State.limit_at(limit)
    running = state[State.clock_at(limits.clock[limit]) + State.CLOCK_RUN] == 1
    if not running and state[word + State.LIMIT_FLAGS] == 0 and state[word + State.LIMIT_HOLD_FROM] == NONE:
        return INF
    zone, at = state[State.ZONE], state[State.AT]
    found = gates.next_turn(limits, limit, zone, at)
    if running and limits.warnings[limit] > 0:
        found = min(found, gates.next_lead(limits, limit, zone, at))
    return found


@inlined
def window_start(state: I64, limits: Limits, limit: int, at: int) -> int:
    """Where the stretch that contains ``at`` began for the rider; ``at`` itself where it is not on.

    ``at`` is not before the state's instant.
    """
    zone = state[State.ZONE]
    if not gates.is_on(limits, limit, zone, at):
        return at
    since = gates.begun_at(limits, gates.set_of(limits, limit, zone), at)
    begun = state[State.limit_at(limit) + State.LIMIT_EPISODE]
    return begun if begun != NONE and since <= state[State.AT] else since


@inlined
def resume_after(state: I64, limits: Limits, limit: int, at: int) -> int:
    """The end, as known then, of the stretch that contains ``at``; NONE where it is not on."""
    end = gates.known_end(limits, limit, state[State.ZONE], at)
    return end if end > at else NONE
