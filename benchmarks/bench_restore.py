"""How long it takes to restore riders from the state topic.

Checkpoints so many riders with a working morning each into a Kafka of its own, then restores all their
partitions at once, as a worker does that takes everything over. ``--riders 1000000`` is the question of a
nation's worker; the default is quick.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import harness
from deploy.kafka.broker import Broker
from detectors import pages
from detectors.kernels.evidence.arrivals import Place
from detectors.store import RiderStore
from schemas.checkpoint import Marker
from schemas.decode import decode_lines, murmur2
from stream.columns import arrivals_of
from stream.kafka.topics import provisioning
from stream.kafka.transactional_producer import TransactionalProducer
from stream.output.alert_json import utc
from stream.settings import Settings
from stream.state.checkpoint import Checkpointer, CheckpointPosition
from stream.state.restore import take_over
from stream.state.restored import Restored, Takeover
from stream.worker.construction import new_run
from stream.worker.context import WorkerContext
from stream.worker.warm_up import warm_up

PARTITIONS = 4
DEADLINE_S = 900.0
HEAD = ("riders", "events each", "state, MiB", "written, s", "restored, s", "riders/s", "most memory, MiB")
ORDERS = 5
_AT_ONCE = 5000
_EVENT = (
    '{"schema":"work-state/1","event_id":"%s","rider_id":"%s","platform":"A","event_time":"%s","type":"%s",'
    '"order_id":"%s","zone":"310105"}'
)


def morning(rider: str, begin_s: int) -> Iterator[bytes]:
    """Five orders with short rests between them."""
    for number in range(ORDERS):
        at = begin_s + number * 2400
        for kind, after_s in (("order_accepted", 0), ("order_picked_up", 600), ("order_delivered", 1800)):
            event = (f"{rider}-{number}-{after_s}", rider, utc(at + after_s), kind, f"o{number}")
            yield (_EVENT % event).encode()


def fill(run: WorkerContext, store: RiderStore, number: int, riders: int) -> None:
    """Let the riders of a partition work."""
    place = Place(number, PARTITIONS, 1, 1)
    waiting: list[bytes] = []
    # Riders begin at the same time, so that judging them ends at one *now*.
    begin_s = 1_790_000_000
    for rider in (f"r{n}" for n in range(riders)):
        if murmur2(rider.encode()) % PARTITIONS == number:
            waiting += morning(rider, begin_s)
        if len(waiting) >= _AT_ONCE * 3 * ORDERS:
            store.ingest(arrivals_of(decode_lines(waiting)), place)
            waiting = []
    if waiting:
        store.ingest(arrivals_of(decode_lines(waiting)), place)
    for _ in store.publish(store.read_s, int(run.wall())):
        pass


async def checkpoint(run: WorkerContext, number: int, riders: int) -> tuple[int, int, float]:
    """Write the state of a partition; riders, bytes and seconds of writing."""
    store = RiderStore(run.limits, run.store_settings, live=False)
    await asyncio.to_thread(fill, run, store, number, riders)
    producer = TransactionalProducer(run.settings, number)
    await producer.start()
    restored = Restored(store, 0, 0, 0, 0, dict.fromkeys(run.limits.policies, 0))
    blank = Marker(
        definition=pages.definition(run.limits, run.store_settings),
        partitions=PARTITIONS,
        since_s={},
        worker="bench",
        lineage=restored.lineage,
    )
    checkpointer = Checkpointer(run.settings, producer, number, restored, blank)
    began = time.perf_counter()
    checkpointer.begin_if_due(CheckpointPosition(0, 0), 0.0, now=True)
    while checkpointer.under_way:
        await checkpointer.step(lambda: CheckpointPosition(0, 0), contextlib.nullcontext(), 0.0)
    seconds = time.perf_counter() - began
    await producer.close()
    return store.riders, checkpointer.bytes_written, seconds


async def restore(run: WorkerContext, number: int) -> int:
    """Take a partition over; its riders."""
    work = Takeover(
        run.settings, run.limits, run.store_settings, number, PARTITIONS, run.wall(), lambda _: None
    )
    return (await take_over(work)).store.riders


async def measure(bootstrap: str, riders: int) -> None:
    settings = Settings(broker=bootstrap, prefix="bench.", group="bench", clock="event")
    await asyncio.to_thread(provisioning.ensure_topics, settings, PARTITIONS)
    run = new_run(settings, PARTITIONS)
    total, size, writing = 0, 0, 0.0
    for number in range(PARTITIONS):
        count, written, seconds = await checkpoint(run, number, riders)
        total, size, writing = total + count, size + written, writing + seconds
    began = time.perf_counter()
    restored = await asyncio.gather(*(restore(run, number) for number in range(PARTITIONS)))
    seconds = time.perf_counter() - began
    assert sum(restored) == total, f"{sum(restored)} of {total} riders restored"
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    harness.table(
        HEAD,
        [
            [
                f"{total:,}", 3 * ORDERS, size >> 20, f"{writing:.1f}", f"{seconds:.1f}",
                f"{total / seconds:,.0f}", resident,
            ]
        ],
    )  # fmt: skip
    document = {
        "riders": total, "events_each": 3 * ORDERS, "state_bytes": size, "written_s": writing,
        "restored_s": seconds, "resident_mib": resident,
    }  # fmt: skip
    harness.keep("restore", document)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--riders", type=int, default=100_000)
    chosen = parser.parse_args()
    harness.stop_in_order()
    harness.say_about()
    warm_up()
    with Broker.running() as broker:
        asyncio.run(asyncio.wait_for(measure(broker.bootstrap, chosen.riders), DEADLINE_S))


if __name__ == "__main__":
    main()
