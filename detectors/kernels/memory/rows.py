"""Rows of riders: blank, new, touched (words: `layout.row`)."""

from __future__ import annotations

import numpy as np

from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout import codes, misc as Misc, row as Row, state as State
from detectors.kernels.layout.arrays import Limits, Memory
from detectors.kernels.layout.values import I64, INF, NONE, PAST, U8
from detectors.kernels.memory.lookup import page_of
from detectors.kernels.memory.seqlock import begin_change, end_change


@inlined
def blank_state(state: I64, limits: Limits) -> None:
    """A rider before the first event: every clock has rested since ever."""
    state[:] = 0
    state[State.AT] = PAST
    state[State.NEXT] = INF
    state[State.ZONE] = NONE
    for clock in range(codes.CLOCK_COUNT):
        state[State.clock_at(clock) + State.CLOCK_EDGE] = PAST
    for limit in range(limits.kind.shape[0]):
        word = State.limit_at(limit)
        state[word + State.LIMIT_EPISODE] = NONE
        state[word + State.LIMIT_WINDOW_END] = PAST
        state[word + State.LIMIT_HOLD_FROM] = NONE


@inlined
def touch(mem: Memory, row: int) -> None:
    """Have the rider judged by the next `verdicts.sweeps.judge_touched`."""
    if mem.rows[row, Row.FLAGS] & Row.FLAG_TOUCHED == 0:
        mem.rows[row, Row.FLAGS] |= Row.FLAG_TOUCHED
        mem.touched[mem.misc[Misc.TOUCHED]] = row
        mem.misc[Misc.TOUCHED] += 1


@inlined
def enter_page(mem: Memory, row: int) -> None:
    """Let the row be the first of its page."""
    page = mem.rows[row, Row.PAGE]
    mem.rows[row, Row.PAGE_NEXT] = mem.page_head[page]
    mem.page_head[page] = row + 1


@kernel
def new_rider(mem: Memory, buf: U8, at: int, length: int, mixed: np.uint64, slot: int, limits: Limits) -> int:
    """Enter a rider who is not known, at the slot that `lookup.find_rider` named; the row."""
    row = mem.misc[Misc.ROWS]
    mem.misc[Misc.ROWS] = row + 1
    begin_change(mem, row)
    for i in range(length):
        mem.ids[row, i] = buf[at + i]
    mem.id_lengths[row] = length
    mem.table[slot] = row + 1
    mem.table_hash[slot] = mixed
    blank_row(mem, row, limits)
    page = page_of(mixed)
    mem.rows[row, Row.HASH] = np.int64(mixed)
    mem.rows[row, Row.PAGE] = page
    mem.rows[row, Row.ESTIMATED_UNTIL] = mem.page_estimated[page]
    enter_page(mem, row)
    end_change(mem, row)
    return row


@kernel
def blank_row(mem: Memory, row: int, limits: Limits) -> None:
    """A row without any evidence."""
    mem.rows[row, :] = 0
    mem.rows[row, Row.STATUS] = NONE
    mem.rows[row, Row.STATUS_LIMIT] = NONE
    mem.rows[row, Row.STATUS_FIXED] = NONE
    mem.rows[row, Row.STATUS_MOVING] = NONE
    for limit in range(limits.kind.shape[0]):
        mem.rows[row, Row.hold_at(limit) + Row.HOLD_FROM] = NONE
    blank_state(mem.rows[row, Row.base_at(limits) : Row.head_at(limits)], limits)
    blank_state(mem.rows[row, Row.head_at(limits) :], limits)
    mem.wake[row] = INF
