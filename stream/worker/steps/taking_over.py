"""A partition is claimed and restored, reads its source again, and goes live."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import structlog

from detectors import pages
from schemas.checkpoint import Marker
from schemas.decode import rider_hash
from schemas.policy_written import judging_digest
from stream.output.alert_json import utc
from stream.output.rebuild_buffer import AlreadyPublished
from stream.output.takeover_riders import TakeoverRiders
from stream.state.checkpoint import Checkpointer
from stream.state.restore import take_over
from stream.state.restored import Restored, Takeover
from stream.worker.context import NotOwner, WorkerContext, shared_partition
from stream.worker.steps.announcing import Announcing

log = structlog.get_logger()


class TakingOver(Announcing):
    """How a partition begins."""

    async def start(self) -> None:
        """Claim the partition, restore what is known, and read the source from there.

        Raises
        ------
        NotOwner
            The group has given the partition to another worker.
        ProduceFailed, KafkaError
            The broker refuses or does not answer; to be tried again.
        StateRefused
            The state belongs to topics of another shape.
        """
        # A former owner that wakes up late must not fence the rightful one.
        await self._claim()
        run = self._run
        if not self.closed:
            self.shared = shared_partition(run, self.number)
        work = Takeover(
            run.settings,
            run.limits,
            run.store_settings,
            self.number,
            run.partitions,
            run.wall(),
            self._progress,
            {one.ref: judging_digest(one) for one in run.policies},
            self._named_s,
        )
        restored = await take_over(work)
        self.store, self._restored = restored.store, restored
        if self.shared:
            self.store.lie_in(self.shared.place)
        await self._read_conditions()
        self.arrival_s, self.position = restored.arrival_s, restored.position
        self._reading_from = restored.position
        self._publisher.published = restored.told
        self._takeover_riders = TakeoverRiders(restored.told)
        self._publisher.since_s = restored.since_s
        self.counts.update({("foreign", topic): count for topic, count in restored.foreign.items()})
        self._dead_letters.begin(restored.side_offset, restored.side_recorded)
        blank = _blank_marker(run, restored)
        self._checkpointer = Checkpointer(run.settings, self._producer, self.number, restored, blank)
        self._checkpointer.timed = self._times.timed
        self.progress_s = run.wall()
        log.info(
            "restored",
            partition=self.number,
            riders=self.store.riders,
            from_offset=restored.position,
            to_offset=restored.source_end,
        )
        await self._source.read_from(self.number, restored.position)

    async def _claim(self) -> None:
        await self._must_be_ours()
        await self._producer.start()
        # Asked again: what was true before may have ended in between, and then the claim has fenced the
        # owner, who will claim it back.
        await self._must_be_ours()

    async def _must_be_ours(self) -> None:
        if not await self._source.still_ours(self.number):
            raise NotOwner(f"partition {self.number} belongs to another worker by now")

    def _progress(self, ratio: float) -> None:
        # Pages are the first half of a restore, the replay of the source the second.
        self.restore_ratio = 0.5 * ratio
        self.progress_s = self._run.wall()

    def _progress_of_replay(self) -> None:
        self.progress_s = self._run.wall()
        restored = self._restored
        if restored is not None and self.position is not None:
            whole = max(1, restored.source_end - self._reading_from)
            self.restore_ratio = min(1.0, 0.5 + 0.5 * (self.position - self._reading_from) / whole)

    async def _go_live(self, restored: Restored, current_s: float | None) -> None:
        """The restore is done: tell what the outputs may lack, and take back what they hold too much."""
        store, told = self.store, restored.told
        if restored.resume is not None:
            store.now_s = max(store.now_s, restored.resume[1])
        for rider in sorted({*restored.erased, *told.riders, *told.orphans}):
            row = pages.find(store, rider.encode(), rider_hash(rider.encode()))
            if row is not None and store.has_evidence(row):
                if rider in told.riders:
                    pages.tell_again(store, row)
            elif rider in told.orphans or rider in restored.erased:
                self._publisher.forgotten(rider, restored.erased.get(rider))
        for platform in restored.new_outlets:
            pages.tell_platform_again(store, platform)
        now_s, wall_s = self._now(current_s), int(self._run.wall())
        self._publisher.latency.after_record(None)
        parts = store.publish(now_s, wall_s, everyone=restored.everyone)
        # The first part comes of a last judging in silence, the others are what is told then.
        self._held.add(await asyncio.to_thread(next, parts))
        again = () if restored.everyone else self._rows_of(told.riders)
        known = await asyncio.to_thread(AlreadyPublished, store, self._run.limits, again, told.ids)
        await self._put(self._held.take_all())
        while (outcomes := await asyncio.to_thread(next, parts, None)) is not None:
            await self._put(known.news(outcomes))
        self._restored, store.sealing = None, True
        await asyncio.to_thread(self._takeover_riders.hand_over, store)
        self.restore_ratio = 1.0
        self.counts["restores", "done"] += 1
        log.info("live", partition=self.number, riders=store.riders, now=utc(max(0, store.now_s)))

    def _rows_of(self, riders: Iterable[str]) -> list[int]:
        names = (rider.encode() for rider in riders)
        rows = (pages.find(self.store, name, rider_hash(name)) for name in names)
        return [row for row in rows if row is not None]


def _blank_marker(run: WorkerContext, restored: Restored) -> Marker:
    """What every marker of this take-over says."""
    return Marker(
        definition=pages.definition(run.limits, run.store_settings),
        partitions=run.partitions,
        since_s=restored.since_s,
        worker=run.worker,
        lineage=restored.lineage,
        outlets=tuple(run.settings.outlets),
        source_id=restored.source_id,
        judged=restored.judged,
    )
