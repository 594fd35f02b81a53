"""What could not be delivered, kept in Kafka with the reason, and read back from there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from stream.delivery.messages import Message, Place
from stream.settings import Settings

log = structlog.get_logger()
_OURS = ("reason", "detail", "endpoint", "topic", "partition", "offset")
_AGAIN_S = 1.0
_LARGEST_BYTES = 1_200_000


class DeadLetters:
    """Writes dead letters; one for all endpoints of a process."""

    def __init__(self, producer: AIOKafkaProducer, topic: str) -> None:
        self._producer = producer
        self._topic = topic

    async def write_dead_letter(self, endpoint: str, message: Message, reason: str, detail: str) -> None:
        """Return when Kafka has the letter: before that, the message must not count as settled.

        Raises
        ------
        KafkaError
            Kafka refuses it, and would again.
        """
        texts = (reason, detail, endpoint, *map(str, message.place))
        ours = [(name, text.encode()) for name, text in zip(_OURS, texts, strict=True)]
        while True:
            try:
                await self._producer.send_and_wait(
                    self._topic, message.value, message.key, headers=[*message.headers, *ours]
                )
            except KafkaError as error:
                if not error.retriable:
                    raise
                log.warning("dead letter not written, once more", endpoint=endpoint, error=repr(error))
                await asyncio.sleep(_AGAIN_S)
            else:
                return


def endpoint_of(record: Any) -> str:  # noqa: ANN401 - aiokafka has no types
    """Whose letter it is; empty for what is none."""
    return _ours(record).get("endpoint", b"").decode(errors="replace")


def message_of(record: Any) -> Message:  # noqa: ANN401
    """The message as it was before it became a letter.

    Raises
    ------
    ValueError
        It is no letter of ours.
    """
    ours = _ours(record)
    try:
        place = Place(ours["topic"].decode(), int(ours["partition"]), int(ours["offset"]))
    except (KeyError, ValueError) as error:
        where = f"{record.topic}-{record.partition} offset {record.offset}"
        raise ValueError(f"{where}: no dead letter of a webhook: {error!r}") from error
    # Of ours there is one each, and they come last; before them, the original's may have the same names.
    kept = tuple(record.headers[: -len(_OURS)])
    return Message(place, record.key, record.value, kept, record.timestamp)


def _ours(record: Any) -> Mapping[str, bytes]:  # noqa: ANN401
    return {name: value for name, value in record.headers if name in _OURS}


@asynccontextmanager
async def writing(settings: Settings, topic: str) -> AsyncIterator[DeadLetters]:
    """A writer of dead letters.

    Raises
    ------
    KafkaError
        Kafka cannot be reached or refuses.
    """
    producer = AIOKafkaProducer(
        acks="all", enable_idempotence=True, max_request_size=_LARGEST_BYTES, **settings.client()
    )
    await producer.start()
    try:
        yield DeadLetters(producer, topic)
    finally:
        await producer.stop()
