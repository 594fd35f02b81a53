"""Riders by platform: one table whose keys are pairs of a rider and a platform whose own the rider is.

Who asks for a platform looks here and nowhere else. A rider of others and one who does not exist are both
keys that the table lacks: nothing of either is read, so neither time nor cache says which it was.
"""

from __future__ import annotations

import numpy as np

from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout import misc as Misc, row as Row
from detectors.kernels.layout.arrays import Memory
from detectors.kernels.layout.values import MOST_MEMBERS, NONE
from detectors.kernels.memory.lookup import free_slot, home_of


@inlined
def own_key(mixed: np.uint64, platform: int) -> np.uint64:
    """The key of a rider's hash and a platform's number; that of `NONE` is in no table."""
    salted = np.uint64(mixed) ^ (np.uint64(platform + 1) * np.uint64(0x9E3779B97F4A7C15))
    salted = (salted ^ (salted >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
    return salted ^ (salted >> np.uint64(29))


@inlined
def is_full(mem: Memory) -> bool:
    """Whether the table has to grow before another rider's platforms are entered."""
    return 2 * (mem.misc[Misc.OWN] + MOST_MEMBERS) >= mem.own.shape[0]


@kernel
def enter_own(mem: Memory, row: int, platform: int) -> None:
    """Enter a rider under a platform.

    Precondition: the table is not full, and the pair is not in it.
    """
    key = own_key(np.uint64(mem.rows[row, Row.HASH]), platform)
    slot = free_slot(mem.own, key)
    # The key first: a reader who sees the row then sees its key too.
    mem.own_hash[slot] = key
    mem.own[slot] = row + 1
    mem.misc[Misc.OWN] += 1


@inlined
def own_slot(mem: Memory, row: int, platform: int) -> int:
    """The slot that holds the pair; NONE where it is in none."""
    key = own_key(np.uint64(mem.rows[row, Row.HASH]), platform)
    mask = mem.own.shape[0] - 1
    slot = home_of(key, mask)
    while mem.own[slot] != 0:
        if mem.own[slot] == row + 1 and mem.own_hash[slot] == key:
            return slot
        slot = (slot + 1) & mask
    return NONE


@kernel
def leave_own(mem: Memory, row: int, platform: int) -> None:
    """Take a pair out; what stood behind it moves up (Knuth 6.4, algorithm R).

    Precondition: `Misc.MOVES` is odd.
    """
    hole = own_slot(mem, row, platform)
    if hole == NONE:
        return
    mem.misc[Misc.OWN] -= 1
    mask = mem.own.shape[0] - 1
    slot = hole
    while True:
        mem.own[hole] = 0
        while True:
            slot = (slot + 1) & mask
            if mem.own[slot] == 0:
                return
            home = home_of(mem.own_hash[slot], mask)
            if (slot - home) & mask >= (slot - hole) & mask:
                break
        mem.own_hash[hole] = mem.own_hash[slot]
        mem.own[hole] = mem.own[slot]
        hole = slot


@kernel
def enter_all(mem: Memory, row: int) -> None:
    """Enter a rider under all platforms of the row."""
    for index in range(mem.rows[row, Row.MEMBERS_N]):
        word = mem.rows[row, Row.MEMBERS] + index * Row.MEMBER_WORDS
        enter_own(mem, row, mem.heap[word + Row.MEMBER_PLATFORM])


@kernel
def leave_all(mem: Memory, row: int) -> None:
    """Take a rider out under all platforms of the row."""
    for index in range(mem.rows[row, Row.MEMBERS_N]):
        word = mem.rows[row, Row.MEMBERS] + index * Row.MEMBER_WORDS
        leave_own(mem, row, mem.heap[word + Row.MEMBER_PLATFORM])


@kernel
def move_all(mem: Memory, row: int, target: int) -> None:
    """Let the entries of a row name another one, which the rider is moved to."""
    for index in range(mem.rows[row, Row.MEMBERS_N]):
        word = mem.rows[row, Row.MEMBERS] + index * Row.MEMBER_WORDS
        slot = own_slot(mem, row, mem.heap[word + Row.MEMBER_PLATFORM])
        if slot != NONE:
            mem.own[slot] = target + 1
