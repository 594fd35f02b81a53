"""Reading topics from their beginning, for those who only look."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from stream.settings import Settings


@contextlib.asynccontextmanager
async def tail(
    settings: Settings, topics: Sequence[str]
) -> AsyncIterator[Callable[[int], Awaitable[list[tuple[str, bytes | None]]]]]:
    """Read topics from their beginning, outside any group.

    Yields a function that waits so many milliseconds at most and returns topics and values.
    """
    consumer = AIOKafkaConsumer(
        *topics,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        enable_auto_commit=False,
        **settings.client(),
    )

    async def read(wait_ms: int) -> list[tuple[str, bytes | None]]:
        found = await consumer.getmany(timeout_ms=wait_ms)
        return [(tp.topic, record.value) for tp, records in found.items() for record in records]

    await consumer.start()
    try:
        yield read
    finally:
        await consumer.stop()


class Arrived(NamedTuple):
    """A record of a followed topic."""

    topic: str
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]
    timestamp_ms: int


@contextlib.asynccontextmanager
async def follow(
    settings: Settings, since_ms: int
) -> AsyncIterator[tuple[int, Callable[[int], Awaitable[list[Arrived]]]]]:
    """Follow alerts, dead letters and watermarks from a time on, outside any group.

    Yields the number of partitions, and a function that waits so many milliseconds at most for records.

    Raises
    ------
    ConnectionError
        When the broker cannot be reached or refuses, or there are no such topics.
    """
    topics = (settings.alerts_topic, settings.dead_letter_topic, settings.watermark_topic)
    consumer = AIOKafkaConsumer(
        *topics,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        enable_auto_commit=False,
        **settings.client(),
    )

    async def read(wait_ms: int) -> list[Arrived]:
        try:
            found = await consumer.getmany(timeout_ms=wait_ms)
        except KafkaError as error:
            raise ConnectionError(f"{settings.broker}: {error!r}") from error
        return [
            Arrived(tp.topic, record.value, record.headers, record.timestamp)
            for tp, records in found.items()
            for record in records
        ]

    try:
        try:
            await consumer.start()
            places = consumer.assignment()
            # The watermark topic is compacted: its newest per partition is wherever it is.
            timed = [place for place in places if place.topic != settings.watermark_topic]
            at = await consumer.offsets_for_times(dict.fromkeys(timed, max(0, since_ms)))
            for place, found in at.items():
                if found is None:
                    await consumer.seek_to_end(place)
                else:
                    consumer.seek(place, found.offset)
        except KafkaError as error:
            raise ConnectionError(f"{settings.broker}: {error!r}") from error
        yield len(places) // len(topics), read
    finally:
        await consumer.stop()
