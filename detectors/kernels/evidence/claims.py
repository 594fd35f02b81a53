"""The platforms whose own a rider is: by orders, sessions and breaks, not by a heartbeat (CONTRACT 2)."""

from __future__ import annotations

from detectors.kernels.evidence.events import Unsealed, is_void_already
from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout import codes, event as Event, misc as Misc, row as Row
from detectors.kernels.layout.arrays import Memory
from detectors.kernels.layout.values import INF, MOST_MEMBERS, NONE, PAST
from detectors.kernels.memory import blocks
from detectors.kernels.memory.own_index import enter_own, leave_own


@inlined
def member_word(mem: Memory, row: int, platform: int) -> int:
    """The word at which a platform of the rider's stands; NONE where it is none of his."""
    for index in range(mem.rows[row, Row.MEMBERS_N]):
        word = mem.rows[row, Row.MEMBERS] + index * Row.MEMBER_WORDS
        if mem.heap[word + Row.MEMBER_PLATFORM] == platform:
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
    elif event > mem.heap[word + Row.MEMBER_LAST] + keep:
        # It had ceased to be its own: nothing from before the pause is shown, and his status is told anew.
        mem.heap[word + Row.MEMBER_FIRST] = event
        mem.heap[word + Row.MEMBER_TOLD] = 0
        mem.rows[row, Row.FLAGS] |= Row.FLAG_JOINED
    mem.heap[word + Row.MEMBER_FIRST] = min(mem.heap[word + Row.MEMBER_FIRST], event)
    mem.heap[word + Row.MEMBER_LAST] = max(mem.heap[word + Row.MEMBER_LAST], event)
    if Event.is_one_of(kind, codes.OF_ORDERS):
        mem.heap[word + Row.MEMBER_ORDER] = max(mem.heap[word + Row.MEMBER_ORDER], event)
    return True


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
        mem.misc[Misc.MOVES] += 1
        leave_own(mem, row, mem.heap[place + Row.MEMBER_PLATFORM])
        mem.misc[Misc.MOVES] += 1
    mem.heap[place + Row.MEMBER_PLATFORM] = platform
    mem.heap[place + Row.MEMBER_FIRST] = event
    mem.heap[place + Row.MEMBER_LAST] = event
    mem.heap[place + Row.MEMBER_ORDER] = PAST
    mem.heap[place + Row.MEMBER_TOLD] = 0
    mem.rows[row, Row.FLAGS] |= Row.FLAG_JOINED
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
    block = mem.rows[row, Row.EVENTS]
    for index in range(mem.rows[row, Row.EVENTS_N]):
        place = block + index * Event.WORDS
        at, packed = mem.heap[place + Event.AT], mem.heap[place + Event.PACKED]
        kind = Event.type_of(packed)
        if (
            Event.platform_of(packed) != platform
            or kind == codes.HEARTBEAT
            or (packed >> Event.REAL_SHIFT) & 1 == 0
        ):
            continue
        order, identity = mem.heap[place + Event.ORDER], mem.heap[place + Event.ID]
        if is_void_already(mem, row, Unsealed(at, order, packed, identity), index):
            continue
        earliest, latest = min(earliest, at), max(latest, at)
        if Event.is_one_of(kind, codes.OF_ORDERS):
            ordered = max(ordered, at)
    if mem.heap[word + Row.MEMBER_FIRST] <= sealed:
        earliest = mem.heap[word + Row.MEMBER_FIRST]
        latest = max(latest, min(mem.heap[word + Row.MEMBER_LAST], sealed))
    if mem.heap[word + Row.MEMBER_ORDER] <= sealed:
        ordered = max(ordered, mem.heap[word + Row.MEMBER_ORDER])
    mem.heap[word + Row.MEMBER_FIRST] = earliest
    mem.heap[word + Row.MEMBER_LAST] = latest
    mem.heap[word + Row.MEMBER_ORDER] = ordered
