"""Rows of riders, blank and new."""

from __future__ import annotations

import numpy as np

from detectors.kernels.jit import inlined, kernel
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
    Limits,
    Memory,
)
from detectors.kernels.layout.row import base_at, state_words
from detectors.kernels.memory.lookup import page_of
from detectors.kernels.memory.seqlock import begin_change, end_change


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
