"""Orders of an operator to the workers: to forget a rider, to lift a hold."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable, Iterable

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from schemas.decode import murmur2
from schemas.names import is_rider
from stream.settings import Settings
from stream.state.orders import Order, read_order

ORDER = msgspec.json.encode({"schema": "forget/1"})
_WAIT_MS = 1000
_AGAIN_AFTER_S = 5.0
CarryOut = Callable[[int, Order], Awaitable[None]]


class ControlTopic:
    """Reads the orders for the partitions of a worker, all of them whenever these change: each holds once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def follow(self, owned: Callable[[], Iterable[int]], carry_out: CarryOut) -> None:
        """Hand on every order of the partitions owned, until cancelled."""
        while True:
            try:
                await self._follow(owned, carry_out)
            except KafkaError:
                # The partitions themselves see that Kafka is away, and say so.
                await asyncio.sleep(_AGAIN_AFTER_S)

    async def _follow(self, owned: Callable[[], Iterable[int]], carry_out: CarryOut) -> None:
        consumer = _from_the_beginning(self._settings)
        await consumer.start()
        assigned: list[TopicPartition] = []
        try:
            while True:
                wanted = [TopicPartition(self._settings.control_topic, number) for number in sorted(owned())]
                if wanted != assigned:
                    assigned = wanted
                    consumer.assign(assigned)
                if not assigned:
                    await asyncio.sleep(_WAIT_MS / 1000)
                    continue
                found = await consumer.getmany(timeout_ms=_WAIT_MS)
                for tp, records in found.items():
                    for record in records:
                        order = read_order(record)
                        if order is not None:
                            await carry_out(tp.partition, order)
        finally:
            await consumer.stop()


def _from_the_beginning(settings: Settings) -> AIOKafkaConsumer:
    # Not by `seek_to_beginning`: right after an assignment aiokafka 0.14 answers it with the default's
    # offset.
    return AIOKafkaConsumer(
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        **settings.client(),
    )


async def order_to_forget(settings: Settings, rider: str, partitions: int) -> None:
    """Write the order; it is in Kafka when this returns.

    Raises
    ------
    KafkaError
        It is not.
    """
    producer = AIOKafkaProducer(acks="all", **settings.client())
    await producer.start()
    try:
        key = rider.encode()
        await producer.send_and_wait(
            settings.control_topic, ORDER, key=key, partition=murmur2(key) % partitions
        )
    finally:
        await producer.stop()


async def wait_until_forgotten(settings: Settings, rider: str, partitions: int, within_s: float) -> bool:
    """Whether the rider's status becomes a tombstone, or there is none, within so many seconds."""
    key = rider.encode()
    tp = TopicPartition(settings.status_topic, murmur2(key) % partitions)
    consumer = _from_the_beginning(settings)
    await consumer.start()
    try:
        consumer.assign([tp])
        known = False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while True:
                    end = (await consumer.end_offsets([tp]))[tp]
                    for records in (await consumer.getmany(tp, timeout_ms=_WAIT_MS)).values():
                        for record in records:
                            if record.key == key:
                                known = record.value is not None
                    if await consumer.position(tp) >= end and not known:
                        return True
        return False
    finally:
        await consumer.stop()


def run(settings: Settings, rider: str, within_s: float) -> int:
    """The command ``respite forget``; the exit status."""
    from stream.kafka.admin import KafkaUnavailable
    from stream.kafka.failures import in_words
    from stream.kafka.topics.existing import TopicsRefused
    from stream.kafka.topics.provisioning import checked_partitions

    if not is_rider(rider.encode()):
        sys.stderr.write(f"respite: {rider!r} is no rider's id: 1 to 64 characters of A-Z a-z 0-9 _ . : -\n")
        return 2
    try:
        partitions = checked_partitions(settings)
        asyncio.run(order_to_forget(settings, rider, partitions))
        done = asyncio.run(wait_until_forgotten(settings, rider, partitions, within_s))
    except TopicsRefused as error:
        sys.stderr.write(f"respite: {error}\n")
        return 2
    except KafkaUnavailable as error:
        sys.stderr.write(f"respite: {error}\n")
        return 1
    except KafkaError as error:
        sys.stderr.write(f"respite: Kafka at {settings.broker}: {in_words(error)}\n")
        return 1
    if not done:
        sys.stderr.write(
            f"respite: the order is written, but the status of {rider} still stands after {within_s:.0f} s: "
            "does a worker run? It is carried out as soon as one does.\n"
        )
        return 1
    sys.stderr.write(f"{rider} has been forgotten\n")
    return 0
