"""Everything one partition writes, through one fenced transactional producer.

The broker refuses the writes of a former owner as soon as a successor has started a producer with the same
transactional id. Nothing counts as told before its transaction is committed; on any failure the partition
is given up, for an unknown result must not be guessed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from stream.settings import Settings

Headers = Sequence[tuple[str, bytes]]
_MOST_BYTES = 4 * 1024 * 1024
_TRANSACTION_TIMEOUT_MS = 60_000


class OutboxFailed(RuntimeError):
    """A write was refused or its result is unknown; the partition must be claimed and restored again."""


class Outbox:
    """The writer of one partition."""

    def __init__(self, settings: Settings, partition: int) -> None:
        self._settings = settings
        self._partition = partition
        self._name = f"{settings.group}-{partition}"
        self._producer: AIOKafkaProducer | None = None
        self._waiting: list[tuple[str, bytes | None, bytes | None, Headers, int | None]] = []
        self._committed: int | None = None

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
            async with self._producer.transaction():
                sends: list[Any] = [
                    await self._producer.send(topic, value, key, partition=partition, headers=list(headers))
                    for topic, key, value, headers, partition in waiting
                ]
                await asyncio.gather(*sends)
                if next_offset is not None:
                    source = TopicPartition(self._settings.source_topic, self._partition)
                    await self._producer.send_offsets_to_transaction(
                        {source: next_offset}, self._settings.group
                    )
        except (KafkaError, TimeoutError) as error:
            raise OutboxFailed(f"partition {self._partition}: {type(error).__name__}: {error}") from error
        self._committed = next_offset if next_offset is not None else self._committed

    async def close(self) -> None:
        """Stop the producer; what waits is dropped, the successor will write it."""
        self._waiting.clear()
        if self._producer is not None:
            await self._producer.stop()
            self._producer = None


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
