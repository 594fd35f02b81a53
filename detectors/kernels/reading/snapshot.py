"""One rider copied out of arrays that somebody else is writing.

A reader maps a store's arrays read-only and copies one rider into row 0 of a small memory of its own while
the rider's sequence number stays even (`kernels.memory.seqlock`). Results are codes: DONE, ABSENT, BUSY (it
was being changed), or an array of the private memory that is too small.
"""

from __future__ import annotations

import numpy as np

from detectors.kernels.jit import inlined
from detectors.kernels.layout import (
    codes,
    event as Event,
    misc as Misc,
    open as Open,
    row as Row,
    state as State,
)
from detectors.kernels.layout.arrays import Limits, Memory
from detectors.kernels.layout.values import MOST_MEMBERS, NONE, U8
from detectors.kernels.memory import blocks
from detectors.kernels.memory.lookup import home_of, same_bytes
from detectors.kernels.memory.own_index import own_key
from detectors.kernels.memory.seqlock import fence
from detectors.kernels.reading.columns import EVERYONE, Asked, Asker, Question, Shared

#: How often a copy is begun anew before the rider counts as busy: some ten microseconds.
TRIES = 4096

#: Room for the spans that the asked order and what the rider has open may yet close.
SPARE_SPANS = 8


@inlined
def is_replaced(shared: Shared) -> bool:
    """Whether some of the arrays are no longer those in use; what was read before is whole all the same."""
    return shared.turn[0] != shared.at_turn


@inlined
def key_of(mixed: np.uint64, asker: Asker) -> np.uint64:
    """What a rider is looked up by in the asker's table."""
    return mixed if asker.platform == EVERYONE else own_key(mixed, asker.platform)


@inlined
def likely_row(shared: Shared, asker: Asker, key: np.uint64, slot: int) -> tuple[int, int]:
    """The first row from a slot on that is entered under a key, and its slot; NONE where there is a gap.

    A platform's questions see the table of own riders only. Bounded, for the table may be changing.
    """
    everyone = asker.platform == EVERYONE
    table = shared.table if everyone else shared.own
    hashes = shared.table_hash if everyone else shared.own_hash
    mask = table.shape[0] - 1
    slot &= mask
    for _ in range(mask + 1):
        row = table[slot] - 1
        if row == NONE or (hashes[slot] == key and row < shared.rows.shape[0]):
            return row, slot
        slot = (slot + 1) & mask
    return NONE, slot


@inlined
def first_row(shared: Shared, asker: Asker, key: np.uint64) -> tuple[int, int]:
    """`likely_row` from where a key is looked for first."""
    return likely_row(shared, asker, key, home_of(key, np.int64(0x7FFFFFFFFFFFFFFF)))


@inlined
def find(shared: Shared, asker: Asker, buf: U8, at: int, length: int, key: np.uint64) -> int:
    """Row of a rider; NONE when he is not in the asker's table."""
    row, slot = first_row(shared, asker, key)
    for _ in range(shared.table.shape[0]):
        if row == NONE or same_bytes(buf, at, length, shared.ids, shared.id_lengths, row):
            return row
        row, slot = likely_row(shared, asker, key, slot + 1)
    return NONE


@inlined
def find_settled(
    shared: Shared, asker: Asker, buf: U8, at: int, length: int, mixed: np.uint64
) -> tuple[int, bool]:
    """Row of a rider, and whether that may be relied on: rows move when riders are forgotten."""
    key = key_of(mixed, asker)
    for _ in range(TRIES):
        moves = shared.misc[Misc.MOVES]
        fence()
        row = find(shared, asker, buf, at, length, key)
        if row != NONE:
            return row, True
        fence()
        if moves & 1 == 0 and shared.misc[Misc.MOVES] == moves:
            return NONE, True
    return NONE, False


@inlined
def copy_block(shared: Shared, mem: Memory, word: int, words: int, to: int, room: int) -> tuple[int, int]:
    """Copy a block to ``to`` of the private heap and name it there; a result, and the next free word."""
    offset = mem.rows[0, word]
    if words < 0 or offset < 0 or offset + words > shared.heap.shape[0]:
        return codes.BUSY, to
    if to + room > mem.heap.shape[0]:
        return codes.NEED_HEAP, to
    for index in range(words):
        mem.heap[to + index] = shared.heap[offset + index]
    mem.rows[0, word] = to
    return codes.DONE, to + room


