"""Names of platforms and zones as numbers; the hash is FNV-1a."""

from __future__ import annotations

import numpy as np

from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout.arrays import Memory
from detectors.kernels.layout.values import I64, NONE, U8
from detectors.kernels.memory.lookup import same_bytes

FNV_START = np.uint64(14695981039346656037)
FNV_PRIME = np.uint64(1099511628211)
#: The lowest bits of the hash are the weakest.
HOME_SHIFT = np.uint64(20)


@inlined
def home_of_name(buf: U8, at: int, length: int, mask: int) -> int:
    """The slot at which a name is looked for first, in a table of ``mask`` + 1 slots."""
    mixed = FNV_START
    for i in range(length):
        mixed = (mixed ^ np.uint64(buf[at + i])) * FNV_PRIME
    return np.int64(mixed >> HOME_SHIFT) & mask


@inlined
def intern(mem: Memory, buf: U8, at: int, length: int, table: I64, ids: U8, lengths: U8, counter: int) -> int:
    """Number of a name in a small table, entering it when new; NONE when the table is full."""
    mask = table.shape[0] - 1
    slot = home_of_name(buf, at, length, mask)
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
        slot = home_of_name(ids[number], 0, lengths[number], mask)
        while table[slot] != 0:
            slot = (slot + 1) & mask
        table[slot] = number + 1
