"""Events that a void takes back (CONTRACT 4.7)."""

from __future__ import annotations

from detectors.kernels.jit import inlined
from detectors.kernels.layout import event as Event
from detectors.kernels.layout.arrays import Memory


@inlined
def taken_back(mem: Memory, block: int, index: int, first: int) -> bool:
    """Whether the event is a void, or a void of its own kind stands in the same second."""
    word = block + index * Event.WORDS
    packed = mem.heap[word + Event.PACKED]
    if (packed >> Event.REAL_SHIFT) & 1 == 0:
        return True
    order = mem.heap[word + Event.ORDER]
    for before in range(index - 1, first - 1, -1):
        other = block + before * Event.WORDS
        if mem.heap[other + Event.ORDER] != order:
            return False
        if mem.heap[other + Event.PACKED] >> Event.VOID_KEY_SHIFT != packed >> Event.VOID_KEY_SHIFT:
            return False
        if (mem.heap[other + Event.PACKED] >> Event.REAL_SHIFT) & 1 == 0:
            return True
    return False
