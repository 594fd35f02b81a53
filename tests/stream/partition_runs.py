"""Lives of a partition over the same topics: a `Partition` in this process, its place in the group played."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.structs import ConsumerRecord
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient

from schemas.decode import murmur2
from schemas.instants import parse_instant
from stream.kafka.log_end import LogEnd
from stream.kafka.log_reader import LogReader
from stream.kafka.topics import provisioning
from stream.kafka.transactional_producer import ProduceFailed, TransactionalProducer
from stream.offline.replay import Replay, Replayed
from stream.output.alert_json import utc
from stream.policies.loader import load_all
from stream.settings import Settings
from stream.worker.construction import new_run
from stream.worker.context import WorkerContext
from stream.worker.partition import Partition

PARTITIONS = 2
#: What may differ between two ways of reading the same evidence.
MAY_DIFFER = ("provisional", "estimated", "detected_at", "hold")
MOVING = ("as_of", "remaining_s", "hold_until", "limit", "policy")
Doc = dict[str, Any]


def made(bootstrap: str, prefix: str, **options: Any) -> Settings:
    """Settings with topics, whose source takes the arrivals that a test gives."""
    options = {"checkpoint_every": 864_000, "metrics_port": 0, **options}
    settings = Settings(broker=bootstrap, prefix=prefix, group=prefix, **options)
    provisioning.ensure_topics(settings, PARTITIONS)
    configure(settings, settings.source_topic, {"message.timestamp.type": "CreateTime", "retention.ms": "-1"})
    return settings


def configure(settings: Settings, topic: str, configs: Mapping[str, str]) -> None:
    """Change a topic's settings, and see them changed: the controller says yes before the broker knows."""
    admin = KafkaAdminClient(bootstrap_servers=settings.broker)
    admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, dict(configs))])
    deadline_s = time.monotonic() + 30
    asked = [ConfigResource(ConfigResourceType.TOPIC, topic)]
    while True:
        shown = admin.describe_configs(asked, config_filter="all")["topic"][topic]
        if all(shown[key]["value"] == value for key, value in configs.items()):
            break
        assert time.monotonic() < deadline_s, f"the broker does not show {configs} of {topic}"
        time.sleep(0.02)
    admin.close()


def riders(count: int, number: int = 0) -> list[str]:
    """Ids of riders who belong to a partition."""
    found = (f"r{n}" for n in range(1 << 30))
    return [next(one for one in found if murmur2(one.encode()) % PARTITIONS == number) for _ in range(count)]


def event(rider: str, at_s: int, kind: str, order: str = "o", platform: str = "A", **more: Any) -> Doc:
    return {
        "schema": "work-state/1", "event_id": f"{rider}.{at_s}.{kind}", "rider_id": rider,
        "platform": platform, "event_time": utc(at_s), "type": kind, "order_id": order, **more,
    }  # fmt: skip


def shift(rider: str, begin_s: int, orders: int, every_s: int = 2700, platform: str = "A") -> list[Doc]:
    """Orders one after the other, each with a short rest behind it."""
    found = []
    for number in range(orders):
        at_s = begin_s + number * every_s
        found.append(event(rider, at_s, "order_accepted", f"o{number}", platform))
        found.append(event(rider, at_s + every_s - 120, "order_delivered", f"o{number}", platform))
    return found


def second_of(one: Doc) -> int:
    return parse_instant(one["event_time"])


class FailingProducer(TransactionalProducer):
    """An producer whose flush number ``fail_at`` fails, before or after it is written."""

    def __init__(self, settings: Settings, number: int, fail_at: int, *, written: bool) -> None:
        super().__init__(settings, number)
        self.flushes = 0
        self._fail_at = fail_at
        self._written = written

    async def flush(self) -> None:
        if self.pending:
            self.flushes += 1
        if self.pending and self.flushes == self._fail_at:
            if self._written:
                await super().flush()
            raise ProduceFailed("as the test wants it")
        await super().flush()


@dataclass
class Group:
    """The worker's place in the group, and what it was asked."""

    ours: bool = True
    read: list[int] = field(default_factory=list)
    commits: list[int] = field(default_factory=list)

    async def still_ours(self, partition: int) -> bool:  # noqa: ARG002 - there is one
        return self.ours

    async def read_from(self, partition: int, offset: int) -> None:  # noqa: ARG002 - there is one
        self.read.append(offset)

    async def commit(self, partition: int, offset: int) -> None:  # noqa: ARG002 - there is one
        self.commits.append(offset)


