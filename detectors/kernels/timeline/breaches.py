"""Orders accepted in a hold (CONTRACT 5)."""

from __future__ import annotations

from detectors.kernels.jit import kernel
from detectors.kernels.layout import (
    HOLD_BREACHED,
    I64,
    INF,
    L_HOLD_FROM,
    LIMIT_WORDS,
    M_BREACHES,
    NONE,
    S_LIMITS,
    Limits,
    Memory,
    Rules,
)
from detectors.kernels.limits.dispatch import counted
from detectors.kernels.timeline.records import note


@kernel
def judge_breaches(mem: Memory, row: int, state: I64, limits: Limits, at: int, rules: Rules) -> None:
    """Tell the acceptances that began an order inside a hold, once per policy and platform."""
    for breach in range(mem.misc[M_BREACHES]):
        platform = mem.breaches[breach]
        limit = 0
        while limit < limits.kind.shape[0]:
            policy = limits.policy[limit]
            named = NONE
            earliest = INF
            # Limits lie in the order (policy, name), so the first of equals is the first by name.
            while limit < limits.kind.shape[0] and limits.policy[limit] == policy:
                begun = state[S_LIMITS + limit * LIMIT_WORDS + L_HOLD_FROM]
                if begun != NONE and at - begun >= rules.breach_grace and begun < earliest:
                    named, earliest = limit, begun
                limit += 1
            if named != NONE:
                count = counted(mem, row, state, limits, named, at)
                note(mem, row, state, limits, named, at, HOLD_BREACHED, count, platform)
