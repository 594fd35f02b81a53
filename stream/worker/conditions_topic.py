"""What is announced of zones: all of its topic, read by every worker to its end before it judges."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord

from detectors.conditions import Announcement
from schemas.durations import write_duration
from schemas.work_state import Refused
from stream.announcements import announcement_of
from stream.settings import Settings

log = structlog.get_logger()
_WAIT_MS = 200
_AGAIN_AFTER_S = 1.0


class RefusedRecord(NamedTuple):
    """A record of the topic that is no condition."""

    record: ConsumerRecord
    reason: str
    detail: str


class ConditionsTopic:
    """Follows the topic; what it has read stands in `known` and `refused`, in the order of reading."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.known: list[Announcement] = []
        self.refused: list[RefusedRecord] = []
        #: By partition, the offset that is read next.
        self._next: dict[int, int] = {}
        #: By partition, the latest instant at which anything was announced (event clock).
        self._latest_s: dict[int, int] = {}
        self._waiting: list[asyncio.Future[None]] = []

    async def caught_up(self) -> None:
        """Wait until all that is in the topic now has been read."""
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        await waiting

    async def follow(self, is_over: Callable[[], bool]) -> None:
        """Read on until it is over; with Kafka away, until it is back."""
        while not is_over():
            try:
                await self._follow(is_over)
            except KafkaError as error:
                # The partitions themselves see that Kafka is away, and say so.
                log.warning("conditions of zones cannot be read", error=repr(error))
                await asyncio.sleep(_AGAIN_AFTER_S)

    async def _follow(self, is_over: Callable[[], bool]) -> None:
        topic = self._settings.zone_condition_topic
        consumer = AIOKafkaConsumer(
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            **self._settings.client(),
        )
        try:
            await consumer.start()
            await consumer.topics()
            # Of Respite's making it has one; whoever made it otherwise may have given it more.
            numbers = consumer.partitions_for_topic(topic) or {0}
            places = [TopicPartition(topic, number) for number in sorted(numbers)]
            consumer.assign(places)
            for place in places:
                if place.partition in self._next:
                    consumer.seek(place, self._next[place.partition])
            while not is_over():
                await self._serve(consumer, places)
        finally:
            await consumer.stop()

    async def _serve(self, consumer: AIOKafkaConsumer, places: list[TopicPartition]) -> None:
        """Read what there is; who waits for the end of now goes on once it has been read."""
        waiting, self._waiting = self._waiting, []
        try:
            ends = await consumer.end_offsets(places) if waiting else {}
            while True:
                for records in (await consumer.getmany(timeout_ms=_WAIT_MS)).values():
                    for record in records:
                        self._take(record)
                behind = [place for place, end in ends.items() if await consumer.position(place) < end]
                if not behind:
                    break
        except KafkaError:
            self._waiting += waiting
            raise
        for one in waiting:
            if not one.done():
                one.set_result(None)

    def _take(self, record: ConsumerRecord) -> None:
        if record.offset < self._next.get(record.partition, 0):
            return
        self._next[record.partition] = record.offset + 1
        wall = self._settings.clock == "wall"
        try:
            one = announcement_of(record.value, int(record.timestamp) // 1000 if wall else None)
            if not wall:
                self._must_be_in_time(record.partition, one)
        except Refused as fault:
            self.refused.append(RefusedRecord(record, fault.reason, fault.detail))
            log.warning(
                "no condition of zones", offset=record.offset, reason=fault.reason, detail=fault.detail
            )
            return
        self.known.append(one)

    def _must_be_in_time(self, partition: int, one: Announcement) -> None:
        """With the event clock, lateness is measured by the latest announcement read from the partition.

        Raises
        ------
        Refused
            It is ``too_late``.
        """
        latest_s = max(self._latest_s.get(partition, one.announced_s), one.announced_s)
        self._latest_s[partition] = latest_s
        if latest_s - one.announced_s > self._settings.lateness:
            by, most = (write_duration(s) for s in (latest_s - one.announced_s, self._settings.lateness))
            detail = f"announced {by} before the latest one read here, {most} are allowed"
            raise Refused("too_late", detail)
