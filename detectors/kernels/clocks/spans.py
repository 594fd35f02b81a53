"""A clock's merged spans: totals, and the evidence a verdict shows.

The closed spans of a rider and clock lie in a block of the heap, sorted by start (`layout.state`). All
instants and amounts are whole seconds; spans are half-open and disjoint (CONTRACT 1, 4).
"""

from __future__ import annotations

from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout import row as Row, state as State
from detectors.kernels.layout.arrays import Memory
from detectors.kernels.layout.values import EVIDENCE_SPANS, I64


@inlined
def total(state: I64, clock: int, at: int) -> int:
    """Seconds the clock has run before ``at``, which is not before the state's instant."""
    base = State.clock_at(clock)
    if state[base + State.CLOCK_RUN] == 1:
        return state[base + State.CLOCK_TOTAL] + at - state[base + State.CLOCK_EDGE]
    return state[base + State.CLOCK_TOTAL]


@inlined
def end_of(mem: Memory, word: int) -> int:
    """Where the closed span at a word of the heap ends."""
    return mem.heap[word + State.SPAN_END] >> 1


@inlined
def first_ending_after(mem: Memory, block: int, count: int, at: int) -> int:
    """Index of the first closed span that ends after ``at``; ``count`` when there is none."""
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        if end_of(mem, block + middle * State.SPAN_WORDS) > at:
            high = middle
        else:
            low = middle + 1
    return low


@inlined
def total_at(mem: Memory, row: int, state: I64, clock: int, at: int) -> int:
    """Seconds the clock had run before ``at``, any instant since the oldest span kept."""
    base = State.clock_at(clock)
    if state[base + State.CLOCK_RUN] == 1 and at > state[base + State.CLOCK_EDGE]:
        return state[base + State.CLOCK_TOTAL] + at - state[base + State.CLOCK_EDGE]
    block = mem.rows[row, Row.SPANS + clock]
    count = state[base + State.CLOCK_SPANS]
    index = first_ending_after(mem, block, count, at)
    if index == count:
        return state[base + State.CLOCK_TOTAL]
    word = block + index * State.SPAN_WORDS
    start = mem.heap[word + State.SPAN_START]
    before = mem.heap[word + State.SPAN_BEFORE]
    if at > start:
        return before + at - start
    return before


@inlined
def close(mem: Memory, row: int, state: I64, clock: int, at: int, by_maximum: int) -> None:
    """Append the span that ends at ``at``; room was reserved."""
    base = State.clock_at(clock)
    word = mem.rows[row, Row.SPANS + clock] + state[base + State.CLOCK_SPANS] * State.SPAN_WORDS
    mem.heap[word + State.SPAN_START] = state[base + State.CLOCK_EDGE]
    mem.heap[word + State.SPAN_END] = at * 2 + by_maximum
    mem.heap[word + State.SPAN_BEFORE] = state[base + State.CLOCK_TOTAL]
    state[base + State.CLOCK_SPANS] += 1
    state[base + State.CLOCK_TOTAL] += at - state[base + State.CLOCK_EDGE]


@kernel
def evidence(mem: Memory, row: int, state: I64, clock: int, start: int, end: int, out: I64, at: int) -> int:
    """Write the last 50 merged intervals inside ``[start, end)``, clipped, to ``out[at:]``; their number.

    Precondition: ``out`` has room for 50 pairs; ``end`` is not after the state's instant.
    """
    base = State.clock_at(clock)
    block = mem.rows[row, Row.SPANS + clock]
    count = state[base + State.CLOCK_SPANS]
    running = state[base + State.CLOCK_RUN] == 1 and state[base + State.CLOCK_EDGE] < end
    edge = max(state[base + State.CLOCK_EDGE], start)
    room = EVIDENCE_SPANS - 1 if running else EVIDENCE_SPANS
    # Closed spans inside are those from `first` up to the last that starts before `end`.
    first = first_ending_after(mem, block, count, start)
    last = count
    while last > first and mem.heap[block + (last - 1) * State.SPAN_WORDS + State.SPAN_START] >= end:
        last -= 1
    first = max(first, last - room)
    found = 0
    for index in range(first, last):
        word = block + index * State.SPAN_WORDS
        out[at + 2 * found] = max(mem.heap[word + State.SPAN_START], start)
        out[at + 2 * found + 1] = min(end_of(mem, word), end)
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
    base = State.clock_at(clock)
    if state[base + State.CLOCK_RUN] == 1 and state[base + State.CLOCK_EDGE] < end:
        return True
    block = mem.rows[row, Row.SPANS + clock]
    last = state[base + State.CLOCK_SPANS]
    while last > 0 and mem.heap[block + (last - 1) * State.SPAN_WORDS + State.SPAN_START] >= end:
        last -= 1
    for index in range(max(0, last - shown), last):
        word = block + index * State.SPAN_WORDS
        if mem.heap[word + State.SPAN_END] & 1 == 1 and end_of(mem, word) > start:
            return True
    return False
