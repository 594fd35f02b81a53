"""``continuous``: clock time accumulated since the last qualifying rest (CONTRACT 5), seconds."""

from __future__ import annotations

from detectors.kernels.clocks.spans import total
from detectors.kernels.jit import inlined
from detectors.kernels.layout import state as State
from detectors.kernels.layout.arrays import Limits
from detectors.kernels.layout.values import I64, INF
from detectors.kernels.limits.episode import is_under_way, lowest_open_amount
from detectors.kernels.limits.rests import complete_at


@inlined
def counted(state: I64, limits: Limits, limit: int, at: int) -> int:
    """Seconds counted at ``at``."""
    if not is_under_way(state, limits, limit, at):
        return 0
    return total(state, limits.clock[limit], at) - state[State.limit_at(limit) + State.LIMIT_COUNT0]


@inlined
def next_instant(state: I64, limits: Limits, limit: int) -> int:
    """The next instant at which this limit changes, if nothing else happens."""
    word = State.limit_at(limit)
    clock = limits.clock[limit]
    if state[State.clock_at(clock) + State.CLOCK_RUN] == 1:
        done = total(state, clock, state[State.AT]) - state[word + State.LIMIT_COUNT0]
        return state[State.AT] + lowest_open_amount(state, limits, limit) - done
    if state[word + State.LIMIT_FLAGS] != 0:
        return complete_at(state, limits, limit)
    return INF
