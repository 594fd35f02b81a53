"""Chunks of raw record batches from a real Kafka, through aiokafka and Faust, to whoever judges them."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, NamedTuple

import pytest
from aiokafka import AIOKafkaProducer
from kafka import KafkaConsumer, TopicPartition as KafkaPartition

from schemas.decode import decode_chunk, read_headers
from stream.kafka import log_end, raw_batches, raw_fetch
from stream.kafka.topics import provisioning
from stream.settings import Settings
from stream.worker.construction import WorkerApp, new_app

pytestmark = pytest.mark.kafka
PARTITIONS = 2
DEADLINE_S = 60.0
CODECS = (None, "gzip", "snappy", "lz4", "zstd")


class Seen(NamedTuple):
    """A record as it lies in the topic."""

    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


class Collector:
    """A Faust app with an agent that keeps every chunk of the source."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.app: WorkerApp = new_app(settings)
        self.chunks: dict[int, list[tuple[int, int, bytes]]] = {n: [] for n in range(PARTITIONS)}
        topic = self.app.topic(
            settings.source_topic, value_type=bytes, key_serializer="raw", value_serializer="raw"
        )
        self.app.agent(topic, name="collect")(self._collect)

    async def _collect(self, stream: Any) -> None:
        async for event in stream.events():
            headers = dict(event.message.headers)
            place = headers[raw_batches.FIRST_OFFSET], headers[raw_batches.NEXT_OFFSET]
            self.chunks[event.message.partition].append((*place, event.message.value))

    def records(self, partition: int) -> list[Seen]:
        """What the chunks of a partition hold, decoded as the worker decodes them."""
        found = []
        for first, _, raw in self.chunks[partition]:
            decoded = decode_chunk(raw, first)
            columns = decoded.columns
            for index in range(len(columns.offset)):
                place = int(columns.headers_off[index]), int(columns.headers_len[index])
                headers = tuple((name, value or b"") for name, value in read_headers(decoded.buf, *place))
                found.append(
                    Seen(int(columns.offset[index]), decoded.key(index), decoded.value(index), headers)
                )
        return found

    def end(self, partition: int) -> log_end.LogEnd | None:
        """What the newest fetch response said."""
        return log_end.log_end(self.app.consumer, self.settings.source_topic, partition)

    def at_the_end(self, partition: int) -> bool:
        """Whether every chunk up to the end of the log has come."""
        end = self.end(partition)
        return end is not None and end.position >= end.end and self.processed(partition) >= end.handed_on

    def assert_contiguous(self, partition: int) -> None:
        """Every chunk begins where the one before it ended; the worker refuses anything else."""
        bounds = [(first, following) for first, following, _ in self.chunks[partition]]
        assert [first for first, _ in bounds] == [0, *(following for _, following in bounds[:-1])]

    def position(self, partition: int) -> int:
        """Where aiokafka reads next; -1 before the first answer."""
        end = self.end(partition)
        return -1 if end is None else end.position

    def answered_ms(self, partition: int) -> int:
        """When the newest fetch response came, epoch milliseconds."""
        end = self.end(partition)
        return 0 if end is None else end.response_ms

    def answered_after(self, partition: int, before_ms: int) -> bool:
        """Whether a fetch response has come since."""
        return self.answered_ms(partition) > before_ms

    def processed(self, partition: int) -> int:
        """The offset after the last chunk."""
        chunks = self.chunks[partition]
        return chunks[-1][1] if chunks else 0


