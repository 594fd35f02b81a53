"""Passes over many riders."""

from __future__ import annotations

from detectors.kernels.jit import kernel
from detectors.kernels.judge import base_at, judge_rider, state_words
from detectors.kernels.layout import (
    DONE,
    M_ROWS,
    M_TOUCHED,
    R_FLAGS,
    ROW_TOUCHED,
    Limits,
    Memory,
    Rules,
)
from detectors.kernels.seal import publish_pending, seal_rider
from detectors.kernels.sequence import begin_change, end_change
from detectors.kernels.warm import BLOCK, warm_riders


@kernel
def judge_touched(mem: Memory, limits: Limits, rules: Rules, now: int, start: int) -> tuple[int, int]:
    """Judge the touched riders from index ``start``; an array too small, or DONE, and the index reached."""
    head = base_at(limits) + state_words(limits)
    for index in range(start, mem.misc[M_TOUCHED]):
        if (index - start) % BLOCK == 0:
            warm_riders(mem, index, min(index + BLOCK, mem.misc[M_TOUCHED]), head)
        row = mem.touched[index]
        begin_change(mem, row)
        result = judge_rider(mem, row, limits, rules, now, False)
        if result == DONE and rules.seal_events > 0:
            result = seal_rider(mem, row, limits, rules, now)
        end_change(mem, row)
        if result != DONE:
            return result, index
    mem.misc[M_TOUCHED] = 0
    return DONE, 0


@kernel
def touch_due(mem: Memory, now: int) -> int:
    """Touch the riders whom time alone has brought to an instant; how many."""
    found = 0
    for row in range(mem.misc[M_ROWS]):
        if mem.wake[row] <= now and mem.rows[row, R_FLAGS] & ROW_TOUCHED == 0:
            mem.rows[row, R_FLAGS] |= ROW_TOUCHED
            mem.touched[mem.misc[M_TOUCHED]] = row
            mem.misc[M_TOUCHED] += 1
            found += 1
    return found


@kernel
def publish_all(mem: Memory, limits: Limits, rules: Rules, now: int, start: int) -> tuple[int, int]:
    """Tell all that was held back and every rider's status, from row ``start``."""
    for row in range(start, mem.misc[M_ROWS]):
        begin_change(mem, row)
        result = publish_pending(mem, row)
        if result == DONE:
            result = judge_rider(mem, row, limits, rules, now, True)
        end_change(mem, row)
        if result != DONE:
            return result, row
    return DONE, 0
