"""A rider's state between his row and the scratch arrays."""

from __future__ import annotations

from detectors.kernels.jit import inlined
from detectors.kernels.layout import (
    C_SPANS,
    CLOCK_WORDS,
    DONE,
    I64,
    NEED_HEAP,
    NEED_OPEN,
    ORDER_WORDS,
    PLATFORM_WORDS,
    R_SPANS,
    R_SPANS_CLASS,
    S_CLOCKS,
    S_ORDERS,
    S_PLATFORMS,
    SPAN_WORDS,
    Limits,
    Memory,
)
from detectors.kernels.layout.row import base_at, state_words
from detectors.kernels.memory import blocks


@inlined
def load(mem: Memory, row: int, state: I64, open_word: int) -> None:
    """Copy a state and what is open in it to the scratch arrays."""
    for word in range(state.shape[0]):
        mem.state[word] = state[word]
    block = mem.rows[row, open_word]
    for index in range(state[S_ORDERS]):
        for word in range(ORDER_WORDS):
            mem.orders[index, word] = mem.heap[block + index * ORDER_WORDS + word]
    block += state[S_ORDERS] * ORDER_WORDS
    for index in range(state[S_PLATFORMS]):
        for word in range(PLATFORM_WORDS):
            mem.open_platforms[index, word] = mem.heap[block + index * PLATFORM_WORDS + word]


@inlined
def store(mem: Memory, row: int, state: I64, open_word: int) -> bool:
    """Copy the scratch state back; False when the heap is too small, nothing changed then."""
    wanted = mem.state[S_ORDERS] * ORDER_WORDS + mem.state[S_PLATFORMS] * PLATFORM_WORDS
    if wanted > 0 and not blocks.reserve(mem, row, open_word, open_word + 1, 0, wanted):
        return False
    block = mem.rows[row, open_word]
    for index in range(mem.state[S_ORDERS]):
        for word in range(ORDER_WORDS):
            mem.heap[block + index * ORDER_WORDS + word] = mem.orders[index, word]
    block += mem.state[S_ORDERS] * ORDER_WORDS
    for index in range(mem.state[S_PLATFORMS]):
        for word in range(PLATFORM_WORDS):
            mem.heap[block + index * PLATFORM_WORDS + word] = mem.open_platforms[index, word]
    for word in range(state.shape[0]):
        state[word] = mem.state[word]
    return True


@inlined
def room_for(mem: Memory, row: int, state: I64, limits: Limits, events: int) -> int:
    """Make room for the spans that so many events, and what is open, can close; the head's are kept."""
    head = base_at(limits) + state_words(limits)
    opened = state[S_ORDERS] + 2 * state[S_PLATFORMS] + 2 * events + 2
    if max(state[S_ORDERS] + events, state[S_PLATFORMS] + events) + 2 > mem.orders.shape[0]:
        return NEED_OPEN
    for clock in range(3):
        word = S_CLOCKS + clock * CLOCK_WORDS + C_SPANS
        kept = max(state[word], mem.rows[row, head + word])
        wanted = max(kept, state[word] + opened) * SPAN_WORDS
        if not blocks.reserve(mem, row, R_SPANS + clock, R_SPANS_CLASS + clock, kept * SPAN_WORDS, wanted):
            return NEED_HEAP
    return DONE
