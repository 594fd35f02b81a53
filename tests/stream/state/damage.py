"""Lives of an owner whose topics are then damaged."""

from __future__ import annotations

import time
from typing import Any

from aiokafka.structs import TopicPartition
from kafka.admin import KafkaAdminClient

from schemas.decode import rider_hash
from stream.kafka.topics import provisioning
from stream.settings import Settings
from tests.stream.partition_runs import (
    PARTITIONS,
    Life,
    at_once,
    configure,
    riders,
    second_of,
    shift,
    told,
)


def page_of(rider: str) -> int:
    return rider_hash(rider.encode()) >> 52


BEGIN_S = int(time.time()) // 86_400 * 86_400 - 3 * 86_400
MANY = riders(8)
HOURS = 3600


def work(names: list[str], begin_s: int = BEGIN_S, orders: int = 8) -> list[dict[str, Any]]:
    return [one for rider in names for one in shift(rider, begin_s, orders)]


async def one_life(settings: Settings, wall_s: float, **options: Any) -> Life:
    """Read all there is, write a checkpoint, and end."""
    life = await Life(settings, wall_s, **options).begin()
    await life.go(wall_s)
    await life.checkpoint()
    await life.crash()
    return life


async def lived(settings: Settings) -> tuple[list[dict[str, Any]], int]:
    events = await at_once(settings, work(MANY))
    end_s = second_of(events[-1]) + 60
    await one_life(settings, end_s)
    return events, end_s


async def reread(settings: Settings, wall_s: float) -> list[dict[str, Any]]:
    """What a life tells that finds nothing new in the source."""
    before = len(await told(settings))
    await one_life(settings, wall_s)
    return (await told(settings))[before:]


def cut_before(settings: Settings, topic: str, offset: int) -> None:
    admin = KafkaAdminClient(bootstrap_servers=settings.broker)
    admin.delete_records({TopicPartition(topic, 0): offset})
    admin.close()


def made_anew(settings: Settings, *names: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=settings.broker)
    admin.delete_topics(list(names))
    deadline = time.monotonic() + 20
    while set(names) & set(admin.list_topics()):
        assert time.monotonic() < deadline, f"{names} are not gone"
    admin.close()
    provisioning.ensure_topics(settings, PARTITIONS)
    if settings.source_topic in names:
        configure(
            settings, settings.source_topic, {"message.timestamp.type": "CreateTime", "retention.ms": "-1"}
        )
