"""What lies in a topic, for tests that look from outside."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

DEADLINE_S = 120.0


class Record(NamedTuple):
    """A record as Kafka has it; ``timestamp_ms`` is its arrival under LogAppendTime."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: dict[str, bytes]
    timestamp_ms: int


def records_of(bootstrap: str, topic: str) -> list[Record]:
    """Every committed record of a topic up to its end now, by partition and offset.

    What is under way is waited for: Kafka answers a commit before readers of what is committed see it.
    """
    return sorted(asyncio.run(asyncio.wait_for(_read(bootstrap, topic), DEADLINE_S)))


async def _ends(bootstrap: str, places: list[TopicPartition]) -> dict[TopicPartition, int]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        return dict(await consumer.end_offsets(places))
    finally:
        await consumer.stop()


async def _read(bootstrap: str, topic: str) -> list[Record]:
    # aiokafka, for kafka-python does not move over an aborted transaction at the end of a log.
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        numbers = consumer.partitions_for_topic(topic) or await _partitions(consumer, topic)
        places = [TopicPartition(topic, number) for number in sorted(numbers)]
        consumer.assign(places)
        ends = await _ends(bootstrap, places)
        found: list[Record] = []
        while any([await consumer.position(place) < ends[place] for place in places]):
            for place, records in (await consumer.getmany(timeout_ms=200)).items():
                found += [
                    Record(place.partition, one.offset, one.key, one.value, dict(one.headers), one.timestamp)
                    for one in records
                    if one.offset < ends[place]
                ]
        return found
    finally:
        await consumer.stop()


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> set[int]:
    await consumer._client.add_topic(topic)
    numbers = consumer.partitions_for_topic(topic)
    assert numbers, f"no topic {topic}"
    return set(numbers)
