"""What the worker does with partitions that come and go, without a broker."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaTimeoutError
from prometheus_client import CollectorRegistry

from stream.kafka import raw_batches, raw_fetch
from stream.kafka.transactional_producer import ProduceFailed
from stream.metrics.operator import PartitionCollector
from stream.settings import Settings
from stream.worker import assigned, process
from stream.worker.context import NotOwner

GENERATION = 7


class FakePartition:
    """A partition whose chunks take until somebody lets them go on."""

    made: list[FakePartition]

    def __init__(self, _run: Any, number: int, _producer: Any, _source: Any = None) -> None:
        self.number = number
        self.starting: asyncio.Future[None] | None = None
        self.chunks: list[tuple[int, int]] = []
        self.working = asyncio.Event()
        self.go_on = asyncio.Event()
        self.error: Exception | None = None
        self.counts = Counter({("events", "read"): 10})
        self.seconds = Counter({"judge": 0.5})
        FakePartition.made.append(self)

    async def start(self) -> None:
        """Nothing to claim."""

    async def on_chunk(self, _raw: bytes, first: int, following: int, *_times: float) -> None:
        self.working.set()
        await self.go_on.wait()
        if self.error is not None:
            raise self.error
        self.chunks.append((first, following))

    async def close(self) -> None:
        """What works is interrupted, as a producer that is closed interrupts its transaction."""
        self.error = ProduceFailed("the producer was closed")
        self.go_on.set()


class FakeStream:
    """Chunks as Faust hands them on."""

    def __init__(self, *messages: Any) -> None:
        self._messages = messages

    async def events(self) -> AsyncIterator[Any]:
        for message in self._messages:
            yield SimpleNamespace(message=message)


def chunk(number: int, first: int, generation: int = GENERATION) -> Any:
    headers = (
        (raw_batches.FIRST_OFFSET, first),
        (raw_batches.NEXT_OFFSET, first + 10),
        (raw_batches.FETCHED, 0.0),
    )
    return SimpleNamespace(
        partition=number, headers=headers, value=b"", timestamp=0.0, generation_id=generation
    )


@pytest.fixture
def partitions(monkeypatch: pytest.MonkeyPatch) -> list[FakePartition]:
    FakePartition.made = []
    monkeypatch.setattr(assigned, "partition_of", FakePartition)
    return FakePartition.made


async def until(claim: Callable[[], bool]) -> None:
    while not claim():  # noqa: ASYNC110 - nothing here could set an event
        await asyncio.sleep(0)


async def new_worker() -> process.Worker:
    worker = process.Worker(Settings(), SimpleNamespace())  # type: ignore[arg-type]
    worker._app.consumer_generation_id = GENERATION
    worker._failure = asyncio.get_running_loop().create_future()
    return worker


def test_a_chunk_of_an_assignment_that_has_ended_claims_nothing(partitions: list[FakePartition]) -> None:
    async def read() -> None:
        worker = await new_worker()
        await worker._read(FakeStream(chunk(0, 0, GENERATION - 1)))
        worker._app.rebalancing = True
        await worker._read(FakeStream(chunk(0, 0)))

    asyncio.run(asyncio.wait_for(read(), 10))
    assert partitions == []


def test_a_partition_revoked_in_the_middle_of_a_chunk_is_given_up_and_the_worker_goes_on(
    partitions: list[FakePartition],
) -> None:
    async def read() -> None:
        worker = await new_worker()
        reading = asyncio.ensure_future(worker._read(FakeStream(chunk(0, 0), chunk(0, 10))))
        await until(lambda: len(partitions) == 1)
        await partitions[0].working.wait()
        await worker._on_revoked(worker._app, set())
        await until(lambda: len(partitions) == 2)
        partitions[1].go_on.set()
        await reading
        assert worker._failure is not None
        assert not worker._failure.done()

    asyncio.run(asyncio.wait_for(read(), 10))
    assert [one.chunks for one in partitions] == [[], [(10, 20)]]


def test_a_partition_does_not_wait_for_anothers_chunk(partitions: list[FakePartition]) -> None:
    async def read() -> None:
        worker = await new_worker()
        reading = asyncio.ensure_future(worker._read(FakeStream(chunk(0, 0), chunk(0, 10), chunk(1, 0))))
        await until(lambda: len(partitions) == 2)
        partitions[1].go_on.set()
        await until(lambda: partitions[1].chunks == [(0, 10)])
        assert partitions[0].chunks == []
        partitions[0].go_on.set()
        await reading
        assert partitions[0].chunks == [(0, 10), (10, 20)]

    asyncio.run(asyncio.wait_for(read(), 10))


def test_of_a_partition_whose_chunk_takes_long_one_chunk_waits_and_no_more(
    partitions: list[FakePartition],
) -> None:
    """More would be memory that nothing bounds: a chunk can have many megabytes."""
    taken = 0

    class Counting(FakeStream):
        async def events(self) -> AsyncIterator[Any]:
            nonlocal taken
            async for one in super().events():
                taken += 1
                yield one

    async def read() -> None:
        worker = await new_worker()
        reading = asyncio.ensure_future(
            worker._read(Counting(*(chunk(0, first) for first in range(0, 60, 10))))
        )
        await until(lambda: bool(partitions) and partitions[0].working.is_set())
        for _ in range(100):
            await asyncio.sleep(0)
        # One is worked on, one waits, one waits for room.
        assert taken == 3
        partitions[0].go_on.set()
        await reading

    asyncio.run(asyncio.wait_for(read(), 10))


def test_a_failure_in_a_partition_that_is_ours_ends_the_worker(partitions: list[FakePartition]) -> None:
    async def read() -> None:
        worker = await new_worker()
        reading = asyncio.ensure_future(worker._read(FakeStream(chunk(0, 0), chunk(0, 10))))
        await until(lambda: len(partitions) == 1)
        partitions[0].error = ZeroDivisionError("a bug")
        partitions[0].go_on.set()
        await reading
        assert worker._failure is not None
        with pytest.raises(ZeroDivisionError, match="a bug"):
            worker._failure.result()

    asyncio.run(asyncio.wait_for(read(), 10))
    assert len(partitions) == 1


@pytest.mark.parametrize("error", [ProduceFailed("fenced"), NotOwner("another's"), KafkaTimeoutError()])
def test_a_partition_that_cannot_write_is_given_up_and_restored_again_after_a_while(
    partitions: list[FakePartition], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(assigned, "_RETRY_S", 0.05)

    async def read() -> None:
        worker = await new_worker()
        reading = asyncio.ensure_future(worker._read(FakeStream(chunk(0, 0), chunk(0, 0))))
        await until(lambda: len(partitions) == 1)
        partitions[0].error = error
        partitions[0].go_on.set()
        await reading
        # Too early for the second chunk: it is read again once the partition has been restored.
        assert len(partitions) == 1
        assert worker.partitions == {}
        assert worker._failure is not None
        assert not worker._failure.done()
        await until(lambda: worker._claimed(0) is not None)
        assert len(partitions) == 2
        assert worker._past.counts["restores", "again"] == 1

    asyncio.run(asyncio.wait_for(read(), 10))


def test_what_was_counted_before_a_revocation_stays_counted(partitions: list[FakePartition]) -> None:
    async def revoke_twice() -> None:
        worker = await new_worker()
        for _ in range(2):
            worker.partitions = {0: FakePartition(None, 0, None), 1: FakePartition(None, 1, None)}  # type: ignore[dict-item]
            await worker._on_revoked(worker._app, set())
        registry = CollectorRegistry()
        registry.register(PartitionCollector(list, list, worker._past))
        assert registry.get_sample_value("respite_events_total", {"outcome": "read"}) == 40
        assert registry.get_sample_value("respite_stage_seconds_sum", {"stage": "judge"}) == 2

    asyncio.run(revoke_twice())
    assert len(partitions) == 4


@pytest.mark.parametrize(("is_there", "expected"), [(True, frozenset()), (False, None)])
def test_no_share_is_an_assignment_only_of_a_source_that_is_there(
    monkeypatch: pytest.MonkeyPatch, is_there: bool, expected: frozenset[int] | None
) -> None:
    """With more workers than partitions one has none, and is ready; with the source gone nobody judges."""
    monkeypatch.setattr(raw_fetch, "is_there", lambda _consumer, _topic: is_there)

    async def assign() -> frozenset[int] | None:
        worker = await new_worker()
        await worker._on_assigned(worker._app, set())
        return worker.assigned

    assert asyncio.run(assign()) == expected
