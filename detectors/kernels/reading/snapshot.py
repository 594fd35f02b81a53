"""One rider copied out of arrays that somebody else is writing.

A reader maps a store's arrays read-only, copies one rider into a small memory of its own while his
sequence number stays even, and brings him to *now* there by the same transition function.
"""

from __future__ import annotations

import numpy as np

from detectors.kernels.jit import inlined
from detectors.kernels.layout import (
    C_SPANS,
    CLOCK_WORDS,
    E_PACKED,
    EVENT_WORDS,
    I64,
    M_MOVES,
    MEMBER_LAST,
    MEMBER_PLATFORM,
    MEMBER_WORDS,
    MOST_MEMBERS,
    NEED_HEAP,
    NEED_OPEN,
    NONE,
    ORDER_WORDS,
    PLATFORM_WORDS,
    R_BASE_OPEN,
    R_ENDED,
    R_ENDED_N,
    R_EVENTS,
    R_EVENTS_N,
    R_FLAGS,
    R_HEAD_OPEN,
    R_MEMBERS,
    R_MEMBERS_N,
    R_SPANS,
    R_STATUS,
    ROW_SEEN,
    S_CLOCKS,
    S_ORDERS,
    S_PLATFORMS,
    SPAN_WORDS,
    U8,
    ZONE_MASK,
    Limits,
    Memory,
)
from detectors.kernels.layout.row import base_at, state_words
from detectors.kernels.memory.lookup import home_of, same_bytes
from detectors.kernels.memory.own_index import own_key
from detectors.kernels.memory.seqlock import fence
from detectors.kernels.reading.columns import ABSENT, BUSY, EVERYONE, FOUND, Asked, Asker, Shared

#: How often a copy is begun anew before the rider counts as busy: some ten microseconds.
TRIES = 4096

#: Room for what the asked order and the rider's own open things may yet close.
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
        moves = shared.misc[M_MOVES]
        fence()
        row = find(shared, asker, buf, at, length, key)
        if row != NONE:
            return row, True
        fence()
        if moves & 1 == 0 and shared.misc[M_MOVES] == moves:
            return NONE, True
    return NONE, False


@inlined
def copy_block(shared: Shared, mem: Memory, word: int, words: int, to: int, room: int) -> int:
    """Copy a block to ``to`` of the private heap and name it there; the next free word, or or a code."""
    offset = mem.rows[0, word]
    if words < 0 or offset < 0 or offset + words > shared.heap.shape[0]:
        return -BUSY
    if to + room > mem.heap.shape[0]:
        return -NEED_HEAP - 100
    for index in range(words):
        mem.heap[to + index] = shared.heap[offset + index]
    mem.rows[0, word] = to
    return to + room


@inlined
def open_words(state: I64) -> int:
    return state[S_ORDERS] * ORDER_WORDS + state[S_PLATFORMS] * PLATFORM_WORDS


@inlined
def copy_all(shared: Shared, row: int, mem: Memory, limits: Limits, before: int) -> int:
    """Copy the row and its blocks; FOUND, BUSY (it changed meanwhile) or an array that is too small."""
    for word in range(mem.rows.shape[1]):
        mem.rows[0, word] = shared.rows[row, word]
    fence()
    if shared.seq[row] != before or is_replaced(shared):
        # What the words name need not be blocks, or not of this heap.
        return BUSY
    words = state_words(limits)
    here = base_at(limits)
    base = mem.rows[0, here : here + words]
    head = mem.rows[0, here + words : here + 2 * words]
    events = mem.rows[0, R_EVENTS_N]
    things = max(base[S_ORDERS], head[S_ORDERS]) + 2 * max(base[S_PLATFORMS], head[S_PLATFORMS])
    if things + events + SPARE_SPANS > mem.orders.shape[0]:
        return -NEED_OPEN - 100
    to = copy_block(shared, mem, R_EVENTS, events * EVENT_WORDS, 8, events * EVENT_WORDS)
    for clock in range(3):
        word = S_CLOCKS + clock * CLOCK_WORDS + C_SPANS
        spans = max(base[word], head[word])
        room = (spans + things + 2 * events + SPARE_SPANS) * SPAN_WORDS
        if to > 0:
            to = copy_block(shared, mem, R_SPANS + clock, spans * SPAN_WORDS, to, room)
    if to > 0:
        to = copy_block(shared, mem, R_ENDED, mem.rows[0, R_ENDED_N], to, mem.rows[0, R_ENDED_N])
    if to > 0:
        to = copy_block(shared, mem, R_BASE_OPEN, open_words(base), to, open_words(base))
    if to > 0:
        to = copy_block(shared, mem, R_HEAD_OPEN, open_words(head), to, open_words(head))
    fence()
    if shared.seq[row] != before or is_replaced(shared):
        return BUSY
    if to < 0:
        return to if to != -BUSY else BUSY
    # Zones are told, not counted, and their names were not copied.
    for index in range(events):
        mem.heap[mem.rows[0, R_EVENTS] + index * EVENT_WORDS + E_PACKED] &= ~ZONE_MASK
    return FOUND


@inlined
def see(shared: Shared, row: int, asker: Asker) -> bool:
    """Whether the asker may see the rider of the row; nobody does who has had nothing but heartbeats."""
    if asker.platform == EVERYONE:
        # What has not been judged yet has made him some platform's own already.
        known = shared.rows[row, R_FLAGS] & ROW_SEEN != 0 or shared.rows[row, R_STATUS] != NONE
        return known or shared.rows[row, R_MEMBERS_N] > 0
    members = shared.rows[row, R_MEMBERS]
    count = shared.rows[row, R_MEMBERS_N]
    if members < 0 or count > MOST_MEMBERS or members + count * MEMBER_WORDS > shared.heap.shape[0]:
        return False
    for index in range(count):
        word = members + index * MEMBER_WORDS
        if shared.heap[word + MEMBER_PLATFORM] == asker.platform:
            return shared.heap[word + MEMBER_LAST] >= asker.since
    return False


@inlined
def is_asked(shared: Shared, row: int, asked: Asked, index: int) -> bool:
    """Whether the rider asked about stands in the row: rows move when others are forgotten."""
    return same_bytes(asked.buf, asked.off[index], asked.length[index], shared.ids, shared.id_lengths, row)


@inlined
def fetch_whole(
    shared: Shared, row: int, mem: Memory, limits: Limits, asked: Asked, index: int, asker: Asker
) -> int:
    """Copy the whole of a rider consistently: FOUND, ABSENT, BUSY or an array that is too small."""
    for _ in range(TRIES):
        if is_replaced(shared):
            return BUSY
        before = shared.seq[row]
        if before & 1 == 1:
            continue
        fence()
        here = is_asked(shared, row, asked, index)
        seen = here and see(shared, row, asker)
        found = copy_all(shared, row, mem, limits, before) if seen else ABSENT
        fence()
        if shared.seq[row] == before and here and found != BUSY:
            return found
    return BUSY
