"""``span``, ``rest_within``: time elapsed since the clock first ran after a qualifying rest (CONTRACT 5).

Rests too short to qualify count; an amount is reached at the first instant at which it has elapsed and the
clock runs. ``rest_within`` comes as ``span`` with ``reset`` = rest and the amount window - rest.
"""

from __future__ import annotations

from detectors.kernels.jit import inlined
from detectors.kernels.layout import state as State
from detectors.kernels.layout.arrays import Limits
from detectors.kernels.layout.values import I64, INF
from detectors.kernels.limits.episode import is_under_way, lowest_open_amount
from detectors.kernels.limits.rests import complete_at


@inlined
def counted(state: I64, limits: Limits, limit: int, at: int) -> int:
    """Seconds elapsed in the episode at ``at``; 0 when none is under way."""
    if not is_under_way(state, limits, limit, at):
        return 0
    return at - state[State.limit_at(limit) + State.LIMIT_EPISODE]


@inlined
def next_instant(state: I64, limits: Limits, limit: int) -> int:
    """The next instant at which this limit changes, if nothing else happens."""
    word = State.limit_at(limit)
    if state[State.clock_at(limits.clock[limit]) + State.CLOCK_RUN] == 1:
        return state[word + State.LIMIT_EPISODE] + lowest_open_amount(state, limits, limit)
    if state[word + State.LIMIT_FLAGS] != 0:
        return complete_at(state, limits, limit)
    return INF
