"""Counts over a store's arrays for metrics: riders by status, limit, platform and zone. Reads only.

A scrape runs beside the worker's thread, so every place that is followed is checked against the bounds of
the array it is followed into: a count can be one rider off for a moment, and nothing else can happen.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from detectors.kernels.layout import (
    misc as Misc,
    open as Open,
    record as Record,
    row as Row,
    state as State,
)
from detectors.kernels.layout.codes import APPROACHING, HELD, NEAR
from detectors.kernels.layout.values import EVIDENCE_SPANS, I64, MOST_MEMBERS, NONE
from detectors.store import RiderStore
from detectors.verdicts import STATUSES

DAY_S = 86_400
#: A count may take this share of a core: after one that took 10 ms, the next half second reads the same.
SHARE_OF_A_CORE = 0.02
_ZONES = STATUSES[1:]
Chosen = Callable[[I64, I64], npt.NDArray[np.bool_]]


@dataclass(slots=True)
class RiderCounts:
    """Riders of one partition, counted at *now*.

    ``held``, ``near`` and ``working`` are by index of the store's limit table; a rider counts once: under
    the limit that names his hold, or under the one he was warned of last. ``working``: on hold with an
    order in hand. ``orders``: by platform, riders on hold who have an order of it in hand. ``platforms``: by
    platform and status, riders who are its own; ``held_platforms`` and ``near_platforms``: those
    by platform and limit. ``zones``: by zone's number and status, those near or on hold. ``unserved``: by
    platform, riders it claims by sessions or breaks alone: a day has passed without an order of its.
    """

    statuses: list[int]
    held: Counter[int] = field(default_factory=Counter)
    near: Counter[int] = field(default_factory=Counter)
    working: Counter[int] = field(default_factory=Counter)
    orders: Counter[str] = field(default_factory=Counter)
    platforms: Counter[tuple[str, str]] = field(default_factory=Counter)
    held_platforms: Counter[tuple[str, int]] = field(default_factory=Counter)
    near_platforms: Counter[tuple[str, int]] = field(default_factory=Counter)
    zones: Counter[tuple[int, str]] = field(default_factory=Counter)
    unserved: Counter[str] = field(default_factory=Counter)


class RiderCountsByPartition:
    """Tallies of a partition's store, taken anew only as often as their cost allows."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._kept: dict[int, tuple[RiderStore, float, RiderCounts]] = {}

    def of(self, number: int, store: RiderStore, *, zones: bool) -> RiderCounts:
        """The tally of partition ``number``."""
        started = self._clock()
        found = self._kept.get(number)
        if found is not None and found[0] is store and started < found[1]:
            return found[2]
        tally = take(store, zones=zones)
        ended = self._clock()
        self._kept[number] = store, ended + (ended - started) / SHARE_OF_A_CORE, tally
        return tally

    def keep_only(self, numbers: set[int]) -> None:
        """Forget partitions that are somebody else's now, and with them their stores."""
        for number in set(self._kept) - numbers:
            del self._kept[number]


def take(store: RiderStore, *, zones: bool) -> RiderCounts:
    """Count; ``zones`` says whether by zone too."""
    memory = store.memory
    rows = memory.rows[: min(store.riders, len(memory.rows))]
    codes = rows[:, Row.STATUS].copy()
    counts = np.bincount(codes[codes >= 0], minlength=len(STATUSES))[: len(STATUSES)]
    tally = RiderCounts([int(count) for count in counts])
    # A rider whose status is clear is in no hold and near no limit, so only the others are looked into.
    held, near = rows[codes == HELD], rows[codes == NEAR]
    naming = held[:, Row.STATUS_LIMIT]
    tally.held = _counted(naming)
    warned = _warned_of(store, near)
    tally.near = _counted(warned)
    head = head_at(store)
    working, platforms = orders_in_hand(store, held, head)
    tally.working = _counted(naming[working])
    tally.orders = Counter({store.platform(number): count for number, count in _counted(platforms).items()})
    tally.platforms = Counter(
        {(name, STATUSES[code]): n for (name, code), n in members(store, rows, codes, len(STATUSES)).items()}
    )
    limits = len(store.limits.limits)
    tally.held_platforms = members(store, held, naming, limits)
    tally.near_platforms = members(store, near, warned, limits)
    idle = np.zeros(len(rows), dtype=np.int64)
    unserved = members(store, rows, idle, 1, _is_unserved(store))
    tally.unserved = Counter({name: count for (name, _), count in unserved.items()})
    if zones:
        for name, some in zip(_ZONES, (near, held), strict=True):
            found = _counted(some[:, head + State.ZONE], none=True)
            tally.zones.update({(number, name): count for number, count in found.items()})
    return tally


def head_at(store: RiderStore) -> int:
    """The word of a row at which the head state begins."""
    limits = len(store.limits.limits)
    return Row.head_for(limits)


