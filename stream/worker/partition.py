"""One partition: chunks of the source in, alerts, statuses, dead letters and the watermark out."""

from __future__ import annotations

import asyncio

import structlog

from detectors import pages
from detectors.kernels.layout.values import FINALITY_SLACK_S
from stream.kafka.log_end import LogEnd
from stream.kafka.transactional_producer import ProduceFailed
from stream.schedule import is_due
from stream.state.orders import Order
from stream.state.restore import carry_out_lift, erase
from stream.worker.steps.taking_over import TakingOver

log = structlog.get_logger()
#: How often it is looked who has been silent for `keep`.
_FORGET_EVERY_S = 10.0
#: A revoked partition has two seconds; half of one for the transaction under way.
_CLOSING_S = 0.5


class Partition(TakingOver):
    """The state and the work of one assigned partition. Calls are serialised by a lock."""

    async def on_chunk(
        self, raw: bytes, first: int, following: int, newest_ms: int, fetched_s: float | None = None
    ) -> None:
        """Judge a chunk: offsets ``first`` up to before ``following``; ``newest_ms`` is its latest arrival.

        ``fetched_s`` is when it was there, epoch seconds.

        Raises
        ------
        ProduceFailed, CorruptBatch
            The partition must be given up.
        """
        async with self._lock:
            if self.closed or self.position is None or following <= self.position:
                return
            if first > self.position:
                if self._seeking:
                    return
                message = f"partition {self.number}: chunk begins at {first}, expected {self.position}"
                raise ProduceFailed(message)
            self._seeking = False
            if self.store.live and self.lag_records == 0:
                # While catching up an old arrival says nothing of the clocks.
                self.clock_difference_s = newest_ms / 1000 - self._run.wall()
            self._written_so_far()
            if fetched_s is not None and self.store.live:
                # On the broker's clock and on ours, so it may be off by their difference.
                self._times.add("fetch", fetched_s - newest_ms / 1000)
                self._times.add("wait", self._run.wall() - fetched_s)
            decoded, codes, judged = await asyncio.to_thread(
                self._judge_chunk, raw, self.position, following, newest_ms
            )
            await self._dead_letters.put(decoded, codes)
            await self._tell(judged)
            self.position = following
            self._progress_of_replay()
            self._say()
            await self._go_on_writing()

    async def on_tick(self, end: LogEnd | None) -> None:
        """Let time pass: go live when the restore is done, judge what silence reaches, write what waits."""
        async with self._lock:
            if end is None or self.closed or self.position is None:
                return
            reached = end.position if self.position >= end.handed_on else self.position
            self.lag_records = max(0, end.end - reached)
            current_s = end.response_ms / 1000 if reached >= end.end else None
            if current_s is not None:
                self.progress_s = self._run.wall()
            self._hear(end.response_ms, caught_up=current_s is not None)
            await self._hear_conditions()
            restored = self._restored
            if restored is not None and reached >= restored.source_end:
                await self._go_live(restored, current_s)
            elif self.store.live and current_s is not None and self._run.settings.clock == "wall":
                self._publisher.latency.after_silence()
                await self._tell(await asyncio.to_thread(self._judge, self._now(current_s)))
            if self.store.live:
                await self._keep_house()
            self._say()
        # Beside the judging, which goes on.
        await self._settle()
        await self._go_on_with_checkpoint()

    async def _keep_house(self) -> None:
        run, store = self._run, self.store
        sealed_s = store.now_s - run.settings.lateness - FINALITY_SLACK_S
        self._publisher.retract_vanished(store, run.limits, sealed_s)
        self._takeover_riders.hand_over(store)
        wall_s = run.wall()
        if store.now_s > 0 and is_due(wall_s, self._forget_due_s, _FORGET_EVERY_S):
            self._forget_due_s = wall_s + _FORGET_EVERY_S
            erased_ms = max(0, store.now_s - run.source_kept_s) * 1000
            for one in await asyncio.to_thread(pages.forget_silent, store, erased_ms):
                self._publisher.forgotten(one.rider, one.platforms)
            self._takeover_riders.moved()
            for one in await asyncio.to_thread(pages.forget_silent_platforms, store):
                self._publisher.forgotten_by(one.rider, one.platforms)
        self._publisher.watermark(store.now_s, run.limits.policies)

    async def forget(self, rider: str, before_ms: int) -> None:
        """Erase a rider because an operator says so; his events that arrived before do not come back."""
        async with self._lock:
            row, platforms = erase(self.store, rider, before_ms)
            self._takeover_riders.moved()
            if self.closed or row is None:
                return
            # What is held back of him is not told any more.
            self._held.forget(row)
            alerts = self._publisher.published.alerts
            for identity in [key for key, one in alerts.items() if one.rider == rider]:
                del alerts[identity]
            if self._restored is not None:
                self._restored.erased[rider] = platforms
            else:
                self._publisher.forgotten(rider, platforms)
            log.info("forgotten", partition=self.number)

    async def carry_out(self, order: Order) -> None:
        """Do what an operator orders; done once more, it changes nothing."""
        if order.lift is None:
            await self.forget(order.rider, order.arrival_ms)
            return
        async with self._lock:
            if not self.closed:
                # What follows from it is judged, and told, at the next tick.
                carry_out_lift(self.store, order)

    async def close(self) -> None:
        """Stop; what was not committed is left to the successor."""
        self.closed = True
        if self.shared:
            self.shared.close()
        async with self._lock:
            if self._writing is not None:
                await asyncio.wait([self._writing], timeout=_CLOSING_S)
                self._writing.cancel()
            await self._producer.close()
