"""What the outputs of a partition hold, read when it is taken over; and whom an operator had forgotten."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import structlog
from aiokafka.structs import ConsumerRecord

from detectors.kernels.layout.values import FINALITY_SLACK_S, PAGE_SHIFT, PAST
from schemas.decode import rider_hash
from schemas.names import is_rider
from stream.kafka.log_reader import Bounds, LogReader
from stream.settings import Settings
from stream.state.orders import Order, read_order

log = structlog.get_logger()


class Foreign(ValueError):
    """A record in a topic of ours that nobody of us has written; the message says what is wrong with it."""


class _Hold(msgspec.Struct, frozen=True):
    from_: str = msgspec.field(name="from")
    told_at: str | None = None


class _Alert(msgspec.Struct, frozen=True):
    """What is needed of an alert that was told."""

    alert_id: str
    kind: str
    rider_id: str
    policy: str
    limit: str
    platform: str | None
    event_time: Annotated[datetime, msgspec.Meta(tz=True)]
    supersedes: str | None
    hold: _Hold | None


_alerts = msgspec.json.Decoder(_Alert)


class Observed(NamedTuple):
    """An alert that stands in the topic: as it was told, where, and what it is looked up by."""

    offset: int
    rider: str
    policy: str
    instant_s: int
    value: bytes


@dataclass(slots=True)
class PublishedOutputs:
    """What the outputs hold that the pages may not know of."""

    #: Alerts that stand by their ids.
    alerts: dict[str, Observed] = field(default_factory=dict)
    #: Ids of all that was told or taken back after the marker.
    ids: set[str] = field(default_factory=set)
    #: When a hold's first alert was published, by rider, policy, limit and beginning.
    told_at: dict[tuple[str, str, str, str], str] = field(default_factory=dict)
    #: Riders of whom something was told after the marker.
    riders: set[str] = field(default_factory=set)
    #: Riders who have a status that no page answers for.
    orphans: set[str] = field(default_factory=set)
    #: By topic, records that are none of ours and were left out.
    foreign: Counter[str] = field(default_factory=Counter)

    @property
    def waits_from(self) -> int | None:
        """The offset of the first alert that nobody has answered for yet; None when there is none.

        No marker may pass it: whoever took over after that would not find it.
        """
        return min((one.offset for one in self.alerts.values()), default=None)

    def fold(
        self, rider: str, value: bytes | None, offset: int, *, news: bool = True, final_s: float = PAST
    ) -> None:
        """Fold one message of the alert topic in.

        Parameters
        ----------
        news
            Whether it was told after the marker.
        final_s
            What was told before the marker of an instant before this one is final: it stands, and need
            not be remembered.

        Raises
        ------
        Foreign
            It is no alert of the rider whose key it has.
        """
        if value is None:
            return
        try:
            alert = _alerts.decode(value)
        except msgspec.MsgspecError as error:
            raise Foreign(f"no alert: {error}") from error
        retracted = alert.supersedes if alert.kind == "retracted" else alert.alert_id
        if retracted is None or alert.rider_id != rider:
            raise Foreign("takes nothing back" if retracted is None else "another rider's than its key's")
        if news:
            self.riders.add(rider)
            self.ids.add(retracted)
        if alert.kind == "retracted":
            self.alerts.pop(retracted, None)
            return
        instant_s = int(alert.event_time.timestamp())
        if news or instant_s >= final_s:
            self.alerts[retracted] = Observed(offset, rider, alert.policy, instant_s, value)
        hold = alert.hold
        if hold and hold.told_at:
            key = (rider, alert.policy, alert.limit, hold.from_)
            self.told_at.setdefault(key, hold.told_at)


def leave_out(foreign: Counter[str], record: ConsumerRecord, why: str) -> None:
    """Count a record that is none of ours; the first one of a topic is logged."""
    if not foreign[record.topic]:
        log.warning(
            "a record that is none of ours is left out",
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            why=why,
        )
    foreign[record.topic] += 1


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

    async def fold(self, unknown: Unknown, orders: dict[str, int], wall_s: float) -> PublishedOutputs:
        """What was told and the pages may not know.

        Parameters
        ----------
        orders
            By rider, when he was ordered to be forgotten, epoch milliseconds: nobody answers for what was
            told before.
        wall_s
            Now, epoch seconds.
        """
        told = PublishedOutputs()
        await self._fold_alerts(told, unknown, orders, wall_s)
        begin = self.statuses.start if unknown.bad.any() else unknown.status_from
        async for rider, record in self._records(told, self.settings.status_topic, begin, self.statuses.end):
            if not unknown.asks_for(rider, record.offset, unknown.status_from):
                continue
            if record.offset >= unknown.status_from:
                told.riders.add(rider)
            told.orphans.discard(rider)
            if record.value is not None:
                told.orphans.add(rider)
        return told

    async def _fold_alerts(
        self, told: PublishedOutputs, unknown: Unknown, orders: dict[str, int], wall_s: float
    ) -> None:
        since, final_s = unknown.alerts_from, 0.0
        if self.settings.clock == "wall":
            final_s = wall_s - self.settings.lateness - 2 * FINALITY_SLACK_S
        begin = since
        if unknown.bad.any():
            # The first that may be about an instant which is not final.
            found = await self.reader.offset_at(self.settings.alerts_topic, int(final_s * 1000))
            begin = min(since, self.alerts.end if found is None else found)
        async for rider, record in self._records(told, self.settings.alerts_topic, begin, self.alerts.end):
            if not unknown.asks_for(rider, record.offset, since):
                continue
            if record.timestamp < orders.get(rider, 0):
                if record.offset >= since:
                    told.riders.add(rider)
                continue
            try:
                told.fold(rider, record.value, record.offset, news=record.offset >= since, final_s=final_s)
            except Foreign as error:
                leave_out(told.foreign, record, str(error))

    async def _records(
        self, told: PublishedOutputs, topic: str, start: int, end: int
    ) -> AsyncIterator[tuple[str, ConsumerRecord]]:
        """Riders and records, without those that have no rider's id for a key."""
        async for batch in self.reader.read(topic, start, end):
            for record in batch:
                if record.key is not None and is_rider(record.key):
                    yield record.key.decode(), record
                else:
                    leave_out(told.foreign, record, "its key is no rider's id")


async def read_orders(
    reader: LogReader, settings: Settings, bounds: Bounds, foreign: Counter[str]
) -> tuple[dict[str, int], list[Order]]:
    """Whom an operator has had forgotten, and when (epoch milliseconds), and the holds that were lifted.

    ``foreign`` counts the others.
    """
    forgotten: dict[str, int] = {}
    lifts: list[Order] = []
    async for batch in reader.read(settings.control_topic, bounds.start, bounds.end):
        for record in batch:
            if record.key is None or not is_rider(record.key):
                leave_out(foreign, record, "its key is no rider's id")
                continue
            order = read_order(record)
            if order is not None and order.lift is None:
                forgotten[order.rider] = order.arrival_ms
            elif order is not None:
                lifts.append(order)
    return forgotten, lifts
