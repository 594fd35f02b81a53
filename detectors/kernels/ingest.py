"""Take decoded events into the riders' evidence: refuse what came too late, keep the set."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from detectors.kernels import heap
from detectors.kernels.jit import inlined, kernel
from detectors.kernels.judge import base_at, state_words
from detectors.kernels.layout import (
    DONE,
    E_ID,
    E_ORDER,
    E_PACKED,
    E_T,
    EVENT_WORDS,
    FINALITY_SLACK_S,
    FLAG_CONFIRMED,
    FLAG_VOID,
    FLOOD,
    FLOOD_EVENTS,
    FORGOTTEN,
    FUTURE,
    I64,
    M_PLATFORMS,
    M_ROWS,
    M_TOUCHED,
    M_ZONES,
    MEMBER_LAST,
    MEMBER_PLATFORM,
    MEMBER_TOLD,
    MEMBER_WORDS,
    MISPLACED,
    MISPLACED_TWICE,
    MOST_MEMBERS,
    NEED_HEAP,
    NEED_ROWS,
    NEW,
    NONE,
    PACK_CONFIRMED,
    PACK_PLATFORM,
    PACK_REAL,
    PACK_TYPE,
    PAST,
    R_EVENTS,
    R_EVENTS_CLASS,
    R_EVENTS_N,
    R_FLAGS,
    R_FORGOTTEN_MS,
    R_LAST_EVENT,
    R_MEMBERS,
    R_MEMBERS_CLASS,
    R_MEMBERS_N,
    REFUSED_BEFORE,
    REPEATED,
    ROW_DIRTY,
    ROW_JOINED,
    ROW_TOUCHED,
    S_T,
    SEALED,
    TOO_LATE,
    U8,
    U64,
    Limits,
    Memory,
    Rules,
)
from detectors.kernels.sequence import begin_change, end_change
from detectors.kernels.table import find_rider, intern, new_rider, page_of
from detectors.kernels.warm import BLOCK, warm_lookups

FUTURE_MS = 300_000


class Arrivals(NamedTuple):
    """Decoded events as columns over one buffer; one entry per record, in order of arrival."""

    buf: U8
    status: np.ndarray  # int8, 0 = an event
    offset: I64
    arrival_ms: I64
    hop: np.ndarray  # int8
    event_s: I64
    type: np.ndarray  # int8
    flags: U8
    rider_off: I64
    rider_len: U8
    rider_murmur: I64
    rider_hash: U64
    platform_off: I64
    platform_len: U8
    order_hash: U64
    event_hash: U64
    zone_off: I64
    zone_len: U8


class Place(NamedTuple):
    """Which partition of how many is read, and how lateness is measured."""

    partition: int
    partitions: int
    event_clock: int
    bounded: int  # 0: nothing is future, too late or a flood (replay)


@inlined
def compare(mem: Memory, word: int, event: int, order: int, packed: int, identity: int) -> int:
    """Order of the event stored at ``word`` against another: -1, 0, 1."""
    if mem.heap[word + E_T] != event:
        return -1 if mem.heap[word + E_T] < event else 1
    if mem.heap[word + E_ORDER] != order:
        return -1 if mem.heap[word + E_ORDER] < order else 1
    if mem.heap[word + E_PACKED] != packed:
        return -1 if mem.heap[word + E_PACKED] < packed else 1
    if mem.heap[word + E_ID] != identity:
        return -1 if mem.heap[word + E_ID] < identity else 1
    return 0


@inlined
def place_of(mem: Memory, row: int, event: int, order: int, packed: int, identity: int) -> tuple[int, bool]:
    """Where an event belongs among the rider's unsealed ones, and whether it is there already."""
    block = mem.rows[row, R_EVENTS]
    high = mem.rows[row, R_EVENTS_N]
    if high == 0:
        return 0, False
    last = compare(mem, block + (high - 1) * EVENT_WORDS, event, order, packed, identity)
    if last <= 0:
        return (high, False) if last < 0 else (high - 1, True)
    low = 0
    while low < high:
        middle = (low + high) // 2
        side = compare(mem, block + middle * EVENT_WORDS, event, order, packed, identity)
        if side == 0:
            return middle, True
        if side < 0:
            low = middle + 1
        else:
            high = middle
    return low, False


