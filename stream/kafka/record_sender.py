"""Sending single records, each to the partition of its rider."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from schemas.decode import murmur2
from stream.kafka.failures import in_words
from stream.settings import Settings

#: Topic, key, value.
Send = Callable[[str, bytes, bytes], Awaitable[None]]


@asynccontextmanager
async def sending(settings: Settings) -> AsyncIterator[Send]:
    """A function that returns once Kafka has a record.

    Raises
    ------
    ConnectionError
        Kafka cannot be reached or refuses; from the function too.
    """
    producer = AIOKafkaProducer(acks="all", enable_idempotence=True, **settings.client())

    async def send(topic: str, key: bytes, value: bytes) -> None:
        try:
            partitions = await producer.partitions_for(topic)
            await producer.send_and_wait(topic, value, key, partition=murmur2(key) % len(partitions))
        except KafkaError as error:
            raise ConnectionError(f"Kafka at {settings.broker}: {in_words(error)}") from error

    try:
        try:
            await producer.start()
        except KafkaError as error:
            raise ConnectionError(f"Kafka at {settings.broker}: {in_words(error)}") from error
        yield send
    finally:
        await producer.stop()
