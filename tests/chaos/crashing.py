"""Owners of a partition that end at a chosen step."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from stream.kafka.transactional_producer import TransactionalProducer
from stream.output.encoding import Encoded
from stream.settings import Settings
from stream.state.restored import Restored
from stream.worker.partition import Partition

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
