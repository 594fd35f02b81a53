"""One rider judged: rolled back where evidence came late, brought to *now*, told only what differs.

The verdicts of the part of time that was judged again are compared with what was told;
new and changed ones are told, vanished ones retracted. A pass stops when an array is too small and says
which; the rider it stopped at is judged again from unchanged or rebuildable state.
"""

from __future__ import annotations

from detectors.kernels.evidence.events import events_until
from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout import codes, event as Event, misc as Misc, row as Row, state as State
from detectors.kernels.layout.arrays import Limits, Memory, Rules
from detectors.kernels.layout.values import INF
from detectors.kernels.timeline.scratch import load, room_for, store
from detectors.kernels.timeline.step import advance, apply_events
from detectors.kernels.verdicts.brief import write_brief
from detectors.kernels.verdicts.difference import mark_estimates, sort_verdicts, tell_difference, told_upto
from detectors.kernels.verdicts.output import has_room
from detectors.kernels.verdicts.status import status_of
from detectors.kernels.verdicts.status_change import write_status


@kernel
def judge_rider(mem: Memory, row: int, limits: Limits, rules: Rules, now: int, again: bool) -> int:
    """Bring one rider to ``now`` and write what differs from what was told."""
    base, head = (
        mem.rows[row, Row.base_at(limits) : Row.head_at(limits)],
        mem.rows[row, Row.head_at(limits) :],
    )
    if not has_room(mem, 0):
        return codes.NEED_OUT
    reach = events_until(mem, row, now)
    dirty = mem.rows[row, Row.FLAGS] & Row.FLAG_DIRTY != 0
    start = base if dirty else head
    applied = 0 if dirty else mem.rows[row, Row.APPLIED]
    result = room_for(mem, row, start, limits, reach - applied)
    if result != codes.DONE:
        return result
    since = start[State.AT]
    load(mem, row, start, Row.BASE_OPEN if dirty else Row.HEAD_OPEN)
    mem.misc[Misc.VERDICTS] = 0
    mem.misc[Misc.OVERFLOW] = 0
    mem.misc[Misc.SEALING] = 0
    if reach > applied or dirty:
        apply_events(mem, row, base, limits, rules, applied, reach, now)
        if mem.misc[Misc.OVERFLOW] == 1:
            return codes.NEED_VERDICTS
        # Made again from base, the spans the head stood on are gone: until it is stored it stays dirty.
        if not store(mem, row, head, Row.HEAD_OPEN):
            return codes.NEED_HEAP
    advance(mem, row, base, limits, rules, now + 1, INF)
    if mem.misc[Misc.OVERFLOW] == 1:
        if reach > applied or dirty:
            mem.rows[row, Row.FLAGS] |= Row.FLAG_DIRTY
        return codes.NEED_VERDICTS
    return conclude(mem, row, limits, now, since, reach, again, reach > applied or dirty)


@inlined
def conclude(
    mem: Memory, row: int, limits: Limits, now: int, since: int, reach: int, again: bool, stored: bool
) -> int:
    """Tell the difference and the status, set the next waking."""
    told_from = told_upto(mem, row, since)
    if mem.misc[Misc.VERDICTS] > 0 or told_from < mem.rows[row, Row.TOLD_WORDS]:
        sort_verdicts(mem)
        mark_estimates(mem, row, limits)
        result = tell_difference(mem, row, told_from)
        if result != codes.DONE:
            if stored:
                mem.rows[row, Row.FLAGS] |= Row.FLAG_DIRTY
            return result
    status = status_of(mem.state, limits, now)
    write_status(mem, row, limits, now, again, status)
    mem.rows[row, Row.APPLIED] = reach
    mem.rows[row, Row.FLAGS] &= ~(Row.FLAG_DIRTY | Row.FLAG_TOUCHED)
    wake = min(mem.state[State.NEXT], status.following)
    if reach < mem.rows[row, Row.EVENTS_N]:
        wake = min(wake, mem.heap[mem.rows[row, Row.EVENTS] + reach * Event.WORDS + Event.AT])
    mem.wake[row] = wake
    if reach == mem.rows[row, Row.EVENTS_N]:
        write_brief(mem, row, limits, now, status)
    return codes.DONE