class Life:
    """One owner of a partition, from its claim to its end."""

    def __init__(
        self,
        settings: Settings,
        wall_s: float,
        *,
        producer: TransactionalProducer | None = None,
        number: int = 0,
        beside: Life | None = None,
    ) -> None:
        """``beside``: another partition of the same worker."""
        self.wall_s = wall_s
        self.group = Group()
        run = new_run(settings, PARTITIONS)
        orders = run.shared_orders if beside is None else beside.run.shared_orders
        self.run: WorkerContext = replace(run, wall=lambda: self.wall_s, shared_orders=orders)
        self.partition = Partition(
            self.run, number, producer or TransactionalProducer(settings, number), self.group
        )
        self._settings = settings
        self._number = number

    async def begin(self) -> Life:
        await self.partition.start()
        return self

    async def go(self, wall_s: float, *, ticks: int = 1, chunk: int = 1 << 20) -> None:
        """Read the source to its end in chunks of so many records, and let the wall clock come to there."""
        self.wall_s = max(self.wall_s, wall_s)
        source = self._settings.source_topic
        async with LogReader(self._settings, self._number, [source]) as reader:
            end = (await reader.bounds())[source].end
            position = self.partition.position
            assert position is not None
            found = [record async for batch in reader.read(source, position, end) for record in batch]
        for begin in range(0, len(found), chunk):
            some = found[begin : begin + chunk]
            following = end if begin + chunk >= len(found) else some[-1].offset + 1
            newest_ms = max(record.timestamp for record in some)
            await self.partition.on_chunk(raw(some), position, following, newest_ms)
            position = following
        for _ in range(ticks):
            await self.tick(end)

    async def tick(self, end: int) -> None:
        await self.partition.on_tick(LogEnd(end, int(self.wall_s * 1000), end, 0, end))

    async def checkpoint(self) -> None:
        """Write a round, and its marker."""
        await self.partition.drain()

    async def crash(self) -> None:
        """End without writing anything more."""
        await self.partition.close()


def raw(records: Iterable[ConsumerRecord]) -> bytes:
    """Record batches as a fetch response holds them."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1 << 30)
    for one in records:
        builder.append(one.offset, one.timestamp, one.key, one.value, list(one.headers))
    return bytes(builder.build())


async def send(settings: Settings, sent: Iterable[tuple[Doc | bytes, float]], number: int = 0) -> None:
    """Put events into the source, each with its arrival (epoch seconds)."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.broker, linger_ms=20)
    await producer.start()
    waiting = [
        await producer.send(
            settings.source_topic,
            one if isinstance(one, bytes) else json.dumps(one).encode(),
            b"k" if isinstance(one, bytes) else one["rider_id"].encode(),
            partition=number,
            timestamp_ms=int(arrival_s * 1000),
        )
        for one, arrival_s in sent
    ]
    for future in waiting:
        await future
    await producer.stop()


async def at_once(settings: Settings, events: Iterable[Doc]) -> list[Doc]:
    """Put events into the source that arrive when they happen, in order of time."""
    found = sorted(events, key=second_of)
    await send(settings, [(one, second_of(one)) for one in found])
    return found


# -- what stands -----------------------------------------------------------------------------------


async def records(settings: Settings, topic: str, number: int = 0) -> list[ConsumerRecord]:
    async with LogReader(settings, number, [topic]) as reader:
        bounds = (await reader.bounds())[topic]
        return [record async for batch in reader.read(topic, bounds.start, bounds.end) for record in batch]


async def told(settings: Settings, topic: str | None = None) -> list[Doc]:
    """Every alert ever told, in order."""
    return [json.loads(one.value) for one in await records(settings, topic or settings.alerts_topic)]


def standing(alerts: Iterable[Doc]) -> dict[str, Doc]:
    """Per id the last message, unless a later retraction names it."""
    found: dict[str, Doc] = {}
    for alert in alerts:
        if alert["kind"] == "retracted":
            found.pop(alert["supersedes"], None)
        else:
            found[alert["alert_id"]] = alert
    return found


async def statuses(settings: Settings, topic: str | None = None) -> dict[str, Doc | None]:
    """The newest status of every rider; None where he has been forgotten."""
    found: dict[str, Doc | None] = {}
    for record in await records(settings, topic or settings.status_topic):
        found[record.key.decode()] = None if record.value is None else json.loads(record.value)
    return found


async def state_of(settings: Settings, number: int = 0) -> dict[bytes, bytes]:
    """The newest record of every key of the state."""
    found: dict[bytes, bytes | None] = {}
    for record in await records(settings, settings.state_topic, number):
        found[record.key] = record.value
    return {key: value for key, value in found.items() if value is not None}


async def write_state(settings: Settings, values: Mapping[bytes, bytes | None]) -> None:
    """Put records into the state that no owner has written."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.broker, max_request_size=4 << 20)
    await producer.start()
    for key, value in values.items():
        await producer.send_and_wait(settings.state_topic, value, key, partition=0)
    await producer.stop()


def replayed(settings: Settings, events: Iterable[Doc], now_s: int) -> Replayed:
    """What a replay of the same evidence says."""
    run = Replay(load_all(settings.policies), settings.store(0), now_s)
    run.read("events", [json.dumps(one).encode() + b"\n" for one in events])
    assert not run.bad
    return run.conclude()


def comparable(alerts: Iterable[Doc]) -> dict[str, Doc]:
    return {
        one["alert_id"]: {key: value for key, value in one.items() if key not in MAY_DIFFER} for one in alerts
    }


async def assert_as_replayed(settings: Settings, events: Iterable[Doc], now_s: int) -> Replayed:
    """Fail unless the topics hold what a replay says."""
    expected = replayed(settings, events, now_s)
    stands = standing(await told(settings)).values()
    assert comparable(stands) == comparable(expected.alerts)
    found = await statuses(settings)
    for one in expected.statuses:
        status = found[one["rider_id"]]
        assert status is not None, one
        names = set(one) - set(MOVING)
        assert {k: status[k] for k in names} == {k: one[k] for k in names}
    assert {rider for rider, one in found.items() if one} == {one["rider_id"] for one in expected.statuses}
    return expected
