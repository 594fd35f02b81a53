"""Events that a void takes back (CONTRACT 4.7)."""

from __future__ import annotations

from detectors.kernels.jit import inlined
from detectors.kernels.layout import E_ORDER, E_PACKED, EVENT_WORDS, PACK_REAL, PACK_VOID_KEY, Memory


@inlined
def taken_back(mem: Memory, block: int, index: int, first: int) -> bool:
    """Whether the event is a void, or a void of its own kind stands in the same second."""
    word = block + index * EVENT_WORDS
    packed = mem.heap[word + E_PACKED]
    if (packed >> PACK_REAL) & 1 == 0:
        return True
    order = mem.heap[word + E_ORDER]
    for before in range(index - 1, first - 1, -1):
        other = block + before * EVENT_WORDS
        if mem.heap[other + E_ORDER] != order:
            return False
        if mem.heap[other + E_PACKED] >> PACK_VOID_KEY != packed >> PACK_VOID_KEY:
            return False
        if (mem.heap[other + E_PACKED] >> PACK_REAL) & 1 == 0:
            return True
    return False
