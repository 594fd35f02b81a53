"""Everything one partition writes, through one fenced transactional producer.

The broker refuses the writes of a former owner as soon as a successor has started a producer with the same
transactional id. Nothing counts as told before its transaction is committed; on any failure the partition
is given up, for an unknown result must not be guessed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import aiokafka.producer.sender
from aiokafka import AIOKafkaProducer
from aiokafka.errors import IllegalOperation, KafkaError

from schemas.decode import murmur2
from schemas.encode.frames import Frame
from stream.kafka.framed_batch import FramedBatch
from stream.settings import Settings

Headers = Sequence[tuple[str, bytes]]
_MOST_BYTES = 4 * 1024 * 1024
_TRANSACTION_TIMEOUT_MS = 60_000
_FLUSH_TIMEOUT_S = 45.0
_CLOSE_TIMEOUT_S = 1.5
# The broker ends a transaction after it has said so; the next one, begun before, is told to come again, which
# is so for nearly each that follows at once. aiokafka then waits 20 ms, half of what a transaction took; a
# broker needs 2 or 3. Asked again too early it says the same once more, at the cost of a request.
aiokafka.producer.sender.BACKOFF_OVERRIDE = 0.002
Message = tuple[str, bytes | None, bytes | None, Headers, int | None]


def _nothing() -> None:
    """Put nothing."""


class _Framed(NamedTuple):
    """A finished batch for the producer's own partition of a topic."""

    topic: str
    frame: Frame


class ProduceFailed(RuntimeError):
    """A write was refused or its result is unknown; the partition must be claimed and restored again."""


