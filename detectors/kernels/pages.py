"""Riders as pages of words, for the checkpoint, and riders who are forgotten.

A packed rider is ``[words in all, length of the id, the id (8 words), his waking, his row, his blocks]``.
The row goes as it lies; of its blocks only what is used, in the order of `block_words`. Where the blocks
lay is said in the row and is worth nothing afterwards.
"""

from __future__ import annotations

import numpy as np

from detectors.kernels import heap
from detectors.kernels.jit import kernel
from detectors.kernels.judge import base_at, state_words
from detectors.kernels.layout import (
    C_SPANS,
    CLOCK_WORDS,
    DONE,
    EVENT_WORDS,
    HELD,
    I64,
    M_MOVES,
    M_ROWS,
    MEMBER_LAST,
    MEMBER_PLATFORM,
    MEMBER_TOLD,
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
    R_FLAGS,
    R_FORGOTTEN_MS,
    R_HASH,
    R_HEAD_OPEN,
    R_LAST_EVENT,
    R_MEMBERS,
    R_MEMBERS_N,
    R_PAGE,
    R_PAGE_NEXT,
    R_SPANS,
    R_SPANS_CLASS,
    R_STATUS,
    R_TOLD,
    R_TOLD_WORDS,
    ROW_BEHIND,
    ROW_JOINED,
    ROW_TOUCHED,
    S_CLOCKS,
    S_ORDERS,
    S_PLATFORMS,
    SPAN_WORDS,
    Limits,
    Memory,
)
from detectors.kernels.sequence import begin_change, end_change
from detectors.kernels.table import blank_row, home_of

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
        if row >= mem.rows.shape[0]:
            return NEED_ROWS, at
        for word in range(row_words):
            mem.rows[row, word] = words[at + HEADER_WORDS + word]
        needed = 0
        for index in range(BLOCKS):
            needed += 8 << heap.class_for(block_words(mem, row, limits, index))
        if mem.heap_meta[0] + needed > mem.heap.shape[0]:
            return NEED_HEAP, at
        place = at + HEADER_WORDS + row_words
        for index in range(BLOCKS):
            used = block_words(mem, row, limits, index)
            mem.rows[row, block_word(index)] = 0
            mem.rows[row, class_word(index)] = 0
            if used > 0:
                heap.reserve(mem, row, block_word(index), class_word(index), 0, used)
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
        at += words[at]
    return DONE, at


@kernel
def slot_of(mem: Memory, row: int) -> int:
    """The slot of the table that holds a row."""
    mask = mem.table.shape[0] - 1
    slot = home_of(np.uint64(mem.rows[row, R_HASH]), mask)
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
    page = mem.rows[row, R_PAGE]
    if mem.page_head[page] == row + 1:
        mem.page_head[page] = target
        return
    before = mem.page_head[page] - 1
    while mem.rows[before, R_PAGE_NEXT] != row + 1:
        before = mem.rows[before, R_PAGE_NEXT] - 1
    mem.rows[before, R_PAGE_NEXT] = target


@kernel
def release_blocks(mem: Memory, row: int) -> None:
    for index in range(BLOCKS):
        heap.release(mem, mem.rows[row, block_word(index)], mem.rows[row, class_word(index)])


@kernel
def forget_row(mem: Memory, row: int) -> None:
    """Drop a rider; the last row takes his place.

    Precondition: nobody is touched.
    """
    last = mem.misc[M_ROWS] - 1
    mem.misc[M_MOVES] += 1
    begin_change(mem, row)
    if last != row:
        begin_change(mem, last)
    release_blocks(mem, row)
    leave_table(mem, row)
    relink(mem, row, mem.rows[row, R_PAGE_NEXT])
    mem.page_dirty[mem.rows[row, R_PAGE]] = 1
    if last != row:
        mem.table[slot_of(mem, last)] = row + 1
        relink(mem, last, row + 1)
        for word in range(mem.rows.shape[1]):
            mem.rows[row, word] = mem.rows[last, word]
        for byte in range(64):
            mem.ids[row, byte] = mem.ids[last, byte]
        mem.id_lengths[row] = mem.id_lengths[last]
        mem.wake[row] = mem.wake[last]
    mem.misc[M_ROWS] = last
    # A reader who found a rider in the row that is free now does not find his name there.
    mem.id_lengths[last] = 0
    if last != row:
        end_change(mem, last)
    end_change(mem, row)
    mem.misc[M_MOVES] += 1


@kernel
def erase_row(mem: Memory, row: int, limits: Limits, before_ms: int) -> None:
    """Erase a rider's evidence; read again, what arrived before ``before_ms`` does not come back."""
    begin_change(mem, row)
    release_blocks(mem, row)
    page, following, mixed = mem.rows[row, R_PAGE], mem.rows[row, R_PAGE_NEXT], mem.rows[row, R_HASH]
    blank_row(mem, row, limits)
    mem.rows[row, R_PAGE], mem.rows[row, R_PAGE_NEXT], mem.rows[row, R_HASH] = page, following, mixed
    mem.rows[row, R_FORGOTTEN_MS] = before_ms
    mem.page_dirty[page] = 1
    end_change(mem, row)


@kernel
def silent_since(mem: Memory, instant: int, erased_ms: int, found: I64) -> int:
    """Rows without an event after ``instant`` and not on hold, last first, into ``found``; how many.

    One that was erased stays until ``erased_ms``: as long as what he has been erased of can be read again.
    """
    count = 0
    for row in range(mem.misc[M_ROWS] - 1, -1, -1):
        if mem.rows[row, R_LAST_EVENT] > instant or mem.rows[row, R_FLAGS] & ROW_TOUCHED != 0:
            continue
        # The status follows time; the state in the row is that of his last event.
        if mem.rows[row, R_FORGOTTEN_MS] > erased_ms or mem.rows[row, R_STATUS] == HELD:
            continue
        if count == found.shape[0]:
            return count
        found[count] = row
        count += 1
    return count


@kernel
def drop_silent_members(mem: Memory, instant: int, found: I64) -> int:
    """Drop the platforms that have sent nothing for a rider after ``instant``; how many.

    ``found``, shape (n, 2), takes row and platform of each; the rest is left for another time.
    """
    count = 0
    for row in range(mem.misc[M_ROWS]):
        block = mem.rows[row, R_MEMBERS]
        index = 0
        while index < mem.rows[row, R_MEMBERS_N]:
            word = block + index * MEMBER_WORDS
            if mem.heap[word + MEMBER_LAST] > instant:
                index += 1
                continue
            if count == found.shape[0]:
                return count
            found[count, 0] = row
            found[count, 1] = mem.heap[word + MEMBER_PLATFORM]
            count += 1
            begin_change(mem, row)
            last = block + (mem.rows[row, R_MEMBERS_N] - 1) * MEMBER_WORDS
            for part in range(MEMBER_WORDS):
                mem.heap[word + part] = mem.heap[last + part]
            mem.rows[row, R_MEMBERS_N] -= 1
            end_change(mem, row)
            mem.page_dirty[mem.rows[row, R_PAGE]] = 1
    return count


@kernel
def join_again(mem: Memory, platform: int) -> None:
    """Let the next publishing tell a platform the statuses of all its riders."""
    for row in range(mem.misc[M_ROWS]):
        block = mem.rows[row, R_MEMBERS]
        for index in range(mem.rows[row, R_MEMBERS_N]):
            word = block + index * MEMBER_WORDS
            if mem.heap[word + MEMBER_PLATFORM] == platform:
                mem.heap[word + MEMBER_TOLD] = 0
                mem.rows[row, R_FLAGS] |= ROW_JOINED | ROW_BEHIND