@inlined
def copy_blocks(shared: Shared, mem: Memory, limits: Limits, things: int) -> int:
    """Copy the blocks of the row that has been copied; ``things``: how many open things may close spans."""
    base, head = mem.rows[0, Row.base_at(limits) : Row.head_at(limits)], mem.rows[0, Row.head_at(limits) :]
    events, ended = mem.rows[0, Row.EVENTS_N], mem.rows[0, Row.ENDED_N]
    words = events * Event.WORDS
    result, to = copy_block(shared, mem, Row.EVENTS, words, blocks.SMALLEST, words)
    for clock in range(codes.CLOCK_COUNT):
        word = State.clock_at(clock) + State.CLOCK_SPANS
        spans = max(base[word], head[word])
        room = (spans + things + 2 * events + SPARE_SPANS) * State.SPAN_WORDS
        if result == codes.DONE:
            result, to = copy_block(shared, mem, Row.SPANS + clock, spans * State.SPAN_WORDS, to, room)
    if result == codes.DONE:
        result, to = copy_block(shared, mem, Row.ENDED, ended, to, ended)
    if result == codes.DONE:
        result, to = copy_block(shared, mem, Row.BASE_OPEN, Open.open_words(base), to, Open.open_words(base))
    if result == codes.DONE:
        result, to = copy_block(shared, mem, Row.HEAD_OPEN, Open.open_words(head), to, Open.open_words(head))
    return result


@inlined
def copy_all(shared: Shared, row: int, mem: Memory, limits: Limits, before: int) -> int:
    """Copy the row and its blocks; a result."""
    for word in range(mem.rows.shape[1]):
        mem.rows[0, word] = shared.rows[row, word]
    fence()
    if shared.seq[row] != before or is_replaced(shared):
        # What the words name need not be blocks, or not of this heap.
        return codes.BUSY
    base, head = mem.rows[0, Row.base_at(limits) : Row.head_at(limits)], mem.rows[0, Row.head_at(limits) :]
    events = mem.rows[0, Row.EVENTS_N]
    platforms = max(base[State.PLATFORMS], head[State.PLATFORMS])
    things = max(base[State.ORDERS], head[State.ORDERS]) + 3 * platforms
    if things + events + SPARE_SPANS > mem.orders.shape[0]:
        return codes.NEED_OPEN
    result = copy_blocks(shared, mem, limits, things)
    fence()
    if shared.seq[row] != before or is_replaced(shared):
        return codes.BUSY
    if result != codes.DONE:
        return result
    if limits.gates.shape[1] > 1:
        # What is on depends on zones, and who asks knows their names.
        return codes.DONE
    # Zones are told, not counted, and their names were not copied.
    for index in range(events):
        mem.heap[mem.rows[0, Row.EVENTS] + index * Event.WORDS + Event.PACKED] &= ~Event.ZONE_MASK
    return codes.DONE


@inlined
def may_see(shared: Shared, row: int, asker: Asker) -> bool:
    """Whether the asker is shown the rider; nobody is who has had nothing but heartbeats."""
    if asker.platform == EVERYONE:
        # What has not been judged yet has made the rider some platform's own already.
        known = shared.rows[row, Row.FLAGS] & Row.FLAG_SEEN != 0 or shared.rows[row, Row.STATUS] != NONE
        return known or shared.rows[row, Row.MEMBERS_N] > 0
    members = shared.rows[row, Row.MEMBERS]
    count = shared.rows[row, Row.MEMBERS_N]
    if members < 0 or count > MOST_MEMBERS or members + count * Row.MEMBER_WORDS > shared.heap.shape[0]:
        return False
    for index in range(count):
        word = members + index * Row.MEMBER_WORDS
        if shared.heap[word + Row.MEMBER_PLATFORM] == asker.platform:
            return shared.heap[word + Row.MEMBER_LAST] >= asker.since
    return False


@inlined
def is_asked(shared: Shared, row: int, asked: Asked, index: int) -> bool:
    """Whether the rider asked about stands in the row: rows move when others are forgotten."""
    return same_bytes(asked.buf, asked.off[index], asked.length[index], shared.ids, shared.id_lengths, row)


@inlined
def copy_rider(shared: Shared, row: int, mem: Memory, limits: Limits, question: Question, index: int) -> int:
    """Copy the whole of a rider consistently; a result, ABSENT for one whom the asker is not shown too."""
    for _ in range(TRIES):
        if is_replaced(shared):
            return codes.BUSY
        before = shared.seq[row]
        if before & 1 == 1:
            continue
        fence()
        here = is_asked(shared, row, question.asked, index)
        seen = here and may_see(shared, row, question.asker)
        found = copy_all(shared, row, mem, limits, before) if seen else codes.ABSENT
        fence()
        if shared.seq[row] == before and here and found != codes.BUSY:
            return found
    return codes.BUSY