@inlined
def not_final(mem: Memory, row: int, now: int, rules: Rules) -> int:
    """How many of the rider's events are not final at ``now``."""
    block = mem.rows[row, R_EVENTS]
    bound = now - rules.lateness - FINALITY_SLACK_S
    low, high = 0, mem.rows[row, R_EVENTS_N]
    count = high
    while low < high:
        middle = (low + high) // 2
        if mem.heap[block + middle * EVENT_WORDS + E_T] < bound:
            low = middle + 1
        else:
            high = middle
    return count - low


@kernel
def keep_event(
    mem: Memory, row: int, limits: Limits, event: int, order: int, packed: int, identity: int, place: int
) -> None:
    """Insert an event at its place; room was reserved."""
    block = mem.rows[row, R_EVENTS]
    count = mem.rows[row, R_EVENTS_N]
    for word in range(count * EVENT_WORDS - 1, place * EVENT_WORDS - 1, -1):
        mem.heap[block + EVENT_WORDS + word] = mem.heap[block + word]
    word = block + place * EVENT_WORDS
    mem.heap[word + E_T] = event
    mem.heap[word + E_ORDER] = order
    mem.heap[word + E_PACKED] = packed
    mem.heap[word + E_ID] = identity
    mem.rows[row, R_EVENTS_N] = count + 1
    head = base_at(limits) + state_words(limits)
    if event <= mem.rows[row, head + S_T]:
        mem.rows[row, R_FLAGS] |= ROW_DIRTY
    mem.rows[row, R_LAST_EVENT] = max(mem.rows[row, R_LAST_EVENT], event)
    if mem.rows[row, R_FLAGS] & ROW_TOUCHED == 0:
        mem.rows[row, R_FLAGS] |= ROW_TOUCHED
        mem.touched[mem.misc[M_TOUCHED]] = row
        mem.misc[M_TOUCHED] += 1


@inlined
def remember_member(mem: Memory, row: int, platform: int, event: int) -> bool:
    """Note that a platform has sent an event for the rider; False when the heap is too small."""
    block = mem.rows[row, R_MEMBERS]
    for index in range(mem.rows[row, R_MEMBERS_N]):
        word = block + index * MEMBER_WORDS
        if mem.heap[word + MEMBER_PLATFORM] == platform:
            mem.heap[word + MEMBER_LAST] = max(mem.heap[word + MEMBER_LAST], event)
            return True
    return new_member(mem, row, platform, event)


@kernel
def new_member(mem: Memory, row: int, platform: int, event: int) -> bool:
    count = mem.rows[row, R_MEMBERS_N]
    if count < MOST_MEMBERS:
        wanted = (count + 1) * MEMBER_WORDS
        if not heap.reserve(mem, row, R_MEMBERS, R_MEMBERS_CLASS, count * MEMBER_WORDS, wanted):
            return False
        place = mem.rows[row, R_MEMBERS] + count * MEMBER_WORDS
        mem.rows[row, R_MEMBERS_N] = count + 1
    else:
        place = mem.rows[row, R_MEMBERS]
        for index in range(count):
            word = mem.rows[row, R_MEMBERS] + index * MEMBER_WORDS
            if mem.heap[word + MEMBER_LAST] < mem.heap[place + MEMBER_LAST]:
                place = word
    mem.heap[place + MEMBER_PLATFORM] = platform
    mem.heap[place + MEMBER_LAST] = event
    mem.heap[place + MEMBER_TOLD] = 0
    mem.rows[row, R_FLAGS] |= ROW_JOINED
    return True


@inlined
def pack(mem: Memory, cols: Arrivals, i: int) -> int:
    """Platform, type, flags and zone of an event in one word; NONE when a table of names is full."""
    platform = intern(
        mem, cols.buf, cols.platform_off[i], cols.platform_len[i],
        mem.platform_table, mem.platforms, mem.platform_lengths, M_PLATFORMS,
    )  # fmt: skip
    zone = NONE
    if cols.zone_len[i] > 0:
        zone = intern(
            mem, cols.buf, cols.zone_off[i], cols.zone_len[i],
            mem.zone_table, mem.zones, mem.zone_lengths, M_ZONES,
        )  # fmt: skip
        if zone == NONE:
            return NONE
    if platform == NONE:
        return NONE
    real = 0 if cols.flags[i] & FLAG_VOID != 0 else 1
    confirmed = 1 if cols.flags[i] & FLAG_CONFIRMED != 0 else 0
    packed = (np.int64(platform) << PACK_PLATFORM) | (np.int64(cols.type[i]) << PACK_TYPE)
    return packed | (real << PACK_REAL) | (confirmed << PACK_CONFIRMED) | (zone + 1)


