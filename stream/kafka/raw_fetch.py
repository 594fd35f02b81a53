"""The seam: raw record batches of the source topic through aiokafka and Faust.

aiokafka's fetcher unpacks every record into an object, and Faust hands each on by itself; together that
costs a hundred times what judging does. For the source topic the fetcher here hands on the raw batches of
one fetch response as one record, whose offset is the last one's (`stream.kafka.raw_batches`).

Everything that reaches into aiokafka or Faust beyond their documented interface is in this file and in
`raw_batches` and `log_end` beside it; ``tests/stream/kafka/test_raw_fetch.py`` fails when they change.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import (
    CommitFailedError,
    IllegalGenerationError,
    IllegalStateError,
    UnknownMemberIdError,
)
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from stream.kafka.log_end import FETCH_WAIT_MS, time_fetches
from stream.kafka.raw_batches import raw_topics, seek


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """Faust's consumer thread, reading the lane's topics from where their owner says."""

    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        # Faust fixes these in code: 1.5 s of waiting, and uncommitted reading outside its own transactions.
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        consumer._isolation_level = "read_committed"
        time_fetches(consumer._client)
        return consumer

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Begin at the start of every assigned partition, those of the lane when their owner says."""
        return await self.call_thread(self._seek_to_start)  # type: ignore[no-any-return]

    async def _seek_to_start(self) -> Mapping[TP, int]:
        consumer = self._ensure_consumer()
        assigned = list(consumer.assignment())
        starts = await consumer.beginning_offsets(assigned) if assigned else {}
        for tp, offset in starts.items():
            seek(consumer, tp, offset)
            if tp.topic in raw_topics:
                # Where its owner's state ends is not known yet; `read_from` begins.
                consumer.pause(tp)
        return {TP(tp.topic, tp.partition): offset for tp, offset in starts.items()}

    async def read_from(self, tp: TopicPartition, offset: int) -> None:
        """Read a partition from an offset on; what was fetched before is dropped by aiokafka."""

        async def go() -> None:
            consumer = self._ensure_consumer()
            if tp in consumer.assignment():
                seek(consumer, tp, offset)
                consumer.resume(tp)

        await self.call_thread(go)

    async def commit_once(self, tp: TopicPartition, offset: int | None) -> bool:
        """Commit under our generation of the group; False when the group has moved on.

        ``offset`` None commits once more what is committed, or the log's start.
        """

        async def go() -> bool:
            consumer = self._ensure_consumer()
            if tp not in consumer.assignment():
                return False
            wanted = offset
            if wanted is None:
                wanted = await consumer.committed(tp)
            if wanted is None:
                wanted = (await consumer.beginning_offsets([tp]))[tp]
            try:
                await consumer.commit({tp: wanted})
            except (CommitFailedError, IllegalStateError, UnknownMemberIdError, IllegalGenerationError):
                return False
            return True

        return bool(await self.call_thread(go))


class _NothingRead(dict[TP, int | None]):
    """Says of every partition that nothing has been read."""

    def __getitem__(self, tp: TP) -> None:
        return None


class Consumer(driver.Consumer):
    """Faust's consumer without its bookkeeping of single offsets: a chunk is contiguous by itself."""

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # Faust leaves out what lies below the offset it has read; after going back all of that is wanted.
        self._read_offset = _NothingRead()
        #: Set when a partition's buffer has room again.
        self._has_room = asyncio.Event()

    def on_buffer_drop(self, tp: TP) -> None:
        """Fetch a partition again; whoever waits for that goes on."""
        super().on_buffer_drop(tp)
        self._has_room.set()

    async def _wait_next_records(self, timeout: float) -> tuple[Any, set[TP] | None]:  # noqa: ASYNC109 - as Faust
        """Wait for records; with every buffer full, for room, where Faust sleeps for a second."""
        if self.flow_active and not self.app.client_only and not self._get_active_partitions():
            self._has_room.clear()
            # A partition can be assigned or resumed meanwhile, too.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._has_room.wait(), timeout)
            return None, None
        return await super()._wait_next_records(timeout)  # type: ignore[no-any-return]

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Chunks skip offsets by design."""

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """Offsets are committed when a checkpoint has made them safe."""
        return True


class Transport(driver.Transport):
    """Faust's transport with the consumer above."""

    Consumer = Consumer


def is_there(consumer: Any, topic: str) -> bool:
    """Whether there is such a topic, by what the brokers have said last."""
    return bool(consumer._thread._consumer.partitions_for_topic(topic))


async def read_from(consumer: Any, topic: str, partition: int, offset: int) -> None:
    """Read a partition of the lane from an offset on."""
    await consumer._thread.read_from(TopicPartition(topic, partition), offset)


async def commit(consumer: Any, topic: str, partition: int, offset: int | None) -> bool:
    """Commit an offset, or (None) once more what is committed; False when the group has moved on."""
    return bool(await consumer._thread.commit_once(TopicPartition(topic, partition), offset))
