"""Taking a partition over: what its state, its outputs and its orders to forget say, read in that order.

The partition has been claimed before, so nobody else writes to it any more. Ends are taken first; what is
told later than that does not exist. Then pages and marker, then the outputs since the marker, which count
as told whatever the pages say. The source is read from the marker's offset by the worker afterwards.
"""

from __future__ import annotations

import asyncio
import re
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import structlog

from detectors import pages
from detectors.kernels.layout import row as Row
from detectors.kernels.layout.values import PAGE_SHIFT, PAGES, PAST
from detectors.limits import LimitTable
from detectors.store import RiderStore, StoreSettings
from schemas.checkpoint import (
    MARKER_KEY,
    SIDE_KEY,
    Damaged,
    Marker,
    Page,
    decode_marker,
    decode_names,
    decode_page,
    decode_side,
)
from schemas.decode import rider_hash
from schemas.policy import DAY_S
from stream.kafka.log_reader import Bounds, LogReader
from stream.kafka.topics.provisioning import topic_id
from stream.settings import Settings
from stream.state.dead_letter_offset import written_up_to
from stream.state.published_outputs import Outputs, PublishedOutputs, Unknown, leave_out, read_orders

log = structlog.get_logger()
_PAGES_AT_ONCE = 64
_PAGE_KEY = re.compile(rb"page/([0-9]{1,6})/([0-9]{1,6})")


class StateRefused(ValueError):
    """The state belongs to topics of another shape; the message says what to do."""


@dataclass(slots=True)
class StateRecords:
    """The newest records of a partition of the state topic, by what they are."""

    marker: Marker | None = None
    #: None when nothing says it.
    side_offset: int | None = None
    parts: dict[int, dict[int, bytes]] = field(default_factory=dict)
    names: dict[bytes, bytes] = field(default_factory=dict)
    #: By topic, records that are none of ours and were left out.
    foreign: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Takeover:
    """What a restore needs of its worker."""

    settings: Settings
    limits: LimitTable
    store_settings: StoreSettings
    partition: int
    partitions: int
    wall_s: float
    #: Told how much of the pages has been read, 0 to 1.
    progress: Callable[[float], None]


@dataclass(slots=True)
class Restored:
    """A partition as its records say, before the source is read from ``position`` up to ``source_end``."""

    store: RiderStore
    position: int
    source_end: int
    #: Side outputs of the source before this offset have been written.
    side_offset: int
    #: What the state says of that; another when the source has begun anew since. None: nothing.
    side_recorded: int | None
    since_s: dict[str, int]
    #: Of the source's topic, as Kafka has it now.
    source_id: str = ""
    #: The source is not the one that the state speaks of: its offsets have begun anew.
    anew: bool = False
    #: The marker that the pages belong to; None when nothing of the state could be used.
    marker: Marker | None = None
    #: That of the state which is written from now on.
    lineage: bytes = field(default_factory=lambda: uuid.uuid4().bytes)
    #: Platforms with an outlet that is newer than the state.
    new_outlets: tuple[str, ...] = ()
    told: PublishedOutputs = field(default_factory=PublishedOutputs)
    #: Ends of the alerts and of the statuses at the take-over.
    ends: tuple[int, int] = (0, 0)
    arrival_s: int = 0
    sequence: int = 0
    #: Everything that stands must be told again: the outputs have lost some of it.
    everyone: bool = False
    #: By page, the source offset it was packed at, -1 for none; the parts it has; which are of no use.
    page_from: npt.NDArray[np.int64] = field(default_factory=lambda: np.full(PAGES, -1, dtype=np.int64))
    parts: dict[int, int] = field(default_factory=dict)
    bad: npt.NDArray[np.bool_] = field(default_factory=lambda: np.ones(PAGES, dtype=np.bool_))
    #: How many platforms and zones the state knows.
    names_known: tuple[int, int] = (0, 0)
    #: Riders whom an order to forget has erased just now, and their platforms; None: these are not known.
    erased: dict[str, list[str] | None] = field(default_factory=dict)
    #: By topic, records that are none of ours and were left out.
    foreign: Counter[str] = field(default_factory=Counter)
    #: From this source offset on *now* is not below this instant: pages have been judged there.
    resume: tuple[int, int] | None = None


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
    topics = (
        settings.source_topic,
        settings.alerts_topic,
        settings.status_topic,
        settings.state_topic,
        settings.control_topic,
    )
    async with LogReader(settings, work.partition, topics) as reader:
        bounds = await reader.bounds()
        source, alerts, statuses, state, control = (bounds[topic] for topic in topics)
        records = await _read_state(reader, settings, state)
        source_id = await asyncio.to_thread(topic_id, settings, settings.source_topic)
        restored = await _restore_pages(work, records, source, source_id)
        await _place(work, reader, restored, source)
        if records.side_offset is None and restored.position < source.end:
            restored.side_offset = await _side_offset(work, reader, restored)
        restored.ends = alerts.end, statuses.end
        foreign = records.foreign
        orders = await read_orders(reader, settings, control, foreign)
        unknown = _unknown(restored, alerts, statuses)
        restored.told = await Outputs(settings, reader, alerts, statuses).fold(unknown, orders, work.wall_s)
        restored.foreign = foreign + restored.told.foreign
    for rider, before_ms in orders.items():
        row, platforms = erase(restored.store, rider, before_ms)
        if row is not None:
            lost = bool(restored.bad[rider_hash(rider.encode()) >> PAGE_SHIFT])
            restored.erased[rider] = None if lost else platforms
    return restored


