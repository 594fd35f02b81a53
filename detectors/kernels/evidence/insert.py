"""A rider's unsealed events, sorted, each of them once (CONTRACT 4.1)."""

from __future__ import annotations

from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout import (
    E_ID,
    E_ORDER,
    E_PACKED,
    E_T,
    EVENT_WORDS,
    M_TOUCHED,
    PACK_REAL,
    PACK_VOID_KEY,
    R_EVENTS,
    R_EVENTS_N,
    R_FLAGS,
    R_LAST_EVENT,
    ROW_DIRTY,
    ROW_TOUCHED,
    S_T,
    Limits,
    Memory,
)
from detectors.kernels.layout.row import base_at, state_words


@inlined
def compare(mem: Memory, word: int, event: int, order: int, packed: int, identity: int) -> int:
    """Order of the event stored at ``word`` against another: -1, 0, 1."""
    if mem.heap[word + E_T] != event:
        return -1 if mem.heap[word + E_T] < event else 1
    if mem.heap[word + E_ORDER] != order:
        return -1 if mem.heap[word + E_ORDER] < order else 1
    if mem.heap[word + E_PACKED] != packed:
        return -1 if mem.heap[word + E_PACKED] < packed else 1
    if mem.heap[word + E_ID] != identity:
        return -1 if mem.heap[word + E_ID] < identity else 1
    return 0


@inlined
def place_of(mem: Memory, row: int, event: int, order: int, packed: int, identity: int) -> tuple[int, bool]:
    """Where an event belongs among the rider's unsealed ones, and whether it is there already."""
    block = mem.rows[row, R_EVENTS]
    high = mem.rows[row, R_EVENTS_N]
    if high == 0:
        return 0, False
    last = compare(mem, block + (high - 1) * EVENT_WORDS, event, order, packed, identity)
    if last <= 0:
        return (high, False) if last < 0 else (high - 1, True)
    low = 0
    while low < high:
        middle = (low + high) // 2
        side = compare(mem, block + middle * EVENT_WORDS, event, order, packed, identity)
        if side == 0:
            return middle, True
        if side < 0:
            low = middle + 1
        else:
            high = middle
    return low, False


@inlined
def is_void_already(mem: Memory, row: int, event: int, order: int, packed: int, place: int) -> bool:
    """Whether a void that came before takes back the event whose place is ``place``."""
    block = mem.rows[row, R_EVENTS]
    for before in range(place - 1, -1, -1):
        word = block + before * EVENT_WORDS
        other = mem.heap[word + E_PACKED]
        if mem.heap[word + E_T] != event or mem.heap[word + E_ORDER] != order:
            return False
        if other >> PACK_VOID_KEY != packed >> PACK_VOID_KEY:
            return False
        if (other >> PACK_REAL) & 1 == 0:
            return True
    return False


@kernel
def keep_event(
    mem: Memory, row: int, limits: Limits, event: int, order: int, packed: int, identity: int, place: int
) -> None:
    """Insert an event at its place; room was reserved."""
    block = mem.rows[row, R_EVENTS]
    count = mem.rows[row, R_EVENTS_N]
    for word in range(count * EVENT_WORDS - 1, place * EVENT_WORDS - 1, -1):
        mem.heap[block + EVENT_WORDS + word] = mem.heap[block + word]
    word = block + place * EVENT_WORDS
    mem.heap[word + E_T] = event
    mem.heap[word + E_ORDER] = order
    mem.heap[word + E_PACKED] = packed
    mem.heap[word + E_ID] = identity
    mem.rows[row, R_EVENTS_N] = count + 1
    head = base_at(limits) + state_words(limits)
    if event <= mem.rows[row, head + S_T]:
        mem.rows[row, R_FLAGS] |= ROW_DIRTY
    mem.rows[row, R_LAST_EVENT] = max(mem.rows[row, R_LAST_EVENT], event)
    if mem.rows[row, R_FLAGS] & ROW_TOUCHED == 0:
        mem.rows[row, R_FLAGS] |= ROW_TOUCHED
        mem.touched[mem.misc[M_TOUCHED]] = row
        mem.misc[M_TOUCHED] += 1
