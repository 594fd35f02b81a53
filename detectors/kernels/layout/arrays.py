"""The arrays that kernels work on, and the settings they go by, as tuples."""

from __future__ import annotations

from typing import NamedTuple

from detectors.kernels.layout.values import I64, U8, U64


class Limits(NamedTuple):
    """Packed limits, one entry per limit in the order (policy, name); seconds, 0 where there is none."""

    kind: I64
    clock: I64
    amount: I64
    reset: I64
    reset_clock: I64  # the clock whose rests count
    part_count: I64
    parts: I64  # (limits, MAX_PARTS)
    reset_sum: I64
    sum_part: I64  # the shortest rest that counts in the sum
    window: I64
    effect: I64
    release: I64
    hold_for: I64
    remind: I64
    warnings: I64
    warn: I64  # (limits, MAX_WARNINGS): amounts, largest first
    policy: I64
    calendar: I64  # (limits, 2): first index and count of the window starts in `bounds`
    bounds: I64
    hours: I64  # (limits, 2): first index and count of the intervals in `hour_bounds`, 0: all hours count
    hour_bounds: I64  # (intervals, 2)
    hours_before: I64  # of each interval, what all before it have lasted
    weeks: I64  # how many weeks are counted, 1 for other kinds
    kept: I64  # (clocks,): whether a clock is kept
    gate: I64  # how it is gated (`kernels.limits.gates`)
    gates: I64  # (limits, zones + 1): the set of stretches in which it is on, by zone, first without one
    gate_sets: I64  # (sets, 2): first and number of the versions in `gate_versions`; the first set has none
    gate_versions: I64  # (versions, 3): announced at, first and number of the stretches in `gate_stretches`
    gate_stretches: I64  # (stretches, 2)
    since: I64  # nothing before this instant is told: the policy was named later
    begins: I64  # the policy is in force from this instant on
    ends: I64  # and no longer at this one
    identity: I64  # what orders to lift name the limit by (`detectors.limits.identity_of`)


class Rules(NamedTuple):
    """Settings that verdicts depend on; seconds."""

    max_open_order: int
    max_open_session: int
    max_open_break: int
    max_open_duty: int
    breach_grace: int
    lateness: int
    keep: int
    seal_events: int


class Memory(NamedTuple):
    """All arrays of one partition's rider store."""

    rows: I64  # (capacity, row words)
    wake: I64  # (capacity,): the next instant at which a rider must be judged although no event came
    ids: U8  # (capacity, ID_BYTES)
    id_lengths: U8
    table: I64  # open addressing: row + 1, 0 is free
    table_hash: U64
    own: I64  # the same by rider and platform (`kernels.memory.own_index`)
    own_hash: U64
    platforms: U8  # (capacity, ID_BYTES)
    platform_lengths: U8
    zones: U8
    zone_lengths: U8
    platform_table: I64
    zone_table: I64
    heap: I64
    heap_meta: I64  # top, then heads of the free lists by class
    state: I64  # scratch: the state being advanced
    orders: I64  # scratch (n, Open.ORDER_WORDS)
    open_platforms: I64  # scratch (n, Open.PLATFORM_WORDS)
    verdicts: I64  # scratch: records made in this pass
    ended: I64  # scratch: orders that ended while sealing
    breaches: I64  # scratch: platforms whose acceptance began an order at this instant
    out: I64
    touched: I64
    misc: I64
    page_head: I64  # (PAGES,): first rider of a page (row + 1), 0 for none
    page_dirty: U8  # (PAGES,): changed since it was last packed
    page_from: I64  # (PAGES,): source offset below which everything is in the page already
    page_estimated: I64  # (PAGES,): `Row.ESTIMATED_UNTIL` of the riders who are new in the page
    seq: I64  # (capacity,): odd while the rider of the row is being changed (`kernels.memory.seqlock`)
    briefs: I64  # (capacity, Brief.WORDS)
