"""The platforms whose own a rider is, as they leave and are told again."""

from __future__ import annotations

from detectors.kernels.jit import kernel
from detectors.kernels.layout import (
    I64,
    M_MOVES,
    M_ROWS,
    MEMBER_LAST,
    MEMBER_PLATFORM,
    MEMBER_TOLD,
    MEMBER_WORDS,
    R_FLAGS,
    R_MEMBERS,
    R_MEMBERS_N,
    R_PAGE,
    ROW_BEHIND,
    ROW_JOINED,
    Memory,
)
from detectors.kernels.memory.own_index import leave_own
from detectors.kernels.memory.seqlock import begin_change, end_change


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
            mem.misc[M_MOVES] += 1
            begin_change(mem, row)
            leave_own(mem, row, mem.heap[word + MEMBER_PLATFORM])
            last = block + (mem.rows[row, R_MEMBERS_N] - 1) * MEMBER_WORDS
            for part in range(MEMBER_WORDS):
                mem.heap[word + part] = mem.heap[last + part]
            mem.rows[row, R_MEMBERS_N] -= 1
            end_change(mem, row)
            mem.misc[M_MOVES] += 1
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
