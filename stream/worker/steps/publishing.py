"""What was judged is told and written, a transaction after the other, and checkpointed."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Coroutine, Sequence
from typing import Any

from detectors.verdicts import Outcome, read_outcomes
from stream.kafka.transactional_producer import ProduceFailed
from stream.output.encoding import Encoded
from stream.state.checkpoint import Checkpointer, CheckpointPosition, Held
from stream.worker.steps.judging import Judged
from stream.worker.steps.state import PartitionState

FLUSH_EVERY_S = 0.1
_OUTCOMES_AT_ONCE = 2000
#: With so much behind the transaction under way, judging waits for it.
_MOST_WAITING_BYTES = 8 << 20


class Publishing(PartitionState):
    """How a partition writes."""

    async def _tell(self, judged: Judged) -> None:
        if isinstance(judged, Encoded):
            with self._times.timed("tell"):
                self._publisher.encoded(self.store, judged)
            aside = judged.columns.aside
            await self._put(read_outcomes(aside, len(aside)))
            return
        self._held.add(judged)
        if self._held.final >= _OUTCOMES_AT_ONCE:
            await self._put(self._held.take_final())

    async def _put(self, outcomes: Sequence[Outcome]) -> None:
        """Put into the producer, which never holds much more than is put at once."""
        for begin in range(0, len(outcomes), _OUTCOMES_AT_ONCE):
            with self._times.timed("tell"):
                self._publisher.outcomes(self.store, outcomes[begin : begin + _OUTCOMES_AT_ONCE])
            if self._producer.pending >= _OUTCOMES_AT_ONCE:
                await self._write()

    async def _go_on_writing(self) -> None:
        """Write what waits at once, without waiting for it unless too much does."""
        now_s = time.monotonic()
        if not self.store.live and now_s - self._flushed < FLUSH_EVERY_S:
            return
        self._flushed = now_s
        if self._writing is None or self._writing.done():
            self._written_so_far()
            self._writing = asyncio.ensure_future(self._write_all())
            self._writing.add_done_callback(_seen)
        if self._producer.pending_bytes > _MOST_WAITING_BYTES:
            await self._writing

    async def _write_all(self) -> None:
        await self._write()
        while self._producer.pending and not self.closed:
            await self._write()

    def _written_so_far(self) -> None:
        """Raise what writing beside the judging has failed with: what was judged since then is void."""
        if self._writing is not None and self._writing.done():
            self._writing.result()

    async def _settle(self) -> None:
        """Write all that waits by now, in the transaction after the one under way.

        Under load something waits again whenever a transaction ends, so this must not wait for writing beside
        the judging to end: there would be no checkpoint until the load does.
        """
        try:
            self._written_so_far()
            # Before an orderly end the rest is written.
            await _to_its_end(self._write())
        except ProduceFailed:
            if self.closed:
                return
            # Rather what it failed of beside the judging.
            self._written_so_far()
            raise

    async def _write(self) -> None:
        waiting = self._publisher.latency.taken()
        await self._producer.flush()
        self._publisher.latency.committed(waiting, self._run.wall())

    async def _go_on_with_checkpoint(self) -> None:
        """Write a step of the checkpoint while others judge.

        Pages that were copied and not written would be older than the next marker says, and a successor
        would build their riders from the source.
        """
        await _to_its_end(self._checkpoint_step())

    async def _checkpoint_step(self) -> None:
        async with self._checkpointing:
            await self._checkpoint(self._lock)

    async def _checkpoint(self, held: Held, *, now: bool = False) -> None:
        """Write a step of the checkpoint; ``held`` keeps others from judging while it is taken."""
        checkpointer = self._checkpointer
        if checkpointer is None or self._standing() is None:
            return
        async with held:
            standing = self._standing()
            if standing is not None:
                checkpointer.begin_if_due(standing, self._run.wall(), now=now)
        safe = await checkpointer.step(self._standing, held, self._run.wall())
        if safe is not None:
            await self._source.commit(self.number, safe)

    def _standing(self) -> CheckpointPosition | None:
        """Where the partition stands; None while there is nothing to say, or no longer."""
        if self.closed or not self.store.live or self.position is None:
            return None
        return CheckpointPosition(self.position, self.arrival_s, self._publisher.published.waits_from)

    async def drain(self) -> None:
        """Before an orderly end: write all that waits, and everything that the next owner need not redo."""
        async with self._checkpointing, self._lock:
            if self.closed or not self.store.live or self._checkpointer is None:
                return
            await self._settle()
            # The round under way began before all this; the one after it holds everything. Nobody judges.
            held = contextlib.nullcontext()
            await self._finish_round(self._checkpointer, held)
            await self._checkpoint(held, now=True)
            await self._finish_round(self._checkpointer, held)

    async def _finish_round(self, checkpointer: Checkpointer, held: Held) -> None:
        while checkpointer.under_way and not self.closed:
            await self._checkpoint(held)


async def _to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Wait for it; whoever ends the tick, and with it the waiting, does not end the work."""
    working = asyncio.ensure_future(work)
    working.add_done_callback(_seen)
    await asyncio.shield(working)


def _seen(writing: asyncio.Future[None]) -> None:
    """Look at how it ended; whoever works with the partition next raises it."""
    if not writing.cancelled():
        writing.exception()
