"""Everything one partition writes, through one fenced transactional producer.

The broker refuses the writes of a former owner as soon as a successor has started a producer with the same
transactional id. Nothing counts as told before its transaction is committed; on any failure the partition
is given up, for an unknown result must not be guessed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from schemas.decode import murmur2
from stream.settings import Settings

Headers = Sequence[tuple[str, bytes]]
_MOST_BYTES = 4 * 1024 * 1024
_TRANSACTION_TIMEOUT_MS = 60_000
_FLUSH_TIMEOUT_S = 45.0
_CLOSE_TIMEOUT_S = 1.5
Message = tuple[str, bytes | None, bytes | None, Headers, int | None]


class OutboxFailed(RuntimeError):
    """A write was refused or its result is unknown; the partition must be claimed and restored again."""


class Outbox:
    """The writer of one partition."""

    def __init__(self, settings: Settings, partition: int) -> None:
        self._settings = settings
        self._partition = partition
        self._name = f"{settings.group}-{partition}"
        self._producer: AIOKafkaProducer | None = None
        self._waiting: list[Message] = []
        self._committed: int | None = None
        #: When the last transaction was committed, epoch seconds.
        self.committed_s: float | None = None

    @property
    def pending(self) -> int:
        """Messages that wait for the next transaction."""
        return len(self._waiting)

    async def start(self) -> None:
        """Claim the partition: from here on a former owner's writes are refused."""
        producer = AIOKafkaProducer(
            transactional_id=self._name,
            transaction_timeout_ms=_TRANSACTION_TIMEOUT_MS,
            acks="all",
            max_batch_size=1 << 20,
            max_request_size=_MOST_BYTES,
            linger_ms=5,
            **self._settings.client(),
        )
        try:
            await producer.start()
        except KafkaError as error:
            raise OutboxFailed(f"partition {self._partition}: cannot claim {self._name}: {error}") from error
        self._producer = producer

    def put(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Headers = (),
        *,
        partition: int | None = None,
    ) -> None:
        """Write with the next `flush`; ``partition`` None leaves the place to Kafka's partitioner."""
        self._waiting.append((topic, key, value, headers, partition))

    async def flush(self, next_offset: int | None = None) -> None:
        """Write all that waits, and the source offset up to which it holds, in one transaction.

        Raises
        ------
        OutboxFailed
            When any part of it failed; what was written is then unknown.
        """
        if not self._waiting and (next_offset is None or next_offset == self._committed):
            return
        assert self._producer is not None
        waiting, self._waiting = self._waiting, []
        try:
            # Without the producer's own context manager: that would abort and wait, and an unknown result
            # is not to be mended here. The successor's claim aborts.
            async with asyncio.timeout(_FLUSH_TIMEOUT_S):
                await self._producer.begin_transaction()
                await self._send(self._producer, waiting)
                if next_offset is not None:
                    source = TopicPartition(self._settings.source_topic, self._partition)
                    offsets = {source: next_offset}
                    await self._producer.send_offsets_to_transaction(offsets, self._settings.group)
                await self._producer.commit_transaction()
        except (KafkaError, TimeoutError) as error:
            raise OutboxFailed(f"partition {self._partition}: {type(error).__name__}: {error}") from error
        self._committed = next_offset if next_offset is not None else self._committed
        self.committed_s = time.time()

    async def _send(self, producer: AIOKafkaProducer, waiting: Sequence[Message]) -> None:
        """Send in batches built here: several times as fast, and a record may have neither key nor value."""
        batches: dict[tuple[str, int], Any] = {}
        sent: list[Any] = []
        for topic, key, value, headers, wanted in waiting:
            partition = await self._place(producer, topic, key) if wanted is None else wanted
            place = topic, partition
            batch = batches.get(place) or batches.setdefault(place, producer.create_batch())
            if batch.append(timestamp=None, key=key, value=value, headers=list(headers)) is None:
                sent.append(await producer.send_batch(batch, topic, partition=partition))
                batch = batches[place] = producer.create_batch()
                batch.append(timestamp=None, key=key, value=value, headers=list(headers))
        for (topic, partition), batch in batches.items():
            sent.append(await producer.send_batch(batch, topic, partition=partition))
        await asyncio.gather(*sent)

    async def _place(self, producer: AIOKafkaProducer, topic: str, key: bytes | None) -> int:
        """Where Kafka's standard partitioner puts a key; without one, beside the rest of this partition."""
        partitions = len(await producer.partitions_for(topic))
        return (self._partition if key is None else murmur2(key)) % partitions

    async def close(self) -> None:
        """Stop the producer; what waits is dropped, the successor will write it."""
        self._waiting.clear()
        producer, self._producer = self._producer, None
        if producer is None:
            return
        try:
            await asyncio.wait_for(producer.stop(), _CLOSE_TIMEOUT_S)
        except TimeoutError:
            # It waits for what it could not send. The broker ends the transaction, or a successor's claim.
            await producer._sender.close()  # noqa: SLF001 - there is no public way to give up
            await producer.client.close()


async def read_tail(
    settings: Settings, topic: str, partition: int, since_ms: int
) -> list[tuple[int, bytes | None, bytes | None]]:
    """The records of an output partition from a time on, up to its end now: offset, key, value."""
    consumer = AIOKafkaConsumer(
        isolation_level="read_committed", enable_auto_commit=False, **settings.client()
    )
    await consumer.start()
    try:
        tp = TopicPartition(topic, partition)
        consumer.assign([tp])
        end = (await consumer.end_offsets([tp]))[tp]
        found = (await consumer.offsets_for_times({tp: max(0, since_ms)}))[tp]
        if found is None:
            return []
        consumer.seek(tp, found.offset)
        records: list[tuple[int, bytes | None, bytes | None]] = []
        while await consumer.position(tp) < end:
            for batch in (await consumer.getmany(tp, timeout_ms=500)).values():
                records.extend(
                    (record.offset, record.key, record.value) for record in batch if record.offset < end
                )
        return records
    finally:
        await consumer.stop()


async def source_end(settings: Settings, partition: int) -> tuple[int, int | None]:
    """The end of a source partition now, and the offset up to which its side outputs were written."""
    consumer = AIOKafkaConsumer(
        group_id=settings.group,
        isolation_level="read_committed",
        enable_auto_commit=False,
        **settings.client(),
    )
    await consumer.start()
    try:
        tp = TopicPartition(settings.source_topic, partition)
        consumer.assign([tp])
        end = (await consumer.end_offsets([tp]))[tp]
        return int(end), await consumer.committed(tp)
    finally:
        await consumer.stop()
