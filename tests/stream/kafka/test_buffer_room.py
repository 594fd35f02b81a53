"""With every buffer full, reading goes on as soon as one has room, not after a second's sleep as Faust's."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace
from typing import Any

from faust.types import TP

from stream.kafka.raw_fetch import Consumer

ONE, OTHER = TP("source", 0), TP("source", 1)
LONG_S = 30.0


class Full(Consumer):
    """A consumer of two partitions, of which those in ``full`` are not fetched."""

    def __init__(self) -> None:
        # Without Faust's own, which wants an app and a broker.
        self.app: Any = SimpleNamespace(client_only=False, in_recovery=False)
        self.full = {ONE, OTHER}
        self.flow_active = True
        self._buffered_partitions = {ONE, OTHER}
        self._active_partitions: set[TP] = {ONE, OTHER}
        self._has_room = asyncio.Event()

    def assignment(self) -> set[TP]:
        return {ONE, OTHER}


def test_reading_goes_on_when_a_buffer_has_room() -> None:
    async def read() -> float:
        consumer = Full()
        for tp in (ONE, OTHER):
            consumer.on_buffer_full(tp)
        waiting = asyncio.ensure_future(consumer._wait_next_records(LONG_S))
        await asyncio.sleep(0)
        assert not waiting.done()
        began = time.monotonic()
        consumer.on_buffer_drop(ONE)
        assert await waiting == (None, None)
        return time.monotonic() - began

    assert asyncio.run(asyncio.wait_for(read(), LONG_S / 2)) < 1.0


def test_reading_looks_again_by_itself_for_partitions_that_come_meanwhile() -> None:
    async def read() -> None:
        consumer = Full()
        for tp in (ONE, OTHER):
            consumer.on_buffer_full(tp)
        assert await consumer._wait_next_records(0.01) == (None, None)

    asyncio.run(asyncio.wait_for(read(), LONG_S / 2))
