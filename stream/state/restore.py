"""Taking a partition over: what its state, its outputs and its orders to forget say, read in that order.

The partition has been claimed before, so nobody else writes to it any more. Ends are taken first; what is
told later than that does not exist. Then pages and marker, then the outputs since the marker, which count
as told whatever the pages say. The source is read from the marker's offset by the worker afterwards.
"""

from __future__ import annotations

import asyncio

import numpy as np
import numpy.typing as npt
import structlog

from detectors import pages
from detectors.kernels.layout import row as Row
from detectors.kernels.layout.values import PAGE_SHIFT, PAST
from detectors.limits import LimitTable
from detectors.store import RiderStore
from schemas.decode import rider_hash
from schemas.policy_calendar import DAY_S, LONGEST_CALENDAR_S, WEEK_S
from stream.kafka.log_reader import Bounds, LogReader
from stream.kafka.topics.provisioning import topic_id
from stream.lifting import lift_hold
from stream.settings import Settings
from stream.state.dead_letter_offset import written_up_to
from stream.state.orders import Order
from stream.state.published_outputs import Outputs, Unknown, read_orders
from stream.state.restore_pages import read_state, restore_pages
from stream.state.restored import Restored, Takeover

log = structlog.get_logger()


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
        records = await read_state(reader, settings, state)
        source_id = await asyncio.to_thread(topic_id, settings, settings.source_topic)
        restored = await restore_pages(work, records, source, source_id)
        await _place(work, reader, restored, source)
        if records.side_offset is None and restored.position < source.end:
            restored.side_offset = await _side_offset(work, reader, restored)
        restored.ends = alerts.end, statuses.end
        foreign = records.foreign
        orders, lifts = await read_orders(reader, settings, control, foreign)
        unknown = _unknown(restored, alerts, statuses)
        restored.told = await Outputs(settings, reader, alerts, statuses).fold(unknown, orders, work.wall_s)
        restored.foreign = foreign + restored.told.foreign
    for rider, before_ms in orders.items():
        row, platforms = erase(restored.store, rider, before_ms)
        if row is not None:
            lost = bool(restored.bad[rider_hash(rider.encode()) >> PAGE_SHIFT])
            restored.erased[rider] = None if lost else platforms
    for order in lifts:
        carry_out_lift(restored.store, order)
    return restored


def carry_out_lift(store: RiderStore, order: Order) -> None:
    """Lift a hold, unless its rider has been forgotten since."""
    assert order.lift is not None
    row = pages.find(store, order.rider.encode(), rider_hash(order.rider.encode()))
    if row is None or store.memory.rows[row, Row.FORGOTTEN_MS] <= order.arrival_ms:
        lift_hold(store, order.rider, order.lift, order.arrival_s)


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
    windows_s = (
        LONGEST_CALENDAR_S.get(one.window_kind, 0) + (one.weeks - 1) * WEEK_S for one in limits.limits
    )
    return max([7 * DAY_S, *windows_s, *(one.window_s for one in limits.limits)])


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
