"""Judge riders: roll back where evidence came late, go forward to now, tell only what differs.

For each rider the verdicts of the part of time that was judged again are compared with what was told;
new and changed ones are told, vanished ones retracted. A pass stops when an array is too small and says
which; the rider it stopped at is judged again from unchanged or rebuildable state.
"""

from __future__ import annotations

from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout import (
    DONE,
    E_T,
    EVENT_WORDS,
    INF,
    M_OUT,
    M_OVERFLOW,
    M_SEALING,
    M_VERDICTS,
    NEED_HEAP,
    NEED_OUT,
    NEED_VERDICTS,
    R_APPLIED,
    R_BASE_OPEN,
    R_EVENTS,
    R_EVENTS_N,
    R_FLAGS,
    R_HEAD_OPEN,
    R_TOLD_WORDS,
    ROW_DIRTY,
    ROW_TOUCHED,
    S_NEXT,
    S_T,
    Limits,
    Memory,
    Rules,
)
from detectors.kernels.layout.row import base_at, state_words
from detectors.kernels.timeline.scratch import load, room_for, store
from detectors.kernels.timeline.step import advance, apply_events, events_until
from detectors.kernels.verdicts.brief import write_brief
from detectors.kernels.verdicts.difference import mark_estimates, sort_verdicts, tell_difference, told_after
from detectors.kernels.verdicts.status import status_of
from detectors.kernels.verdicts.status_change import write_status


@kernel
def judge_rider(mem: Memory, row: int, limits: Limits, rules: Rules, now: int, again: bool) -> int:
    """Bring one rider to ``now`` and write what differs from what was told."""
    words = state_words(limits)
    here = base_at(limits)
    base = mem.rows[row, here : here + words]
    head = mem.rows[row, here + words : here + 2 * words]
    if mem.misc[M_OUT] + 64 > mem.out.shape[0]:
        return NEED_OUT
    reach = events_until(mem, row, now)
    dirty = mem.rows[row, R_FLAGS] & ROW_DIRTY != 0
    start = base if dirty else head
    applied = 0 if dirty else mem.rows[row, R_APPLIED]
    result = room_for(mem, row, start, limits, reach - applied)
    if result != DONE:
        return result
    since = start[S_T]
    load(mem, row, start, R_BASE_OPEN if dirty else R_HEAD_OPEN)
    mem.misc[M_VERDICTS] = 0
    mem.misc[M_OVERFLOW] = 0
    mem.misc[M_SEALING] = 0
    if reach > applied or dirty:
        apply_events(mem, row, base, limits, rules, applied, reach, now)
        if mem.misc[M_OVERFLOW] == 1:
            return NEED_VERDICTS
        # Made again from base, the spans the head stood on are gone: until it is stored it stays dirty.
        if not store(mem, row, head, R_HEAD_OPEN):
            return NEED_HEAP
    advance(mem, row, mem.state, base, limits, rules, now + 1, INF)
    if mem.misc[M_OVERFLOW] == 1:
        if reach > applied or dirty:
            mem.rows[row, R_FLAGS] |= ROW_DIRTY
        return NEED_VERDICTS
    return conclude(mem, row, limits, now, since, reach, again, reach > applied or dirty)


@inlined
def conclude(
    mem: Memory, row: int, limits: Limits, now: int, since: int, reach: int, again: bool, stored: bool
) -> int:
    """Tell the difference and the status, set the next waking."""
    told_from = told_after(mem, row, since)
    if mem.misc[M_VERDICTS] > 0 or told_from < mem.rows[row, R_TOLD_WORDS]:
        sort_verdicts(mem)
        mark_estimates(mem, row, limits)
        result = tell_difference(mem, row, told_from)
        if result != DONE:
            if stored:
                mem.rows[row, R_FLAGS] |= ROW_DIRTY
            return result
    status = status_of(mem.state, limits, now)
    write_status(mem, row, limits, now, again, status)
    mem.rows[row, R_APPLIED] = reach
    mem.rows[row, R_FLAGS] &= ~(ROW_DIRTY | ROW_TOUCHED)
    wake = min(mem.state[S_NEXT], status.following)
    if reach < mem.rows[row, R_EVENTS_N]:
        wake = min(wake, mem.heap[mem.rows[row, R_EVENTS] + reach * EVENT_WORDS + E_T])
    mem.wake[row] = wake
    if reach == mem.rows[row, R_EVENTS_N]:
        write_brief(mem, row, limits, now, status)
    return DONE
