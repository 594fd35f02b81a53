"""The consumer of `bench_live`, in a process of its own: notes when which alerts could be seen.

Reads committed record batches as they are and looks into them only when all is over, so that seeing costs the
machine little while it measures.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

import msgspec
import numpy as np
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.record.memory_records import MemoryRecords

from stream.kafka import raw_batches


class _Alert(msgspec.Struct):
    """What is looked at."""

    kind: str
    event_time: str


async def watch(broker: str, topic: str, partitions: int) -> list[tuple[int, float, bytes]]:
    """Partition, time and bytes of what came, until a line on standard input."""
    raw_batches.read_raw(topic)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=broker,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        fetch_max_wait_ms=100,
        fetch_max_bytes=16 << 20,
        max_partition_fetch_bytes=8 << 20,
        enable_auto_commit=False,
    )
    await consumer.start()
    places = [TopicPartition(topic, number) for number in range(partitions)]
    consumer.assign(places)
    for place, end in (await consumer.end_offsets(places)).items():
        consumer.seek(place, end)
    seen: list[tuple[int, float, bytes]] = []
    over = asyncio.ensure_future(asyncio.to_thread(sys.stdin.readline))
    print(json.dumps({"ready": True}), flush=True)
    while not over.done():
        for tp, records in (await consumer.getmany(timeout_ms=100)).items():
            at_s = time.time()
            seen += [(tp.partition, at_s, one.value) for one in records]
    await consumer.stop()
    return seen


def looked_into(seen: list[tuple[int, float, bytes]], out: str) -> int:
    """Write what each alert was and when it was seen; the number of alerts."""
    decode = msgspec.json.Decoder(_Alert).decode
    rows = []
    instants: dict[str, float] = {}
    for partition, at_s, raw in seen:
        records = MemoryRecords(raw)
        while (batch := records.next_batch()) is not None:
            for record in batch:
                alert = decode(record.value)
                if alert.event_time not in instants:
                    instants[alert.event_time] = datetime.fromisoformat(alert.event_time).timestamp()
                rows.append((partition, at_s, instants[alert.event_time], alert.kind == "retracted"))
    columns = np.array(rows).reshape(-1, 4)
    np.savez(
        out, partition=columns[:, 0], seen_s=columns[:, 1], instant_s=columns[:, 2], retracted=columns[:, 3]
    )
    return len(rows)


def main() -> None:
    """Watch, then look."""
    told = json.loads(sys.argv[1])
    seen = asyncio.run(watch(told["broker"], told["topic"], told["partitions"]))
    print(json.dumps({"alerts": looked_into(seen, told["out"])}), flush=True)


if __name__ == "__main__":
    main()
