"""Move a rider's sealed point: events that no accepted evidence can precede any more become state."""

from __future__ import annotations

from detectors.kernels.clocks.orders import age_s
from detectors.kernels.clocks.spans import first_ending_after
from detectors.kernels.evidence.events import events_until
from detectors.kernels.evidence.refusal import final_until
from detectors.kernels.jit import kernel
from detectors.kernels.layout import (
    codes,
    event as Event,
    misc as Misc,
    record as Record,
    row as Row,
    state as State,
)
from detectors.kernels.layout.arrays import Limits, Memory, Rules
from detectors.kernels.layout.values import DAY_S, EVIDENCE_SPANS, I64, INF
from detectors.kernels.limits import hours
from detectors.kernels.limits.dispatch import spans_from
from detectors.kernels.limits.holds import is_held
from detectors.kernels.memory import blocks
from detectors.kernels.timeline.scratch import load, room_for, store
from detectors.kernels.timeline.step import apply_events
from detectors.kernels.verdicts.output import emit, has_room, stamp

#: Fewer spans are not worth moving those behind them.
TRIM_AT_LEAST = 32


@kernel
def seal_rider(mem: Memory, row: int, limits: Limits, rules: Rules, now: int) -> int:
    """Seal the rider's final events once there are enough of them to be worth it.

    Precondition: the rider has been judged at ``now``.
    """
    count = events_until(mem, row, final_until(rules, now))
    if count < rules.seal_events or count > mem.rows[row, Row.APPLIED]:
        return codes.DONE
    base, head = (
        mem.rows[row, Row.base_at(limits) : Row.head_at(limits)],
        mem.rows[row, Row.head_at(limits) :],
    )
    if not has_room(mem, mem.rows[row, Row.TOLD_WORDS]):
        return codes.NEED_OUT
    result = room_for(mem, row, base, limits, count)
    if result != codes.DONE:
        return result
    load(mem, row, base, Row.BASE_OPEN)
    mem.misc[Misc.VERDICTS] = 0
    mem.misc[Misc.SEALING] = 1
    mem.misc[Misc.ENDED] = 0
    apply_events(mem, row, base, limits, rules, 0, count, now)
    mem.misc[Misc.SEALING] = 0
    kept = mem.rows[row, Row.ENDED_N]
    if not blocks.reserve(mem, row, Row.ENDED, Row.ENDED_CLASS, kept, kept + mem.misc[Misc.ENDED] + 1):
        return codes.NEED_HEAP
    if not store(mem, row, base, Row.BASE_OPEN):
        return codes.NEED_HEAP
    remember_ended_orders(mem, row, base[State.AT], rules)
    drop_events(mem, row, count)
    drop_told(mem, row, base[State.AT])
    trim_spans(mem, row, base, head, limits)
    return codes.DONE


@kernel
def remember_ended_orders(mem: Memory, row: int, at: int, rules: Rules) -> None:
    """Append the orders that ended while sealing; forget those that ended longer ago than ``keep``."""
    block = mem.rows[row, Row.ENDED]
    kept = 0
    for index in range(mem.rows[row, Row.ENDED_N]):
        word = mem.heap[block + index]
        if age_s(word, at) <= rules.keep + DAY_S:
            mem.heap[block + kept] = word
            kept += 1
    for index in range(mem.misc[Misc.ENDED]):
        mem.heap[block + kept] = mem.ended[index]
        kept += 1
    mem.rows[row, Row.ENDED_N] = kept


@kernel
def drop_events(mem: Memory, row: int, count: int) -> None:
    block = mem.rows[row, Row.EVENTS]
    left = mem.rows[row, Row.EVENTS_N] - count
    for word in range(left * Event.WORDS):
        mem.heap[block + word] = mem.heap[block + count * Event.WORDS + word]
    mem.rows[row, Row.EVENTS_N] = left
    mem.rows[row, Row.APPLIED] -= count


@kernel
def drop_told(mem: Memory, row: int, upto: int) -> None:
    """Forget told records that are final; one still pending goes out, for nothing will change it."""
    block = mem.rows[row, Row.TOLD]
    words = mem.rows[row, Row.TOLD_WORDS]
    at = 0
    while at < words and mem.heap[block + at + Record.INSTANT] <= upto:
        if mem.heap[block + at + Record.META] & Record.META_PENDING != 0:
            emit(mem, row, Record.TELL, mem.heap, block + at)
        at += Record.size_at(mem.heap, block + at)
    for word in range(words - at):
        mem.heap[block + word] = mem.heap[block + at + word]
    mem.rows[row, Row.TOLD_WORDS] = words - at


@kernel
def trim_spans(mem: Memory, row: int, base: I64, head: I64, limits: Limits) -> None:
    """Drop closed spans that neither a window nor the evidence of a coming alert can reach."""
    for clock in range(codes.CLOCK_COUNT):
        word = State.clock_at(clock) + State.CLOCK_SPANS
        block = mem.rows[row, Row.SPANS + clock]
        needed = base[word]
        for limit in range(limits.kind.shape[0]):
            if limits.clock[limit] != clock or base[State.AT] >= limits.ends[limit]:
                continue
            since = spans_from(base, limits, limit)
            if is_held(base, limit):
                word_of_hold = State.LIMIT_HOLD_NEWEST
                if hours.is_masked(limits, limit):
                    word_of_hold = State.LIMIT_HOLD_WINDOW
                since = min(since, base[State.limit_at(limit) + word_of_hold])
            if since != INF:
                needed = min(needed, first_ending_after(mem, block, base[word], since))
        dropped = needed - EVIDENCE_SPANS - 1
        if dropped < TRIM_AT_LEAST:
            continue
        for index in range((head[word] - dropped) * State.SPAN_WORDS):
            mem.heap[block + index] = mem.heap[block + dropped * State.SPAN_WORDS + index]
        base[word] -= dropped
        head[word] -= dropped


@kernel
def publish_pending(mem: Memory, row: int, again: bool) -> int:
    """Tell every record that was held back while the state was rebuilt; ``again``: all that stand."""
    if not has_room(mem, mem.rows[row, Row.TOLD_WORDS]):
        return codes.NEED_OUT
    block = mem.rows[row, Row.TOLD]
    at = 0
    while at < mem.rows[row, Row.TOLD_WORDS]:
        pending = mem.heap[block + at + Record.META] & Record.META_PENDING != 0
        if pending:
            stamp(mem, row, mem.heap, block + at)
        if again or pending:
            mem.heap[block + at + Record.META] &= ~(Record.META_PENDING | Record.META_CHANGED)
            emit(mem, row, Record.TELL, mem.heap, block + at)
        at += Record.size_at(mem.heap, block + at)
    return codes.DONE
