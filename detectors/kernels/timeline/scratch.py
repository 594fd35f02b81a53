"""A rider's state between the row and the scratch arrays (`Memory.state`, `orders`, `open_platforms`)."""

from __future__ import annotations

from detectors.kernels.jit import inlined
from detectors.kernels.layout import codes, open as Open, row as Row, state as State
from detectors.kernels.layout.arrays import Limits, Memory
from detectors.kernels.layout.values import I64
from detectors.kernels.memory import blocks


@inlined
def load(mem: Memory, row: int, state: I64, open_word: int) -> None:
    """Copy a state and what is open in it to the scratch arrays."""
    for word in range(state.shape[0]):
        mem.state[word] = state[word]
    block = mem.rows[row, open_word]
    for index in range(state[State.ORDERS]):
        for word in range(Open.ORDER_WORDS):
            mem.orders[index, word] = mem.heap[block + index * Open.ORDER_WORDS + word]
    block += state[State.ORDERS] * Open.ORDER_WORDS
    for index in range(state[State.PLATFORMS]):
        for word in range(Open.PLATFORM_WORDS):
            mem.open_platforms[index, word] = mem.heap[block + index * Open.PLATFORM_WORDS + word]


@inlined
def store(mem: Memory, row: int, state: I64, open_word: int) -> bool:
    """Copy the scratch state back; False when the heap is too small, nothing changed then.

    ``open_word`` names the block of what is open, the word behind it its size class.
    """
    wanted = Open.open_words(mem.state)
    if wanted > 0 and not blocks.reserve(mem, row, open_word, open_word + 1, 0, wanted):
        return False
    block = mem.rows[row, open_word]
    for index in range(mem.state[State.ORDERS]):
        for word in range(Open.ORDER_WORDS):
            mem.heap[block + index * Open.ORDER_WORDS + word] = mem.orders[index, word]
    block += mem.state[State.ORDERS] * Open.ORDER_WORDS
    for index in range(mem.state[State.PLATFORMS]):
        for word in range(Open.PLATFORM_WORDS):
            mem.heap[block + index * Open.PLATFORM_WORDS + word] = mem.open_platforms[index, word]
    for word in range(state.shape[0]):
        state[word] = mem.state[word]
    return True


@inlined
def room_for(mem: Memory, row: int, state: I64, limits: Limits, events: int) -> int:
    """Make room for the spans that so many events, and what is open, can close; the head's are kept."""
    head = Row.head_at(limits)
    opened = state[State.ORDERS] + 3 * state[State.PLATFORMS] + 2 * events + 2
    if max(state[State.ORDERS] + events, state[State.PLATFORMS] + events) + 2 > mem.orders.shape[0]:
        return codes.NEED_OPEN
    for clock in range(codes.CLOCK_COUNT):
        if limits.kept[clock] == 0:
            continue
        word = State.clock_at(clock) + State.CLOCK_SPANS
        kept = max(state[word], mem.rows[row, head + word])
        wanted = max(kept, state[word] + opened) * State.SPAN_WORDS
        if not blocks.reserve(
            mem, row, Row.SPANS + clock, Row.SPANS_CLASS + clock, kept * State.SPAN_WORDS, wanted
        ):
            return codes.NEED_HEAP
    return codes.DONE
