"""Move a rider's sealed point: events that no accepted evidence can precede any more become state."""

from __future__ import annotations

from detectors.kernels.clocks.orders import DAY_S
from detectors.kernels.clocks.spans import first_ending_after
from detectors.kernels.jit import kernel
from detectors.kernels.layout import (
    C_SPANS,
    CLOCK_WORDS,
    DONE,
    EVENT_WORDS,
    EVIDENCE_SPANS,
    FINALITY_SLACK_S,
    I64,
    L_HOLD_FROM,
    L_HOLD_NEWEST,
    LIMIT_WORDS,
    M_ENDED,
    M_OUT,
    M_SEALING,
    M_VERDICTS,
    META_CHANGED,
    META_PENDING,
    NEED_HEAP,
    NEED_OUT,
    NONE,
    R_APPLIED,
    R_BASE_OPEN,
    R_ENDED,
    R_ENDED_CLASS,
    R_ENDED_N,
    R_EVENTS,
    R_EVENTS_N,
    R_SPANS,
    R_TOLD,
    R_TOLD_WORDS,
    ROLLING,
    S_CLOCKS,
    S_LIMITS,
    S_T,
    SPAN_WORDS,
    TELL,
    V_INSTANT,
    V_META,
    V_SPANS,
    VERDICT_WORDS,
    Limits,
    Memory,
    Rules,
)
from detectors.kernels.layout.row import base_at, state_words
from detectors.kernels.memory import blocks
from detectors.kernels.timeline.scratch import load, room_for, store
from detectors.kernels.timeline.step import apply_events, events_until
from detectors.kernels.verdicts.output import emit, stamp

TRIM_AT_LEAST = 32


@kernel
def seal_rider(mem: Memory, row: int, limits: Limits, rules: Rules, now: int) -> int:
    """Seal the rider's final events once there are enough of them to be worth it.

    Precondition: he has been judged at ``now``.
    """
    count = events_until(mem, row, now - rules.lateness - FINALITY_SLACK_S - 1)
    if count < rules.seal_events or count > mem.rows[row, R_APPLIED]:
        return DONE
    words = state_words(limits)
    here = base_at(limits)
    base = mem.rows[row, here : here + words]
    head = mem.rows[row, here + words : here + 2 * words]
    if mem.misc[M_OUT] + 4 * mem.rows[row, R_TOLD_WORDS] + 64 > mem.out.shape[0]:
        return NEED_OUT
    result = room_for(mem, row, base, limits, count)
    if result != DONE:
        return result
    load(mem, row, base, R_BASE_OPEN)
    mem.misc[M_VERDICTS] = 0
    mem.misc[M_SEALING] = 1
    mem.misc[M_ENDED] = 0
    apply_events(mem, row, base, limits, rules, 0, count, now)
    mem.misc[M_SEALING] = 0
    kept = mem.rows[row, R_ENDED_N]
    if not blocks.reserve(mem, row, R_ENDED, R_ENDED_CLASS, kept, kept + mem.misc[M_ENDED] + 1):
        return NEED_HEAP
    if not store(mem, row, base, R_BASE_OPEN):
        return NEED_HEAP
    remember_ended_orders(mem, row, base[S_T], rules)
    drop_events(mem, row, count)
    drop_told(mem, row, base[S_T])
    trim_spans(mem, row, base, head, limits)
    return DONE


@kernel
def remember_ended_orders(mem: Memory, row: int, at: int, rules: Rules) -> None:
    """Append the orders that ended while sealing; forget those that ended longer ago than ``keep``."""
    block = mem.rows[row, R_ENDED]
    kept = 0
    today = (at // DAY_S) & 0xFFFF
    for index in range(mem.rows[row, R_ENDED_N]):
        word = mem.heap[block + index]
        if (today - (word & 0xFFFF)) * DAY_S <= rules.keep + DAY_S:
            mem.heap[block + kept] = word
            kept += 1
    for index in range(mem.misc[M_ENDED]):
        mem.heap[block + kept] = mem.ended[index]
        kept += 1
    mem.rows[row, R_ENDED_N] = kept


@kernel
def drop_events(mem: Memory, row: int, count: int) -> None:
    block = mem.rows[row, R_EVENTS]
    left = mem.rows[row, R_EVENTS_N] - count
    for word in range(left * EVENT_WORDS):
        mem.heap[block + word] = mem.heap[block + count * EVENT_WORDS + word]
    mem.rows[row, R_EVENTS_N] = left
    mem.rows[row, R_APPLIED] -= count


@kernel
def drop_told(mem: Memory, row: int, upto: int) -> None:
    """Forget told records that are final; one still pending goes out, for nothing will change it."""
    block = mem.rows[row, R_TOLD]
    words = mem.rows[row, R_TOLD_WORDS]
    at = 0
    while at < words and mem.heap[block + at + V_INSTANT] <= upto:
        if mem.heap[block + at + V_META] & META_PENDING != 0:
            emit(mem, row, TELL, mem.heap, block + at)
        at += VERDICT_WORDS + 2 * mem.heap[block + at + V_SPANS]
    for word in range(words - at):
        mem.heap[block + word] = mem.heap[block + at + word]
    mem.rows[row, R_TOLD_WORDS] = words - at


@kernel
def trim_spans(mem: Memory, row: int, base: I64, head: I64, limits: Limits) -> None:
    """Drop closed spans that neither a window nor the evidence of a coming alert can reach."""
    for clock in range(3):
        word = S_CLOCKS + clock * CLOCK_WORDS + C_SPANS
        block = mem.rows[row, R_SPANS + clock]
        needed = base[word]
        for limit in range(limits.kind.shape[0]):
            if limits.clock[limit] != clock:
                continue
            if limits.kind[limit] == ROLLING:
                since = base[S_T] - limits.window[limit]
                needed = min(needed, first_ending_after(mem, block, base[word], since))
            hold = S_LIMITS + limit * LIMIT_WORDS
            if base[hold + L_HOLD_FROM] != NONE:
                newest = base[hold + L_HOLD_NEWEST]
                needed = min(needed, first_ending_after(mem, block, base[word], newest))
        dropped = needed - EVIDENCE_SPANS - 1
        if dropped < TRIM_AT_LEAST:
            continue
        for index in range((head[word] - dropped) * SPAN_WORDS):
            mem.heap[block + index] = mem.heap[block + dropped * SPAN_WORDS + index]
        base[word] -= dropped
        head[word] -= dropped


@kernel
def publish_pending(mem: Memory, row: int, again: bool) -> int:
    """Tell every record that was held back while the state was rebuilt; ``again``: all that stand."""
    if mem.misc[M_OUT] + 4 * mem.rows[row, R_TOLD_WORDS] + 64 > mem.out.shape[0]:
        return NEED_OUT
    block = mem.rows[row, R_TOLD]
    at = 0
    while at < mem.rows[row, R_TOLD_WORDS]:
        pending = mem.heap[block + at + V_META] & META_PENDING != 0
        if pending:
            stamp(mem, row, mem.heap, block + at)
        if again or pending:
            mem.heap[block + at + V_META] &= ~(META_PENDING | META_CHANGED)
            emit(mem, row, TELL, mem.heap, block + at)
        at += VERDICT_WORDS + 2 * mem.heap[block + at + V_SPANS]
    return DONE
