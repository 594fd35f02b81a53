"""The seam: raw record batches of the source topic through aiokafka and Faust.

aiokafka's fetcher unpacks every record into an object, and Faust hands each on by itself; together that
costs a hundred times what judging does. For the source topic the fetcher here hands on the raw batches of
one fetch response as one record, whose offset is the last one's. What the original does about control
batches, aborted transactions, checksums and the fetch position is kept. Other topics keep the original.

Everything that reaches into aiokafka or Faust beyond their documented interface is in this file;
``tests/stream/kafka/test_raw_fetch.py`` fails when they change.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import crc32c
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.errors import (
    CommitFailedError,
    CorruptRecordException,
    IllegalGenerationError,
    IllegalStateError,
    UnknownMemberIdError,
)
from aiokafka.structs import ConsumerRecord
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

_HEADER = struct.Struct(">qiibIhiqqq")
_HEADER_BYTES = 61
_LENGTH_AFTER, _CRC_FROM = 12, 21
_TRANSACTIONAL, _CONTROL = 0x10, 0x20
_ABORT_MARKER = 0
_READ_COMMITTED = 1
#: How long an idle broker waits before it answers a fetch: what *now* trails by on an idle partition.
FETCH_WAIT_MS = 250
#: An answer that comes later than this after the wait tells how the log ended then, not how it ends now: the
#: process was stopped, or the broker, with the answer on its way.
_ANSWER_WITHIN_MS = 1000
NEXT_OFFSET, FIRST_OFFSET, FETCHED = "respite-next", "respite-first", "respite-fetched"

_OriginalPartitionRecords = fetcher.PartitionRecords
_OriginalMemoryRecords = fetcher.MemoryRecords
_raw_topics: set[str] = set()
#: Per partition, the offset after the last chunk handed on. Written by aiokafka's thread before it moves
#: its position, so "position at the end and all handed on is processed" can be asked from another one.
handed_on: dict[TopicPartition, int] = {}
#: Per partition, the position after the newest response, handed on or not.
_moved_to: dict[TopicPartition, int] = {}
#: Per partition, where reading began after the newest assignment.
started_at: dict[TopicPartition, int] = {}
#: Partitions whose newest response came late, and the time that it stands for at most (epoch milliseconds).
_late: dict[TopicPartition, int] = {}


class _KeptRecords:
    """aiokafka's reader of record batches, keeping the bytes it was made from."""

    def __init__(self, data: bytes) -> None:
        self.raw = data
        self._inner = _OriginalMemoryRecords(data)

    def has_next(self) -> bool:
        return bool(self._inner.has_next())

    def next_batch(self) -> Any:
        return self._inner.next_batch()

    def size_in_bytes(self) -> int:
        return int(self._inner.size_in_bytes())


class RawPartitionRecords(_OriginalPartitionRecords):  # type: ignore[misc,valid-type]
    """The record batches of one fetch response of one partition, as one record."""

    next_fetch_offset: int

    def _unpack_records(self) -> Iterator[ConsumerRecord[None, bytes]]:
        raw = memoryview(self._records.raw)
        first_offset = self._contiguous_from()
        following = self.next_fetch_offset
        kept: list[memoryview] = []
        newest_ms = 0
        for batch in self._batches(raw):
            if batch.next_offset > following and self._is_kept(batch):
                kept.append(raw[batch.start : batch.end])
                newest_ms = max(newest_ms, batch.max_ms)
            following = max(following, batch.next_offset)
        # Only now: after a damaged batch aiokafka goes on at this offset, and nothing was handed on yet.
        self.next_fetch_offset = following
        _moved_to[self._tp] = following
        if not kept:
            return
        value = b"".join(kept)
        handed_on[self._tp] = self.next_fetch_offset
        yield ConsumerRecord(
            self._tp.topic,
            self._tp.partition,
            self.next_fetch_offset - 1,
            newest_ms,
            1,
            None,
            value,
            None,
            -1,
            len(value),
            ((NEXT_OFFSET, self.next_fetch_offset), (FIRST_OFFSET, first_offset), (FETCHED, time.time())),
        )

    def _contiguous_from(self) -> int:
        """The offset after the last chunk, when what lay between was read and held nothing to hand on."""
        start = started_at.get(self._tp, self.next_fetch_offset)
        if self.next_fetch_offset == _moved_to.get(self._tp, start):
            return handed_on.get(self._tp, start)
        return self.next_fetch_offset

    def _batches(self, raw: memoryview) -> Iterator[_Header]:
        at = 0
        while len(raw) - at >= _HEADER_BYTES:
            base, length, _, magic, crc, attributes, last_delta, _, max_ms, producer = _HEADER.unpack_from(
                raw, at
            )
            end = at + _LENGTH_AFTER + length
            if end > len(raw):
                return
            if magic != 2:
                raise CorruptRecordException(f"record batch of format {magic} in {self._tp}, known is 2")
            if self._check_crcs and crc32c.crc32c(raw[at + _CRC_FROM : end]) != crc:
                raise CorruptRecordException(f"Invalid CRC - {self._tp}")
            yield _Header(at, end, base, base + last_delta + 1, attributes, max_ms, producer)
            at = end

    def _is_kept(self, batch: _Header) -> bool:
        """Whether the batch is data that was not taken back by an aborted transaction."""
        if self._isolation_level == _READ_COMMITTED and batch.producer >= 0:
            self._consume_aborted_up_to(batch.base)
            if batch.attributes & _CONTROL and self._marks_abort(batch):
                self._aborted_producers.discard(batch.producer)
            if batch.attributes & _TRANSACTIONAL and batch.producer in self._aborted_producers:
                return False
        return not batch.attributes & _CONTROL

    def _marks_abort(self, batch: _Header) -> bool:
        # A control batch holds one record: length, attributes and two deltas of a byte each, the key's
        # length, then the key: version and type, both int16 (Kafka protocol, "Control Batches").
        at = batch.start + _HEADER_BYTES
        _, kind = struct.unpack_from(">hh", self._records.raw, at + 5)
        return bool(kind == _ABORT_MARKER)


