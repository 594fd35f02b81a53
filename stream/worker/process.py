"""The worker: the only place that constructs the Faust app and its parts."""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog
from aiokafka.errors import CorruptRecordException, KafkaError
from faust.types import TP

from schemas.policy import Policy
from stream.kafka import raw_fetch
from stream.kafka.admin import KafkaUnavailable, why_silent
from stream.kafka.transactional_producer import ProduceFailed, TransactionalProducer
from stream.metrics.operator import JudgedBy, Metrics, Past
from stream.policies.directory import PolicyDirectory
from stream.settings import Settings
from stream.shutdown import exit_after
from stream.state.shm_writer import shared_folder, sweep
from stream.worker.construction import new_app, new_run, policy_directory
from stream.worker.consumer_watchdog import ConsumerWatchdog, FetchProgress
from stream.worker.context import NotOwner, WorkerContext
from stream.worker.control_topic import ControlTopic
from stream.worker.partition import Partition
from stream.worker.policy_changes import say_refused, take_up
from stream.worker.warm_up import warm_up

log = structlog.get_logger()
TICK_S = 0.25
#: Nothing moved for so long with records waiting: Faust has open stalls (#175, #523, #594, #596, #640).
STALLED_S = 60.0
_WATCH_S = 5.0
#: From the wish to stop to the end by force.
STOP_S = 10.0
_DRAIN_S = 5.0
#: A partition that could not be claimed, restored or written is tried again after this, then twice as late.
_RETRY_S, _LONGEST_RETRY_S = 0.5, 15.0
_GROUP_TIMEOUT_S = 30.0


class Stalled(RuntimeError):
    """Records wait and nothing moves; the supervisor starts the worker again."""


