"""Reading topics outside the group: all of them for those who only look, stretches for a restore."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import NamedTuple, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord

from stream.kafka.admin import refusal
from stream.kafka.failures import in_words, quiet
from stream.kafka.topics.provisioning import mending_command
from stream.settings import Settings

#: A restore reads pages of up to 900 KB.
_FETCH_BYTES = 8 << 20
#: Records that who follows takes at a time: about a millisecond's work.
_FEW = 25


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

    try:
        await consumer.start()
        yield read
    finally:
        await consumer.stop()


class Bounds(NamedTuple):
    """Where a partition's log begins and, for those who read what is committed, ends now."""

    start: int
    end: int


def _of_what_is_committed(settings: Settings) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        isolation_level="read_committed",
        enable_auto_commit=False,
        # What retention takes away while it is read must not take the rest away too.
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=_FETCH_BYTES,
        **settings.client(),
    )


async def _stretch(
    consumer: AIOKafkaConsumer, tp: TopicPartition, start: int, end: int
) -> AsyncIterator[list[ConsumerRecord]]:
    """The records of an assigned partition from ``start`` up to before ``end``, in lists as they come."""
    if start >= end:
        return
    consumer.seek(tp, start)
    while await consumer.position(tp) < end:
        for batch in (await consumer.getmany(tp, timeout_ms=500)).values():
            yield [record for record in batch if record.offset < end]


class LogReader:
    """Reads stretches of one partition of several topics, one at a time; only what is committed.

    All are assigned at once: each change of the assignment costs aiokafka a third of a second.
    """

    def __init__(self, settings: Settings, partition: int, topics: Sequence[str]) -> None:
        self._places = {topic: TopicPartition(topic, partition) for topic in topics}
        self._consumer = _of_what_is_committed(settings)

    async def __aenter__(self) -> Self:
        """Connect."""
        await self._consumer.start()
        self._consumer.assign(list(self._places.values()))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Disconnect."""
        await self._consumer.stop()

    async def bounds(self) -> dict[str, Bounds]:
        """By topic, where the log begins and ends now."""
        places = list(self._places.values())
        # What is not being read stands still at its end.
        starts, ends = await asyncio.gather(
            self._consumer.beginning_offsets(places), self._consumer.end_offsets(places)
        )
        for tp, end in ends.items():
            self._consumer.seek(tp, end)
        return {topic: Bounds(starts[tp], ends[tp]) for topic, tp in self._places.items()}

    async def offset_at(self, topic: str, since_ms: int) -> int | None:
        """The first offset that arrived at ``since_ms`` or later; None when nothing did."""
        tp = self._places[topic]
        found = (await self._consumer.offsets_for_times({tp: max(0, since_ms)}))[tp]
        return None if found is None else int(found.offset)

    async def read(self, topic: str, start: int, end: int) -> AsyncIterator[list[ConsumerRecord]]:
        """The records from offset ``start`` up to before ``end``, in lists as they come."""
        async for batch in _stretch(self._consumer, self._places[topic], start, end):
            yield batch


async def since(
    settings: Settings, topic: str, partitions: int, since_ms: int
) -> AsyncIterator[ConsumerRecord]:
    """What a topic holds now of what arrived at ``since_ms`` or later, one partition after the other."""
    consumer = _of_what_is_committed(settings)
    await consumer.start()
    try:
        places = [TopicPartition(topic, number) for number in range(partitions)]
        consumer.assign(places)
        firsts = await consumer.offsets_for_times(dict.fromkeys(places, max(0, since_ms)))
        ends = await consumer.end_offsets(places)
        stretches = {tp: (one.offset, ends[tp]) for tp, one in firsts.items() if one is not None}
        for tp in places:
            # What is not being read stands still at its end.
            consumer.seek(tp, ends[tp])
        for tp, (first, end) in stretches.items():
            async for batch in _stretch(consumer, tp, first, end):
                for record in batch:
                    yield record
            consumer.pause(tp)
    finally:
        await consumer.stop()


class TopicsAbsent(ConnectionError):
    """There are no such topics; the message says which, and what makes them."""


async def must_exist(settings: Settings, topics: Sequence[str]) -> None:
    """Ask before they are subscribed to: aiokafka waits for a topic without end.

    Raises
    ------
    ConnectionError
        When the broker cannot be reached or refuses.
    TopicsAbsent
        When there are no such topics.
    """
    consumer = AIOKafkaConsumer(enable_auto_commit=False, **settings.client())
    try:
        await consumer.start()
        there = await consumer.topics()
    except KafkaError as error:
        told = await refusal(settings) or in_words(error)
        raise ConnectionError(f"Kafka at {settings.broker}: {told}") from error
    finally:
        await consumer.stop()
    absent = [topic for topic in topics if topic not in there]
    if not absent:
        return
    raise TopicsAbsent(
        f"no such topics on {settings.broker}: {', '.join(absent)}; `{mending_command(settings)}` makes "
        "them, or say with --broker and --prefix where those of the workers are (a user without rights on "
        "them sees none)"
    )


class Arrived(NamedTuple):
    """A record of a followed topic."""

    topic: str
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]
    timestamp_ms: int
    partition: int
    offset: int


async def _begin(consumer: AIOKafkaConsumer, settings: Settings, since_ms: int) -> dict[int, int]:
    """Go to a time in all that is assigned; by partition, the offset from which alerts are read."""
    places = consumer.assignment()
    # The watermark topic is compacted: its newest per partition is wherever it is.
    timed = [place for place in places if place.topic != settings.watermark_topic]
    at = await consumer.offsets_for_times(dict.fromkeys(timed, max(0, since_ms)))
    for place, found in at.items():
        if found is None:
            await consumer.seek_to_end(place)
        else:
            consumer.seek(place, found.offset)
    alerts = [place for place in places if place.topic == settings.alerts_topic]
    return {place.partition: await consumer.position(place) for place in alerts}


@contextlib.asynccontextmanager
async def follow(
    settings: Settings, since_ms: int
) -> AsyncIterator[tuple[dict[int, int], Callable[[int], Awaitable[list[Arrived]]]]]:
    """Follow alerts, dead letters and watermarks from a time on, outside any group.

    Yields by partition the offset from which alerts are read, and a function that waits so many milliseconds
    at most for records and returns a few, so that who takes them does not keep an event loop from its other
    work.

    Raises
    ------
    ConnectionError
        When the broker cannot be reached or refuses.
    TopicsAbsent
        When there are no such topics.
    """
    quiet("aiokafka")
    topics = (settings.alerts_topic, settings.dead_letter_topic, settings.watermark_topic)
    await must_exist(settings, topics)
    consumer = AIOKafkaConsumer(
        *topics,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        enable_auto_commit=False,
        **settings.client(),
    )

    async def read(wait_ms: int) -> list[Arrived]:
        try:
            found = await consumer.getmany(timeout_ms=wait_ms, max_records=_FEW)
        except KafkaError as error:
            raise ConnectionError(f"Kafka at {settings.broker}: {in_words(error)}") from error
        return [
            Arrived(tp.topic, record.value, record.headers, record.timestamp, tp.partition, record.offset)
            for tp, records in found.items()
            for record in records
        ]

    try:
        try:
            await consumer.start()
            starts = await _begin(consumer, settings, since_ms)
        except KafkaError as error:
            raise ConnectionError(f"Kafka at {settings.broker}: {in_words(error)}") from error
        yield starts, read
    finally:
        await consumer.stop()
