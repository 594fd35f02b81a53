"""Taking a partition over: what its state, its outputs and its orders to forget say, read in that order.

The partition has been claimed before, so nobody else writes to it any more. Ends are taken first; what is
told later than that does not exist. Then pages and marker, then the outputs since the marker, which count
as told whatever the pages say. The source is read from the marker's offset by the worker afterwards.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import structlog

from detectors import pages
from detectors.kernels.layout import FINALITY_SLACK_S, PAGE_SHIFT, PAGES, PAST, R_ESTIMATED_UNTIL, R_PAGE
from detectors.limits import LimitTable
from detectors.store import RiderStore, StoreSettings
from schemas.checkpoint import (
    MARKER_KEY,
    SIDE_KEY,
    Damaged,
    Marker,
    decode_marker,
    decode_names,
    decode_page,
    decode_side,
)
from schemas.decode import rider_hash
from schemas.names import is_rider
from schemas.policy import DAY_S
from stream.render import Document
from stream.settings import Settings
from stream.tail import Bounds, LogReader

log = structlog.get_logger()
Progress = Callable[[float], None]
#: Of a restore, reading the pages; the rest is the replay of the source.
_PAGES_AT_ONCE = 64


class StateRefused(ValueError):
    """The state belongs to topics of another shape; the message says what to do."""


@dataclass(slots=True)
class StateRecords:
    """The newest records of a partition of the state topic, by what they are."""

    marker: Marker | None = None
    side_offset: int = 0
    parts: dict[int, dict[int, bytes]] = field(default_factory=dict)
    names: dict[bytes, bytes] = field(default_factory=dict)


@dataclass(slots=True)
class Told:
    """What the outputs hold that the pages may not know of."""

    #: Alerts that stand by their ids.
    alerts: dict[str, Document] = field(default_factory=dict)
    #: When a hold's first alert was published, by rider, policy, limit and beginning.
    told_at: dict[tuple[str, str, str, str], str] = field(default_factory=dict)
    #: Riders of whom something was told after the marker.
    riders: set[str] = field(default_factory=set)
    #: Riders who have a status that no page answers for.
    orphans: set[str] = field(default_factory=set)

    def fold(self, value: bytes | None) -> None:
        """Fold one message of the alert topic in."""
        if value is None:
            return
        alert: Document = msgspec.json.decode(value)
        if alert["kind"] == "retracted":
            self.alerts.pop(alert["supersedes"], None)
            return
        self.alerts[alert["alert_id"]] = alert
        hold = alert["hold"]
        if hold and hold["told_at"]:
            key = (alert["rider_id"], alert["policy"], alert["limit"], hold["from"])
            self.told_at.setdefault(key, hold["told_at"])


@dataclass(slots=True)
class Restored:
    """A partition as its records say, before the source is read from ``position`` up to ``source_end``."""

    store: RiderStore
    told: Told
    position: int
    source_end: int
    side_offset: int
    alerts_end: int
    status_end: int
    arrival_s: int = 0
    sequence: int = 0
    #: Everything that stands must be told again: the outputs have lost some of it.
    everyone: bool = False
    since_s: dict[str, int] = field(default_factory=dict)
    page_from: Any = None
    parts: dict[int, int] = field(default_factory=dict)
    names_known: tuple[int, int] = (0, 0)
    #: Riders whom an order to forget has erased just now.
    erased: list[str] = field(default_factory=list)
    #: From this source offset on *now* is not below this instant: pages have been judged there.
    resume: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Takeover:
    """What a restore needs of its worker."""

    settings: Settings
    limits: LimitTable
    store_settings: StoreSettings
    partition: int
    partitions: int
    wall_s: float
    progress: Progress


async def take_over(work: Takeover) -> Restored:
    """Restore a claimed partition.

    Raises
    ------
    StateRefused
        The state was written for another number of partitions.
    KafkaError
        Kafka cannot be reached or refuses.
    """
    settings = work.settings
    async with LogReader(settings, work.partition) as reader:
        source = await reader.bounds(settings.source_topic)
        alerts = await reader.bounds(settings.alerts_topic)
        statuses = await reader.bounds(settings.status_topic)
        state = await reader.bounds(settings.state_topic)
        control = await reader.bounds(settings.control_topic)
        records = await _read_state(reader, settings, state)
        restored, bad = await _restore_pages(work, records, source)
        await _place(work, reader, restored, records.marker, bad, source)
        restored.alerts_end, restored.status_end = alerts.end, statuses.end
        orders = await _read_orders(reader, settings, control)
        await _read_outputs(work, reader, restored, records.marker, bad, (alerts, statuses), orders)
    restored.erased = [
        rider
        for rider, before_ms in orders.items()
        if pages.erase(restored.store, rider.encode(), rider_hash(rider.encode()), before_ms)
    ]
    work.progress(0.5)
    return restored


# -- state -----------------------------------------------------------------------------------------


async def _read_state(reader: LogReader, settings: Settings, bounds: Bounds) -> StateRecords:
    """The newest record of every key of the state."""
    found: dict[bytes, bytes] = {}
    async for batch in reader.read(settings.state_topic, bounds.start, bounds.end):
        for record in batch:
            if record.key is None:
                continue
            if record.value is None:
                found.pop(record.key, None)
            else:
                found[record.key] = record.value
    records = StateRecords()
    for key, value in found.items():
        try:
            _sort_in(records, key, value)
        except Damaged as error:
            log.error("damaged record of the state", key=key.decode(errors="replace"), why=str(error))
    return records


def _sort_in(records: StateRecords, key: bytes, value: bytes) -> None:
    if key == MARKER_KEY:
        records.marker = decode_marker(value)
    elif key == SIDE_KEY:
        records.side_offset = decode_side(value)
    elif key.startswith(b"names/"):
        records.names[key] = value
    elif key.startswith(b"page/"):
        _, number, part = key.split(b"/")
        records.parts.setdefault(int(number), {})[int(part)] = value


async def _restore_pages(work: Takeover, records: StateRecords, source: Bounds) -> tuple[Restored, Any]:
    """A store with the riders of all good pages, and which pages are bad."""
    marker = records.marker
    bad = np.zeros(PAGES, dtype=np.bool_)
    if marker is not None and marker.partitions != work.partitions:
        message = (
            f"partition {work.partition}: its state was written for {marker.partitions} partitions and the topics "
            f"have {work.partitions} now: a rider's place follows from the count, which is fixed once data is "
            "there. Feed what is wanted into topics of another prefix: respite topics --prefix NEW. --partitions "
            f"{work.partitions}, or bring the topics back to {marker.partitions} partitions"
        )
        raise StateRefused(message)
    definition = pages.definition(work.limits, work.store_settings)
    since_s = _since(work.limits.policies, marker)
    store = RiderStore(work.limits, work.store_settings, live=False, since_s=since_s)
    restored = Restored(store, Told(), source.start, source.end, records.side_offset, 0, 0, since_s=since_s)
    restored.page_from = np.full(PAGES, -1, dtype=np.int64)
    if marker is None:
        log.warning("no marker: built from the source", partition=work.partition)
        return restored, ~bad
    restored.sequence = marker.sequence
    if marker.definition != definition:
        # Counts of another set of limits, or of another format, say nothing of these.
        log.warning(
            "other limits, settings or format than before: built from the source", partition=work.partition
        )
        return restored, ~bad
    try:
        expected = marker.page_offsets(PAGES)
        platforms = decode_names("platforms", records.names, marker.platforms)
        zones = decode_names("zones", records.names, marker.zones)
    except Damaged as error:
        log.error("damaged state: built from the source", partition=work.partition, why=str(error))
        return restored, ~bad
    pages.restore_names(store, platforms, zones)
    restored.names_known = len(platforms), len(zones)
    newest_s = marker.now_s
    numbers = np.flatnonzero(expected >= 0).tolist()
    for begin in range(0, len(numbers), _PAGES_AT_ONCE):
        some = numbers[begin : begin + _PAGES_AT_ONCE]
        newest_s = max(
            newest_s, await asyncio.to_thread(_unpack_some, restored, records, some, expected, bad)
        )
        work.progress(0.4 * (begin + len(some)) / len(numbers))
    restored.resume = marker.source_offset, newest_s
    restored.arrival_s, store.read_s = marker.arrival_s, marker.read_s
    return restored, bad


def _unpack_some(
    restored: Restored, records: StateRecords, numbers: Iterable[int], expected: Any, bad: Any
) -> int:
    """Take the riders of some pages in, and note those that are bad; the latest *now* of them."""
    newest_s = PAST
    for number in numbers:
        try:
            page = decode_page(number, records.parts.get(number, {}))
            if page.source_offset < expected[number]:
                raise Damaged(f"packed at {page.source_offset}, the marker knows {expected[number]}")
        except Damaged as error:
            log.error("bad page: its riders are built from the source", page=number, why=str(error))
            bad[number] = True
            continue
        pages.unpack(restored.store, page.words)
        restored.page_from[number] = page.source_offset
        restored.parts[number] = len(records.parts[number])
        restored.sequence = max(restored.sequence, page.sequence)
        newest_s = max(newest_s, page.now_s)
    return newest_s


def _since(policies: Iterable[str], marker: Marker | None) -> dict[str, int]:
    """From which instant on a policy's verdicts are told: those newly named, only from *now* on."""
    if marker is None:
        return dict.fromkeys(policies, PAST)
    return {policy: marker.since_s.get(policy, marker.now_s) for policy in policies}


