"""The reduced job in Quix Streams, state in RocksDB with its changelog. Runs in an environment of its own."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from quixstreams import Application, State

from benchmarks.peers.reduced import Rider
from benchmarks.peers.wire import encoded, event_of

MOST, SECONDS = int(os.environ["PEER_EVENTS"]), float(os.environ["PEER_SECONDS"])


def main() -> None:
    """Run until all has been read or the time is over; the figure goes to standard output."""
    app = Application(
        broker_address=os.environ["PEER_BROKER"],
        consumer_group=f"peer-{uuid.uuid4().hex[:6]}",
        auto_offset_reset="earliest",
        auto_create_topics=True,
        state_dir=tempfile.mkdtemp(prefix="respite-peer-"),
        loglevel="ERROR",
    )
    source = app.topic(os.environ["PEER_SOURCE"], value_deserializer="bytes", key_deserializer="bytes")
    sink = app.topic(os.environ["PEER_SINK"], value_serializer="bytes", key_serializer="bytes")
    began: list[float] = []
    count = 0

    def take(value: bytes, state: State) -> list[bytes]:
        nonlocal count
        if not began:
            began[:] = [time.monotonic(), time.process_time()]
        one = event_of(value)
        told: list[bytes] = []
        if one is not None:
            rider = Rider(state.get("rider"))
            told = [encoded(alert) for alert in rider.take(one)]
            state.set("rider", rider.state)
        count += 1
        if count == MOST or (count % 1000 == 0 and time.monotonic() - began[0] > SECONDS):
            app.stop()
        return told

    app.dataframe(source).apply(take, stateful=True, expand=True).to_topic(sink)
    app.run()
    used = time.process_time() - began[1]
    print(
        json.dumps({"events": count, "seconds": time.monotonic() - began[0], "cpu_seconds": used}), flush=True
    )


if __name__ == "__main__":
    main()
