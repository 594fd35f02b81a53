"""The platforms whose own a rider is: by orders, sessions and breaks, not by a heartbeat (CONTRACT 2)."""

from __future__ import annotations

from detectors.kernels.evidence.insert import is_void_already
from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout import (
    ACCEPTED,
    CANCELLED,
    E_ORDER,
    E_PACKED,
    E_T,
    EVENT_WORDS,
    HEARTBEAT,
    INF,
    M_MOVES,
    MEMBER_FIRST,
    MEMBER_LAST,
    MEMBER_ORDER,
    MEMBER_PLATFORM,
    MEMBER_TOLD,
    MEMBER_WORDS,
    MOST_MEMBERS,
    NONE,
    PACK_PLATFORM,
    PACK_REAL,
    PACK_TYPE,
    PAST,
    R_EVENTS,
    R_EVENTS_N,
    R_FLAGS,
    R_MEMBERS,
    R_MEMBERS_CLASS,
    R_MEMBERS_N,
    ROW_JOINED,
    Memory,
)
from detectors.kernels.memory import blocks
from detectors.kernels.memory.own_index import enter_own, leave_own


@inlined
def is_order(kind: int) -> bool:
    """Whether a type of event is one of an order's."""
    return ACCEPTED <= kind <= CANCELLED


@inlined
def member_word(mem: Memory, row: int, platform: int) -> int:
    """The word at which a platform of the rider's stands; NONE where it is none of his."""
    for index in range(mem.rows[row, R_MEMBERS_N]):
        word = mem.rows[row, R_MEMBERS] + index * MEMBER_WORDS
        if mem.heap[word + MEMBER_PLATFORM] == platform:
            return word
    return NONE


@inlined
def remember_member(mem: Memory, row: int, platform: int, kind: int, event: int, keep: int) -> bool:
    """Note that a platform claims the rider by an event; False when the heap is too small.

    Precondition: the event is neither a heartbeat nor void; the index of own riders is not full.
    """
    word = member_word(mem, row, platform)
    if word == NONE:
        if not new_member(mem, row, platform, event):
            return False
        word = member_word(mem, row, platform)
    elif event > mem.heap[word + MEMBER_LAST] + keep:
        # It had ceased to be its own: nothing from before the pause is shown, and his status is told anew.
        mem.heap[word + MEMBER_FIRST] = event
        mem.heap[word + MEMBER_TOLD] = 0
        mem.rows[row, R_FLAGS] |= ROW_JOINED
    mem.heap[word + MEMBER_FIRST] = min(mem.heap[word + MEMBER_FIRST], event)
    mem.heap[word + MEMBER_LAST] = max(mem.heap[word + MEMBER_LAST], event)
    if is_order(kind):
        mem.heap[word + MEMBER_ORDER] = max(mem.heap[word + MEMBER_ORDER], event)
    return True


@kernel
def new_member(mem: Memory, row: int, platform: int, event: int) -> bool:
    count = mem.rows[row, R_MEMBERS_N]
    if count < MOST_MEMBERS:
        wanted = (count + 1) * MEMBER_WORDS
        if not blocks.reserve(mem, row, R_MEMBERS, R_MEMBERS_CLASS, count * MEMBER_WORDS, wanted):
            return False
        place = mem.rows[row, R_MEMBERS] + count * MEMBER_WORDS
        mem.rows[row, R_MEMBERS_N] = count + 1
    else:
        place = mem.rows[row, R_MEMBERS]
        for index in range(count):
            word = mem.rows[row, R_MEMBERS] + index * MEMBER_WORDS
            if mem.heap[word + MEMBER_LAST] < mem.heap[place + MEMBER_LAST]:
                place = word
        mem.misc[M_MOVES] += 1
        leave_own(mem, row, mem.heap[place + MEMBER_PLATFORM])
        mem.misc[M_MOVES] += 1
    mem.heap[place + MEMBER_PLATFORM] = platform
    mem.heap[place + MEMBER_FIRST] = event
    mem.heap[place + MEMBER_LAST] = event
    mem.heap[place + MEMBER_ORDER] = PAST
    mem.heap[place + MEMBER_TOLD] = 0
    mem.rows[row, R_FLAGS] |= ROW_JOINED
    enter_own(mem, row, platform)
    return True


@kernel
def claim_anew(mem: Memory, row: int, platform: int, sealed: int) -> None:
    """Let a platform claim the rider by what has not been taken back: a void has come.

    What is sealed can no longer be taken back: the first claim is known exactly, the last one as not after
    the sealed point. Where nothing is left the platform counts as silent since ever, and is dropped as such.
    """
    word = member_word(mem, row, platform)
    if word == NONE:
        return
    earliest, latest, ordered = INF, PAST, PAST
    block = mem.rows[row, R_EVENTS]
    for index in range(mem.rows[row, R_EVENTS_N]):
        place = block + index * EVENT_WORDS
        at, packed = mem.heap[place + E_T], mem.heap[place + E_PACKED]
        kind = (packed >> PACK_TYPE) & 15
        if packed >> PACK_PLATFORM != platform or kind == HEARTBEAT or (packed >> PACK_REAL) & 1 == 0:
            continue
        if is_void_already(mem, row, at, mem.heap[place + E_ORDER], packed, index):
            continue
        earliest, latest = min(earliest, at), max(latest, at)
        if is_order(kind):
            ordered = max(ordered, at)
    if mem.heap[word + MEMBER_FIRST] <= sealed:
        earliest = mem.heap[word + MEMBER_FIRST]
        latest = max(latest, min(mem.heap[word + MEMBER_LAST], sealed))
    if mem.heap[word + MEMBER_ORDER] <= sealed:
        ordered = max(ordered, mem.heap[word + MEMBER_ORDER])
    mem.heap[word + MEMBER_FIRST] = earliest
    mem.heap[word + MEMBER_LAST] = latest
    mem.heap[word + MEMBER_ORDER] = ordered
