"""The newest watermark of each partition: what the workers' *now* is, and which policies they judge by."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime

import msgspec
from aiokafka.errors import KafkaError

from stream.kafka.log_reader import tail
from stream.settings import Settings

_READ_MS = 500
_MOST_READS = 20
_WITHIN_S = 15.0


class Mark(msgspec.Struct):
    """A watermark as far as it is looked at here."""

    partition: int
    now: str | None
    lag_s: int
    policies: tuple[str, ...] = ()

    @property
    def written_s(self) -> int | None:
        """On the wall clock: when it was written, epoch seconds; None without a *now*."""
        return None if self.now is None else int(datetime.fromisoformat(self.now).timestamp()) + self.lag_s


async def newest_watermarks(settings: Settings) -> dict[int, Mark]:
    """By partition; nothing where Kafka or the topic is not there: who asks wants to warn, not to work."""
    newest: dict[int, Mark] = {}
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        async with asyncio.timeout(_WITHIN_S), tail(settings, [settings.watermark_topic]) as read:
            for _ in range(_MOST_READS):
                found = await read(_READ_MS)
                if not found and newest:
                    break
                for _, value in found:
                    if value is not None:
                        one = msgspec.json.decode(value, type=Mark)
                        newest[one.partition] = one
                if not found:
                    break
    except (KafkaError, OSError, msgspec.MsgspecError):
        # A time-out is an OSError.
        return {}
    finally:
        logging.getLogger("aiokafka").setLevel(logging.NOTSET)
    return newest
