"""Passes over many riders."""

from __future__ import annotations

from detectors.kernels.jit import kernel
from detectors.kernels.layout import (
    DONE,
    M_LIVE,
    M_ROWS,
    M_TOUCHED,
    R_FLAGS,
    R_PAGE,
    ROW_AGAIN,
    ROW_BEHIND,
    ROW_TOUCHED,
    Limits,
    Memory,
    Rules,
)
from detectors.kernels.layout.row import base_at, state_words
from detectors.kernels.memory.prefetch import BLOCK, warm_riders
from detectors.kernels.memory.seqlock import begin_change, end_change
from detectors.kernels.verdicts.rider import judge_rider
from detectors.kernels.verdicts.seal import publish_pending, seal_rider


@kernel
def judge_touched(mem: Memory, limits: Limits, rules: Rules, now: int, start: int) -> tuple[int, int]:
    """Judge the touched riders from index ``start``; an array too small, or DONE, and the index reached."""
    head = base_at(limits) + state_words(limits)
    for index in range(start, mem.misc[M_TOUCHED]):
        if (index - start) % BLOCK == 0:
            warm_riders(mem, index, min(index + BLOCK, mem.misc[M_TOUCHED]), head)
        row = mem.touched[index]
        mem.page_dirty[mem.rows[row, R_PAGE]] = 1
        if mem.misc[M_LIVE] == 0:
            mem.rows[row, R_FLAGS] |= ROW_BEHIND
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
def publish(
    mem: Memory, limits: Limits, rules: Rules, now: int, start: int, everyone: bool
) -> tuple[int, int]:
    """Tell what was held back, from row ``start``; ``everyone``: all that stands and every status."""
    for row in range(start, mem.misc[M_ROWS]):
        flags = mem.rows[row, R_FLAGS]
        again = everyone or flags & ROW_AGAIN != 0
        if not again and flags & ROW_BEHIND == 0:
            continue
        begin_change(mem, row)
        result = publish_pending(mem, row, again)
        if result == DONE:
            result = judge_rider(mem, row, limits, rules, now, again)
        end_change(mem, row)
        if result != DONE:
            return result, row
        mem.rows[row, R_FLAGS] &= ~(ROW_BEHIND | ROW_AGAIN)
        mem.page_dirty[mem.rows[row, R_PAGE]] = 1
    return DONE, 0
