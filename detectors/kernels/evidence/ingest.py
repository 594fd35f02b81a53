"""Take decoded events into the riders' evidence: refuse what came too late, keep the set."""

from __future__ import annotations

import numpy as np

from detectors.kernels.evidence.arrivals import Arrivals, Place
from detectors.kernels.evidence.claims import claim_anew, remember_member
from detectors.kernels.evidence.insert import is_void_already, keep_event, place_of
from detectors.kernels.evidence.refusal import not_final, refusal
from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout import (
    DONE,
    EVENT_WORDS,
    FLAG_CONFIRMED,
    FLAG_VOID,
    FLOOD,
    FLOOD_EVENTS,
    FORGOTTEN,
    HEARTBEAT,
    M_PLATFORMS,
    M_ROWS,
    M_ZONES,
    MISPLACED,
    MISPLACED_TWICE,
    NEED_HEAP,
    NEED_ROWS,
    NEW,
    NONE,
    PACK_CONFIRMED,
    PACK_PLATFORM,
    PACK_REAL,
    PACK_TYPE,
    R_EVENTS,
    R_EVENTS_CLASS,
    R_EVENTS_N,
    R_FORGOTTEN_MS,
    REFUSED_BEFORE,
    REPEATED,
    S_T,
    SEALED,
    U8,
    Limits,
    Memory,
    Rules,
)
from detectors.kernels.layout.row import base_at, state_words
from detectors.kernels.memory import blocks
from detectors.kernels.memory.lookup import find_rider, page_of
from detectors.kernels.memory.names import intern
from detectors.kernels.memory.own_index import is_full
from detectors.kernels.memory.prefetch import BLOCK, warm_lookups
from detectors.kernels.memory.rows import new_rider
from detectors.kernels.memory.seqlock import begin_change, end_change


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
    if packed == NONE or is_full(mem):
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
    room = blocks.reserve(mem, row, R_EVENTS, R_EVENTS_CLASS, count * EVENT_WORDS, wanted)
    platform, kind = packed >> PACK_PLATFORM, np.int64(cols.type[i])
    void = (packed >> PACK_REAL) & 1 == 0
    if room and not void and kind != HEARTBEAT and not is_void_already(mem, row, event, order, packed, index):
        room = remember_member(mem, row, platform, kind, event, rules.keep)
    if room:
        keep_event(mem, row, limits, event, order, packed, identity, index)
        if void:
            claim_anew(mem, row, platform, mem.rows[row, base_at(limits) + S_T])
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
