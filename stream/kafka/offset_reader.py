"""Reading topics from offsets that the reader keeps by itself: whole partitions, outside any group."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from stream.kafka.failures import in_words, quiet
from stream.kafka.log_reader import must_exist
from stream.settings import Settings

Place = tuple[str, int]
_MOST_RECORDS = 2000


@dataclass(frozen=True, slots=True)
class Gone:
    """Offsets that were to be read and are not there any more: ``[start, end)`` of a partition."""

    place: Place
    start: int
    end: int
    reason: str


@dataclass
class Read:
    """Records by partition, and from where to go on in each."""

    records: dict[Place, list[Any]] = field(default_factory=dict)
    positions: dict[Place, int] = field(default_factory=dict)


class OffsetReader:
    """Committed records of partitions, from given offsets on; what is gone by then is in ``gone``."""

    def __init__(self, consumer: AIOKafkaConsumer, settings: Settings) -> None:
        self._consumer = consumer
        self._settings = settings
        self.positions: dict[Place, int] = {}
        self.gone: list[Gone] = []

    async def begin(self, topics: Sequence[str], positions: Mapping[Place, int]) -> None:
        """Go to the offsets, or where there are none to the beginning."""
        places = []
        for topic in topics:
            found = self._consumer.partitions_for_topic(topic) or set()
            places += [TopicPartition(topic, number) for number in sorted(found)]
        self._consumer.assign(places)
        firsts = await self._consumer.beginning_offsets(places)
        ends = await self._consumer.end_offsets(places)
        for tp in places:
            place = (tp.topic, tp.partition)
            wanted = positions.get(place, firsts[tp])
            start = wanted
            if wanted < firsts[tp]:
                start = firsts[tp]
                self.gone.append(Gone(place, wanted, start, "retention"))
            elif wanted > ends[tp]:
                start = firsts[tp]
                self.gone.append(Gone(place, wanted, wanted, "topic_made_anew"))
            self.positions[place] = start
            self._consumer.seek(tp, start)

    async def read(self, wait_ms: int) -> Read:
        """What has come, at most some thousands of records.

        Raises
        ------
        ConnectionError
            The broker cannot be reached, or what is to be read has gone meanwhile.
        """
        try:
            found = await self._consumer.getmany(timeout_ms=wait_ms, max_records=_MOST_RECORDS)
        except OffsetOutOfRangeError as error:
            raise ConnectionError("records were deleted before they were read; start again") from error
        except KafkaError as error:
            raise ConnectionError(f"Kafka at {self._settings.broker}: {in_words(error)}") from error
        read = Read()
        for tp, records in found.items():
            if records:
                place = (tp.topic, tp.partition)
                read.records[place] = records
                read.positions[place] = self.positions[place] = records[-1].offset + 1
        return read

    @property
    def lag_records(self) -> dict[Place, int]:
        """By partition, records in Kafka that have not been read, as of the last answers."""
        lag = {}
        for place, reached in self.positions.items():
            end = self._consumer.highwater(TopicPartition(*place))
            lag[place] = max(0, end - reached) if end is not None else 0
        return lag


@contextlib.asynccontextmanager
async def reading(
    settings: Settings, topics: Sequence[str], positions: Mapping[Place, int]
) -> AsyncIterator[OffsetReader]:
    """Read topics, all their partitions, from offsets on.

    Raises
    ------
    ConnectionError
        When the broker cannot be reached or refuses.
    TopicsAbsent
        When there are no such topics.
    """
    quiet("aiokafka")
    await must_exist(settings, topics)
    consumer = AIOKafkaConsumer(
        *topics,
        isolation_level="read_committed",
        enable_auto_commit=False,
        # Nothing is passed over unseen: what is gone is said.
        auto_offset_reset="none",
        **settings.client(),
    )
    try:
        try:
            await consumer.start()
            consumer.unsubscribe()
            made = OffsetReader(consumer, settings)
            await made.begin(topics, positions)
        except KafkaError as error:
            raise ConnectionError(f"Kafka at {settings.broker}: {in_words(error)}") from error
        yield made
    finally:
        await consumer.stop()
