"""Bugs that the suite must see, each as a context in which it is there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any
from unittest import mock

from schemas.decode import NOT_AN_EVENT, Decoded, decode_chunk
from stream.kafka.transactional_producer import ProduceFailed
from stream.state import checkpoint, restore
from stream.state.published_outputs import PublishedOutputs
from stream.worker import partition as partitions
from stream.worker.steps import taking_over
from tests.chaos.crashing import CrashingPartition, CrashingProducer


class Successor(CrashingPartition):
    """Takes over from one who still lives and has something to write."""

    former: CrashingProducer

    async def former_writes(self) -> None:
        with contextlib.suppress(ProduceFailed):
            await self.former.flush()

    async def start(self) -> None:
        await super().start()
        await self.former_writes()


@contextlib.contextmanager
def marker_before_pages() -> Iterator[None]:
    step = checkpoint.Checkpointer.step

    async def marker_first(self: Any, standing: Any, held: Any, wall_s: float) -> int | None:
        begun = self._round
        if begun is not None and self._waiting:
            await checkpoint.Checkpointer._write_marker(self, wall_s)
            self._round = begun
        return await step(self, standing, held, wall_s)

    with mock.patch.object(checkpoint.Checkpointer, "step", marker_first):
        yield


@contextlib.contextmanager
def claim_after_the_ends() -> Iterator[None]:
    claim = partitions.Partition._claim
    take_over = restore.take_over

    async def no_claim(_: Any) -> None:
        """It comes later."""

    async def ends_first(self: Any) -> None:
        async def then_claim(work: Any) -> Any:
            restored = await take_over(work)
            await self.former_writes()
            await claim(self)
            return restored

        with (
            mock.patch.object(CrashingPartition, "_claim", no_claim),
            mock.patch.object(taking_over, "take_over", then_claim),
        ):
            await partitions.Partition.start(self)

    with mock.patch.object(Successor, "start", ends_first):
        yield


@contextlib.contextmanager
def one_event_dropped() -> Iterator[None]:
    decode = decode_chunk

    def dropping(raw: bytes, first: int) -> Decoded:
        decoded = decode(raw, first)
        decoded.columns.status[decoded.columns.offset == 1] = NOT_AN_EVENT
        return decoded

    with mock.patch("stream.worker.steps.judging.decode_chunk", dropping):
        yield


@contextlib.contextmanager
def outputs_not_read_back() -> Iterator[None]:
    async def nothing(*_: Any) -> PublishedOutputs:
        return PublishedOutputs()

    with mock.patch("stream.state.restore.Outputs.fold", nothing):
        yield


@contextlib.contextmanager
def marker_passes_what_waits() -> Iterator[None]:
    with mock.patch.object(PublishedOutputs, "waits_from", None):
        yield


@contextlib.contextmanager
def dead_letters_not_read_back() -> Iterator[None]:
    async def nothing(*_: Any) -> int:
        return 0

    with mock.patch.object(restore, "written_up_to", nothing):
        yield
