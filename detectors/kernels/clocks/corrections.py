"""Events that a void takes back (CONTRACT 4.7)."""

from __future__ import annotations

from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout import codes, event as Event
from detectors.kernels.layout.arrays import Memory


@kernel
def duty_taken_back(mem: Memory, block: int, index: int, first: int, platform: int) -> bool:
    """Whether a void of any duty of the platform stands before the one at ``index`` in its second."""
    for before in range(index - 1, first - 1, -1):
        other = mem.heap[block + before * Event.WORDS + Event.PACKED]
        if Event.type_of(other) < codes.DUTY or Event.platform_of(other) != platform:
            return False
        if (other >> Event.REAL_SHIFT) & 1 == 0:
            return True
    return False


@inlined
def taken_back(mem: Memory, block: int, index: int, first: int) -> bool:
    """Whether the event is a void, or a void of its own kind stands in the same second."""
    word = block + index * Event.WORDS
    packed = mem.heap[word + Event.PACKED]
    if (packed >> Event.REAL_SHIFT) & 1 == 0:
        return True
    if Event.type_of(packed) >= codes.DUTY:
        return duty_taken_back(mem, block, index, first, Event.platform_of(packed))
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
