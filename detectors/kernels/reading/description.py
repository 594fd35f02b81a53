"""What each limit says of a rider."""

from __future__ import annotations

from detectors.kernels.jit import kernel
from detectors.kernels.layout import state as State
from detectors.kernels.layout.arrays import Limits, Memory
from detectors.kernels.layout.values import I64, NONE, PAST
from detectors.kernels.limits.dispatch import counted, resume_after, shift, window_start
from detectors.kernels.limits.holds import hold_until, is_held, is_in_force
from detectors.kernels.reading.columns import (
    D_AMOUNT,
    D_COUNTED,
    D_FIRED,
    D_HOLD_FROM,
    D_HOLD_UNTIL,
    D_IN_FORCE,
    D_RESUME,
    D_START,
)


@kernel
def describe(mem: Memory, limits: Limits, now: int, out: I64) -> None:
    """Write what each limit says of the copied rider at ``now``, (limits, DESCRIPTION_WORDS)."""
    state = mem.state
    for limit in range(limits.kind.shape[0]):
        word = State.limit_at(limit)
        start = window_start(state, limits, limit, now)
        more = shift(limits, limit, start)
        out[limit, D_COUNTED] = counted(mem, 0, state, limits, limit, now) + more
        out[limit, D_AMOUNT] = limits.amount[limit] + more
        out[limit, D_START] = max(start, PAST)
        out[limit, D_IN_FORCE] = 1 if is_in_force(limits, limit, now) else 0
        out[limit, D_HOLD_FROM] = state[word + State.LIMIT_HOLD_FROM]
        out[limit, D_HOLD_UNTIL] = NONE
        if is_held(state, limit):
            out[limit, D_HOLD_UNTIL] = hold_until(state, limits, limit, now)
        out[limit, D_FIRED] = state[word + State.LIMIT_FLAGS] & State.FIRED
        out[limit, D_RESUME] = resume_after(state, limits, limit, now, now)