def erase(store: RiderStore, rider: str, before_ms: int) -> tuple[int | None, list[str]]:
    """Erase a rider; his row, None when that had been done already, and the platforms he worked for."""
    key = rider.encode()
    mixed = rider_hash(key)
    row = pages.find(store, key, mixed)
    platforms = [] if row is None else pages.members(store, row, PAST)
    if not pages.erase(store, key, mixed, before_ms):
        return None, []
    return pages.find(store, key, mixed), platforms


# -- state -----------------------------------------------------------------------------------------


async def _read_state(reader: LogReader, settings: Settings, bounds: Bounds) -> StateRecords:
    """The newest record of every key of the state."""
    found: dict[bytes, bytes] = {}
    records = StateRecords()
    async for batch in reader.read(settings.state_topic, bounds.start, bounds.end):
        for record in batch:
            key = record.key or b""
            if record.value is None:
                found.pop(key, None)
            elif key in (MARKER_KEY, SIDE_KEY) or key.startswith(b"names/") or _PAGE_KEY.fullmatch(key):
                found[key] = record.value
            else:
                leave_out(records.foreign, record, "no key of a record of the state")
    for key, value in found.items():
        try:
            _sort_in(records, key, value)
        except Damaged as error:
            log.warning("damaged record of the state", key=key.decode(errors="replace"), why=str(error))
    return records


def _sort_in(records: StateRecords, key: bytes, value: bytes) -> None:
    if key == MARKER_KEY:
        records.marker = decode_marker(value)
    elif key == SIDE_KEY:
        records.side_offset = decode_side(value)
    elif key.startswith(b"names/"):
        records.names[key] = value
    elif place := _PAGE_KEY.fullmatch(key):
        records.parts.setdefault(int(place[1]), {})[int(place[2])] = value


