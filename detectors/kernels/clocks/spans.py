"""A clock's merged spans: totals, and the evidence a verdict shows.

A clock's state is (running, edge, total, number of closed spans); ``edge`` is when it began to run or to
rest. The closed spans of a rider lie in his heap block, sorted by start.
"""

from __future__ import annotations

from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout import (
    C_EDGE,
    C_RUN,
    C_SPANS,
    C_TOTAL,
    CLOCK_WORDS,
    EVIDENCE_SPANS,
    I64,
    R_SPANS,
    S_CLOCKS,
    SPAN_WORDS,
    Memory,
)


@inlined
def total(state: I64, clock: int, at: int) -> int:
    """Seconds the clock has run before ``at``, which is not before the state's instant."""
    base = S_CLOCKS + clock * CLOCK_WORDS
    if state[base + C_RUN] == 1:
        return state[base + C_TOTAL] + at - state[base + C_EDGE]
    return state[base + C_TOTAL]


@inlined
def first_ending_after(mem: Memory, block: int, count: int, at: int) -> int:
    """Index of the first closed span that ends after ``at``; ``count`` when there is none."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if (mem.heap[block + middle * SPAN_WORDS + 1] >> 1) > at:
            high = middle
        else:
            low = middle + 1
    return low


@inlined
def total_at(mem: Memory, row: int, state: I64, clock: int, at: int) -> int:
    """Seconds the clock had run before ``at``, any instant since the oldest span kept."""
    base = S_CLOCKS + clock * CLOCK_WORDS
    if state[base + C_RUN] == 1 and at > state[base + C_EDGE]:
        return state[base + C_TOTAL] + at - state[base + C_EDGE]
    block = mem.rows[row, R_SPANS + clock]
    count = state[base + C_SPANS]
    index = first_ending_after(mem, block, count, at)
    if index == count:
        return state[base + C_TOTAL]
    word = block + index * SPAN_WORDS
    start = mem.heap[word]
    before = mem.heap[word + 2]
    if at > start:
        return before + at - start
    return before


@inlined
def close(mem: Memory, row: int, state: I64, clock: int, at: int, by_maximum: int) -> None:
    """Append the span that ends at ``at``; room was reserved."""
    base = S_CLOCKS + clock * CLOCK_WORDS
    word = mem.rows[row, R_SPANS + clock] + state[base + C_SPANS] * SPAN_WORDS
    mem.heap[word] = state[base + C_EDGE]
    mem.heap[word + 1] = at * 2 + by_maximum
    mem.heap[word + 2] = state[base + C_TOTAL]
    state[base + C_SPANS] += 1
    state[base + C_TOTAL] += at - state[base + C_EDGE]


@kernel
def evidence(mem: Memory, row: int, state: I64, clock: int, start: int, end: int, out: I64, at: int) -> int:
    """Write the last 50 merged intervals inside ``[start, end)``, clipped, to ``out[at:]``; their number.

    Precondition: ``out`` has room for 50 pairs; ``end`` is not after the state's instant.
    """
    base = S_CLOCKS + clock * CLOCK_WORDS
    block = mem.rows[row, R_SPANS + clock]
    count = state[base + C_SPANS]
    running = state[base + C_RUN] == 1 and state[base + C_EDGE] < end
    edge = max(state[base + C_EDGE], start)
    room = EVIDENCE_SPANS - 1 if running else EVIDENCE_SPANS
    # Closed spans inside are those from `first` up to the last that starts before `end`.
    first = first_ending_after(mem, block, count, start)
    last = count
    while last > first and mem.heap[block + (last - 1) * SPAN_WORDS] >= end:
        last -= 1
    first = max(first, last - room)
    found = 0
    for index in range(first, last):
        word = block + index * SPAN_WORDS
        out[at + 2 * found] = max(mem.heap[word], start)
        out[at + 2 * found + 1] = min(mem.heap[word + 1] >> 1, end)
        found += 1
    if running and edge < end:
        out[at + 2 * found] = edge
        out[at + 2 * found + 1] = end
        found += 1
    return found


@kernel
def estimated(mem: Memory, row: int, state: I64, clock: int, start: int, end: int, shown: int) -> bool:
    """Whether an interval that the evidence shows is open now, or ended where a maximum ended something."""
    if shown == 0:
        return False
    base = S_CLOCKS + clock * CLOCK_WORDS
    if state[base + C_RUN] == 1 and state[base + C_EDGE] < end:
        return True
    block = mem.rows[row, R_SPANS + clock]
    last = state[base + C_SPANS]
    while last > 0 and mem.heap[block + (last - 1) * SPAN_WORDS] >= end:
        last -= 1
    for index in range(max(0, last - shown), last):
        word = block + index * SPAN_WORDS + 1
        if mem.heap[word] & 1 == 1 and (mem.heap[word] >> 1) > start:
            return True
    return False
