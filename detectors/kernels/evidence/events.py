"""A rider's unsealed events, sorted, each of them once (CONTRACT 4.1)."""

from __future__ import annotations

from typing import NamedTuple

from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout import event as Event, row as Row, state as State
from detectors.kernels.layout.arrays import Limits, Memory
from detectors.kernels.memory.rows import touch


class Unsealed(NamedTuple):
    """The words of an unsealed event (`layout.event`)."""

    at: int
    order: int
    packed: int
    identity: int


@inlined
def compare(mem: Memory, word: int, event: Unsealed) -> int:
    """Order of the event stored at ``word`` against another: -1, 0, 1."""
    if mem.heap[word + Event.AT] != event.at:
        return -1 if mem.heap[word + Event.AT] < event.at else 1
    if mem.heap[word + Event.ORDER] != event.order:
        return -1 if mem.heap[word + Event.ORDER] < event.order else 1
    if mem.heap[word + Event.PACKED] != event.packed:
        return -1 if mem.heap[word + Event.PACKED] < event.packed else 1
    if mem.heap[word + Event.ID] != event.identity:
        return -1 if mem.heap[word + Event.ID] < event.identity else 1
    return 0


@inlined
def index_of(mem: Memory, row: int, event: Unsealed) -> tuple[int, bool]:
    """Where an event belongs among the rider's unsealed ones, and whether it is there already."""
    block = mem.rows[row, Row.EVENTS]
    high = mem.rows[row, Row.EVENTS_N]
    if high == 0:
        return 0, False
    last = compare(mem, block + (high - 1) * Event.WORDS, event)
    if last <= 0:
        return (high, False) if last < 0 else (high - 1, True)
    low = 0
    while low < high:
        middle = (low + high) // 2
        side = compare(mem, block + middle * Event.WORDS, event)
        if side == 0:
            return middle, True
        if side < 0:
            low = middle + 1
        else:
            high = middle
    return low, False


@inlined
def is_void_already(mem: Memory, row: int, event: Unsealed, index: int) -> bool:
    """Whether a void that came before takes back the event whose index is ``index``."""
    block = mem.rows[row, Row.EVENTS]
    for before in range(index - 1, -1, -1):
        word = block + before * Event.WORDS
        other = mem.heap[word + Event.PACKED]
        if mem.heap[word + Event.AT] != event.at or mem.heap[word + Event.ORDER] != event.order:
            return False
        if other >> Event.VOID_KEY_SHIFT != event.packed >> Event.VOID_KEY_SHIFT:
            return False
        if (other >> Event.REAL_SHIFT) & 1 == 0:
            return True
    return False


@kernel
def insert(mem: Memory, row: int, limits: Limits, event: Unsealed, index: int) -> None:
    """Insert an event at its index and touch the rider; room was reserved."""
    block = mem.rows[row, Row.EVENTS]
    count = mem.rows[row, Row.EVENTS_N]
    for word in range(count * Event.WORDS - 1, index * Event.WORDS - 1, -1):
        mem.heap[block + Event.WORDS + word] = mem.heap[block + word]
    word = block + index * Event.WORDS
    mem.heap[word + Event.AT] = event.at
    mem.heap[word + Event.ORDER] = event.order
    mem.heap[word + Event.PACKED] = event.packed
    mem.heap[word + Event.ID] = event.identity
    mem.rows[row, Row.EVENTS_N] = count + 1
    if event.at <= mem.rows[row, Row.head_at(limits) + State.AT]:
        mem.rows[row, Row.FLAGS] |= Row.FLAG_DIRTY
    mem.rows[row, Row.LAST_EVENT] = max(mem.rows[row, Row.LAST_EVENT], event.at)
    touch(mem, row)


@inlined
def events_until(mem: Memory, row: int, instant: int) -> int:
    """How many unsealed events lie at or before ``instant``."""
    block = mem.rows[row, Row.EVENTS]
    low, high = 0, mem.rows[row, Row.EVENTS_N]
    while low < high:
        middle = (low + high) // 2
        if mem.heap[block + middle * Event.WORDS + Event.AT] <= instant:
            low = middle + 1
        else:
            high = middle
    return low