@inlined
def refusal(cols: Arrivals, i: int, now_s: int, rules: Rules, place: Place) -> int:
    """NEW when the event may be believed where it lies, else why not."""
    event_ms = cols.event_s[i] * 1000
    measured_ms = cols.arrival_ms[i]
    if place.event_clock == 1:
        if cols.hop[i] == 0:
            measured_ms = now_s * 1000 if now_s > PAST else event_ms
    elif event_ms > measured_ms + FUTURE_MS:
        return FUTURE
    if measured_ms - event_ms > rules.lateness * 1000:
        return TOO_LATE
    return NEW


@inlined
def ingest_one(
    mem: Memory, cols: Arrivals, i: int, limits: Limits, rules: Rules, place: Place, now_s: int
) -> tuple[int, int]:
    """Take one event in; whether an array is too small, and what became of the event."""
    if place.bounded == 1:
        code = refusal(cols, i, now_s, rules, place)
        if code != NEW:
            return DONE, code
    if cols.rider_murmur[i] % place.partitions != place.partition:
        return DONE, MISPLACED_TWICE if cols.hop[i] == 1 else MISPLACED
    if cols.offset[i] < mem.page_from[page_of(cols.rider_hash[i])]:
        # Read again after a restart: the page was packed with it, or with the reason to refuse it.
        return DONE, REPEATED
    packed = pack(mem, cols, i)
    if packed == NONE:
        return NEED_ROWS, NEW
    at, length = cols.rider_off[i], np.int64(cols.rider_len[i])
    row, slot = find_rider(mem, cols.buf, at, length, cols.rider_hash[i])
    if row == NONE:
        if mem.misc[M_ROWS] >= mem.rows.shape[0]:
            return NEED_ROWS, NEW
        row = new_rider(mem, cols.buf, at, length, cols.rider_hash[i], slot, limits)
    event = cols.event_s[i]
    if cols.arrival_ms[i] < mem.rows[row, R_FORGOTTEN_MS]:
        return DONE, FORGOTTEN
    if event <= mem.rows[row, base_at(limits) + S_T]:
        return DONE, SEALED
    order, identity = np.int64(cols.order_hash[i]), np.int64(cols.event_hash[i])
    index, known = place_of(mem, row, event, order, packed, identity)
    if known:
        return DONE, REPEATED
    count = mem.rows[row, R_EVENTS_N]
    if place.bounded == 1 and count >= FLOOD_EVENTS and not_final(mem, row, now_s, rules) >= FLOOD_EVENTS:
        return DONE, FLOOD
    wanted = (count + 1) * EVENT_WORDS
    begin_change(mem, row)
    room = heap.reserve(mem, row, R_EVENTS, R_EVENTS_CLASS, count * EVENT_WORDS, wanted)
    room = room and remember_member(mem, row, packed >> PACK_PLATFORM, event)
    if room:
        keep_event(mem, row, limits, event, order, packed, identity, index)
    end_change(mem, row)
    return DONE if room else NEED_HEAP, NEW


@kernel
def ingest(
    mem: Memory, cols: Arrivals, start: int, limits: Limits, rules: Rules, place: Place, now_s: int, codes: U8
) -> tuple[int, int, int]:
    """Take the events from index ``start`` in, one after another.

    Returns whether an array is too small, the index reached and *now* after it: the latest arrival
    (wall clock) or the latest event time accepted (event clock). ``codes`` says what became of each.
    """
    count = cols.status.shape[0]
    base = base_at(limits)
    for i in range(start, count):
        if (i - start) % BLOCK == 0:
            warm_lookups(
                mem, cols.rider_hash, i, min(i + BLOCK, count), mem.breaches, base, base + state_words(limits)
            )
        if place.event_clock == 0 and cols.hop[i] == 0:
            now_s = max(now_s, cols.arrival_ms[i] // 1000)
        if cols.status[i] != 0:
            codes[i] = REFUSED_BEFORE
            continue
        result, code = ingest_one(mem, cols, i, limits, rules, place, now_s)
        if result != DONE:
            return result, i, now_s
        codes[i] = code
        if place.event_clock == 1 and (code == NEW or code == REPEATED):
            now_s = max(now_s, cols.event_s[i])
        elif place.event_clock == 1 and code == MISPLACED:
            # What its lateness is measured by where it is forwarded to.
            cols.arrival_ms[i] = max(now_s, cols.event_s[i]) * 1000
    return DONE, cols.status.shape[0], now_s
