"""Take decoded events into the riders' evidence: refuse what is not believed, keep the set (CONTRACT 3, 4.1).

Columns have one entry per record, in order of arrival.
"""

from __future__ import annotations

import numpy as np

from detectors.kernels.evidence.arrivals import Arrivals, Place
from detectors.kernels.evidence.claims import claim_anew, remember_member
from detectors.kernels.evidence.events import Unsealed, index_of, insert, is_void_already
from detectors.kernels.evidence.refusal import not_final, refusal
from detectors.kernels.jit import inlined, kernel
from detectors.kernels.layout import codes, event as Event, misc as Misc, row as Row, state as State
from detectors.kernels.layout.arrays import Limits, Memory, Rules
from detectors.kernels.layout.values import FLOOD_EVENTS, NONE, U8
from detectors.kernels.memory import blocks
from detectors.kernels.memory.lookup import find_rider, page_of
from detectors.kernels.memory.names import intern
from detectors.kernels.memory.own_index import is_full
from detectors.kernels.memory.prefetch import BLOCK, prefetch_lookups
from detectors.kernels.memory.rows import new_rider
from detectors.kernels.memory.seqlock import begin_change, end_change


@inlined
def pack(mem: Memory, cols: Arrivals, i: int) -> int:
    """Platform, type, flags and zone of an event in one word; NONE when a table of names is full."""
    platform = intern(
        mem, cols.buf, cols.platform_off[i], cols.platform_len[i],
        mem.platform_table, mem.platforms, mem.platform_lengths, Misc.PLATFORMS,
    )  # fmt: skip
    zone = NONE
    if cols.zone_len[i] > 0:
        zone = intern(
            mem, cols.buf, cols.zone_off[i], cols.zone_len[i],
            mem.zone_table, mem.zones, mem.zone_lengths, Misc.ZONES,
        )  # fmt: skip
        if zone == NONE:
            return NONE
    if platform == NONE:
        return NONE
    real = 0 if cols.flags[i] & codes.FLAG_VOID != 0 else 1
    confirmed = 1 if cols.flags[i] & codes.FLAG_CONFIRMED != 0 else 0
    packed = (np.int64(platform) << Event.PLATFORM_SHIFT) | (np.int64(cols.type[i]) << Event.TYPE_SHIFT)
    return packed | (real << Event.REAL_SHIFT) | (confirmed << Event.CONFIRMED_SHIFT) | (zone + 1)


@inlined
def ingest_one(
    mem: Memory, cols: Arrivals, i: int, limits: Limits, rules: Rules, place: Place, now_s: int
) -> tuple[int, int]:
    """Take one event in; whether an array is too small, and what became of the event."""
    if place.bounded == 1:
        code = refusal(cols, i, now_s, rules, place)
        if code != codes.NEW:
            return codes.DONE, code
    if cols.rider_murmur[i] % place.partitions != place.partition:
        return codes.DONE, codes.MISPLACED_TWICE if cols.hop[i] == 1 else codes.MISPLACED
    if cols.offset[i] < mem.page_from[page_of(cols.rider_hash[i])]:
        # Read again after a restart: the page was packed with it, or with the reason to refuse it.
        return codes.DONE, codes.REPEATED
    packed = pack(mem, cols, i)
    if packed == NONE or is_full(mem):
        return codes.NEED_ROWS, codes.NEW
    at, length = cols.rider_off[i], np.int64(cols.rider_len[i])
    row, slot = find_rider(mem, cols.buf, at, length, cols.rider_hash[i])
    if row == NONE:
        if mem.misc[Misc.ROWS] >= mem.rows.shape[0]:
            return codes.NEED_ROWS, codes.NEW
        row = new_rider(mem, cols.buf, at, length, cols.rider_hash[i], slot, limits)
    at_s = cols.event_s[i]
    if cols.arrival_ms[i] < mem.rows[row, Row.FORGOTTEN_MS]:
        return codes.DONE, codes.FORGOTTEN
    if at_s <= mem.rows[row, Row.base_at(limits) + State.AT]:
        return codes.DONE, codes.SEALED
    order: int = np.int64(cols.order_hash[i])
    identity: int = np.int64(cols.event_hash[i])
    event = Unsealed(at_s, order, packed, identity)
    index, known = index_of(mem, row, event)
    if known:
        return codes.DONE, codes.REPEATED
    count = mem.rows[row, Row.EVENTS_N]
    if place.bounded == 1 and count >= FLOOD_EVENTS and not_final(mem, row, now_s, rules) >= FLOOD_EVENTS:
        return codes.DONE, codes.FLOOD
    wanted = (count + 1) * Event.WORDS
    begin_change(mem, row)
    room = blocks.reserve(mem, row, Row.EVENTS, Row.EVENTS_CLASS, count * Event.WORDS, wanted)
    platform, kind = Event.platform_of(packed), Event.type_of(packed)
    void = (packed >> Event.REAL_SHIFT) & 1 == 0
    if room and not void and kind != codes.HEARTBEAT and not is_void_already(mem, row, event, index):
        room = remember_member(mem, row, platform, kind, at_s, rules.keep)
    if room:
        insert(mem, row, limits, event, index)
        if void:
            claim_anew(mem, row, platform, mem.rows[row, Row.base_at(limits) + State.AT])
    end_change(mem, row)
    return codes.DONE if room else codes.NEED_HEAP, codes.NEW


@kernel
def ingest(
    mem: Memory,
    cols: Arrivals,
    start: int,
    limits: Limits,
    rules: Rules,
    place: Place,
    now_s: int,
    became: U8,
) -> tuple[int, int, int]:
    """Take the events from index ``start`` in, one after another.

    Returns whether an array is too small, the index reached and *now* after it: the latest arrival
    (wall clock) or the latest event time accepted (event clock). ``became`` says what became of each, codes.
    """
    count = cols.status.shape[0]
    for i in range(start, count):
        if (i - start) % BLOCK == 0:
            prefetch_lookups(mem, cols.rider_hash, i, min(i + BLOCK, count), limits)
        if place.event_clock == 0 and cols.hop[i] == 0:
            now_s = max(now_s, cols.arrival_ms[i] // 1000)
        if cols.status[i] != 0:
            became[i] = codes.REFUSED_BEFORE
            continue
        result, code = ingest_one(mem, cols, i, limits, rules, place, now_s)
        if result != codes.DONE:
            return result, i, now_s
        became[i] = code
        if place.event_clock == 1 and (code == codes.NEW or code == codes.REPEATED):
            now_s = max(now_s, cols.event_s[i])
        elif place.event_clock == 1 and code == codes.MISPLACED:
            # What its lateness is measured by where it is forwarded to.
            cols.arrival_ms[i] = max(now_s, cols.event_s[i]) * 1000
    return codes.DONE, cols.status.shape[0], now_s
