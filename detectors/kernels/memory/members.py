"""The platforms whose own a rider is, as they leave and are told again."""

from __future__ import annotations

from detectors.kernels.jit import kernel
from detectors.kernels.layout import misc as Misc, row as Row
from detectors.kernels.layout.arrays import Memory
from detectors.kernels.layout.values import I64
from detectors.kernels.memory.own_index import leave_own
from detectors.kernels.memory.seqlock import begin_change, end_change


@kernel
def drop_silent_members(mem: Memory, instant: int, found: I64) -> int:
    """Drop the platforms that have sent nothing for a rider after ``instant``; how many.

    ``found``, shape (n, 2), takes row and platform of each; the rest is left for another time.
    """
    count = 0
    for row in range(mem.misc[Misc.ROWS]):
        block = mem.rows[row, Row.MEMBERS]
        index = 0
        while index < mem.rows[row, Row.MEMBERS_N]:
            word = block + index * Row.MEMBER_WORDS
            if mem.heap[word + Row.MEMBER_LAST] > instant:
                index += 1
                continue
            if count == found.shape[0]:
                return count
            found[count, 0] = row
            found[count, 1] = mem.heap[word + Row.MEMBER_PLATFORM]
            count += 1
            mem.misc[Misc.MOVES] += 1
            begin_change(mem, row)
            leave_own(mem, row, mem.heap[word + Row.MEMBER_PLATFORM])
            last = block + (mem.rows[row, Row.MEMBERS_N] - 1) * Row.MEMBER_WORDS
            for part in range(Row.MEMBER_WORDS):
                mem.heap[word + part] = mem.heap[last + part]
            mem.rows[row, Row.MEMBERS_N] -= 1
            end_change(mem, row)
            mem.misc[Misc.MOVES] += 1
            mem.page_dirty[mem.rows[row, Row.PAGE]] = 1
    return count


@kernel
def join_again(mem: Memory, platform: int) -> None:
    """Let the next publishing tell a platform the statuses of all its riders."""
    for row in range(mem.misc[Misc.ROWS]):
        block = mem.rows[row, Row.MEMBERS]
        for index in range(mem.rows[row, Row.MEMBERS_N]):
            word = block + index * Row.MEMBER_WORDS
            if mem.heap[word + Row.MEMBER_PLATFORM] == platform:
                mem.heap[word + Row.MEMBER_TOLD] = 0
                mem.rows[row, Row.FLAGS] |= Row.FLAG_JOINED | Row.FLAG_BEHIND
