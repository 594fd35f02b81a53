"""Writing for one partition: all or nothing, and never as a former owner."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiokafka.errors import KafkaError

from schemas.decode import murmur2
from stream.kafka.log_reader import LogReader
from stream.kafka.topics import provisioning
from stream.kafka.transactional_producer import ProduceFailed, TransactionalProducer
from stream.settings import Settings
from tests.stream.topic_contents import records_of

pytestmark = pytest.mark.kafka
PARTITIONS = 3


@pytest.fixture
def settings(broker: Any, prefix: str) -> Settings:
    made = Settings(broker=broker.bootstrap, prefix=prefix, group=prefix)
    provisioning.ensure_topics(made, PARTITIONS)
    return made


async def all_of(settings: Settings, partition: int) -> list[bytes | None]:
    """What stands in a partition of the alerts."""
    async with LogReader(settings, partition, [settings.alerts_topic]) as reader:
        bounds = (await reader.bounds())[settings.alerts_topic]
        return [
            record.value
            async for batch in reader.read(settings.alerts_topic, bounds.start, bounds.end)
            for record in batch
        ]


def test_a_flush_writes_everything_where_it_belongs_and_says_where_that_ends(settings: Settings) -> None:
    async def write() -> dict[tuple[str, int], int]:
        producer = TransactionalProducer(settings, 1)
        await producer.start()
        producer.put(settings.alerts_topic, b"rider", b"alert", partition=1)
        producer.put(settings.status_topic, b"rider", None, partition=1)
        producer.put(
            settings.dead_letter_topic, b"any key", b"bad", [("reason", b"malformed"), ("empty", b"")]
        )
        producer.put(settings.dead_letter_topic, None, None, [("reason", b"malformed")])
        assert producer.pending == 4
        await producer.flush()
        assert producer.pending == 0
        await producer.close()
        return producer.ends

    ends = asyncio.run(write())
    assert (ends[settings.alerts_topic, 1], ends[settings.status_topic, 1]) == (1, 1)
    (alert,) = records_of(settings.broker, settings.alerts_topic)
    assert (alert.partition, alert.key, alert.value) == (1, b"rider", b"alert")
    (status,) = records_of(settings.broker, settings.status_topic)
    assert (status.partition, status.key, status.value) == (1, b"rider", None)
    letters = {one.key: one for one in records_of(settings.broker, settings.dead_letter_topic)}
    assert letters[b"any key"].partition == murmur2(b"any key") % PARTITIONS
    assert letters[b"any key"].headers == {"reason": b"malformed", "empty": b""}
    assert (letters[None].partition, letters[None].value) == (1, None)


def test_more_than_a_batch_arrives_in_order(settings: Settings) -> None:
    values = [b"%06d" % number + b"x" * 4000 for number in range(1500)]

    async def write() -> list[bytes | None]:
        producer = TransactionalProducer(settings, 2)
        await producer.start()
        for value in values:
            producer.put(settings.alerts_topic, b"rider", value, partition=2)
        await producer.flush()
        await producer.close()
        return await all_of(settings, 2)

    assert asyncio.run(write()) == values


def test_after_a_successor_has_claimed_nothing_more_is_written(settings: Settings) -> None:
    async def write() -> list[bytes | None]:
        former, successor = TransactionalProducer(settings, 0), TransactionalProducer(settings, 0)
        await former.start()
        former.put(settings.alerts_topic, b"r", b"before", partition=0)
        await former.flush()
        await successor.start()
        former.put(settings.alerts_topic, b"r", b"too late", partition=0)
        with pytest.raises(ProduceFailed, match=r"partition 0: .*(Fenced|Epoch)"):
            await former.flush()
        successor.put(settings.alerts_topic, b"r", b"after", partition=0)
        await successor.flush()
        await former.close()
        await successor.close()
        return await all_of(settings, 0)

    assert asyncio.run(write()) == [b"before", b"after"]


def test_a_claim_ends_the_former_owner_s_open_transaction(settings: Settings) -> None:
    async def write() -> list[bytes | None]:
        former, successor = TransactionalProducer(settings, 0), TransactionalProducer(settings, 0)
        await former.start()
        producer = former._producer
        assert producer is not None
        await producer.begin_transaction()
        await producer.send_and_wait(settings.alerts_topic, b"half done", b"r", partition=0)
        await successor.start()
        tail = await all_of(settings, 0)
        with pytest.raises(KafkaError):
            await producer.commit_transaction()
        await former.close()
        await successor.close()
        return tail

    assert asyncio.run(asyncio.wait_for(write(), 30)) == []


def test_the_tail_begins_at_a_time(settings: Settings) -> None:
    async def write() -> list[bytes | None]:
        producer = TransactionalProducer(settings, 0)
        await producer.start()
        for value in (b"old", b"new"):
            producer.put(settings.alerts_topic, b"r", value, partition=0)
            await producer.flush()
            # The two have to lie in different milliseconds.
            await asyncio.sleep(0.02)
        await producer.close()
        new = (await asyncio.to_thread(records_of, settings.broker, settings.alerts_topic))[1]
        async with LogReader(settings, 0, [settings.alerts_topic]) as reader:
            begin = await reader.offset_at(settings.alerts_topic, new.timestamp_ms)
            assert await reader.offset_at(settings.alerts_topic, new.timestamp_ms + 60_000) is None
            assert begin is not None
            found = reader.read(settings.alerts_topic, begin, 1 << 40)
            return [record.value for record in await anext(found)]

    assert asyncio.run(write()) == [b"new"]