async def _restore_pages(work: Takeover, records: StateRecords, source: Bounds, source_id: str) -> Restored:
    """A store with the riders of all good pages."""
    marker = records.marker
    _refuse_other_partitions(work, marker)
    since_s = _since(work.limits.policies, marker)
    store = RiderStore(work.limits, work.store_settings, live=False, since_s=since_s)
    anew = _is_anew(work, records, source, source_id)
    side = 0 if anew else records.side_offset or 0
    restored = Restored(store, source.start, source.end, side, records.side_offset, since_s, source_id, anew)
    if marker is None:
        log.warning("no marker: built from the source", partition=work.partition)
        return restored
    restored.sequence = marker.sequence
    if marker.definition != pages.definition(work.limits, work.store_settings):
        # Counts of another set of limits, or of another format, say nothing of these.
        log.warning("other limits or settings than before: built from the source", partition=work.partition)
        return restored
    try:
        expected = marker.page_offsets(PAGES)
        names = [
            decode_names(marker.lineage, "platforms", records.names, marker.platforms),
            decode_names(marker.lineage, "zones", records.names, marker.zones),
        ]
    except Damaged as error:
        log.warning("damaged state: built from the source", partition=work.partition, why=str(error))
        return restored
    restored.marker, restored.lineage = marker, marker.lineage
    restored.new_outlets = tuple(one for one in work.settings.outlets if one not in marker.outlets)
    restored.bad = np.zeros(PAGES, dtype=np.bool_)
    if anew:
        # Of a source that is gone; what has been packed since then begins its offsets anew.
        expected = np.where(expected >= 0, 0, expected)
    pages.restore_names(store, *names)
    restored.names_known = len(names[0]), len(names[1])
    newest_s = marker.now_s
    numbers = np.flatnonzero(expected >= 0).tolist()
    for begin in range(0, len(numbers), _PAGES_AT_ONCE):
        some = {number: int(expected[number]) for number in numbers[begin : begin + _PAGES_AT_ONCE]}
        newest_s = max(newest_s, await asyncio.to_thread(_unpack_some, restored, records, some))
        work.progress((begin + len(some)) / len(numbers))
    restored.resume = marker.source_offset, newest_s
    restored.arrival_s, store.read_s = marker.arrival_s, marker.read_s
    return restored


def _is_anew(work: Takeover, records: StateRecords, source: Bounds, source_id: str) -> bool:
    """Whether the source's offsets mean others than those that the state speaks of."""
    marker = records.marker
    known = max(records.side_offset or 0, 0 if marker is None else marker.source_offset)
    if known > source.end:
        log.warning("the source is shorter than it was: read from its start", partition=work.partition)
        return True
    if marker is not None and marker.source_id and source_id and marker.source_id != source_id:
        log.warning(
            "the source's topic has been made anew: read from its start",
            partition=work.partition,
            id=source_id,
            was=marker.source_id,
        )
        return True
    return False


def _refuse_other_partitions(work: Takeover, marker: Marker | None) -> None:
    if marker is None or marker.partitions == work.partitions:
        return
    message = (
        f"partition {work.partition}: its state was written for {marker.partitions} partitions, the topics "
        f"have {work.partitions} now. A rider's place follows from the count, which is fixed once data is "
        f"there. Make topics under another prefix (respite topics --partitions {work.partitions} --prefix "
        f"NEW.) and feed them, or go back to {marker.partitions} partitions."
    )
    raise StateRefused(message)


def _unpack_some(restored: Restored, records: StateRecords, expected: dict[int, int]) -> int:
    """Take the riders of some pages in, and note those that are bad; the latest *now* of the good ones."""
    newest_s = PAST
    for number, packed_at in expected.items():
        parts = records.parts.get(number, {})
        try:
            page = _whole_page(restored.lineage, number, parts, packed_at)
        except Damaged as error:
            log.warning("bad page: its riders are built from the source", page=number, why=str(error))
            restored.bad[number] = True
            continue
        pages.unpack(restored.store, page.words)
        restored.page_from[number] = page.source_offset
        restored.parts[number] = len(parts)
        restored.sequence = max(restored.sequence, page.sequence)
        newest_s = max(newest_s, page.now_s)
    return newest_s


def _whole_page(lineage: bytes, number: int, parts: dict[int, bytes], packed_at: int) -> Page:
    page = decode_page(lineage, number, parts)
    if page.source_offset < packed_at:
        raise Damaged(f"packed at offset {page.source_offset}, the marker knows one of {packed_at}")
    return page


def _since(policies: Iterable[str], marker: Marker | None) -> dict[str, int]:
    """From which instant on a policy's verdicts are told: those newly named, only from *now* on."""
    if marker is None:
        return dict.fromkeys(policies, PAST)
    return {policy: marker.since_s.get(policy, marker.now_s) for policy in policies}


