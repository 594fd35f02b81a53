"""An orderly end: what a worker leaves behind when it is asked to stop in the middle of a checkpoint."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any

import pytest

from stream.kafka.transactional_producer import TransactionalProducer
from stream.settings import Settings
from tests.stream.partition_runs import Life, at_once, made, riders, second_of, shift

pytestmark = pytest.mark.kafka
BEGIN_S = int(time.time()) // 86_400 * 86_400 - 2 * 86_400


class Held(TransactionalProducer):
    """A producer whose next transaction after `hold`, and no other, waits until it is let go."""

    def __init__(self, settings: Settings, partition: int) -> None:
        super().__init__(settings, partition)
        self.reached, self.free = asyncio.Event(), asyncio.Event()
        self._to_hold = False

    def hold(self) -> None:
        self._to_hold = True

    async def flush(self) -> None:
        if self._to_hold:
            self._to_hold = False
            self.reached.set()
            await self.free.wait()
        await super().flush()


@pytest.fixture
def settings(broker: Any, prefix: str) -> Settings:
    return made(broker.bootstrap, prefix, checkpoint_every=1)


async def middle_of_a_step(settings: Settings) -> tuple[Life, Held, asyncio.Task[None], int]:
    """A life whose tick has copied its pages and waits to write them; where the source ends."""
    events = [one for rider in riders(6) for one in shift(rider, BEGIN_S, 4)]
    last_s = second_of((await at_once(settings, events))[-1])
    producer = Held(settings, 0)
    life = await Life(settings, last_s, producer=producer).begin()
    await life.go(last_s)
    end = life.partition.position
    assert end is not None
    # The rest of the first round; then all is written, and only a checkpoint writes again.
    for _ in range(20):
        await life.tick(end)
    checkpoint = life.partition._go_on_with_checkpoint

    async def held() -> None:
        producer.hold()
        await checkpoint()

    life.partition._go_on_with_checkpoint = held  # type: ignore[method-assign]
    life.partition.store.memory.page_dirty[:] = 1
    life.wall_s += 60
    tick = asyncio.create_task(life.tick(end))
    await asyncio.wait_for(producer.reached.wait(), 30)
    return life, producer, tick, end


async def goes_on_from(settings: Settings, wall_s: float) -> int | None:
    successor = await Life(settings, wall_s).begin()
    found = successor.partition.position
    await successor.crash()
    return found


def test_a_tick_that_is_ended_in_a_step_of_the_checkpoint_costs_the_successor_nothing(
    settings: Settings,
) -> None:
    async def lives() -> None:
        life, producer, tick, end = await middle_of_a_step(settings)
        tick.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await tick
        producer.free.set()
        await life.partition.drain()
        await life.crash()
        assert await goes_on_from(settings, life.wall_s) == end

    asyncio.run(lives())


def test_a_drain_beside_a_step_of_the_checkpoint_costs_the_successor_nothing(settings: Settings) -> None:
    """As when other policies are taken up: the worker goes on, and its ticks with it."""

    async def lives() -> None:
        life, producer, tick, end = await middle_of_a_step(settings)
        drain = asyncio.create_task(life.partition.drain())
        await asyncio.wait([drain], timeout=1)
        if not drain.done():
            producer.free.set()
            await asyncio.wait_for(asyncio.gather(drain, tick), 60)
        # The partition is given up as soon as it is drained.
        await life.crash()
        assert await goes_on_from(settings, life.wall_s) == end

    asyncio.run(lives())
