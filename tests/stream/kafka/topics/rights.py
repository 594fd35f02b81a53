"""Trying what a user may do: write, read, or be refused."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import (
    KafkaError,
    TopicAuthorizationFailedError,
)

from stream.settings import Settings


async def writing(settings: Settings, topic: str, name: str | None = None) -> None:
    producer = AIOKafkaProducer(transactional_id=name, request_timeout_ms=8000, **settings.client())
    try:
        await producer.start()
        if name is None:
            await producer.send_and_wait(topic, b"{}", key=b"r1")
        else:
            async with producer.transaction():
                await producer.send_and_wait(topic, b"{}", key=b"r1")
    finally:
        await producer.stop()


async def reading(settings: Settings, topic: str, group: str | None = None) -> None:
    consumer = AIOKafkaConsumer(
        group_id=group, auto_offset_reset="earliest", enable_auto_commit=False, **settings.client()
    )
    if group:
        consumer.subscribe([topic])
    else:
        consumer.assign([TopicPartition(topic, 0)])
    try:
        await consumer.start()
        await consumer.getmany(timeout_ms=2000)
        if group:
            await consumer.commit({TopicPartition(topic, 0): 0})
    finally:
        await consumer.stop()


def allowed(work: Awaitable[None]) -> None:
    async def within() -> None:
        await asyncio.wait_for(work, 20)

    asyncio.run(within())


def refused(work: Awaitable[None], *errors: type[KafkaError]) -> None:
    with pytest.raises(errors or (TopicAuthorizationFailedError,)):
        allowed(work)
