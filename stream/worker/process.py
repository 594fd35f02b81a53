"""The worker: the only place that constructs the Faust app and its parts."""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import signal
import sys
import time
from collections.abc import Sequence
from typing import Any

import structlog

from schemas.policy import Policy
from stream.kafka.admin import why_silent
from stream.kafka.log_end import log_end
from stream.metrics.operator import JudgedBy, Metrics, Shadow
from stream.policies.directory import PolicyDirectory
from stream.settings import Settings
from stream.shutdown import exit_after
from stream.state.shm_writer import shared_folder, sweep
from stream.worker.assigned import STALLED_S, AssignedPartitions, Stalled
from stream.worker.construction import new_run, policy_directory
from stream.worker.consumer_watchdog import ConsumerWatchdog, FetchProgress
from stream.worker.context import WorkerContext
from stream.worker.control_topic import ControlTopic
from stream.worker.heap import give_back_large_buffers
from stream.worker.policy_changes import say_refused, take_up
from stream.worker.shadow import shadows_of
from stream.worker.warm_up import warm_up

log = structlog.get_logger()
TICK_S = 0.25
_WATCH_S = 5.0
#: A thread that judges lets the event loop in after this; Python's own 5 ms are what it may wait in all.
_SWITCH_S = 0.001
#: From the wish to stop to the end by force.
STOP_S = 10.0
_DRAIN_S = 5.0


class Worker(AssignedPartitions):
    """One worker process: a Faust app, and a `Partition` for every partition assigned to it."""

    def __init__(
        self, settings: Settings, run: WorkerContext, directory: PolicyDirectory | None = None
    ) -> None:
        super().__init__(settings, run)
        self._directory = directory
        self._watching: asyncio.TimerHandle | None = None

    def _shadow(self) -> Shadow | None:
        if not self._settings.shadow_policies:
            return None
        return Shadow(lambda: shadows_of([*self.partitions.values()]), self._shadow_past)

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

    async def _follow_conditions(self) -> None:
        """Read what is announced of zones, as long as a policy looks at it."""
        while True:
            conditions = self._run.conditions
            if conditions is None:
                await asyncio.sleep(TICK_S)
            else:
                await conditions.follow(lambda: self._run.conditions is not conditions)  # noqa: B023 - awaited

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
                end = log_end(self._app.consumer, self._settings.source_topic, number)
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
                self._shadow(),
                self._run.policies[0].zone,
            ),
        )
        log.info("metrics", address=metrics.start(loop))
        self._watch(loop)
        await self._app.start()
        # What works with partitions ends before the partitions are drained; the others only watch.
        working: list[asyncio.Future[Any]] = [
            asyncio.ensure_future(self._tick_forever()),
            asyncio.ensure_future(self._follow_conditions()),
            asyncio.ensure_future(
                ControlTopic(self._settings).follow(lambda: list(self.partitions), self._carry_out)
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
    sys.setswitchinterval(_SWITCH_S)
    give_back_large_buffers()
    log.info("loading kernels")
    warm_up()
    for one in (settings, settings.in_the_shadow()) if settings.shadow_policies else (settings,):
        folder = shared_folder(one.shared_dir, one.group, one.prefix)
        if folder is not None:
            sweep(folder, time.time())
    asyncio.run(_run(settings, run, directory))


async def _run(settings: Settings, run: WorkerContext, directory: PolicyDirectory | None) -> None:
    await Worker(settings, run, directory).run()