# -- where reading goes on -------------------------------------------------------------------------


async def _place(
    work: Takeover, reader: LogReader, restored: Restored, marker: Marker | None, bad: Any, source: Bounds
) -> None:
    """Decide from where the source is read, and whose history lacks something."""
    mem = restored.store.memory
    whole = marker is not None and restored.resume is not None
    if whole and marker is not None and source.start <= marker.source_offset <= source.end:
        if not bad.any():
            restored.position = marker.source_offset
        mem.page_from[:] = np.where(bad, 0, np.maximum(restored.page_from, 0))
    elif whole and marker is not None and marker.source_offset > source.end:
        log.error("the source is shorter than it was: it was made anew, read from its start", **_who(work))
        restored.resume, restored.side_offset = (source.start, restored.resume[1]), 0
        restored.page_from[:] = np.where(restored.page_from >= 0, 0, -1)
    elif whole and marker is not None:
        log.error(
            "the source lacks what came after the checkpoint: its retention is too short",
            lost_from=marker.source_offset,
            lost_to=source.start,
            **_who(work),
        )
        mem.page_from[:] = np.where(bad, 0, np.maximum(restored.page_from, 0))
        bad = np.ones_like(bad)
    if restored.resume is not None and restored.position < restored.resume[0]:
        # What is read again was judged by the time of its arrival, not by what is known now.
        restored.arrival_s, restored.store.read_s = 0, PAST
    elif restored.resume is not None:
        restored.store.now_s = restored.resume[1]
    if source.start > 0 and bad.any():
        until_s = await _first_arrival_s(reader, work.settings, source) + _longest_s(work.limits)
        mem.page_estimated[:] = np.where(bad, until_s, mem.page_estimated)
        rows = mem.rows[: restored.store.riders]
        rows[:, R_ESTIMATED_UNTIL] = np.maximum(
            rows[:, R_ESTIMATED_UNTIL], mem.page_estimated[rows[:, R_PAGE]]
        )


