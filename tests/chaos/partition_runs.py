"""Lives of partitions in one process over a real Kafka, ended at any step of their work as a crash ends them.

A life claims, restores, reads what is there and checkpoints. A crash leaves everything as it is at that
step: the transaction open, the producer unclosed. The next life takes over.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from unittest import mock

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.checkpoint_page import Page
from stream.kafka import log_end, raw_batches
from stream.kafka.transactional_producer import TransactionalProducer
from stream.output.encoding import Encoded
from stream.settings import Settings
from stream.state.checkpoint import Checkpointer
from stream.state.restore import take_over
from stream.state.restored import Restored, Takeover
from stream.worker.construction import new_run
from stream.worker.context import WorkerContext
from stream.worker.partition import Partition
from stream.worker.steps import taking_over

#: Every step between fetch and commit, in the order of a life.
POINTS = (
    "claimed",
    "restored",
    "fetched",
    "judged",
    # What a live partition says has been written by kernels; a chunk is judged while one is committed.
    "encoded",
    "ahead",
    # What waited when a tick came has been written, while judging goes on.
    "settled",
    "begun",
    "sent",
    "committed",
    "live",
    "packed",
    # A chunk was judged between the copying of pages and their transaction.
    "between",
    "pages",
    "marker",
    "group",
)
_LIFE_S = 60.0
#: How often it is looked for what was sent.
_READS = 20


class Crash(Exception):
    """The process has ended here."""


@dataclass
class Steps:
    """Counts the steps of a life and ends it at the ``hits``-th time of one of them."""

    point: str | None = None
    hits: int = 1
    seen: Counter[str] = field(default_factory=Counter)

    def at(self, point: str) -> None:
        self.seen[point] += 1
        if point == self.point and self.seen[point] == self.hits:
            raise Crash(f"{point}, time {self.hits}")


class CrashingProducer(TransactionalProducer):
    """An producer whose process may end inside a transaction."""

    def __init__(self, settings: Settings, partition: int, steps: Steps) -> None:
        super().__init__(settings, partition)
        self._steps = steps

    async def start(self) -> None:
        await super().start()
        self._steps.at("claimed")

    async def _send(self, producer: Any, waiting: Any) -> dict[tuple[str, int], int]:
        self._steps.at("begun")
        ends = await super()._send(producer, waiting)
        self._steps.at("sent")
        return ends

    async def flush(self) -> None:
        wrote = self.pending
        await super().flush()
        if wrote:
            self._steps.at("committed")

    async def vanish(self) -> None:
        """Be gone as a killed process is: nothing is ended, only the connections are."""
        producer, self._producer = self._producer, None
        if producer is not None:
            task = producer._sender._sender_task
            if task is not None:
                task.cancel()
                await asyncio.wait([task])
            await producer.client.close()
            producer._closed = True


class CrashingPartition(Partition):
    """A partition whose process may end around its judging."""

    steps: Steps

    def _judge_chunk(self, *arguments: Any) -> Any:
        self.steps.at("fetched")
        found = super()._judge_chunk(*arguments)
        self.steps.at("judged")
        if self._writing is not None and not self._writing.done():
            self.steps.at("ahead")
        return found

    def _judge(self, now_s: int) -> Any:
        found = super()._judge(now_s)
        if isinstance(found, Encoded) and found.frames:
            self.steps.at("encoded")
        return found

    async def _settle(self) -> None:
        await super()._settle()
        self.steps.at("settled")

    async def _go_live(self, restored: Restored, current_s: float | None) -> None:
        await super()._go_live(restored, current_s)
        self.steps.at("live")


class Group:
    """The group and the reading of the source, for one life: everything is ours."""

    def __init__(self, settings: Settings, consumer: AIOKafkaConsumer, steps: Steps) -> None:
        self._settings = settings
        self._consumer = consumer
        self._steps = steps
        self.commits: dict[int, int] = {}

    async def still_ours(self, partition: int) -> bool:  # noqa: ARG002
        return True

    async def read_from(self, partition: int, offset: int) -> None:
        tp = TopicPartition(self._settings.source_topic, partition)
        raw_batches.seek(self._consumer, tp, offset)
        self._consumer.resume(tp)

    async def commit(self, partition: int, offset: int) -> None:
        self._steps.at("group")
        self.commits[partition] = offset


@contextlib.contextmanager
def crashing(steps: Steps, between: Callable[[int], Awaitable[int]]) -> Iterator[None]:
    """Let the steps of a checkpoint and of a restore be crash points, too.

    ``between`` lets a partition go on before copied pages are written, and says how far it is then.
    """

    class CrashingCheckpointer(Checkpointer):
        copied_to = 0

        def _pack_some(self, source_offset: int) -> list[Page]:
            self.copied_to = source_offset
            found = super()._pack_some(source_offset)
            steps.at("packed")
            return found

        async def _write_pages(self, packed: Sequence[tuple[int, list[bytes]]]) -> None:
            if await between(self._number) > self.copied_to:
                steps.at("between")
            await super()._write_pages(packed)
            steps.at("pages")

        async def _write_marker(self, wall_s: float) -> int:
            safe = await super()._write_marker(wall_s)
            steps.at("marker")
            return safe

    async def restoring(work: Takeover) -> Restored:
        restored = await take_over(work)
        steps.at("restored")
        return restored

    with (
        mock.patch.object(taking_over, "Checkpointer", CrashingCheckpointer),
        mock.patch.object(taking_over, "take_over", restoring),
    ):
        yield


@dataclass
class Life:
    """What a life came to."""

    crashed: str | None
    steps: Steps
    commits: dict[int, int]


class World:
    """The topics of a history and the worker's settings, over many lives."""

    def __init__(self, settings: Settings, numbers: int) -> None:
        self.settings = settings
        self.run: WorkerContext = new_run(settings, numbers)
        self.numbers = range(numbers)
        #: What makes partitions; a test puts a broken one here.
        self.kind: type[CrashingPartition] = CrashingPartition
        raw_batches.read_raw(settings.source_topic)

    async def live(self, steps: Steps, more: Sequence[Callable[[], None]] = ()) -> Life:
        """Live until a crash, or until everything there is has been judged, told and checkpointed.

        ``more`` sends something each, once all partitions are live: one while the one before is written.
        """
        async with self._consumer() as consumer:
            group = Group(self.settings, consumer, steps)
            producers = [CrashingProducer(self.settings, number, steps) for number in self.numbers]
            members: list[CrashingPartition] = []
            for number, producer in zip(self.numbers, producers, strict=True):
                member = self.kind(self.run, number, producer, group)
                member.steps = steps
                members.append(member)
            waiting = list(more)

            async def between(number: int) -> int:
                member = members[number]
                wanted = steps.point == "between" and waiting and _all_live(members)
                # Unless nobody may judge any more.
                if wanted and not member._lock.locked():
                    waiting.pop()()
                    for _ in range(_READS):
                        if await _read(consumer, members):
                            break
                return member.position or 0

            try:
                with crashing(steps, between):
                    async with asyncio.timeout(_LIFE_S):
                        await self._live(consumer, members, waiting)
                return Life(None, steps, group.commits)
            except Crash as crash:
                return Life(str(crash), steps, group.commits)
            finally:
                for producer in producers:
                    await producer.vanish()

    @contextlib.asynccontextmanager
    async def _consumer(self) -> AsyncIterator[AIOKafkaConsumer]:
        consumer = AIOKafkaConsumer(
            isolation_level="read_committed",
            enable_auto_commit=False,
            fetch_max_wait_ms=20,
            max_partition_fetch_bytes=1 << 16,
            **self.settings.client(),
        )
        await consumer.start()
        places = [TopicPartition(self.settings.source_topic, number) for number in self.numbers]
        consumer.assign(places)
        consumer.pause(*places)
        try:
            yield consumer
        finally:
            await consumer.stop()

    async def _live(
        self, consumer: AIOKafkaConsumer, members: list[CrashingPartition], more: list[Callable[[], None]]
    ) -> None:
        started = await asyncio.gather(*(member.start() for member in members), return_exceptions=True)
        for failure in started:
            if failure is not None:
                raise failure
        seen = SimpleNamespace(_thread=SimpleNamespace(_consumer=consumer))
        idle = 0
        while idle < 2:
            idle += 1
            if await _read(consumer, members):
                # What one partition forwards is news of another: only when all are idle is it the end.
                idle = 0
            if more and _all_live(members):
                more.pop()()
                idle = 0
                continue
            for member in members:
                end = log_end.log_end(seen, self.settings.source_topic, member.number)
                await member.on_tick(end)
                if end is None or not member.store.live or member.lag_records > 0:
                    idle = 0
        for member in members:
            await member.drain()


def _all_live(members: Sequence[Partition]) -> bool:
    return all(member.store.live for member in members)


async def _read(consumer: AIOKafkaConsumer, members: Sequence[Partition]) -> bool:
    """Judge what has come; whether anything has."""
    found = await consumer.getmany(timeout_ms=20)
    for tp, records in found.items():
        for record in records:
            headers = dict(record.headers)
            await members[tp.partition].on_chunk(
                record.value,
                headers[raw_batches.FIRST_OFFSET],
                headers[raw_batches.NEXT_OFFSET],
                record.timestamp,
                headers[raw_batches.FETCHED],
            )
    return bool(found)


def chain(seed: int, lives: int) -> Iterator[Steps]:
    """Crashes for so many lives: every point in turn, at a random time of it."""
    rng = random.Random(seed)
    for number in range(lives):
        point = POINTS[(seed + number) % len(POINTS)]
        yield Steps(point, hits=rng.choice((1, 1, 2, 3)))
