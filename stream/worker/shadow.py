"""Policies in the shadow: judged beside those in force, and told in a topic of their own alone.

A partition of its own for them, with a store, a producer, checkpoints and a take-over as any: so what is in
force knows nothing of them, and what they say is as exact and as lasting. Both read the same chunks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from detectors import pages
from detectors.kernels.evidence.arrivals import Arrivals
from detectors.kernels.layout.values import PAST
from detectors.store import RiderStore
from detectors.verdicts import Status
from schemas.decode import Decoded
from stream.kafka.log_end import LogEnd
from stream.kafka.transactional_producer import TransactionalProducer
from stream.metrics.alert_latency import AlertLatency
from stream.output.encoding import OutcomeEncoder
from stream.output.publisher import Publisher
from stream.output.takeover_riders import TakeoverRiders
from stream.worker.context import Source, WorkerContext
from stream.worker.partition import Partition


class ShadowPublisher(Publisher):
    """Tells alerts, and nothing else."""

    def status(self, store: RiderStore, status: Status) -> None:
        """Nobody is told."""
        pages.all_told(store, status.row)

    def forgotten(self, rider: str, platforms: Sequence[str] | None) -> None:
        """Nobody has been told anything that would have to be taken away."""

    def forgotten_by(self, rider: str, platforms: Sequence[str]) -> None:
        """As `forgotten`."""

    def watermark(self, now_s: int, policies: Sequence[str]) -> None:
        """That of what is in force says it."""


class _NoDeadLetters:
    """What is refused or lies elsewhere is the business of what is in force."""

    counts: Counter[tuple[str, str]]

    async def put(self, decoded: Decoded, codes: np.ndarray) -> None:
        """Nothing."""

    def other(self, record: object, reason: str, detail: str) -> None:
        """Nothing: refused conditions too."""

    def begin(self, offset: int, recorded: int | None) -> None:
        """Nothing."""


class ShadowPartition(Partition):
    """The policies in the shadow on one partition."""

    def __init__(self, run: WorkerContext, number: int, source: Source) -> None:
        producer = TransactionalProducer(run.settings, number)
        super().__init__(run, number, producer, source)
        self._publisher = ShadowPublisher(run.settings, run.renderer, producer, number, run.worker, run.wall)
        self._publisher.counts = self.counts
        self._publisher.latency = AlertLatency(self.counts)
        self._takeover_riders = TakeoverRiders(self._publisher.published)
        self._dead_letters = _NoDeadLetters()  # type: ignore[assignment]
        self._encoder = OutcomeEncoder(run.settings, run.limits, run.policies, statuses=False)

    def named_at(self, now_s: int) -> None:
        """What is in force has been judged up to here: where the shadow is new, it is told from here on."""
        self._named_s = now_s

    async def _refuse_conditions(self) -> None:
        """Refused by what is in force."""

    def _note_doubts(self, decoded: Decoded, events: Arrivals, codes: np.ndarray, newest_ms: int) -> None:
        """Counted by what is in force."""


class _BesideIt:
    """The source as the shadow reads it: with what is in force, or from further back."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.offset = 0

    async def still_ours(self, partition: int) -> bool:
        """Ask the group by committing once more what is committed."""
        return await self._source.still_ours(partition)

    async def read_from(self, partition: int, offset: int) -> None:
        """Go back where what is in force begins later."""
        if offset < self.offset:
            await self._source.read_from(partition, offset)

    async def commit(self, partition: int, offset: int) -> None:
        """The group's offset follows what is in force."""


class ShadowedPartition(Partition):
    """A partition with policies in the shadow beside it."""

    def __init__(
        self, run: WorkerContext, number: int, producer: TransactionalProducer, source: Source
    ) -> None:
        super().__init__(run, number, producer, source)
        assert run.shadow is not None
        self._beside = _BesideIt(source)
        self.shadow = ShadowPartition(run.shadow, number, self._beside)

    async def start(self) -> None:
        """Claim and restore both, and read from where the first of them needs it."""
        await super().start()
        assert self.position is not None
        assert self._restored is not None
        self._beside.offset = self.position
        self.shadow.named_at(PAST if self._restored.marker is None else self.store.now_s)
        await self.shadow.start()

    async def on_chunk(
        self, raw: bytes, first: int, following: int, newest_ms: int, fetched_s: float | None = None
    ) -> None:
        """Judge a chunk, first by what is in force."""
        await super().on_chunk(raw, first, following, newest_ms, fetched_s)
        await self.shadow.on_chunk(raw, first, following, newest_ms, fetched_s)

    async def on_tick(self, end: LogEnd | None) -> None:
        """Let time pass for both."""
        await super().on_tick(end)
        await self.shadow.on_tick(end)

    async def forget(self, rider: str, before_ms: int) -> None:
        """Erase a rider from both."""
        await super().forget(rider, before_ms)
        await self.shadow.forget(rider, before_ms)

    async def drain(self) -> None:
        """Write all that waits."""
        await super().drain()
        await self.shadow.drain()

    async def close(self) -> None:
        """Stop both."""
        self.shadow.closed = True
        await super().close()
        await self.shadow.close()


def partition_of(run: WorkerContext, number: int, source: Source) -> Partition:
    """A partition, with its shadow where there is one."""
    kind = Partition if run.shadow is None else ShadowedPartition
    return kind(run, number, TransactionalProducer(run.settings, number), source)


def shadows_of(partitions: Sequence[Partition]) -> list[ShadowPartition]:
    """The shadows of partitions that have one."""
    return [one.shadow for one in partitions if isinstance(one, ShadowedPartition)]
