"""Riders who are erased or forgotten (CONTRACT 1, `keep`)."""

from __future__ import annotations

import numpy as np

from detectors.kernels.jit import kernel
from detectors.kernels.layout import codes, misc as Misc, row as Row
from detectors.kernels.layout.arrays import Limits, Memory
from detectors.kernels.layout.values import I64, ID_BYTES
from detectors.kernels.memory import blocks
from detectors.kernels.memory.lookup import home_of
from detectors.kernels.memory.own_index import leave_all, move_all
from detectors.kernels.memory.pages import BLOCK_COUNT, block_word, class_word
from detectors.kernels.memory.rows import blank_row
from detectors.kernels.memory.seqlock import begin_change, end_change


@kernel
def slot_of(mem: Memory, row: int) -> int:
    """The slot of the table that holds a row."""
    mask = mem.table.shape[0] - 1
    slot = home_of(np.uint64(mem.rows[row, Row.HASH]), mask)
    while mem.table[slot] != row + 1:
        slot = (slot + 1) & mask
    return slot


@kernel
def leave_table(mem: Memory, row: int) -> None:
    """Take a row out of the table; what stood behind it moves up (Knuth 6.4, algorithm R)."""
    mask = mem.table.shape[0] - 1
    hole = slot_of(mem, row)
    slot = hole
    while True:
        mem.table[hole] = 0
        while True:
            slot = (slot + 1) & mask
            if mem.table[slot] == 0:
                return
            home = home_of(mem.table_hash[slot], mask)
            # It may move when its home does not lie between the hole and where it is.
            if (slot - home) & mask >= (slot - hole) & mask:
                break
        mem.table[hole] = mem.table[slot]
        mem.table_hash[hole] = mem.table_hash[slot]
        hole = slot


@kernel
def relink(mem: Memory, row: int, target: int) -> None:
    """Let the link of a row's page that leads to the row lead to ``target`` (row + 1, or 0)."""
    page = mem.rows[row, Row.PAGE]
    if mem.page_head[page] == row + 1:
        mem.page_head[page] = target
        return
    before = mem.page_head[page] - 1
    while mem.rows[before, Row.PAGE_NEXT] != row + 1:
        before = mem.rows[before, Row.PAGE_NEXT] - 1
    mem.rows[before, Row.PAGE_NEXT] = target


@kernel
def release_blocks(mem: Memory, row: int) -> None:
    for index in range(BLOCK_COUNT):
        blocks.release(mem, mem.rows[row, block_word(index)], mem.rows[row, class_word(index)])


@kernel
def forget_row(mem: Memory, row: int) -> None:
    """Drop a rider; the last row moves to where the rider's was.

    Precondition: nobody is touched.
    """
    last = mem.misc[Misc.ROWS] - 1
    mem.misc[Misc.MOVES] += 1
    begin_change(mem, row)
    if last != row:
        begin_change(mem, last)
    leave_all(mem, row)
    release_blocks(mem, row)
    leave_table(mem, row)
    relink(mem, row, mem.rows[row, Row.PAGE_NEXT])
    mem.page_dirty[mem.rows[row, Row.PAGE]] = 1
    if last != row:
        mem.table[slot_of(mem, last)] = row + 1
        move_all(mem, last, row)
        relink(mem, last, row + 1)
        for word in range(mem.rows.shape[1]):
            mem.rows[row, word] = mem.rows[last, word]
        for byte in range(ID_BYTES):
            mem.ids[row, byte] = mem.ids[last, byte]
        mem.id_lengths[row] = mem.id_lengths[last]
        mem.wake[row] = mem.wake[last]
    mem.misc[Misc.ROWS] = last
    # A reader who found a rider in the row that is free now does not find the name there.
    mem.id_lengths[last] = 0
    if last != row:
        end_change(mem, last)
    end_change(mem, row)
    mem.misc[Misc.MOVES] += 1


@kernel
def erase_row(mem: Memory, row: int, limits: Limits, before_ms: int) -> None:
    """Erase a rider's evidence; read again, what arrived before ``before_ms`` does not come back."""
    mem.misc[Misc.MOVES] += 1
    begin_change(mem, row)
    leave_all(mem, row)
    release_blocks(mem, row)
    page, following, mixed = mem.rows[row, Row.PAGE], mem.rows[row, Row.PAGE_NEXT], mem.rows[row, Row.HASH]
    blank_row(mem, row, limits)
    mem.rows[row, Row.PAGE], mem.rows[row, Row.PAGE_NEXT], mem.rows[row, Row.HASH] = page, following, mixed
    mem.rows[row, Row.FORGOTTEN_MS] = before_ms
    mem.page_dirty[page] = 1
    end_change(mem, row)
    mem.misc[Misc.MOVES] += 1


@kernel
def silent_since(mem: Memory, instant: int, erased_ms: int, found: I64) -> int:
    """Rows without an event after ``instant`` and not on hold, last first, into ``found``; how many.

    One that was erased stays until ``erased_ms``: as long as what was erased can be read again.
    """
    count = 0
    for row in range(mem.misc[Misc.ROWS] - 1, -1, -1):
        if mem.rows[row, Row.LAST_EVENT] > instant or mem.rows[row, Row.FLAGS] & Row.FLAG_TOUCHED != 0:
            continue
        # The status follows time; the state in the row is that of the last event.
        if mem.rows[row, Row.FORGOTTEN_MS] > erased_ms or mem.rows[row, Row.STATUS] == codes.HELD:
            continue
        if count == found.shape[0]:
            return count
        found[count] = row
        count += 1
    return count
