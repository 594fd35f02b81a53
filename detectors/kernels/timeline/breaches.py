"""Orders accepted in a hold (CONTRACT 5)."""

from __future__ import annotations

from detectors.kernels.jit import kernel
from detectors.kernels.layout import codes, misc as Misc, state as State
from detectors.kernels.layout.arrays import Limits, Memory, Rules
from detectors.kernels.layout.values import INF, NONE
from detectors.kernels.limits.dispatch import counted
from detectors.kernels.timeline.records import note


@kernel
def judge_breaches(mem: Memory, row: int, limits: Limits, at: int, rules: Rules) -> None:
    """Tell the acceptances that began an order inside a hold, once per policy and platform."""
    state = mem.state
    for breach in range(mem.misc[Misc.BREACHES]):
        platform = mem.breaches[breach]
        limit = 0
        while limit < limits.kind.shape[0]:
            policy = limits.policy[limit]
            named = NONE
            earliest = INF
            # Limits lie in the order (policy, name), so the first of equals is the first by name.
            while limit < limits.kind.shape[0] and limits.policy[limit] == policy:
                begun = state[State.limit_at(limit) + State.LIMIT_HOLD_FROM]
                if begun != NONE and at - begun >= rules.breach_grace and begun < earliest:
                    named, earliest = limit, begun
                limit += 1
            if named != NONE:
                count = counted(mem, row, state, limits, named, at)
                note(mem, row, limits, named, at, codes.HOLD_BREACHED, count, platform)