async def until(claim: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not claim():
        assert time.monotonic() < deadline, f"not within {DEADLINE_S} s: {what}"
        await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def collecting(settings: Settings) -> AsyncIterator[Collector]:
    collector = Collector(settings)
    await collector.app.start()
    try:
        await until(lambda: len(collector.app.consumer.assignment()) == PARTITIONS, "an assignment")
        for number in range(PARTITIONS):
            await raw_fetch.read_from(collector.app.consumer, settings.source_topic, number, 0)
        yield collector
    finally:
        await asyncio.wait_for(collector.app.stop(), DEADLINE_S)


def in_topic(settings: Settings, partition: int) -> list[Seen]:
    """The committed records, read by another client."""
    consumer = KafkaConsumer(
        bootstrap_servers=settings.broker, isolation_level="read_committed", group_id=None,
        auto_offset_reset="earliest", consumer_timeout_ms=1500,
    )  # fmt: skip
    consumer.assign([KafkaPartition(settings.source_topic, partition)])
    found = [Seen(r.offset, r.key, r.value, tuple((k, v) for k, v in r.headers)) for r in consumer]
    consumer.close()
    return found


@pytest.fixture
def settings(broker: Any, prefix: str) -> Settings:
    made = Settings(broker=broker.bootstrap, prefix=prefix, group=prefix)
    provisioning.ensure_topics(made, PARTITIONS)
    return made


async def produce(settings: Settings, codec: str | None, records: range) -> dict[int, list[Seen]]:
    """Write records with headers; what must then lie in each partition."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.broker, compression_type=codec, linger_ms=20)
    await producer.start()
    written: dict[int, list[Seen]] = {partition: [] for partition in range(PARTITIONS)}
    sent = []
    for number in records:
        key, value = b"key-%d" % number, b'{"n": %d}' % number * 20
        headers = (("codec", str(codec).encode()), ("empty", b""))
        partition = number % PARTITIONS
        sent.append(
            await producer.send(settings.source_topic, value, key, partition=partition, headers=list(headers))
        )
        written[partition].append(Seen(-1, key, value, headers))
    for number, where in zip(records, await asyncio.gather(*sent), strict=True):
        place = written[number % PARTITIONS]
        index = (number - records.start) // PARTITIONS
        place[index] = place[index]._replace(offset=where.offset)
    await producer.stop()
    return written


def test_chunks_of_every_codec_hold_what_was_written(settings: Settings) -> None:
    async def read() -> tuple[Collector, list[dict[int, list[Seen]]]]:
        written = [
            await produce(settings, codec, range(number * 100, (number + 1) * 100))
            for number, codec in enumerate(CODECS)
        ]
        async with collecting(settings) as collector:
            await until(lambda: all(map(collector.at_the_end, range(PARTITIONS))), "the end of the log")
            return collector, written

    collector, written = asyncio.run(read())
    for partition in range(PARTITIONS):
        expected = [one for part in written for one in part[partition]]
        assert len(expected) == 250
        assert collector.records(partition) == expected
        collector.assert_contiguous(partition)


async def transactions(settings: Settings, ends: Sequence[bool]) -> None:
    """A transaction of five records each, committed or aborted."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.broker, transactional_id=settings.prefix + "tx")
    await producer.start()
    for number, commits in enumerate(ends):
        await producer.begin_transaction()
        for record in range(5):
            value = b"%d committed %d" % (number, commits)
            await producer.send_and_wait(settings.source_topic, value, b"k%d" % record, partition=0)
        await (producer.commit_transaction() if commits else producer.abort_transaction())
    await producer.stop()


def test_aborted_transactions_are_left_out_and_markers_do_not_hide_the_end(settings: Settings) -> None:
    async def read() -> Collector:
        await produce(settings, None, range(10))
        async with collecting(settings) as collector:
            await transactions(settings, (True, False, True, False))
            # Five plain records, then four times five and a marker; of the last six nothing is handed on.
            await until(lambda: collector.position(0) == 29, "a position past the last marker")
            await until(lambda: collector.at_the_end(0), "the end of the log")
            return collector

    collector = asyncio.run(read())
    assert collector.records(0) == in_topic(settings, 0)
    assert {one.value for one in collector.records(0)[5:]} == {b"0 committed 1", b"2 committed 1"}
    collector.assert_contiguous(0)


def test_an_open_transaction_is_not_waited_for(settings: Settings) -> None:
    async def read() -> Collector:
        producer = AIOKafkaProducer(bootstrap_servers=settings.broker, transactional_id=settings.prefix + "o")
        await producer.start()
        await producer.begin_transaction()
        await producer.send_and_wait(settings.source_topic, b"not yet", b"k", partition=0)
        await produce(settings, None, range(2))
        async with collecting(settings) as collector:
            await until(lambda: collector.at_the_end(0), "the last stable offset")
            assert collector.position(0) == 0
            await producer.commit_transaction()
            await until(lambda: collector.position(0) == 3, "what was committed and what stood behind it")
            await until(lambda: collector.at_the_end(0), "the end of the log")
        await producer.stop()
        return collector

    assert [one.offset for one in asyncio.run(read()).records(0)] == [0, 1]


def test_on_an_idle_partition_the_newest_answer_stays_fresh(settings: Settings) -> None:
    async def read() -> None:
        async with collecting(settings) as collector:
            await until(lambda: collector.end(1) is not None, "a first answer")
            for _ in range(3):
                before_ms = collector.answered_ms(1)
                await until(functools.partial(collector.answered_after, 1, before_ms), "a newer answer")
                assert collector.answered_ms(1) - before_ms < 1000
                assert abs(collector.answered_ms(1) - time.time() * 1000) < 1000
                assert collector.at_the_end(1)

    asyncio.run(read())


def test_reading_goes_back_when_it_is_told_to_and_chunks_begin_there(settings: Settings) -> None:
    async def read() -> None:
        await produce(settings, None, range(40))
        async with collecting(settings) as collector:
            await until(lambda: collector.at_the_end(1), "everything has come")
            end = collector.processed(1)
            assert end > 3
            collector.chunks[1].clear()
            await raw_fetch.read_from(collector.app.consumer, settings.source_topic, 1, 3)
            await until(lambda: collector.processed(1) == end, "it comes again")
            assert collector.chunks[1][0][0] == 3
            found = [one.offset for one in collector.records(1) if one.offset >= 3]
            assert found == list(range(3, end))

    asyncio.run(read())


def test_the_group_takes_a_commit_of_its_member_and_refuses_one_of_a_partition_that_is_not_its(
    settings: Settings,
) -> None:
    async def read() -> None:
        await produce(settings, None, range(4))
        async with collecting(settings) as collector:
            consumer = collector.app.consumer
            assert await raw_fetch.commit(consumer, settings.source_topic, 1, None)
            assert await raw_fetch.commit(consumer, settings.source_topic, 1, 1)
            assert not await raw_fetch.commit(consumer, settings.source_topic, PARTITIONS, 1)
            # Another member takes over what a silent one had: its generation has ended.
            thread = consumer._thread._consumer
            thread._coordinator.generation -= 1
            assert not await raw_fetch.commit(consumer, settings.source_topic, 1, 2)

    asyncio.run(read())