class Worker:
    """One worker process: a Faust app, and a `Partition` for every partition assigned to it."""

    def __init__(
        self, settings: Settings, run: WorkerContext, directory: PolicyDirectory | None = None
    ) -> None:
        self._settings = settings
        self._run = run
        self._directory = directory
        self._app = new_app(settings)
        self.partitions: dict[int, Partition] = {}
        self._past = Past()
        #: Partitions assigned; None before the group has been joined and while they are divided anew.
        self.assigned: frozenset[int] | None = None
        self._failure: asyncio.Future[None] | None = None
        self._watching: asyncio.TimerHandle | None = None
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
        async for event in stream.events():
            message = event.message
            if self._app.rebalancing or message.generation_id != self._app.consumer_generation_id:
                # Fetched for an assignment that has ended; whoever has the partition now reads it again.
                continue
            headers = dict(message.headers)
            if not await self._work(
                message.partition,
                lambda partition: partition.on_chunk(
                    message.value,  # noqa: B023 - called before the next turn
                    headers[raw_fetch.FIRST_OFFSET],  # noqa: B023
                    headers[raw_fetch.NEXT_OFFSET],  # noqa: B023
                    int(message.timestamp * 1000),  # noqa: B023
                    headers[raw_fetch.FETCHED],  # noqa: B023
                ),
            ):
                return

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
            partition = Partition(self._run, number, TransactionalProducer(self._settings, number), self)
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
        self._past.add(partition)
        log.warning("given up, to be restored again", partition=number, again_in_s=wait_s, error=repr(error))
        await asyncio.wait([asyncio.ensure_future(partition.close())], timeout=2)

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

    async def _forget(self, number: int, rider: str, before_ms: int) -> None:
        await self._work(number, lambda partition: partition.forget(rider, before_ms))

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
            self._past.add(one)
        if closing:
            await asyncio.wait([asyncio.ensure_future(one.close()) for one in closing], timeout=2)

    async def _go_on_with(self, policies: Sequence[Policy]) -> None:
        """Hand every partition over to this same worker under other policies.

        Each is given up in order, its checkpoint written, and claimed and restored as by any successor: what
        was named newly is told from the checkpoint's *now* on, which its marker says, so verdicts go on being
        a function of what is written down (`stream.state.restore_pages`).
        """
        run = await asyncio.to_thread(new_run, self._settings, self._run.partitions, policies)
        await self._drain()
        self._run = run
        await self._close_all()

    async def _tick(self) -> None:
        assigned = sorted(
            tp.partition
            for tp in self._app.consumer.assignment()
            if tp.topic == self._settings.source_topic and not self._app.rebalancing
        )
        # At once, so that a slow restore of one does not keep the others waiting.
        await asyncio.gather(*(self._work(number, self._tick_one) for number in assigned))

    async def _tick_one(self, partition: Partition) -> None:
        end = raw_fetch.log_end(self._app.consumer, self._settings.source_topic, partition.number)
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

    async def _tick_forever(self) -> None:
        while True:
            started = time.monotonic()
            if self._app.consumer is not None and not self._app.rebalancing:
                await self._tick()
            await asyncio.sleep(max(0.01, TICK_S - (time.monotonic() - started)))

    def _heard(self) -> dict[int, FetchProgress]:
        """By partition that is live, what was heard last. One that is restored or caught up may not fetch."""
        if self._app.consumer is None or self._app.rebalancing:
            return {}
        found = {}
        for number, partition in self.partitions.items():
            if partition.now_s is not None and partition.position is not None:
                end = raw_fetch.log_end(self._app.consumer, self._settings.source_topic, number)
                found[number] = FetchProgress(end.response_ms if end is not None else 0, partition.position)
        return found

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """End the process, with what every thread was doing, when the event loop stands for a minute.

        By a thread of faulthandler, which needs neither the interpreter nor memory: a thread that could not
        be started for want of memory has held the loop forever.
        """
        try:
            faulthandler.dump_traceback_later(STALLED_S, exit=True, file=2)
        except RuntimeError as error:
            # No thread could be started for it.
            self._fail(error)
        self._watching = loop.call_later(_WATCH_S, self._watch, loop)

    def _fail(self, error: BaseException) -> None:
        if self._failure is not None and not self._failure.done():
            self._failure.set_exception(error)

    async def run(self) -> None:
        """Work until a signal or a failure ends it."""
        loop = asyncio.get_running_loop()
        self._failure = loop.create_future()
        stopping = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopping.set)
        metrics = Metrics(
            self._settings,
            lambda: list(self.partitions.values()),
            self._past,
            lambda: self.assigned,
            self._run.partitions,
            JudgedBy(
                lambda: [one.name for one in self._run.policies],
                lambda: [] if self._directory is None else self._directory.refused,
            ),
        )
        log.info("metrics", address=metrics.start(loop))
        self._watch(loop)
        await self._app.start()
        # What works with partitions ends before the partitions are drained; the others only watch.
        working: list[asyncio.Future[Any]] = [
            asyncio.ensure_future(self._tick_forever()),
            asyncio.ensure_future(
                ControlTopic(self._settings).follow(lambda: list(self.partitions), self._forget)
            ),
        ]
        if self._directory is not None:
            working.append(asyncio.ensure_future(take_up(self._directory, self._go_on_with)))
        watching: list[asyncio.Future[Any]] = [
            asyncio.ensure_future(stopping.wait()),
            asyncio.ensure_future(self._faust_ends()),
            self._failure,
            asyncio.ensure_future(self._watchdog().watch()),
        ]
        try:
            done, _ = await asyncio.wait([*working, *watching], return_when=asyncio.FIRST_COMPLETED)
            for one in done:
                one.result()
        finally:
            await self._stop(working, drain=stopping.is_set())
            for one in watching:
                one.cancel()
            metrics.stop()

    async def _stop(self, working: Sequence[asyncio.Future[Any]], *, drain: bool) -> None:
        """End within `STOP_S` whatever happens; ``drain`` first writes what waits."""
        exit_after(STOP_S)
        for one in working:
            one.cancel()
        await asyncio.wait(working, timeout=1)
        if drain:
            await self._drain()
        closing = [asyncio.ensure_future(one.close()) for one in self.partitions.values()]
        if closing:
            await asyncio.wait(closing, timeout=2)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._app.stop(), timeout=3)
        if self._watching is not None:
            self._watching.cancel()
        faulthandler.cancel_dump_traceback_later()

    def _watchdog(self) -> ConsumerWatchdog:
        settings = self._settings
        return ConsumerWatchdog(
            settings.deaf_after,
            self._heard,
            lambda number: why_silent(settings, settings.source_topic, number),
        )

    async def _drain(self) -> None:
        """Write what waits and a last checkpoint, so that the next owners have nothing to do again."""
        draining = [asyncio.ensure_future(one.drain()) for one in self.partitions.values()]
        if not draining:
            return
        done, late = await asyncio.wait(draining, timeout=_DRAIN_S)
        for one in late:
            one.cancel()
        failed = [repr(one.exception()) for one in done if one.exception() is not None]
        if late or failed:
            log.warning("not all was written before the end", late=len(late), failed=failed)

    async def _faust_ends(self) -> None:
        """Raise what a service of Faust died of: they die without a word to those who started them."""
        await self._app.wait_until_stopped()
        raise self._app.crash_reason or Stalled("Faust has stopped by itself")


def run_worker(settings: Settings, partitions: int) -> None:
    """Run a worker until it is stopped; the process ends with it.

    Raises
    ------
    StateRefused
        The state belongs to topics of another shape.
    ConsumerDead
        The consumer has died inside; the broker answers others.
    """
    directory = policy_directory(settings)
    if directory is not None:
        directory.read()
        say_refused(directory)
    run = new_run(settings, partitions, None if directory is None else directory.policies)
    log.info("loading kernels")
    warm_up()
    folder = shared_folder(settings.shared_dir, settings.group, settings.prefix)
    if folder is not None:
        sweep(folder, time.time())
    asyncio.run(_run(settings, run, directory))


async def _run(settings: Settings, run: WorkerContext, directory: PolicyDirectory | None) -> None:
    await Worker(settings, run, directory).run()