def _is_unserved(store: RiderStore) -> Chosen:
    """Which members claim their riders by sessions or breaks alone.

    Their newest claim came more than a day after their last order, and a day has passed without one.
    """
    now_s, keep_s = store.now_s, store.settings.keep_s

    words = Row.MEMBER_FIRST, Row.MEMBER_LAST, Row.MEMBER_ORDER

    def chosen(heap: I64, place: I64) -> npt.NDArray[np.bool_]:
        first, last, order = (heap[place + word] for word in words)
        # The word for the last order lies far in the past where there was none.
        waited = np.maximum(first, order) < now_s - DAY_S
        return waited & (order < last - DAY_S) & (last >= now_s - keep_s)

    return chosen


def members(
    store: RiderStore, rows: I64, groups: I64, most: int, chosen: Chosen | None = None
) -> Counter[tuple[str, int]]:
    """Riders by platform and group (of ``most``); one counts for every platform whose own he is.

    ``chosen`` says which of the members at places of the heap count; all do without it.
    """
    memory = store.memory
    platforms = int(memory.misc[Misc.PLATFORMS])
    at, number = rows[:, Row.MEMBERS].copy(), rows[:, Row.MEMBERS_N].copy()
    counts = np.zeros(platforms * most, dtype=np.int64)
    riders = np.flatnonzero((at > 0) & (groups >= 0) & (groups < most) & (number <= MOST_MEMBERS))
    index = 0
    while len(riders := riders[number[riders] > index]):
        place = at[riders] + index * Row.MEMBER_WORDS
        inside = place + Row.MEMBER_WORDS <= len(memory.heap)
        platform = memory.heap[place[inside] + Row.MEMBER_PLATFORM]
        known = (platform >= 0) & (platform < platforms)
        if chosen is not None:
            known &= chosen(memory.heap, place[inside])
        pairs = platform[known] * most + groups[riders[inside][known]]
        counts += np.bincount(pairs, minlength=len(counts))
        index += 1
    found: Counter[tuple[str, int]] = Counter()
    for pair in np.flatnonzero(counts).tolist():
        platform_number, group = divmod(pair, most)
        found[store.platform(platform_number), group] = int(counts[pair])
    return found


def _counted(numbers: I64, *, none: bool = False) -> Counter[int]:
    values, counts = np.unique(numbers, return_counts=True)
    pairs = zip(values.tolist(), counts.tolist(), strict=True)
    return Counter({value: count for value, count in pairs if none or value != NONE})


def _warned_of(store: RiderStore, near: I64) -> I64:
    """The limit that each rider was warned of last.

    The newest warning among what was told and is not final; else, of a warning longer ago, the first limit
    whose flags say that one was told.
    """
    heap, limits = store.memory.heap, len(store.limits.limits)
    found = np.full(len(near), NONE, dtype=np.int64)
    head = head_at(store) + State.LIMITS
    for index in reversed(range(limits)):
        flags = near[:, head + State.LIMIT_WORDS * index + State.LIMIT_FLAGS]
        found[flags >> State.WARN_TOLD_BIT != 0] = index
    at = near[:, Row.TOLD].copy()
    end = at + near[:, Row.TOLD_WORDS]
    walking = np.flatnonzero((at > 0) & (end <= len(heap)))
    while len(walking := walking[at[walking] + Record.WORDS <= end[walking]]):
        place = at[walking]
        key, spans = heap[place + Record.KEY], heap[place + Record.SPANS]
        limit = (key >> Record.KEY_LIMIT_SHIFT) & Record.KEY_LIMIT_MASK
        warns = (key >> Record.KEY_KIND_SHIFT == APPROACHING) & (limit < limits)
        found[walking[warns]] = limit[warns]
        at[walking] += Record.WORDS + 2 * spans
        walking = walking[(spans >= 0) & (spans <= EVIDENCE_SPANS)]
    return found


def orders_in_hand(store: RiderStore, held: I64, head: int) -> tuple[np.ndarray, I64]:
    """Which riders on hold have an order in hand, and the platforms of those orders, each once per rider."""
    memory = store.memory
    heap, platforms = memory.heap, int(memory.misc[Misc.PLATFORMS])
    since = store.now_s - store.settings.max_open_order_s
    at, count = held[:, Row.HEAD_OPEN], held[:, head + State.ORDERS]
    working = np.zeros(len(held), dtype=np.bool_)
    pairs: list[I64] = []
    index = 0
    riders = np.flatnonzero(at > 0)
    while len(riders := riders[(count[riders] > index)]):
        place = at[riders] + index * Open.ORDER_WORDS
        riders, place = (
            riders[place + Open.ORDER_WORDS <= len(heap)],
            place[place + Open.ORDER_WORDS <= len(heap)],
        )
        open_still = heap[place + Open.ORDER_START] > since
        working[riders[open_still]] = True
        platform = heap[place + Open.ORDER_PLATFORM][open_still]
        known = (platform >= 0) & (platform < platforms)
        pairs.append(riders[open_still][known] * platforms + platform[known])
        index += 1
    if not pairs:
        return working, np.zeros(0, dtype=np.int64)
    return working, np.unique(np.concatenate(pairs)) % platforms
