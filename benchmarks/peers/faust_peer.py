"""The reduced job as a stock Faust agent with a table. Run by `run.py`, which sets the environment."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

import faust

from benchmarks.peers.reduced import Rider
from benchmarks.peers.wire import encoded, event_of

MOST, SECONDS = int(os.environ["PEER_EVENTS"]), float(os.environ["PEER_SECONDS"])


def main() -> None:
    """Be a worker until all has been read or the time is over; the figure goes to standard output."""
    app = faust.App(
        f"peer-{uuid.uuid4().hex[:6]}",
        broker=f"kafka://{os.environ['PEER_BROKER']}",
        datadir=tempfile.mkdtemp(prefix="respite-peer-"),
        web_enabled=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        topic_partitions=int(os.environ["PEER_PARTITIONS"]),
    )
    topic = app.topic(
        os.environ["PEER_SOURCE"], value_type=bytes, value_serializer="raw", key_serializer="raw"
    )
    sink = app.topic(os.environ["PEER_SINK"], value_type=bytes, value_serializer="raw", key_serializer="raw")
    table = app.Table("riders", default=dict)
    began: list[float] = []
    count = 0

    @app.agent(topic)  # type: ignore[untyped-decorator]
    async def agent(stream: faust.StreamT[bytes]) -> None:
        nonlocal count
        async for value in stream:
            if not began:
                began[:] = [time.monotonic(), time.process_time()]
            one = event_of(value)
            if one is not None:
                rider = Rider(table[one.rider] or None)
                told = rider.take(one)
                table[one.rider] = rider.state
                for alert in told:
                    await sink.send(key=one.rider.encode(), value=encoded(alert))
            count += 1
            if count == MOST or (count % 1000 == 0 and time.monotonic() - began[0] > SECONDS):
                await app.producer.flush()
                used = time.process_time() - began[1]
                found = {"events": count, "seconds": time.monotonic() - began[0], "cpu_seconds": used}
                # Faust's worker takes sys.stdout for its log.
                os.write(1, json.dumps(found).encode() + b"\n")
                os._exit(0)

    faust.Worker(app, loglevel="ERROR").execute_from_commandline()


if __name__ == "__main__":
    main()
