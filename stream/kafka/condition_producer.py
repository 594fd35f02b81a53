"""Conditions of zones into their topic, one by one: there are few."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from stream.kafka.admin import KafkaUnavailable
from stream.kafka.failures import in_words
from stream.settings import Settings

#: The key of what names no condition: the topic is compacted, and takes no record without one.
UNNAMED = b"-"


class _Named(msgspec.Struct):
    condition_id: str


def key_of(value: bytes) -> bytes:
    """The key of a message: its condition's id.

    Examples
    --------
    >>> key_of(b'{"condition_id": "sh-heat"}'), key_of(b"?")
    (b'sh-heat', b'-')
    """
    try:
        return msgspec.json.decode(value, type=_Named).condition_id.encode() or UNNAMED
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return UNNAMED


async def announce(settings: Settings, values: Sequence[bytes]) -> None:
    """Send messages as they are, in this order; they are in Kafka when this returns.

    Raises
    ------
    KafkaUnavailable
        Kafka cannot be reached or refuses.
    """
    producer = AIOKafkaProducer(acks="all", enable_idempotence=True, **settings.client())
    try:
        await producer.start()
        for value in values:
            await producer.send_and_wait(settings.zone_condition_topic, value, key=key_of(value))
    except KafkaError as error:
        message = f"Kafka at {settings.broker}: {in_words(error)}"
        raise KafkaUnavailable(message) from error
    finally:
        await producer.stop()