def _who(work: Takeover) -> dict[str, int]:
    return {"partition": work.partition}


async def _first_arrival_s(reader: LogReader, settings: Settings, source: Bounds) -> int:
    async for batch in reader.read(settings.source_topic, source.start, source.end):
        if batch:
            return int(batch[0].timestamp // 1000)
    return 0


def _longest_s(limits: LimitTable) -> int:
    """For how long back the limits look, at least a week."""
    return max([7 * DAY_S, *(one.window_s for one in limits.limits)])


# -- outputs and orders ----------------------------------------------------------------------------


async def _read_outputs(
    work: Takeover,
    reader: LogReader,
    restored: Restored,
    marker: Marker | None,
    bad: Any,
    bounds: tuple[Bounds, Bounds],
    orders: dict[str, int],
) -> None:
    """Fold the outputs in that the pages may not know of: since the marker, and of bad pages what is not final."""
    settings, told = work.settings, restored.told
    alerts, statuses = bounds
    whole = marker is not None and restored.resume is not None
    alerts_from = marker.alerts_offset if whole and marker else alerts.end
    status_from = marker.status_offset if whole and marker else statuses.end
    if whole and not (
        alerts.start <= alerts_from <= alerts.end and statuses.start <= status_from <= statuses.end
    ):
        log.warning("outputs are shorter than they were: what stands is told again", **_who(work))
        restored.everyone = True
        alerts_from, status_from = alerts.start, statuses.start
    begin = alerts_from
    if bad.any():
        since_s = 0.0
        if settings.clock == "wall":
            since_s = work.wall_s - settings.lateness - 2 * FINALITY_SLACK_S
        found = await reader.offset_at(settings.alerts_topic, int(since_s * 1000))
        begin = min(begin, alerts.end if found is None else found)
    async for batch in reader.read(settings.alerts_topic, begin, alerts.end):
        for record in batch:
            rider = (record.key or b"").decode()
            if record.offset >= alerts_from:
                told.riders.add(rider)
            elif not bad[_page_of(rider)]:
                continue
            if record.timestamp >= orders.get(rider, 0):
                told.fold(record.value)
    begin = statuses.start if bad.any() else status_from
    async for batch in reader.read(settings.status_topic, begin, statuses.end):
        for record in batch:
            rider = (record.key or b"").decode()
            if record.offset >= status_from:
                told.riders.add(rider)
            elif not bad[_page_of(rider)]:
                continue
            told.orphans.discard(rider)
            if record.value is not None:
                told.orphans.add(rider)


def _page_of(rider: str) -> int:
    return rider_hash(rider.encode()) >> PAGE_SHIFT


async def _read_orders(reader: LogReader, settings: Settings, bounds: Bounds) -> dict[str, int]:
    """Whom an operator has had forgotten, and when; what arrived before does not come back."""
    orders: dict[str, int] = {}
    async for batch in reader.read(settings.control_topic, bounds.start, bounds.end):
        for record in batch:
            if record.key is not None and is_rider(record.key):
                orders[record.key.decode()] = int(record.timestamp)
    return orders
