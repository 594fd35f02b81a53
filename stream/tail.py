"""Reading topics from their beginning, for those who only look."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from aiokafka import AIOKafkaConsumer

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
