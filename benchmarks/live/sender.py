"""The platforms of `bench_live`, in a process of their own: a city's events, sent when they are due.

Told by lines of JSON on standard input, answers with one line each. What is sent in a slot of 10 ms is packed
before the schedule begins, so that sending costs the machine little while it measures; a slot that comes late
does not move those after it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

import numpy as np
from aiokafka import AIOKafkaProducer

from schemas.decode import murmur2
from stream.settings import Settings
from stream.simulation.city import City, profiles, slices
from stream.simulation.dispatch import Dispatch
from stream.simulation.events import EventColumns, honoured, joined, lines, rider_id

SLOT_S = 0.01
_BATCH_BYTES = 1 << 19


class Sender:
    """The city's morning, which is history, and its live afternoon; ``honour`` as `simulate` has it."""

    def __init__(self, broker: str, city: City, live_s: int, partitions: int, honour: str) -> None:
        self._city = city
        self._live_s = live_s
        self._partitions = partitions
        self._zones = profiles(city).zone
        keys = [rider_id(rider) for rider in range(city.riders)]
        self._keys = keys
        self._homes = np.array([murmur2(key) % partitions for key in keys], dtype=np.int64)
        asked = Dispatch(city, honoured(honour), Settings()).assign if honour else None
        self._slices = slices(city, asked) if asked else slices(city)
        self._morning: list[EventColumns] = []
        self._afternoon: list[EventColumns] = []
        self._sent = 0
        self._producer = AIOKafkaProducer(
            bootstrap_servers=broker,
            acks="all",
            max_batch_size=_BATCH_BYTES,
            max_request_size=2 << 20,
            compression_type="lz4",
        )

    async def start(self) -> None:
        """Connect, and let the morning happen."""
        await self._producer.start()
        for found in self._slices:
            before = found.at_s < self._live_s
            self._morning.append(found.take(before))
            if not before.all():
                self._afternoon.append(found.take(~before))
                break

    async def stop(self) -> None:
        """Disconnect."""
        await self._producer.stop()

    def _packed(self, found: EventColumns) -> Iterator[tuple[int, Any]]:
        """Batches with their partitions, in the order of the events within each."""
        homes = self._homes[found.rider].tolist()
        batches: dict[int, Any] = {}
        for home, rider, value in zip(homes, found.rider.tolist(), lines(found, self._zones), strict=True):
            batch = batches.get(home) or batches.setdefault(home, self._producer.create_batch())
            if batch.append(timestamp=None, key=self._keys[rider], value=value) is None:
                yield home, batch
                batch = batches[home] = self._producer.create_batch()
                batch.append(timestamp=None, key=self._keys[rider], value=value)
        yield from batches.items()

    async def send_morning(self, topic: str) -> int:
        """Send what lies before the measured time; the number of events."""
        sent: list[asyncio.Future[object]] = []
        for found in self._morning:
            for home, batch in self._packed(found):
                sent.append(await self._producer.send_batch(batch, topic, partition=home))
        await asyncio.gather(*sent)
        return sum(one.size for one in self._morning)

    def _due(self, count: int) -> EventColumns:
        """The next events of the afternoon, as far as the city goes."""
        known = sum(one.size for one in self._afternoon)
        begin, self._sent = self._sent, self._sent + count
        while known < self._sent and (found := next(self._slices, None)) is not None:
            self._afternoon.append(found)
            known += found.size
        return joined(self._afternoon).take(slice(begin, self._sent))

    async def send_afternoon(self, topic: str, rate: float, seconds: float, out: str) -> dict[str, Any]:
        """Send events on a schedule; when each was due goes into ``out``."""
        found = self._due(int(rate * seconds))
        if not found.size:
            raise SystemExit("the city's afternoon is over: fewer trials, shorter ones, or more riders")
        due_s = np.arange(found.size) / rate
        slot = np.ceil(due_s / SLOT_S).astype(np.int64)
        bounds = np.searchsorted(slot, np.arange(slot[-1] + 2))
        slots = [list(self._packed(found.take(slice(*pair)))) for pair in pairwise(bounds.tolist())]
        begin_s = time.time() + 0.5
        np.savez(out, at_s=found.at_s, partition=self._homes[found.rider], due_s=begin_s + due_s)
        print(json.dumps({"begins_s": begin_s, "events": found.size}), flush=True)
        late_s = await self._keep_schedule(topic, slots, begin_s)
        return {"late_p50_s": float(np.median(late_s)), "late_most_s": float(late_s.max())}

    async def _keep_schedule(self, topic: str, slots: list[list[Any]], begin_s: float) -> np.ndarray:
        """How late each slot was handed to the producer."""
        offset_s = time.monotonic() - time.time()
        late_s, sent = np.zeros(len(slots)), []
        for number, batches in enumerate(slots):
            due_s = begin_s + offset_s + number * SLOT_S
            if (wait_s := due_s - time.monotonic()) > 0:
                await asyncio.sleep(wait_s)
            late_s[number] = time.monotonic() - due_s
            for home, batch in batches:
                sent.append(await self._producer.send_batch(batch, topic, partition=home))
        await asyncio.gather(*sent)
        return late_s


async def main() -> None:
    """Obey until standard input ends."""
    told = json.loads(sys.argv[1])
    city = City(told["seed"], told["riders"], told["start_s"], told["duration_s"])
    sender = Sender(told["broker"], city, told["live_s"], told["partitions"], told["honour"])
    await sender.start()
    print(json.dumps({"ready": True}), flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        order = json.loads(line)
        if order["do"] == "morning":
            answer: dict[str, Any] = {"events": await sender.send_morning(order["topic"])}
        else:
            answer = await sender.send_afternoon(
                order["topic"], order["rate"], order["seconds"], order["out"]
            )
        print(json.dumps(answer), flush=True)
    await sender.stop()


if __name__ == "__main__":
    asyncio.run(main())
