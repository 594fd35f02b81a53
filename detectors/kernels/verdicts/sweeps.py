"""Sweeps over many riders: judge those touched, touch those who are due, publish what was held back."""

from __future__ import annotations

from detectors.kernels.jit import kernel
from detectors.kernels.layout import codes, event as Event, misc as Misc, row as Row, state as State
from detectors.kernels.layout.arrays import Limits, Memory, Rules
from detectors.kernels.layout.values import PAST, U8
from detectors.kernels.memory.prefetch import BLOCK, prefetch_riders
from detectors.kernels.memory.rows import touch
from detectors.kernels.memory.seqlock import begin_change, end_change
from detectors.kernels.verdicts.rider import judge_rider
from detectors.kernels.verdicts.seal import publish_pending, seal_rider


@kernel
def judge_touched(mem: Memory, limits: Limits, rules: Rules, now: int, start: int) -> tuple[int, int]:
    """Judge the touched riders from index ``start``; an array too small, or DONE, and the index reached."""
    for index in range(start, mem.misc[Misc.TOUCHED]):
        if (index - start) % BLOCK == 0:
            prefetch_riders(mem, index, min(index + BLOCK, mem.misc[Misc.TOUCHED]), limits)
        row = mem.touched[index]
        mem.page_dirty[mem.rows[row, Row.PAGE]] = 1
        if mem.misc[Misc.LIVE] == 0:
            mem.rows[row, Row.FLAGS] |= Row.FLAG_BEHIND
        begin_change(mem, row)
        result = judge_rider(mem, row, limits, rules, now, False)
        if result == codes.DONE and rules.seal_events > 0:
            result = seal_rider(mem, row, limits, rules, now)
        end_change(mem, row)
        if result != codes.DONE:
            return result, index
    mem.misc[Misc.TOUCHED] = 0
    return codes.DONE, 0


@kernel
def touch_due(mem: Memory, now: int) -> int:
    """Touch the riders whom time alone has brought to an instant; how many."""
    found = 0
    for row in range(mem.misc[Misc.ROWS]):
        if mem.wake[row] <= now and mem.rows[row, Row.FLAGS] & Row.FLAG_TOUCHED == 0:
            touch(mem, row)
            found += 1
    return found


@kernel
def touch_changed(mem: Memory, limits: Limits, changed: U8, since: int) -> int:
    """Have those riders judged again whom a change of what is on from ``since`` on can concern; how many.

    ``changed`` has a one at each zone that it concerns, the first is for riders without a zone. A rider to
    whom nothing has happened since then goes on from where he stands; others are judged from their sealed
    point.
    """
    found = 0
    for row in range(mem.misc[Misc.ROWS]):
        base, head = Row.base_at(limits), Row.head_at(limits)
        is_late = mem.rows[row, head + State.AT] >= since
        concerned = changed[mem.rows[row, head + State.ZONE] + 1] != 0
        if is_late:
            concerned = concerned or changed[mem.rows[row, base + State.ZONE] + 1] != 0
            block = mem.rows[row, Row.EVENTS]
            for index in range(mem.rows[row, Row.EVENTS_N]):
                packed = mem.heap[block + index * Event.WORDS + Event.PACKED]
                concerned = concerned or changed[packed & Event.ZONE_MASK] != 0
        if not concerned:
            continue
        begin_change(mem, row)
        # What comes next was found with what was on before.
        for state in (base, head):
            if mem.rows[row, state + State.AT] != PAST:
                mem.rows[row, state + State.NEXT] = mem.rows[row, state + State.AT]
        if is_late:
            mem.rows[row, Row.FLAGS] |= Row.FLAG_DIRTY
        touch(mem, row)
        end_change(mem, row)
        found += 1
    return found


@kernel
def publish(
    mem: Memory, limits: Limits, rules: Rules, now: int, start: int, everyone: bool
) -> tuple[int, int]:
    """Tell what was held back, from row ``start``; ``everyone``: all that stands and every status."""
    for row in range(start, mem.misc[Misc.ROWS]):
        flags = mem.rows[row, Row.FLAGS]
        again = everyone or flags & Row.FLAG_AGAIN != 0
        if not again and flags & Row.FLAG_BEHIND == 0:
            continue
        begin_change(mem, row)
        result = publish_pending(mem, row, again)
        if result == codes.DONE:
            result = judge_rider(mem, row, limits, rules, now, again)
        end_change(mem, row)
        if result != codes.DONE:
            return result, row
        mem.rows[row, Row.FLAGS] &= ~(Row.FLAG_BEHIND | Row.FLAG_AGAIN)
        mem.page_dirty[mem.rows[row, Row.PAGE]] = 1
    return codes.DONE, 0
