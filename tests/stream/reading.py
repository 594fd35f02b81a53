"""What lies in a topic, for tests that look from outside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from kafka import KafkaConsumer, TopicPartition

DEADLINE_MS = 10_000


class Record(NamedTuple):
    """A record as Kafka has it; ``timestamp_ms`` is its arrival under LogAppendTime."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: dict[str, bytes]
    timestamp_ms: int


def records_of(bootstrap: str, topic: str) -> list[Record]:
    """Every committed record of a topic up to its end now, by partition and offset."""
    consumer = KafkaConsumer(
        bootstrap_servers=bootstrap,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    try:
        return sorted(_read(consumer, topic))
    finally:
        consumer.close()


def _read(consumer: KafkaConsumer, topic: str) -> Iterator[Record]:
    places = [TopicPartition(topic, partition) for partition in consumer.partitions_for_topic(topic) or ()]
    assert places, f"no topic {topic}"
    consumer.assign(places)
    ends = consumer.end_offsets(places)
    while any(consumer.position(place) < ends[place] for place in places):
        polled = consumer.poll(timeout_ms=DEADLINE_MS)
        assert polled, f"{topic} ends before {ends}"
        for place, found in polled.items():
            for one in found:
                yield Record(
                    place.partition, one.offset, one.key, one.value, dict(one.headers), one.timestamp
                )
