"""Riders as pages of words, for the checkpoint.

A packed rider is ``[words in all, length of the id, the id (8 words), next waking, the row, the blocks]``.
The row goes as it lies; of its blocks only what is used, in the order of `BLOCKS`. Where the blocks lay is
said in the row and is worth nothing afterwards.
"""

from __future__ import annotations

import numpy as np

from detectors.kernels.jit import kernel
from detectors.kernels.layout import (
    codes,
    event as Event,
    misc as Misc,
    open as Open,
    row as Row,
    state as State,
)
from detectors.kernels.layout.arrays import Limits, Memory
from detectors.kernels.layout.values import I64, ID_BYTES
from detectors.kernels.memory import blocks
from detectors.kernels.memory.lookup import free_slot
from detectors.kernels.memory.own_index import enter_all, is_full
from detectors.kernels.memory.rows import enter_page

#: Ids are packed eight bytes to a word, the first lowest.
WORD_BYTES = 8
BYTE_MASK = 255
ID_WORDS = ID_BYTES // WORD_BYTES
# A packed rider's header.
SIZE, ID_LENGTH, ID = 0, 1, 2
WAKE = ID + ID_WORDS
HEADER_WORDS = WAKE + 1

#: A rider's blocks in the order in which they are packed: the control word that says where each lies, and the
#: one that says how large it is.
BLOCKS = (
    (Row.EVENTS, Row.EVENTS_CLASS),
    *((Row.SPANS + clock, Row.SPANS_CLASS + clock) for clock in range(codes.CLOCK_COUNT)),
    (Row.TOLD, Row.TOLD_CLASS),
    (Row.ENDED, Row.ENDED_CLASS),
    (Row.BASE_OPEN, Row.BASE_OPEN_CLASS),
    (Row.HEAD_OPEN, Row.HEAD_OPEN_CLASS),
    (Row.MEMBERS, Row.MEMBERS_CLASS),
)
BLOCK_COUNT = len(BLOCKS)
WHERE = tuple(where for where, _ in BLOCKS)
SIZE_CLASS = tuple(size_class for _, size_class in BLOCKS)


@kernel
def block_word(index: int) -> int:
    """The control word that says where a block lies."""
    return WHERE[index]


@kernel
def class_word(index: int) -> int:
    """The control word that says how large a block is."""
    return SIZE_CLASS[index]


@kernel
def block_words(mem: Memory, row: int, limits: Limits, index: int) -> int:
    """How many words of a block are used."""
    rows = mem.rows
    where = WHERE[index]
    if where == Row.EVENTS:
        return rows[row, Row.EVENTS_N] * Event.WORDS
    if where == Row.TOLD:
        return rows[row, Row.TOLD_WORDS]
    if where == Row.ENDED:
        return rows[row, Row.ENDED_N]
    if where == Row.BASE_OPEN:
        return Open.open_words(mem.rows[row, Row.base_at(limits) : Row.head_at(limits)])
    if where == Row.HEAD_OPEN:
        return Open.open_words(mem.rows[row, Row.head_at(limits) :])
    if where == Row.MEMBERS:
        return rows[row, Row.MEMBERS_N] * Row.MEMBER_WORDS
    spans = State.clock_at(where - Row.SPANS) + State.CLOCK_SPANS
    return rows[row, Row.head_at(limits) + spans] * State.SPAN_WORDS


@kernel
def packed_words(mem: Memory, limits: Limits, page: int) -> int:
    """How many words a page takes."""
    words = 0
    link = mem.page_head[page]
    while link != 0:
        row = link - 1
        words += HEADER_WORDS + mem.rows.shape[1]
        for index in range(BLOCK_COUNT):
            words += block_words(mem, row, limits, index)
        link = mem.rows[row, Row.PAGE_NEXT]
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
        out[at + ID_LENGTH] = mem.id_lengths[row]
        for word in range(ID_WORDS):
            packed = np.int64(0)
            for byte in range(WORD_BYTES):
                packed |= np.int64(mem.ids[row, word * WORD_BYTES + byte]) << (8 * byte)
            out[at + ID + word] = packed
        out[at + WAKE] = mem.wake[row]
        at += HEADER_WORDS
        for word in range(mem.rows.shape[1]):
            out[at + word] = mem.rows[row, word]
        at += mem.rows.shape[1]
        for index in range(BLOCK_COUNT):
            block = mem.rows[row, block_word(index)]
            for word in range(block_words(mem, row, limits, index)):
                out[at] = mem.heap[block + word]
                at += 1
        out[begin + SIZE] = at - begin
        riders += 1
        link = mem.rows[row, Row.PAGE_NEXT]
    return riders


@kernel
def enter(mem: Memory, row: int) -> None:
    """Enter a row in the table and in its page."""
    mixed = np.uint64(mem.rows[row, Row.HASH])
    slot = free_slot(mem.table, mixed)
    mem.table[slot] = row + 1
    mem.table_hash[slot] = mixed
    enter_page(mem, row)


@kernel
def unpack(mem: Memory, limits: Limits, words: I64, at: int) -> tuple[int, int]:
    """Take packed riders in from word ``at``; an array too small, or DONE, and the word reached.

    Precondition: the words are whole, and none of these riders is known.
    """
    row_words = mem.rows.shape[1]
    while at < words.shape[0]:
        row = mem.misc[Misc.ROWS]
        if row >= mem.rows.shape[0] or is_full(mem):
            return codes.NEED_ROWS, at
        for word in range(row_words):
            mem.rows[row, word] = words[at + HEADER_WORDS + word]
        needed = 0
        for index in range(BLOCK_COUNT):
            needed += blocks.words_for(block_words(mem, row, limits, index))
        if mem.heap_meta[blocks.TOP] + needed > mem.heap.shape[0]:
            return codes.NEED_HEAP, at
        place = at + HEADER_WORDS + row_words
        for index in range(BLOCK_COUNT):
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
            for byte in range(WORD_BYTES):
                mem.ids[row, word * WORD_BYTES + byte] = (words[at + ID + word] >> (8 * byte)) & BYTE_MASK
        mem.id_lengths[row] = words[at + ID_LENGTH]
        mem.wake[row] = words[at + WAKE]
        mem.misc[Misc.ROWS] = row + 1
        enter(mem, row)
        enter_all(mem, row)
        at += words[at + SIZE]
    return codes.DONE, at
