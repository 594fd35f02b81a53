"""Riders looked up by the hashes of their ids, in a table with open addressing (`Memory.table`)."""

from __future__ import annotations

import numpy as np

from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout.arrays import Memory
from detectors.kernels.layout.values import I64, NONE, PAGE_SHIFT, U8, U64


@inlined
def word_at(buf: U8, at: np.uint64) -> np.uint64:
    """Eight bytes as a word, the first lowest; written so that it becomes one load."""
    return (
        np.uint64(buf[at])
        | np.uint64(buf[at + np.uint64(1)]) << np.uint64(8)
        | np.uint64(buf[at + np.uint64(2)]) << np.uint64(16)
        | np.uint64(buf[at + np.uint64(3)]) << np.uint64(24)
        | np.uint64(buf[at + np.uint64(4)]) << np.uint64(32)
        | np.uint64(buf[at + np.uint64(5)]) << np.uint64(40)
        | np.uint64(buf[at + np.uint64(6)]) << np.uint64(48)
        | np.uint64(buf[at + np.uint64(7)]) << np.uint64(56)
    )


@inlined
def same_bytes(buf: U8, at: int, length: int, ids: U8, lengths: U8, index: int) -> bool:
    """Whether ``length`` bytes from ``at`` are the id of a row."""
    if lengths[index] != length:
        return False
    row = ids[index]
    # Unsigned, so that no index could be meant from the end.
    first, end, i = np.uint64(at), np.uint64(length), np.uint64(0)
    while i + np.uint64(8) <= end:
        if word_at(row, i) != word_at(buf, first + i):
            return False
        i += np.uint64(8)
    while i < end:
        if row[i] != buf[first + i]:
            return False
        i += np.uint64(1)
    return True


@inlined
def home_of(mixed: np.uint64, mask: int) -> int:
    """The slot at which a rider is looked for first, in a table of ``mask`` + 1 slots."""
    return np.int64(mixed >> np.uint64(8)) & mask


@inlined
def free_slot(table: I64, mixed: np.uint64) -> int:
    """The slot for a rider who is not in the table."""
    mask = table.shape[0] - 1
    slot = home_of(mixed, mask)
    while table[slot] != 0:
        slot = (slot + 1) & mask
    return slot


@inlined
def find_rider(mem: Memory, buf: U8, at: int, length: int, mixed: np.uint64) -> tuple[int, int]:
    """Row of a rider and the slot of the table where it is or would be; row NONE for a new rider."""
    mask = mem.table.shape[0] - 1
    slot = home_of(mixed, mask)
    while mem.table[slot] != 0:
        if mem.table_hash[slot] == mixed and same_bytes(
            buf, at, length, mem.ids, mem.id_lengths, mem.table[slot] - 1
        ):
            return mem.table[slot] - 1, slot
        slot = (slot + 1) & mask
    return NONE, slot


@inlined
def page_of(mixed: np.uint64) -> int:
    """The page of the checkpoint that a rider lies in, from the hash."""
    return np.int64(mixed >> np.uint64(PAGE_SHIFT))


@kernel
def grow_table(old: I64, old_hash: U64, table: I64, table_hash: U64) -> None:
    """Re-enter every rider in a larger table."""
    for index in range(old.shape[0]):
        if old[index] != 0:
            slot = free_slot(table, old_hash[index])
            table[slot] = old[index]
            table_hash[slot] = old_hash[index]
