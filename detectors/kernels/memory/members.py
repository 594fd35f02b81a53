"""The platforms that have sent events for a rider."""

from __future__ import annotations

from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout import misc as Misc, row as Row
from detectors.kernels.layout.arrays import Memory
from detectors.kernels.layout.values import I64, MOST_MEMBERS
from detectors.kernels.memory import blocks
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
            begin_change(mem, row)
            last = block + (mem.rows[row, Row.MEMBERS_N] - 1) * Row.MEMBER_WORDS
            for part in range(Row.MEMBER_WORDS):
                mem.heap[word + part] = mem.heap[last + part]
            mem.rows[row, Row.MEMBERS_N] -= 1
            end_change(mem, row)
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


@inlined
def remember_member(mem: Memory, row: int, platform: int, event: int) -> bool:
    """Note that a platform has sent an event for the rider; False when the heap is too small."""
    block = mem.rows[row, Row.MEMBERS]
    for index in range(mem.rows[row, Row.MEMBERS_N]):
        word = block + index * Row.MEMBER_WORDS
        if mem.heap[word + Row.MEMBER_PLATFORM] == platform:
            mem.heap[word + Row.MEMBER_LAST] = max(mem.heap[word + Row.MEMBER_LAST], event)
            return True
    return new_member(mem, row, platform, event)


@kernel
def new_member(mem: Memory, row: int, platform: int, event: int) -> bool:
    count = mem.rows[row, Row.MEMBERS_N]
    if count < MOST_MEMBERS:
        wanted = (count + 1) * Row.MEMBER_WORDS
        if not blocks.reserve(mem, row, Row.MEMBERS, Row.MEMBERS_CLASS, count * Row.MEMBER_WORDS, wanted):
            return False
        place = mem.rows[row, Row.MEMBERS] + count * Row.MEMBER_WORDS
        mem.rows[row, Row.MEMBERS_N] = count + 1
    else:
        place = mem.rows[row, Row.MEMBERS]
        for index in range(count):
            word = mem.rows[row, Row.MEMBERS] + index * Row.MEMBER_WORDS
            if mem.heap[word + Row.MEMBER_LAST] < mem.heap[place + Row.MEMBER_LAST]:
                place = word
    mem.heap[place + Row.MEMBER_PLATFORM] = platform
    mem.heap[place + Row.MEMBER_LAST] = event
    mem.heap[place + Row.MEMBER_TOLD] = 0
    mem.rows[row, Row.FLAGS] |= Row.FLAG_JOINED
    return True