@dataclass(frozen=True, slots=True)
class _Header:
    start: int
    end: int
    base: int
    next_offset: int
    attributes: int
    max_ms: int
    producer: int


def _partition_records(tp: TopicPartition, records: Any, *rest: Any) -> Any:
    if tp.topic in _raw_topics:
        return RawPartitionRecords(tp, records, *rest)
    return _OriginalPartitionRecords(tp, records, *rest)


def read_raw(topic: str) -> None:
    """From now on hand the batches of a topic on as they are; for every consumer of this process."""
    _raw_topics.add(topic)
    fetcher.PartitionRecords = _partition_records
    fetcher.MemoryRecords = _KeptRecords


def time_fetches(client: Any, wall: Callable[[], float] = time.time) -> None:
    """Have the client of a consumer note in `_late` which responses to fetches came late."""
    send = client.send

    async def timed(node_id: int, request: Any, **options: Any) -> Any:
        if not isinstance(request, fetcher.FetchRequest):
            return await send(node_id, request, **options)
        latest_ms = int(wall() * 1000) + FETCH_WAIT_MS + _ANSWER_WITHIN_MS
        response = await send(node_id, request, **options)
        places = [TopicPartition(topic, number) for topic, parts in request.topics for number, *_ in parts]
        if wall() * 1000 > latest_ms:
            _late.update(dict.fromkeys(places, latest_ms))
        else:
            # Not before aiokafka, which goes on from here without a pause, has noted the new end and time.
            asyncio.get_running_loop().call_soon(_in_time, places)
        return response

    client.send = timed


def _in_time(places: Sequence[TopicPartition]) -> None:
    for tp in places:
        _late.pop(tp, None)


def _seek(consumer: Any, tp: TopicPartition, offset: int) -> None:
    """Move the position and what is known beside it; in the consumer's own thread."""
    consumer.seek(tp, offset)
    started_at[tp] = offset
    handed_on.pop(tp, None)
    _moved_to.pop(tp, None)


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
            _seek(consumer, tp, offset)
            if tp.topic in _raw_topics:
                # Where its owner's state ends is not known yet; `read_from` begins.
                consumer.pause(tp)
        return {TP(tp.topic, tp.partition): offset for tp, offset in starts.items()}

    async def read_from(self, tp: TopicPartition, offset: int) -> None:
        """Read a partition from an offset on; what was fetched before is dropped by aiokafka."""

        async def go() -> None:
            consumer = self._ensure_consumer()
            if tp in consumer.assignment():
                _seek(consumer, tp, offset)
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


@dataclass(frozen=True, slots=True)
class LogEnd:
    """What the newest fetch response said of a partition: its end, the wall clock then, our position.

    Of a response that came late, ``response_ms`` is the latest time at which it was still in time.
    """

    end: int
    response_ms: int
    position: int
    started: int
    handed_on: int


def log_end(consumer: Any, topic: str, partition: int) -> LogEnd | None:
    """What is known of a partition's end; None before the first response.

    The time is read first: aiokafka writes it after the offsets, so these are never older than it.
    """
    tp = TopicPartition(topic, partition)
    subscription = consumer._thread._consumer._subscription.subscription
    if subscription is None or subscription.assignment is None:
        return None
    state = subscription.assignment.state_value(tp)
    if state is None or state.timestamp is None or not state.has_valid_position:
        return None
    response_ms = int(state.timestamp)
    response_ms, position = min(response_ms, _late.get(tp, response_ms)), int(state.position)
    stable = state.lso if state.lso is not None and state.lso >= 0 else state.highwater
    started = started_at.get(tp, 0)
    return LogEnd(int(stable), response_ms, position, started, handed_on.get(tp, started))


def is_there(consumer: Any, topic: str) -> bool:
    """Whether there is such a topic, by what the brokers have said last."""
    return bool(consumer._thread._consumer.partitions_for_topic(topic))


async def read_from(consumer: Any, topic: str, partition: int, offset: int) -> None:
    """Read a partition of the lane from an offset on."""
    await consumer._thread.read_from(TopicPartition(topic, partition), offset)


async def commit(consumer: Any, topic: str, partition: int, offset: int | None) -> bool:
    """Commit an offset, or (None) once more what is committed; False when the group has moved on."""
    return bool(await consumer._thread.commit_once(TopicPartition(topic, partition), offset))