# -- where reading goes on -------------------------------------------------------------------------


async def _place(work: Takeover, reader: LogReader, restored: Restored, source: Bounds) -> None:
    """Decide from where the source is read, and whose history may lack something."""
    marker, incomplete = restored.marker, restored.bad
    if marker is not None and restored.anew:
        # Offsets have begun anew, so those of the pages mean nothing in it: all are to be packed again.
        restored.page_from[restored.page_from >= 0] = 0
        restored.store.memory.page_dirty[:] = 1
        _now_of_pages(restored)
    elif marker is not None:
        # A good page holds all that the marker speaks of, also when it was packed long before.
        known = np.maximum(restored.page_from, marker.source_offset)
        restored.store.memory.page_from[:] = np.where(restored.bad, 0, known)
        if marker.source_offset < source.start:
            log.warning(
                "the source lacks what came after the checkpoint: its retention is too short",
                partition=work.partition,
                lost_from=marker.source_offset,
                lost_to=source.start,
            )
            incomplete = np.ones_like(restored.bad)
            _now_of_pages(restored)
        elif not restored.bad.any():
            restored.position = marker.source_offset
            _now_of_pages(restored)
        else:
            # What is read again is judged by the time of its arrival, not by what is known now.
            restored.arrival_s, restored.store.read_s = 0, PAST
    if source.start > 0 and incomplete.any():
        first_ms = await _first_arrival_ms(reader, work.settings, source.start, source.end)
        until_s = first_ms // 1000 + _longest_s(work.limits)
        _estimate(restored.store, incomplete, until_s)


def _now_of_pages(restored: Restored) -> None:
    """Go on at once where the pages were judged; riders who are built anew must then not be sealed early."""
    restored.store.now_s, restored.resume = newest_of(restored), None
    restored.store.sealing = not restored.bad.any()


def _estimate(store: RiderStore, incomplete: npt.NDArray[np.bool_], until_s: int) -> None:
    """Mark what is said of the riders of these pages about instants before ``until_s``."""
    mem = store.memory
    mem.page_estimated[:] = np.where(incomplete, until_s, mem.page_estimated)
    rows = mem.rows[: store.riders]
    rows[:, Row.ESTIMATED_UNTIL] = np.maximum(
        rows[:, Row.ESTIMATED_UNTIL], mem.page_estimated[rows[:, Row.PAGE]]
    )
    mem.page_dirty[incomplete] = 1


def newest_of(restored: Restored) -> int:
    """The latest *now* that a page was judged at."""
    return PAST if restored.resume is None else restored.resume[1]


async def _first_arrival_ms(reader: LogReader, settings: Settings, start: int, end: int) -> int:
    async for batch in reader.read(settings.source_topic, start, end):
        if batch:
            return int(batch[0].timestamp)
    return 0


async def _side_offset(work: Takeover, reader: LogReader, restored: Restored) -> int:
    """What the dead letters themselves say, where nothing else does."""
    settings, end = work.settings, restored.source_end
    since_ms = await _first_arrival_ms(reader, settings, restored.position, end)
    return await written_up_to(settings, work.partition, work.partitions, since_ms, end)


def _longest_s(limits: LimitTable) -> int:
    """For how long back the limits look, at least a week."""
    return max([7 * DAY_S, *(one.window_s for one in limits.limits)])


def _unknown(restored: Restored, alerts: Bounds, statuses: Bounds) -> Unknown:
    """What of the outputs the pages cannot know."""
    marker = restored.marker
    if marker is None:
        return Unknown(alerts.end, statuses.end, restored.bad)
    since = marker.alerts_offset, marker.status_offset
    if not (alerts.start <= since[0] <= alerts.end and statuses.start <= since[1] <= statuses.end):
        log.warning("outputs are shorter than they were: what stands is told again")
        restored.everyone = True
        since = alerts.start, statuses.start
    return Unknown(*since, restored.bad)
