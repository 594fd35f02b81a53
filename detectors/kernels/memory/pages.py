"""Riders as pages of words, for the checkpoint, and riders who are forgotten.

A packed rider is ``[words in all, length of the id, the id (8 words), his waking, his row, his blocks]``.
The row goes as it lies; of its blocks only what is used, in the order of `block_words`. Where the blocks
lay is said in the row and is worth nothing afterwards.
"""

from __future__ import annotations

import numpy as np

from detectors.kernels.jit import kernel
from detectors.kernels.layout import (
    C_SPANS,
    CLOCK_WORDS,
    DONE,
    EVENT_WORDS,
    I64,
    M_ROWS,
    MEMBER_WORDS,
    NEED_HEAP,
    NEED_ROWS,
    ORDER_WORDS,
    PLATFORM_WORDS,
    R_BASE_OPEN,
    R_ENDED,
    R_ENDED_N,
    R_EVENTS,
    R_EVENTS_N,
    R_HASH,
    R_HEAD_OPEN,
    R_MEMBERS,
    R_MEMBERS_N,
    R_PAGE,
    R_PAGE_NEXT,
    R_SPANS,
    R_SPANS_CLASS,
    R_TOLD,
    R_TOLD_WORDS,
    S_CLOCKS,
    S_ORDERS,
    S_PLATFORMS,
    SPAN_WORDS,
    Limits,
    Memory,
)
from detectors.kernels.layout.row import base_at, state_words
from detectors.kernels.memory import blocks
from detectors.kernels.memory.lookup import home_of
from detectors.kernels.memory.own_index import enter_all, is_full

ID_WORDS = 8

HEADER_WORDS = 3 + ID_WORDS

#: A rider's blocks: events, spans of the three clocks, told, ended, what is open at base and head, members.
BLOCKS = 9


@kernel
def block_word(index: int) -> int:
    """The control word that says where a block lies."""
    if index == 0:
        return R_EVENTS
    if index <= 3:
        return R_SPANS + index - 1
    if index == 4:
        return R_TOLD
    if index == 5:
        return R_ENDED
    if index == 6:
        return R_BASE_OPEN
    return R_HEAD_OPEN if index == 7 else R_MEMBERS


@kernel
def class_word(index: int) -> int:
    """The control word that says how large a block is."""
    return R_SPANS_CLASS + index - 1 if 1 <= index <= 3 else block_word(index) + 1


@kernel
def block_words(mem: Memory, row: int, limits: Limits, index: int) -> int:
    """How many words of a block are used."""
    rows = mem.rows
    base = base_at(limits)
    head = base + state_words(limits)
    if index == 0:
        return rows[row, R_EVENTS_N] * EVENT_WORDS
    if index <= 3:
        return rows[row, head + S_CLOCKS + (index - 1) * CLOCK_WORDS + C_SPANS] * SPAN_WORDS
    if index == 4:
        return rows[row, R_TOLD_WORDS]
    if index == 5:
        return rows[row, R_ENDED_N]
    if index == 6:
        return rows[row, base + S_ORDERS] * ORDER_WORDS + rows[row, base + S_PLATFORMS] * PLATFORM_WORDS
    if index == 7:
        return rows[row, head + S_ORDERS] * ORDER_WORDS + rows[row, head + S_PLATFORMS] * PLATFORM_WORDS
    return rows[row, R_MEMBERS_N] * MEMBER_WORDS


@kernel
def packed_words(mem: Memory, limits: Limits, page: int) -> int:
    """How many words a page takes."""
    words = 0
    link = mem.page_head[page]
    while link != 0:
        row = link - 1
        words += HEADER_WORDS + mem.rows.shape[1]
        for index in range(BLOCKS):
            words += block_words(mem, row, limits, index)
        link = mem.rows[row, R_PAGE_NEXT]
    return words


@kernel
def pack_page(mem: Memory, limits: Limits, page: int, out: I64) -> int:
    """Write the riders of a page to ``out``, which has room; how many riders.

    Precondition: nobody is touched, so rows are whole.
    """
    at, riders = 0, 0
    link = mem.page_head[page]
    while link != 0:
        row = link - 1
        begin = at
        out[at + 1] = mem.id_lengths[row]
        for word in range(ID_WORDS):
            packed = np.int64(0)
            for byte in range(8):
                packed |= np.int64(mem.ids[row, word * 8 + byte]) << (8 * byte)
            out[at + 2 + word] = packed
        out[at + 2 + ID_WORDS] = mem.wake[row]
        at += HEADER_WORDS
        for word in range(mem.rows.shape[1]):
            out[at + word] = mem.rows[row, word]
        at += mem.rows.shape[1]
        for index in range(BLOCKS):
            block = mem.rows[row, block_word(index)]
            for word in range(block_words(mem, row, limits, index)):
                out[at] = mem.heap[block + word]
                at += 1
        out[begin] = at - begin
        riders += 1
        link = mem.rows[row, R_PAGE_NEXT]
    return riders


@kernel
def enter(mem: Memory, row: int) -> None:
    """Enter a row in the table and in its page."""
    mixed = np.uint64(mem.rows[row, R_HASH])
    mask = mem.table.shape[0] - 1
    slot = home_of(mixed, mask)
    while mem.table[slot] != 0:
        slot = (slot + 1) & mask
    mem.table[slot] = row + 1
    mem.table_hash[slot] = mixed
    page = mem.rows[row, R_PAGE]
    mem.rows[row, R_PAGE_NEXT] = mem.page_head[page]
    mem.page_head[page] = row + 1


@kernel
def unpack(mem: Memory, limits: Limits, words: I64, at: int) -> tuple[int, int]:
    """Take packed riders in from word ``at``; an array too small, or DONE, and the word reached.

    Precondition: the words are whole, and none of these riders is known.
    """
    row_words = mem.rows.shape[1]
    while at < words.shape[0]:
        row = mem.misc[M_ROWS]
        if row >= mem.rows.shape[0] or is_full(mem):
            return NEED_ROWS, at
        for word in range(row_words):
            mem.rows[row, word] = words[at + HEADER_WORDS + word]
        needed = 0
        for index in range(BLOCKS):
            needed += 8 << blocks.class_for(block_words(mem, row, limits, index))
        if mem.heap_meta[0] + needed > mem.heap.shape[0]:
            return NEED_HEAP, at
        place = at + HEADER_WORDS + row_words
        for index in range(BLOCKS):
            used = block_words(mem, row, limits, index)
            mem.rows[row, block_word(index)] = 0
            mem.rows[row, class_word(index)] = 0
            if used > 0:
                blocks.reserve(mem, row, block_word(index), class_word(index), 0, used)
                block = mem.rows[row, block_word(index)]
                for word in range(used):
                    mem.heap[block + word] = words[place + word]
            place += used
        for word in range(ID_WORDS):
            for byte in range(8):
                mem.ids[row, word * 8 + byte] = (words[at + 2 + word] >> (8 * byte)) & 255
        mem.id_lengths[row] = words[at + 1]
        mem.wake[row] = words[at + 2 + ID_WORDS]
        mem.misc[M_ROWS] = row + 1
        enter(mem, row)
        enter_all(mem, row)
        at += words[at]
    return DONE, at
