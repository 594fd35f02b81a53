"""The partitions that the group has given to this worker: claimed, worked with, given up, dropped."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from aiokafka.errors import CorruptRecordException, KafkaError
from faust.types import TP

from stream.kafka import raw_fetch
from stream.kafka.admin import KafkaUnavailable
from stream.kafka.log_end import log_end
from stream.kafka.transactional_producer import ProduceFailed
from stream.metrics.operator import Past
from stream.settings import Settings
from stream.state.orders import Order
from stream.worker.construction import new_app
from stream.worker.context import NotOwner, WorkerContext
from stream.worker.lanes import Chunk, Lanes
from stream.worker.partition import Partition
from stream.worker.shadow import partition_of, shadows_of

log = structlog.get_logger()
#: Nothing moved for so long with records waiting: Faust has open stalls (#175, #523, #594, #596, #640).
STALLED_S = 60.0
#: A partition that could not be claimed, restored or written is tried again after this, then twice as late.
_RETRY_S, _LONGEST_RETRY_S = 0.5, 15.0
_GROUP_TIMEOUT_S = 30.0


class Stalled(RuntimeError):
    """Records wait and nothing moves; the supervisor starts the worker again."""


class AssignedPartitions:
    """A Faust app, and a `Partition` for every partition assigned to it."""

    def __init__(self, settings: Settings, run: WorkerContext) -> None:
        self._settings = settings
        self._run = run
        self._app = new_app(settings)
        self.partitions: dict[int, Partition] = {}
        self._past, self._shadow_past = Past(), Past()
        #: Partitions assigned; None before the group has been joined and while they are divided anew.
        self.assigned: frozenset[int] | None = None
        self._failure: asyncio.Future[None] | None = None
        #: By partition, when it may be tried again (monotonic) and how long to wait after that.
        self._retries: dict[int, tuple[float, float]] = {}
        #: By partition, the progress last seen, and since when (monotonic).
        self._moved: dict[int, tuple[float, float]] = {}
        topic = self._app.topic(
            settings.source_topic, value_type=bytes, key_serializer="raw", value_serializer="raw"
        )
        self._app.agent(topic, name="lane")(self._read)
        self._app.on_partitions_revoked.connect(self._on_revoked, weak=False)
        self._app.on_partitions_assigned.connect(self._on_assigned, weak=False)

    async def _read(self, stream: Any) -> None:
        lanes = Lanes(self._judge)
        try:
            async for event in stream.events():
                if not await lanes.put(Chunk.of(event.message)):
                    return
            await lanes.join()
        finally:
            lanes.cancel()

    async def _judge(self, chunk: Chunk) -> bool:
        """Have a chunk judged; False when the worker must end."""
        if self._app.rebalancing or chunk.generation != self._app.consumer_generation_id:
            # Fetched for an assignment that has ended; whoever has the partition now reads it again.
            return True
        return await self._work(
            chunk.number,
            lambda partition: partition.on_chunk(
                chunk.raw, chunk.first, chunk.following, chunk.newest_ms, chunk.fetched_s
            ),
        )

    async def _work(self, number: int, work: Callable[[Partition], Awaitable[None]]) -> bool:
        """Do something with a partition while it is ours; False when the worker must end."""
        partition = self._claimed(number)
        if partition is None:
            return True
        assert partition.starting is not None
        try:
            await asyncio.shield(partition.starting)
            if self.partitions.get(number) is partition:
                await work(partition)
                self._retries.pop(number, None)
        except CorruptRecordException as error:
            # Reading it again does not mend a damaged log: somebody must look at the broker's disk.
            self._fail(error)
            return False
        except (ProduceFailed, NotOwner, KafkaError, KafkaUnavailable, TimeoutError) as error:
            # What it wrote last is unknown, so it is given up, claimed and restored again.
            await self._give_up(partition, error)
        except Exception as error:  # noqa: BLE001 - whatever it is ends the process, loudly
            if self.partitions.get(number) is partition:
                self._fail(error)
                return False
            # Its producer was closed under it. Nothing is lost: the next owner begins from what is committed.
            log.info("given up in the middle of work", partition=number, error=repr(error))
        return True

    def _claimed(self, number: int) -> Partition | None:
        """The partition of a number, its claim under way or done; None when it is too early to try again."""
        partition = self.partitions.get(number)
        if partition is None:
            due_s, _ = self._retries.get(number, (0.0, 0.0))
            if time.monotonic() < due_s:
                return None
            partition = partition_of(self._run, number, self)
            self.partitions[number] = partition
            partition.starting = asyncio.ensure_future(partition.start())
        return partition

    async def _give_up(self, partition: Partition, error: Exception) -> None:
        number = partition.number
        if self.partitions.get(number) is not partition:
            return
        del self.partitions[number]
        _, wait_s = self._retries.get(number, (0.0, _RETRY_S))
        self._retries[number] = time.monotonic() + wait_s, min(2 * wait_s, _LONGEST_RETRY_S)
        partition.counts["restores", "again"] += 1
        self._keep_counts(partition)
        log.warning("given up, to be restored again", partition=number, again_in_s=wait_s, error=repr(error))
        await asyncio.wait([asyncio.ensure_future(partition.close())], timeout=2)

    def _keep_counts(self, partition: Partition) -> None:
        self._past.add(partition)
        for one in shadows_of([partition]):
            self._shadow_past.add(one)

    # -- the group, for the partitions ---------------------------------------------------------

    async def still_ours(self, partition: int) -> bool:
        """Ask the group by committing once more what is committed."""
        async with asyncio.timeout(_GROUP_TIMEOUT_S):
            return await raw_fetch.commit(self._app.consumer, self._settings.source_topic, partition, None)

    async def read_from(self, partition: int, offset: int) -> None:
        """Begin to read a partition, or go back."""
        await raw_fetch.read_from(self._app.consumer, self._settings.source_topic, partition, offset)

    async def commit(self, partition: int, offset: int) -> None:
        """Let the group's offset follow the marker.

        Raises
        ------
        NotOwner
            The group has moved on.
        """
        async with asyncio.timeout(_GROUP_TIMEOUT_S):
            done = await raw_fetch.commit(self._app.consumer, self._settings.source_topic, partition, offset)
        if not done:
            raise NotOwner(f"partition {partition}: the group refuses our commit")

    async def _carry_out(self, number: int, order: Order) -> None:
        await self._work(number, lambda partition: partition.carry_out(order))

    async def _on_assigned(self, app: Any, assigned: set[TP], **_: Any) -> None:
        source = self._settings.source_topic
        own = frozenset(tp.partition for tp in assigned if tp.topic == source)
        # Of a source that is gone everybody's share is nothing, which is no share: nobody judges.
        self.assigned = own if own or raw_fetch.is_there(self._app.consumer, source) else None

    async def _on_revoked(self, app: Any, revoked: set[TP], **_: Any) -> None:
        """State belongs to one assignment: what is revoked is dropped, a new assignment restores."""
        self.assigned = None
        await self._close_all()

    async def _close_all(self) -> None:
        """Close every partition; whoever gets it next restores it."""
        closing, self.partitions = list(self.partitions.values()), {}
        for one in closing:
            self._keep_counts(one)
        if closing:
            await asyncio.wait([asyncio.ensure_future(one.close()) for one in closing], timeout=2)

    async def _tick(self) -> None:
        assigned = sorted(
            tp.partition
            for tp in self._app.consumer.assignment()
            if tp.topic == self._settings.source_topic and not self._app.rebalancing
        )
        # At once, so that a slow restore of one does not keep the others waiting.
        await asyncio.gather(*(self._work(number, self._tick_one) for number in assigned))

    async def _tick_one(self, partition: Partition) -> None:
        end = log_end(self._app.consumer, self._settings.source_topic, partition.number)
        await partition.on_tick(end)
        waited_s = self._unmoved_s(partition)
        if partition.lag_records > 0 and waited_s > STALLED_S:
            message = (
                f"partition {partition.number}: {partition.lag_records} records wait and nothing has moved "
                f"for {waited_s:.0f} s; this process ends so that its supervisor starts it again"
            )
            raise Stalled(message)

    def _unmoved_s(self, partition: Partition) -> float:
        """For how long nothing has moved, whatever was done to the wall clock meanwhile."""
        seen_s, since_s = self._moved.get(partition.number, (None, 0.0))
        if seen_s != partition.progress_s:
            since_s = time.monotonic()
            self._moved[partition.number] = partition.progress_s, since_s
        return time.monotonic() - since_s

    def _fail(self, error: BaseException) -> None:
        if self._failure is not None and not self._failure.done():
            self._failure.set_exception(error)
