"""From a platform's topics to a `Sender`, within bounds; offsets are committed without holes."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError

from stream.delivery.destination import Destination
from stream.delivery.ledger import Ledger
from stream.delivery.messages import Message, Place
from stream.delivery.sender import Sender
from stream.settings import Settings

log = structlog.get_logger()
_POLL_MS = 200
_COMMIT_EVERY_S = 1.0
#: Messages beyond the oldest unsettled one of a partition, in numbers of messages that may be pending.
_AHEAD = 10
_MOST_PENDING_BYTES = 32 << 20
_FETCH_BYTES = 1 << 20
_SESSION_MS = 10_000


class EndpointConsumer(ConsumerRebalanceListener):
    """Feeds a sender from the partitions that the group gives to this process."""

    def __init__(self, consumer: AIOKafkaConsumer, sender: Sender, endpoint: Destination) -> None:
        self._consumer = consumer
        self._sender = sender
        self._endpoint = endpoint
        self._ledgers: dict[TopicPartition, Ledger] = {}
        self._committed_s = time.monotonic()
        self._full = False

    @property
    def lag_records(self) -> int:
        """Records in Kafka that have not been fetched, as of the last answers."""
        lag = 0
        for tp in self._ledgers:
            end, reached = self._consumer.highwater(tp), self._ledgers[tp].position
            lag += max(0, end - reached) if end is not None and reached is not None else 0
        return lag

    async def turn(self) -> None:
        """Take what there is room for, and commit what is settled once a second."""
        self._hold_back()
        room = max(1, self._endpoint.max_pending - self._sender.pending)
        found = await self._consumer.getmany(timeout_ms=_POLL_MS, max_records=room)
        for tp, records in found.items():
            ledger = self._ledgers.setdefault(tp, Ledger())
            for record in records:
                ledger.take(record.offset)
                self._sender.put(message_of(record), partial(ledger.settle, record.offset))
        if time.monotonic() - self._committed_s >= _COMMIT_EVERY_S:
            await self._commit()

    async def finish(self) -> None:
        """Let requests under way end, and commit."""
        await self._sender.drain(self._endpoint.timeout)
        await self._commit()

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Before others may have the partitions, nothing of theirs may be under way here."""
        if revoked:
            await self.finish()
        self._ledgers.clear()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Begin where the group has committed."""
        log.info("reads", endpoint=self._endpoint.name, partitions=len(assigned))

    def _hold_back(self) -> None:
        """Pause partitions while memory is full, and those that are far ahead of what is settled.

        They go on at half of that: what was fetched of a partition is thrown away when it pauses.
        """
        share = 0.5 if self._full else 1.0
        self._full = (
            self._sender.pending >= self._endpoint.max_pending * share
            or self._sender.pending_bytes >= _MOST_PENDING_BYTES * share
        )
        paused = self._consumer.paused()
        for tp in self._consumer.assignment():
            most = self._endpoint.max_pending * _AHEAD * (0.5 if tp in paused else 1.0)
            wanted = self._full or len(self._ledgers.get(tp, ())) >= most
            if wanted and tp not in paused:
                self._consumer.pause(tp)
            elif not wanted and tp in paused:
                self._consumer.resume(tp)

    async def _commit(self) -> None:
        self._committed_s = time.monotonic()
        reached = {
            tp: one.next_offset
            for tp, one in self._ledgers.items()
            if one.next_offset is not None and one.next_offset != one.committed
        }
        if not reached:
            return
        try:
            await self._consumer.commit(reached)
        except KafkaError as error:
            # Nothing is lost: it is said again with the next one, or the messages are sent again.
            log.warning("offsets not committed", endpoint=self._endpoint.name, error=repr(error))
            return
        for tp, offset in reached.items():
            self._ledgers[tp].committed = offset


def message_of(record: Any) -> Message:  # noqa: ANN401 - aiokafka has no types
    """A record of a platform's topic as a message."""
    place = Place(record.topic, record.partition, record.offset)
    return Message(place, record.key, record.value, tuple(record.headers), record.timestamp)


def new_consumer(settings: Settings, group: str | None, endpoint: Destination) -> AIOKafkaConsumer:
    """A consumer whose group keeps partitions of one number together: a rider's alerts and statuses."""
    return AIOKafkaConsumer(
        group_id=group,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        partition_assignment_strategy=[RangePartitionAssignor],
        max_partition_fetch_bytes=_FETCH_BYTES,
        session_timeout_ms=_SESSION_MS,
        # Others wait for the requests under way here.
        rebalance_timeout_ms=int(endpoint.timeout * 1000) + _SESSION_MS,
        **settings.client(),
    )


@asynccontextmanager
async def intake(
    settings: Settings, group: str, endpoint: Destination, topics: Collection[str], sender: Sender
) -> AsyncIterator[EndpointConsumer]:
    """An intake that has joined its group; left in order, with what is settled committed.

    Raises
    ------
    KafkaError
        Kafka cannot be reached or refuses.
    """
    consumer = new_consumer(settings, group, endpoint)
    made = EndpointConsumer(consumer, sender, endpoint)
    consumer.subscribe(list(topics), listener=made)
    await consumer.start()
    try:
        yield made
    finally:
        await made.finish()
        await consumer.stop()
