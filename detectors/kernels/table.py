"""Riders and names: looked up by their hashes, entered when they are new."""

from __future__ import annotations

import numpy as np

from detectors.kernels.jit import inlined, kernel
from detectors.kernels.judge import base_at, state_words
from detectors.kernels.layout import (
    C_EDGE,
    CLOCK_WORDS,
    CONTROL_WORDS,
    I64,
    INF,
    L_EPISODE,
    L_HOLD_FROM,
    L_WINDOW_END,
    LIMIT_WORDS,
    M_ROWS,
    NONE,
    PAGE_SHIFT,
    PAST,
    R_ESTIMATED_UNTIL,
    R_HASH,
    R_PAGE,
    R_PAGE_NEXT,
    R_STATUS,
    R_STATUS_FIXED,
    R_STATUS_LIMIT,
    R_STATUS_MOVING,
    S_CLOCKS,
    S_LIMITS,
    S_NEXT,
    S_T,
    S_ZONE,
    U8,
    U64,
    Limits,
    Memory,
)
from detectors.kernels.sequence import begin_change, end_change


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


@inlined
def home_of(mixed: np.uint64, mask: int) -> int:
    """The slot at which a rider is looked for first, in a table of ``mask`` + 1 slots."""
    return np.int64(mixed >> np.uint64(8)) & mask


@inlined
def find_rider(mem: Memory, buf: U8, at: int, length: int, mixed: np.uint64) -> tuple[int, int]:
    """Row of a rider and the slot of the table where he is or would be; row NONE when he is new."""
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
def blank_state(state: I64, limits: Limits) -> None:
    """A rider before his first event: every clock has rested since ever."""
    state[:] = 0
    state[S_T] = PAST
    state[S_NEXT] = INF
    state[S_ZONE] = NONE
    for clock in range(3):
        state[S_CLOCKS + clock * CLOCK_WORDS + C_EDGE] = PAST
    for limit in range(limits.kind.shape[0]):
        word = S_LIMITS + limit * LIMIT_WORDS
        state[word + L_EPISODE] = NONE
        state[word + L_WINDOW_END] = PAST
        state[word + L_HOLD_FROM] = NONE


@kernel
def new_rider(mem: Memory, buf: U8, at: int, length: int, mixed: np.uint64, slot: int, limits: Limits) -> int:
    row = mem.misc[M_ROWS]
    mem.misc[M_ROWS] = row + 1
    begin_change(mem, row)
    for i in range(length):
        mem.ids[row, i] = buf[at + i]
    mem.id_lengths[row] = length
    mem.table[slot] = row + 1
    mem.table_hash[slot] = mixed
    blank_row(mem, row, limits)
    page = page_of(mixed)
    mem.rows[row, R_HASH] = np.int64(mixed)
    mem.rows[row, R_PAGE] = page
    mem.rows[row, R_PAGE_NEXT] = mem.page_head[page]
    mem.rows[row, R_ESTIMATED_UNTIL] = mem.page_estimated[page]
    mem.page_head[page] = row + 1
    end_change(mem, row)
    return row


@inlined
def page_of(mixed: np.uint64) -> int:
    """The page of the checkpoint that a rider lies in, from his hash."""
    return np.int64(mixed >> np.uint64(PAGE_SHIFT))


@kernel
def blank_row(mem: Memory, row: int, limits: Limits) -> None:
    """A row without any evidence."""
    mem.rows[row, :] = 0
    mem.rows[row, R_STATUS] = NONE
    mem.rows[row, R_STATUS_LIMIT] = NONE
    mem.rows[row, R_STATUS_FIXED] = NONE
    mem.rows[row, R_STATUS_MOVING] = NONE
    for limit in range(limits.kind.shape[0]):
        mem.rows[row, CONTROL_WORDS + 2 * limit] = NONE
    words = state_words(limits)
    here = base_at(limits)
    blank_state(mem.rows[row, here : here + words], limits)
    blank_state(mem.rows[row, here + words : here + 2 * words], limits)
    mem.wake[row] = INF


@kernel
def grow_table(old: I64, old_hash: U64, table: I64, table_hash: U64) -> None:
    """Re-enter every rider in a larger table."""
    mask = table.shape[0] - 1
    for index in range(old.shape[0]):
        if old[index] != 0:
            slot = home_of(old_hash[index], mask)
            while table[slot] != 0:
                slot = (slot + 1) & mask
            table[slot] = old[index]
            table_hash[slot] = old_hash[index]
