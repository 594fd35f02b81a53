"""A source that is full while the broker takes slowly: what lies between fetch and commit stays bounded."""

from __future__ import annotations

import os
import time
from collections import Counter
from dataclasses import dataclass

from kafka import KafkaProducer

from tests.chaos.city import City
from tests.chaos.feed import PARTITIONS
from tests.chaos.machine import pass_by
from tests.stream.topic_contents import records_of

#: Refused messages: each is written again as a dead letter, so as much must go out as comes in.
MESSAGES, MESSAGE_BYTES = 40_000, 8000
FLOOD_BYTES = MESSAGES * MESSAGE_BYTES
#: A piece of 64 KiB at a time: 0.65 MB/s on each connection.
UPLOAD_DELAY_S = 0.1
SLOW_S = 20.0


@dataclass(frozen=True, slots=True)
class Growth:
    """What a worker held before the flood, and at most while the broker was slow."""

    before_bytes: int
    most_bytes: int

    @property
    def grown_bytes(self) -> int:
        """What it took for the flood."""
        return self.most_bytes - self.before_bytes


def flood(city: City) -> Growth:
    """Fill the source while the broker takes what workers write slowly; how their memory grows."""
    before = city.resident_bytes()
    most = before
    city.proxy.upload_delay_s = UPLOAD_DELAY_S
    producer = KafkaProducer(bootstrap_servers=city.settings.broker, max_request_size=1 << 20, linger_ms=20)
    for number in range(MESSAGES):
        # Nothing of it can be compressed away.
        value = b"flood " + os.urandom(MESSAGE_BYTES - 6)
        producer.send(city.settings.source_topic, value, partition=number % PARTITIONS)
    producer.flush()
    producer.close()
    until = time.monotonic() + SLOW_S
    while time.monotonic() < until:
        most = max(most, city.resident_bytes())
        pass_by(0.1)
    city.proxy.upload_delay_s = 0.0
    return Growth(before, most)


def letters_of_the_flood(city: City) -> Counter[tuple[bytes, bytes]]:
    """By source partition and offset, how often a message of the flood was written as a dead letter."""
    found: Counter[tuple[bytes, bytes]] = Counter()
    for one in records_of(city.settings.broker, city.settings.dead_letter_topic):
        if (one.value or b"").startswith(b"flood "):
            found[one.headers["partition"], one.headers["offset"]] += 1
    return found
