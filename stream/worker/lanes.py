"""Chunks of several partitions at once, those of one in their order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from stream.kafka import raw_batches


@dataclass(frozen=True, slots=True)
class Chunk:
    """Record batches of one fetch response, offsets ``first`` up to before ``following``.

    ``newest_ms`` is the latest arrival in it, ``fetched_s`` when it was there, ``generation`` the assignment
    that it was fetched for.
    """

    number: int
    raw: bytes
    first: int
    following: int
    newest_ms: int
    fetched_s: float
    generation: int

    @classmethod
    def of(cls, message: Any) -> Chunk:  # noqa: ANN401 - Faust has no types
        """A chunk as Faust hands it on."""
        headers = dict(message.headers)
        return cls(
            message.partition,
            message.value,
            headers[raw_batches.FIRST_OFFSET],
            headers[raw_batches.NEXT_OFFSET],
            int(message.timestamp * 1000),
            headers[raw_batches.FETCHED],
            message.generation_id,
        )


class Lanes:
    """One lane per partition: a chunk that is worked on, and one that waits.

    Parameters
    ----------
    work
        Works on a chunk; False when nothing more is to be done.
    """

    def __init__(self, work: Callable[[Chunk], Awaitable[bool]]) -> None:
        self._work = work
        self._waiting: dict[int, asyncio.Queue[Chunk]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        #: Done when a lane has ended, which it does not by itself.
        self._ended = asyncio.get_running_loop().create_future()

    async def put(self, chunk: Chunk) -> bool:
        """Put a chunk into its lane, once there is room; False when nothing more is to be done."""
        lane = self._waiting.get(chunk.number)
        if lane is None:
            lane = self._waiting[chunk.number] = asyncio.Queue(1)
            task = asyncio.get_running_loop().create_task(self._go(lane))
            task.add_done_callback(self._end)
            self._tasks.append(task)
        return await self._unless_ended(lane.put(chunk))

    async def join(self) -> None:
        """Return when no chunk waits or is worked on."""
        for lane in self._waiting.values():
            if not await self._unless_ended(lane.join()):
                return

    def cancel(self) -> None:
        """End; what is under way is given up."""
        for task in self._tasks:
            task.cancel()

    async def _go(self, lane: asyncio.Queue[Chunk]) -> None:
        while await self._work(await lane.get()):
            lane.task_done()

    def _end(self, task: asyncio.Task[None]) -> None:
        if self._ended.done() or task.cancelled():
            return
        error = task.exception()
        if error is None:
            self._ended.set_result(None)
        else:
            self._ended.set_exception(error)

    async def _unless_ended(self, waiting: Awaitable[None]) -> bool:
        """Wait; False when a lane ends before, and its error if it has one."""
        one = asyncio.ensure_future(waiting)
        await asyncio.wait([one, self._ended], return_when=asyncio.FIRST_COMPLETED)
        if not self._ended.done():
            return True
        one.cancel()
        self._ended.result()
        return False
