"""Names of platforms and zones as numbers."""

from __future__ import annotations

import numpy as np

from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout import I64, NONE, U8, Memory
from detectors.kernels.memory.lookup import same_bytes


@inlined
def intern(mem: Memory, buf: U8, at: int, length: int, table: I64, ids: U8, lengths: U8, counter: int) -> int:
    """Number of a name in a small table, entering it when new; NONE when the table is full."""
    mixed = np.uint64(14695981039346656037)
    for i in range(length):
        mixed = (mixed ^ np.uint64(buf[at + i])) * np.uint64(1099511628211)
    mask = table.shape[0] - 1
    slot = np.int64(mixed >> np.uint64(20)) & mask
    while table[slot] != 0:
        if same_bytes(buf, at, length, ids, lengths, table[slot] - 1):
            return table[slot] - 1
        slot = (slot + 1) & mask
    number = mem.misc[counter]
    if number >= ids.shape[0]:
        return NONE
    for i in range(length):
        ids[number, i] = buf[at + i]
    lengths[number] = length
    mem.misc[counter] = number + 1
    table[slot] = number + 1
    return number


@kernel
def reenter_names(ids: U8, lengths: U8, table: I64) -> None:
    """Enter every name in a larger table."""
    mask = table.shape[0] - 1
    for number in range(ids.shape[0]):
        mixed = np.uint64(14695981039346656037)
        for i in range(lengths[number]):
            mixed = (mixed ^ np.uint64(ids[number, i])) * np.uint64(1099511628211)
        slot = np.int64(mixed >> np.uint64(20)) & mask
        while table[slot] != 0:
            slot = (slot + 1) & mask
        table[slot] = number + 1
