"""Messages of one endpoint on their way: a rider's in order, riders beside each other, within bounds."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import NamedTuple, Protocol

import structlog

from stream.delivery.destination import Attempt, Destination, Meaning, Response, backoff_s
from stream.delivery.messages import Message, Place, Sorted, sort
from stream.delivery.metrics import Counts

log = structlog.get_logger()
Settled = Callable[[], None]


class Entry(NamedTuple):
    """A message that waits for its turn: its id, or, if it cannot be sent, what is wrong with it."""

    message: Message
    settled: Settled
    webhook_id: str
    fault: str


Queue = deque[Entry]


class EndpointGone(Exception):
    """The receiver said 410: it wants no more, and what is not settled stays in Kafka."""


class WriteDeadLetter(Protocol):
    """Keeps what could not be delivered."""

    def __call__(self, endpoint: str, message: Message, reason: str, detail: str) -> Awaitable[None]:
        """Return when it is kept."""


class Sender:
    """Sends what is put into it, and says of each message when it is settled.

    Parameters
    ----------
    tasks
        Runs a task for each rider with messages; a task that fails ends the group.
    wall
        Epoch seconds.
    """

    def __init__(
        self,
        endpoint: Destination,
        post: Attempt,
        write_dead_letter: WriteDeadLetter,
        counts: Counts,
        tasks: asyncio.TaskGroup,
        *,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._endpoint = endpoint
        self._post = post
        self._write_dead_letter = write_dead_letter
        self._counts = counts
        self._group = tasks
        self._wall = wall
        self._slots = asyncio.Semaphore(endpoint.concurrency)
        self._pending: dict[Place, Message] = {}
        self._queues: dict[bytes, Queue] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._busy: set[asyncio.Task[None]] = set()
        self._draining = False
        self._gone: str | None = None
        self._not_before_s = 0.0  # of the loop's clock
        self._chance = random.Random()
        self.pending_bytes = 0

    @property
    def pending(self) -> int:
        """Messages that are not settled."""
        return len(self._pending)

    @property
    def oldest_ms(self) -> int | None:
        """When Kafka got the oldest of them."""
        return min((one.arrived_ms for one in list(self._pending.values())), default=None)

    def put(self, message: Message, settled: Settled) -> None:
        """Send a message after all of its rider's that were put before."""
        what, told = sort(message, self._endpoint)
        if what is Sorted.SKIP:
            self._counts.settled("skipped")
            settled()
            return
        self._pending[message.place] = message
        self.pending_bytes += message.size
        rider = message.key or b""
        queue = self._queues.get(rider)
        if queue is None:
            queue = self._queues[rider] = deque()
            task = self._group.create_task(self._send_all(rider, queue))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        sendable = what is Sorted.SEND
        queue.append(Entry(message, settled, told if sendable else "", "" if sendable else told))

    async def drain(self, within_s: float) -> None:
        """Let requests under way end, and forget the rest: whoever reads it again will send it."""
        self._draining = True
        try:
            for task in self._tasks - self._busy:
                task.cancel()
            for wait_s in (within_s, 1.0):
                if self._tasks:
                    await asyncio.wait(set(self._tasks), timeout=wait_s)
                for task in self._tasks:
                    task.cancel()
        finally:
            self._draining = False
            self._pending.clear()
            self._queues.clear()
            self.pending_bytes = 0

    async def _send_all(self, rider: bytes, queue: Queue) -> None:
        try:
            while queue and not self._draining:
                entry = queue[0]
                if not await self._settle(entry):
                    return
                entry.settled()
                queue.popleft()
                self._pending.pop(entry.message.place, None)
                self.pending_bytes -= entry.message.size
        finally:
            if self._queues.get(rider) is queue:
                del self._queues[rider]

    async def _settle(self, entry: Entry) -> bool:
        """Deliver a message or make it a dead letter; False when neither, because of `drain`."""
        message = entry.message
        if entry.fault or message.value is None:
            await self._give_up(message, "malformed", entry.fault)
            return True
        for attempts in count(1):
            answer = await self._attempt(entry.webhook_id, message.value)
            if answer.meaning is Meaning.DELIVERED:
                self._counts.settled("delivered")
                self._counts.delivered_after(self._wall() - message.arrived_ms / 1000)
                return True
            if answer.meaning is Meaning.GONE:
                self._gone = answer.detail
                raise EndpointGone(answer.detail)
            if answer.meaning is Meaning.REFUSED:
                await self._give_up(message, "refused", answer.detail)
                return True
            if attempts >= self._endpoint.retry.attempts:
                await self._give_up(message, "exhausted", f"{attempts} attempts, at last: {answer.detail}")
                return True
            if self._draining:
                break
            await self._wait(answer, attempts)
        return False

    async def _attempt(self, webhook_id: str, body: bytes) -> Response:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(max(0.0, self._not_before_s - loop.time()))
            async with self._slots:
                # Another rider's answer may have asked for a pause while this one waited for its turn.
                if loop.time() < self._not_before_s:
                    continue
                if self._gone is not None:
                    raise EndpointGone(self._gone)
                began_s = loop.time()
                with self._being_busy():
                    answer = await self._post(webhook_id, body)
                self._counts.attempt(answer.status, loop.time() - began_s)
                return answer

    async def _wait(self, answer: Response, attempts: int) -> None:
        """Wait before the next attempt; what a 429 or 503 asks for holds for the whole endpoint."""
        retry = self._endpoint.retry
        asked_s = answer.asked_wait_s(self._wall(), retry.longest)
        if asked_s > 0:
            self._not_before_s = max(self._not_before_s, asyncio.get_running_loop().time() + asked_s)
        await asyncio.sleep(backoff_s(retry, attempts, self._chance))

    async def _give_up(self, message: Message, reason: str, detail: str) -> None:
        with self._being_busy():
            await self._write_dead_letter(self._endpoint.name, message, reason, detail)
        self._counts.buried(reason)
        self._counts.settled("dead_letter")

    @contextmanager
    def _being_busy(self) -> Iterator[None]:
        task = asyncio.current_task()
        assert task is not None
        self._busy.add(task)
        try:
            yield
        finally:
            self._busy.discard(task)
