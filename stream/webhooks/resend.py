"""``respite webhooks replay``: dead letters, or all since a time, once more under the same ids."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition

from stream.delivery import dead_letters
from stream.delivery.consumer import message_of, new_consumer
from stream.delivery.ledger import Ledger
from stream.delivery.metrics import Metrics
from stream.delivery.sender import Sender
from stream.settings import Settings
from stream.webhooks.config import Config, Endpoint
from stream.webhooks.http_post import posting
from stream.webhooks.topics import dead_letters_of, topics_of

log = structlog.get_logger()
_POLL_MS = 200
Range = Mapping[TopicPartition, tuple[int, int]]
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be sent again.

    Parameters
    ----------
    since_s
        All messages that Kafka got at or after that time, epoch seconds; None: the dead letters.
    partitions
        Of each topic.
    progress
        Told how many of how many records are done.
    """

    since_s: int | None
    partitions: Mapping[str, int]
    progress: Progress


class Resending:
    """One run over a fixed range of records."""

    def __init__(self, consumer: AIOKafkaConsumer, sender: Sender, endpoint: Endpoint) -> None:
        self._consumer = consumer
        self._sender = sender
        self._endpoint = endpoint
        self.ledgers: dict[TopicPartition, Ledger] = {}

    async def run(self, ranges: Range, progress: Progress, *, letters: bool) -> None:
        """Send the records of the ranges, and return when all are settled."""
        self._consumer.assign(list(ranges))
        for tp, (first, _) in ranges.items():
            self._consumer.seek(tp, first)
            self.ledgers[tp] = Ledger()
        total = sum(end - first for first, end in ranges.values())
        while True:
            reached = {tp: await self._consumer.position(tp) for tp in ranges}
            left = sum(max(0, end - reached[tp]) for tp, (_, end) in ranges.items())
            progress(total - left - self._sender.pending, total)
            if not left and not self._sender.pending:
                return
            room = self._endpoint.max_pending - self._sender.pending
            if not left or room <= 0:
                await asyncio.sleep(_POLL_MS / 1000)
                continue
            for tp, records in (await self._consumer.getmany(timeout_ms=_POLL_MS, max_records=room)).items():
                for record in records:
                    if record.offset < ranges[tp][1]:
                        self._take(tp, record, letters=letters)

    def _take(self, tp: TopicPartition, record: Any, *, letters: bool) -> None:  # noqa: ANN401
        ledger = self.ledgers[tp]
        ledger.take(record.offset)
        settled = partial(ledger.settle, record.offset)
        if letters and dead_letters.endpoint_of(record) != self._endpoint.name:
            settled()
            return
        try:
            message = dead_letters.message_of(record) if letters else message_of(record)
        except ValueError as error:
            log.warning("passed over", detail=str(error))
            settled()
            return
        self._sender.put(message, settled)


async def resend(settings: Settings, config: Config, endpoint: Endpoint, wish: Wish) -> Mapping[str, int]:
    """Send an endpoint's dead letters that were not sent again before, or all its messages since a time.

    Returns how many were ``delivered``, became a ``dead_letter`` again, or were ``skipped``.

    Raises
    ------
    ExceptionGroup
        The endpoint said 410, or Kafka refused.
    """
    letters = wish.since_s is None
    topics = [dead_letters_of(settings, config)] if letters else topics_of(settings, endpoint)
    counts = Metrics().counts(endpoint.name)
    async with AsyncExitStack() as stack:
        buried = await stack.enter_async_context(
            dead_letters.writing(settings, dead_letters_of(settings, config))
        )
        post = await stack.enter_async_context(posting(endpoint))
        consumer = new_consumer(settings, f"{config.group(endpoint)}-replay" if letters else None, endpoint)
        await consumer.start()
        stack.push_async_callback(consumer.stop)
        ranges = await _ranges(consumer, topics, wish)
        if not ranges:  # a client without partitions does not let itself be stopped
            return counts.outcomes
        async with asyncio.TaskGroup() as tasks:
            sender = Sender(endpoint, post, buried.write_dead_letter, counts, tasks)
            resending = Resending(consumer, sender, endpoint)
            try:
                await resending.run(ranges, wish.progress, letters=letters)
            finally:
                reached = {tp: one.next_offset for tp, one in resending.ledgers.items() if one.next_offset}
                if letters and reached:
                    await consumer.commit(reached)
    return counts.outcomes


async def _ranges(consumer: AIOKafkaConsumer, topics: list[str], wish: Wish) -> Range:
    """Where to begin and to end in every partition that has something."""
    places = [TopicPartition(topic, number) for topic in topics for number in range(wish.partitions[topic])]
    consumer.assign(places)
    ends = await consumer.end_offsets(places)
    firsts = await consumer.beginning_offsets(places)
    if wish.since_s is None:
        for tp in places:
            firsts[tp] = max(firsts[tp], await consumer.committed(tp) or 0)
    else:
        dated = await consumer.offsets_for_times(dict.fromkeys(places, wish.since_s * 1000))
        firsts = {tp: dated[tp].offset if dated[tp] else ends[tp] for tp in places}
    return {tp: (firsts[tp], ends[tp]) for tp in places if firsts[tp] < ends[tp]}
