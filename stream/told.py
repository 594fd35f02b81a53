"""What the outputs of a partition hold, read when it is taken over; and whom an operator had forgotten."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import msgspec
import numpy as np
import numpy.typing as npt
from aiokafka.structs import ConsumerRecord

from detectors.kernels.layout import FINALITY_SLACK_S, PAGE_SHIFT
from schemas.decode import rider_hash
from schemas.names import is_rider
from stream.render import Document
from stream.settings import Settings
from stream.tail import Bounds, LogReader


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


@dataclass(frozen=True, slots=True)
class Unknown:
    """What the pages do not know of the outputs: all since these offsets, all of the bad pages' riders."""

    alerts_from: int
    status_from: int
    bad: npt.NDArray[np.bool_]

    def asks_for(self, rider: str, offset: int, since: int) -> bool:
        """Whether a record of the rider at this offset is news."""
        return offset >= since or bool(self.bad[rider_hash(rider.encode()) >> PAGE_SHIFT])


@dataclass(frozen=True, slots=True)
class Outputs:
    """The outputs of one partition, up to the ends taken after the claim."""

    settings: Settings
    reader: LogReader
    alerts: Bounds
    statuses: Bounds

    async def fold(self, unknown: Unknown, orders: dict[str, int], wall_s: float) -> Told:
        """What was told and the pages may not know.

        Parameters
        ----------
        orders
            By rider, when he was ordered to be forgotten, epoch milliseconds: nobody answers for what was
            told before.
        wall_s
            Now, epoch seconds.
        """
        told = Told()
        begin = unknown.alerts_from
        if unknown.bad.any():
            begin = min(begin, await self._first_not_final(wall_s))
        async for record in self._records(self.settings.alerts_topic, begin, self.alerts.end):
            rider = (record.key or b"").decode()
            if not unknown.asks_for(rider, record.offset, unknown.alerts_from):
                continue
            if record.offset >= unknown.alerts_from:
                told.riders.add(rider)
            if record.timestamp >= orders.get(rider, 0):
                told.fold(record.value)
        begin = self.statuses.start if unknown.bad.any() else unknown.status_from
        async for record in self._records(self.settings.status_topic, begin, self.statuses.end):
            rider = (record.key or b"").decode()
            if not unknown.asks_for(rider, record.offset, unknown.status_from):
                continue
            if record.offset >= unknown.status_from:
                told.riders.add(rider)
            told.orphans.discard(rider)
            if record.value is not None:
                told.orphans.add(rider)
        return told

    async def _first_not_final(self, wall_s: float) -> int:
        """The first alert that may be about an instant which is not final."""
        since_s = 0.0
        if self.settings.clock == "wall":
            since_s = wall_s - self.settings.lateness - 2 * FINALITY_SLACK_S
        found = await self.reader.offset_at(self.settings.alerts_topic, int(since_s * 1000))
        return self.alerts.end if found is None else found

    async def _records(self, topic: str, start: int, end: int) -> AsyncIterator[ConsumerRecord]:
        async for batch in self.reader.read(topic, start, end):
            for record in batch:
                yield record


async def read_orders(reader: LogReader, settings: Settings, bounds: Bounds) -> dict[str, int]:
    """Whom an operator has had forgotten, and when (epoch milliseconds)."""
    orders: dict[str, int] = {}
    async for batch in reader.read(settings.control_topic, bounds.start, bounds.end):
        for record in batch:
            if record.key is not None and is_rider(record.key):
                orders[record.key.decode()] = int(record.timestamp)
    return orders
