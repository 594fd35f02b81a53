"""The records of what is to be told."""

from __future__ import annotations

from detectors.kernels.clocks.spans import evidence
from detectors.kernels.jit import kernel
from detectors.kernels.layout import (
    EVIDENCE_SPANS,
    HOLD_RELEASED,
    I64,
    KEY_KIND,
    KEY_LIMIT,
    L_HOLD_COUNTED,
    L_HOLD_FROM,
    L_HOLD_NEWEST,
    L_HOLD_WINDOW,
    LIMIT_WORDS,
    M_OVERFLOW,
    M_VERDICTS,
    NONE,
    S_LIMITS,
    S_ZONE,
    V_COUNTED,
    V_END,
    V_HOLD_FROM,
    V_HOLD_UNTIL,
    V_INSTANT,
    V_KEY,
    V_META,
    V_SPANS,
    V_START,
    V_TOLD_AT,
    V_ZONE,
    VERDICT_WORDS,
    Limits,
    Memory,
)
from detectors.kernels.limits.dispatch import window_start
from detectors.kernels.limits.holds import hold_until


@kernel
def note(
    mem: Memory,
    row: int,
    state: I64,
    limits: Limits,
    limit: int,
    at: int,
    kind: int,
    count: int,
    platform: int,
) -> None:
    """Write a verdict record, unless the buffer is full (the caller sees the mark and comes again)."""
    if at < limits.since[limit]:
        return
    used = mem.misc[M_VERDICTS]
    if used + VERDICT_WORDS + 2 * EVIDENCE_SPANS > mem.verdicts.shape[0]:
        mem.misc[M_OVERFLOW] = 1
        return
    word = S_LIMITS + limit * LIMIT_WORDS
    out = mem.verdicts
    start, end = window_start(state, limits, limit, at), at
    if kind == HOLD_RELEASED:
        start, end = state[word + L_HOLD_WINDOW], state[word + L_HOLD_NEWEST]
        count = state[word + L_HOLD_COUNTED]
    out[used + V_INSTANT] = at
    out[used + V_KEY] = (kind << KEY_KIND) | (limit << KEY_LIMIT) | (platform + 1)
    out[used + V_COUNTED] = count
    out[used + V_START] = start
    out[used + V_END] = end
    out[used + V_HOLD_FROM] = state[word + L_HOLD_FROM]
    out[used + V_HOLD_UNTIL] = NONE
    if kind == HOLD_RELEASED:
        out[used + V_HOLD_UNTIL] = at
    elif state[word + L_HOLD_FROM] != NONE:
        out[used + V_HOLD_UNTIL] = hold_until(state, limits, limit, at)
    out[used + V_ZONE] = state[S_ZONE]
    out[used + V_TOLD_AT] = NONE
    out[used + V_META] = 0
    shown = evidence(mem, row, state, limits.clock[limit], start, end, out, used + VERDICT_WORDS)
    out[used + V_SPANS] = shown
    mem.misc[M_VERDICTS] = used + VERDICT_WORDS + 2 * shown
