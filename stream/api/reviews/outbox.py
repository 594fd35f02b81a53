"""What reviews lead to, on its way to Kafka: in its order, at least once."""

from __future__ import annotations

import asyncio
from typing import NoReturn

import structlog

from stream.api.reviews.store import ReviewStore
from stream.kafka.record_sender import Send, sending
from stream.settings import Settings

log = structlog.get_logger()
_LOOK_EVERY_S, _AGAIN_S = 0.5, 5.0
_AT_ONCE = 100


async def send_all(store: ReviewStore, settings: Settings, send: Send) -> int:
    """Send what waits; how much that was.

    Raises
    ------
    ConnectionError
        Kafka cannot be reached; what it has not got still waits.
    """
    topics = {"control": settings.control_topic, "source": settings.source_topic}
    waiting = await asyncio.to_thread(store.outgoing, _AT_ONCE)
    for one in waiting:
        await send(topics[one.topic], one.key, one.value)
        await asyncio.to_thread(store.sent, one.number)
    return len(waiting)


async def run(store: ReviewStore, settings: Settings) -> NoReturn:
    """Send, until cancelled."""
    while True:
        try:
            # A producer only while there is something to send: that is some minutes a week.
            if await asyncio.to_thread(store.outgoing, 1):
                async with sending(settings) as send:
                    while await send_all(store, settings, send):
                        pass
            await asyncio.sleep(_LOOK_EVERY_S)
        except ConnectionError as error:
            log.warning("what reviews lead to is not sent yet", detail=str(error))
            await asyncio.sleep(_AGAIN_S)
