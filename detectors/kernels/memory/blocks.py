"""Blocks of variable size in one int64 array: power-of-two classes with free lists.

Class ``c`` holds ``SMALLEST << c`` words; offset 0 means no block, so the first words are never given out.
``heap_meta[TOP]`` is where what was never given out begins, ``heap_meta[FREE + c]`` the head of the class's
free list, whose links lie in the free blocks themselves.
"""

from __future__ import annotations

from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout.arrays import Memory

SMALLEST = 8
CLASSES = 39
TOP, FREE = 0, 1
META_WORDS = FREE + CLASSES


@inlined
def class_for(words: int) -> int:
    """Smallest class that holds so many words."""
    size_class = 0
    while (SMALLEST << size_class) < words:
        size_class += 1
    return size_class


@inlined
def words_for(words: int) -> int:
    """Words that a block for so many takes."""
    return SMALLEST << class_for(words)


@inlined
def release(mem: Memory, offset: int, size_class: int) -> None:
    """Put a block on its free list."""
    if offset != 0:
        mem.heap[offset] = mem.heap_meta[FREE + size_class]
        mem.heap_meta[FREE + size_class] = offset


@kernel
def reserve(mem: Memory, row: int, word: int, class_word: int, used: int, wanted: int) -> bool:
    """Make the block named by two control words hold ``wanted`` words, keeping the first ``used``.

    False when the heap is too small; nothing has changed then.
    """
    offset = mem.rows[row, word]
    size_class = mem.rows[row, class_word]
    if offset != 0 and (SMALLEST << size_class) >= wanted:
        return True
    new_class = class_for(wanted)
    new = mem.heap_meta[FREE + new_class]
    if new != 0:
        mem.heap_meta[FREE + new_class] = mem.heap[new]
    else:
        new = mem.heap_meta[TOP]
        if new + (SMALLEST << new_class) > mem.heap.shape[0]:
            return False
        mem.heap_meta[TOP] = new + (SMALLEST << new_class)
    for i in range(used):
        mem.heap[new + i] = mem.heap[offset + i]
    release(mem, offset, size_class)
    mem.rows[row, word] = new
    mem.rows[row, class_word] = new_class
    return True