class TransactionalProducer:
    """The writer of one partition."""

    def __init__(self, settings: Settings, partition: int) -> None:
        self._settings = settings
        self._partition = partition
        self._name = f"{settings.group}-{partition}"
        self._producer: AIOKafkaProducer | None = None
        self._waiting: list[Message | _Framed] = []
        #: One transaction at a time; the next one takes what waits when it begins.
        self._flushing = asyncio.Lock()
        self._failed = False
        #: Called when a transaction begins; what it puts belongs to it.
        self.at_begin: Callable[[], None] = _nothing
        #: Takes the time of a transaction's two parts, "send" and "commit".
        self.timed: Callable[[str], AbstractContextManager[None]] = lambda _: nullcontext()
        #: Messages that wait for the next transaction.
        self.pending = 0
        #: Bytes of keys, values and headers that wait.
        self.pending_bytes = 0
        #: When the last transaction was committed, epoch seconds.
        self.committed_s: float | None = None
        #: By topic and partition, the offset after the last record committed.
        self.ends: dict[tuple[str, int], int] = {}

    async def start(self) -> None:
        """Claim the partition: from here on a former owner's writes are refused."""
        producer = AIOKafkaProducer(
            transactional_id=self._name,
            transaction_timeout_ms=_TRANSACTION_TIMEOUT_MS,
            acks="all",
            max_batch_size=1 << 20,
            max_request_size=_MOST_BYTES,
            linger_ms=5,
            **self._settings.client(),
        )
        try:
            await producer.start()
        except KafkaError as error:
            raise ProduceFailed(f"partition {self._partition}: cannot claim {self._name}: {error}") from error
        self._producer = producer

    def put(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Headers = (),
        *,
        partition: int | None = None,
    ) -> None:
        """Write with the next `flush`; ``partition`` None leaves the place to Kafka's partitioner."""
        self._waiting.append((topic, key, value, headers, partition))
        self.pending += 1
        self.pending_bytes += len(key or b"") + len(value or b"")
        self.pending_bytes += sum(len(name) + len(text) for name, text in headers)

    def put_frame(self, topic: str, frame: Frame) -> None:
        """Write a finished batch with the next `flush`, into this partition of the topic."""
        self._waiting.append(_Framed(topic, frame))
        self.pending += frame.records
        self.pending_bytes += len(frame.data)

    async def flush(self) -> None:
        """Write all that waits in one transaction, once the one under way has been committed.

        Raises
        ------
        ProduceFailed
            When any part of it failed; what was written is then unknown, and nothing more is written.
        """
        async with self._flushing:
            if self._failed:
                raise ProduceFailed(f"partition {self._partition}: what was written before is unknown")
            self.at_begin()
            if not self._waiting:
                return
            # Whatever ends it, a crash in a test or a cancelling included.
            self._failed = True
            await self._write()
            self._failed = False

    async def _write(self) -> None:
        assert self._producer is not None
        waiting, self._waiting = self._waiting, []
        self.pending, self.pending_bytes = 0, 0
        try:
            # Without the producer's own context manager: that would abort and wait, and an unknown result
            # is not to be mended here. The successor's claim aborts.
            async with asyncio.timeout(_FLUSH_TIMEOUT_S):
                with self.timed("send"):
                    await self._producer.begin_transaction()
                    ends = await self._send(self._producer, waiting)
                with self.timed("commit"):
                    await self._producer.commit_transaction()
        except (KafkaError, IllegalOperation, AssertionError, TimeoutError) as error:
            # Fenced between two sends, aiokafka calls the next one illegal, or asserts that it is not.
            raise ProduceFailed(f"partition {self._partition}: {type(error).__name__}: {error}") from error
        shorter = [place for place, end in ends.items() if end <= self.ends.get(place, 0)]
        if shorter:
            message = f"partition {self._partition}: {shorter} ended later before: a topic has been made anew"
            raise ProduceFailed(message)
        self.ends.update(ends)
        self.committed_s = time.time()

    async def _send(
        self, producer: AIOKafkaProducer, waiting: Sequence[Message | _Framed]
    ) -> dict[tuple[str, int], int]:
        """Send in batches built here: several times as fast, and a record may have neither key nor value."""
        batches: dict[tuple[str, int], Any] = {}
        sent: list[tuple[tuple[str, int], int, Any]] = []

        async def go(place: tuple[str, int], batch: Any) -> None:  # noqa: ANN401 - aiokafka has no types
            future = await producer.send_batch(batch, place[0], partition=place[1])
            future.add_done_callback(_seen)
            sent.append((place, batch.record_count(), future))

        for one in waiting:
            if isinstance(one, _Framed):
                place = one.topic, self._partition
                if place in batches:
                    await go(place, batches.pop(place))
                await go(place, FramedBatch(one.frame))
                continue
            topic, key, value, headers, wanted = one
            partition = await self._place(producer, topic, key) if wanted is None else wanted
            place = topic, partition
            batch = batches.get(place) or batches.setdefault(place, producer.create_batch())
            if batch.append(timestamp=None, key=key, value=value, headers=list(headers)) is None:
                await go(place, batch)
                batch = batches[place] = producer.create_batch()
                batch.append(timestamp=None, key=key, value=value, headers=list(headers))
        for place, batch in batches.items():
            await go(place, batch)
        landed = await asyncio.gather(*(future for _, _, future in sent))
        return {
            place: int(where.offset) + count for (place, count, _), where in zip(sent, landed, strict=True)
        }

    async def _place(self, producer: AIOKafkaProducer, topic: str, key: bytes | None) -> int:
        """Where Kafka's standard partitioner puts a key; without one, beside the rest of this partition."""
        partitions = len(await producer.partitions_for(topic))
        return (self._partition if key is None else murmur2(key)) % partitions

    async def close(self) -> None:
        """Stop the producer; what waits is dropped, the successor will write it."""
        self._waiting.clear()
        self.pending, self.pending_bytes = 0, 0
        producer, self._producer = self._producer, None
        if producer is None:
            return
        try:
            await asyncio.wait_for(producer.stop(), _CLOSE_TIMEOUT_S)
        except TimeoutError:
            # It waits for what it could not send. The broker ends the transaction, or a successor's claim.
            await producer._sender.close()  # noqa: SLF001 - there is no public way to give up
            await producer.client.close()


def _seen(future: asyncio.Future[Any]) -> None:
    """Look at an error, so that asyncio does not report those that came after the first one."""
    if not future.cancelled():
        future.exception()
