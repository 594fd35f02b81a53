"""The source deleted and made anew under a worker: it goes on, and never says more than it knows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient

from deploy.kafka.processes import free_ports
from schemas.decode import murmur2
from stream.kafka.topics import provisioning
from stream.settings import Settings
from tests.stream.worker.processes import PARTITIONS, Topic, written
from tests.stream.worker.test_readiness import ROOT, Probes, until

pytestmark = [pytest.mark.kafka, pytest.mark.alone]
#: From the topic's being there again to the status of a new rider, in seconds.
RECOVERS_WITHIN_S = 60.0
#: Older, a watermark says that nothing is known (CONTRACT 2).
OLD_S = 15.0


def send(producer: KafkaProducer, settings: Settings, rider: str) -> None:
    event = {
        "schema": "work-state/1", "event_id": rider, "rider_id": rider, "platform": "A",
        "event_time": written(int(time.time())), "type": "online",
    }  # fmt: skip
    place = murmur2(rider.encode()) % PARTITIONS
    producer.send(settings.source_topic, json.dumps(event).encode(), rider.encode(), partition=place)


class Watch:
    """What the probe says beside what the topic of watermarks says."""

    def __init__(self, settings: Settings, probes: Probes) -> None:
        self._topic = Topic(settings, settings.watermark_topic)
        self._probes = probes
        self.unready_s: list[float] = []
        self._first_ready_s: float | None = None

    def look(self) -> None:
        """Fail where the worker is ready while one of its watermarks is old."""
        ready = self._probes.ask("/readyz")[0] == 200
        now_s = time.time()
        newest: dict[int, float] = {}
        for record in self._topic.more():
            newest[record.partition] = max(newest.get(record.partition, 0), record.timestamp / 1000)
        if not ready:
            self.unready_s.append(now_s)
            return
        if self._first_ready_s is None:
            self._first_ready_s = now_s
        # What was written between the two looks may be missing, not what is older; of a worker that has just
        # become ready the transaction with the first ones may be under way.
        oldest_s = now_s - min(newest.get(number, self._first_ready_s) for number in range(PARTITIONS))
        assert oldest_s <= OLD_S + 1.0, f"ready, with a watermark of {oldest_s:.1f} s"

    def close(self) -> None:
        self._topic.close()


def test_a_worker_goes_on_when_its_source_was_deleted_and_made_anew(
    broker: Any, prefix: str, tmp_path: Path
) -> None:
    """Longer because it is one story: each step needs what stands after the one before."""
    settings = Settings(broker=broker.bootstrap, prefix=prefix, group=prefix)
    provisioning.ensure_topics(settings, PARTITIONS)
    (port,) = free_ports(["metrics"], {}).values()
    log = tmp_path / "worker.log"
    command = [sys.executable, "-m", "stream", "worker", "--broker", settings.broker]
    command += ["--prefix", prefix, "--group", prefix, "--metrics-port", str(port)]
    with log.open("wb") as out:
        worker = subprocess.Popen(
            command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=out, stderr=out
        )
    producer = KafkaProducer(bootstrap_servers=settings.broker)
    probes, statuses = Probes(port), Topic(settings, settings.status_topic)
    watch = Watch(settings, probes)

    def told(rider: str) -> bool:
        watch.look()
        return any(record.key == rider.encode() for record in statuses.more())

    try:
        until(lambda: probes.ask("/readyz")[0] == 200, "ready", log)
        send(producer, settings, "before")
        until(lambda: told("before"), "the first rider's status", log)
        admin = KafkaAdminClient(bootstrap_servers=settings.broker)
        admin.delete_topics([settings.source_topic])
        until(lambda: settings.source_topic not in admin.list_topics(), "deleted", log)
        provisioning.ensure_topics(settings, PARTITIONS)
        admin.close()
        began_s = time.monotonic()
        for number in range(PARTITIONS * 3):
            send(producer, settings, f"after-{number}")
        producer.flush()
        until(
            lambda: all(told(f"after-{number}") for number in range(PARTITIONS * 3)),
            "statuses of what came after", log, within_s=RECOVERS_WITHIN_S,
        )  # fmt: skip
        took_s = time.monotonic() - began_s

        def ready() -> bool:
            watch.look()
            return probes.ask("/readyz")[0] == 200

        until(ready, "ready again", log)
        sys.stderr.write(f"went on after {took_s:.1f} s, not ready at {len(watch.unready_s)} looks\n")
        assert worker.poll() is None
    finally:
        worker.kill()
        worker.wait(10)
        watch.close()
        statuses.close()
        producer.close()
