"""Seconds from the kill of a worker until its partitions are current again, with so many riders.

Two workers share four partitions; one is killed with SIGKILL in the middle of its work. The group notices
after its session time-out of 10 s. A partition is current when a watermark written after the kill says a
*now* after the kill, near the clock. The survivor's own partitions pause as well, while the group settles.

    python benchmarks/bench_takeover.py --riders 100000
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import time
import urllib.request
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from kafka import KafkaConsumer, TopicPartition

from benchmarks import harness
from benchmarks.harness import city, fill, own_environment
from deploy.kafka.broker import Broker
from deploy.kafka.processes import free_ports

PARTITIONS = 4
_PATIENCE_S = 180.0
_NEAR_S = 3.0


class Watermarks:
    """When each partition was current last."""

    def __init__(self, broker: str, topic: str) -> None:
        self._consumer = KafkaConsumer(
            bootstrap_servers=broker, isolation_level="read_committed", auto_offset_reset="earliest"
        )
        self._consumer.assign([TopicPartition(topic, number) for number in range(PARTITIONS)])
        self.newest: dict[int, tuple[float, float, str]] = {}

    def poll(self) -> None:
        """Read what has come: *now*, when it was written, by whom."""
        for records in self._consumer.poll(timeout_ms=100).values():
            for record in records:
                document = json.loads(record.value)
                if document["now"]:
                    now_s = datetime.fromisoformat(document["now"]).timestamp()
                    self.newest[record.partition] = now_s, record.timestamp / 1000, document["worker"]

    def current(self, since_s: float) -> set[int]:
        """Partitions whose *now* has come later than that and was near the clock."""
        return {
            number
            for number, (now_s, written_s, _) in self.newest.items()
            if now_s >= since_s and written_s - now_s < _NEAR_S
        }

    def wait(self, since_s: float) -> dict[int, float]:
        """By partition, seconds after that until it was current."""
        found: dict[int, float] = {}
        while len(found) < PARTITIONS:
            self.poll()
            for number in self.current(since_s) - found.keys():
                found[number] = self.newest[number][1] - since_s
            if time.time() - since_s > _PATIENCE_S:
                raise SystemExit(f"only {sorted(found)} were current within {_PATIENCE_S} s")
        return found


def checkpointed(ports: list[int]) -> bool:
    """Whether every worker's partitions have a checkpoint."""
    ages = []
    for port in ports:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        ages += [line for line in lines if line.startswith("respite_checkpoint_age_seconds{")]
    return len(ages) == PARTITIONS


def main() -> None:
    """Fill, start two workers, kill one, print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--riders", type=int, default=100_000)
    parser.add_argument("--days", type=float, default=0.9, help="nearly a whole one: then no hour matters")
    chosen = parser.parse_args()
    harness.stop_in_order()
    harness.say_about(1)
    workers: list[subprocess.Popen[bytes]] = []
    with Broker.running() as broker:
        environment = own_environment(broker.bootstrap)
        events = fill(environment, PARTITIONS, city(chosen.riders, chosen.days))
        try:
            ports = list(free_ports(["a", "b"], {}).values())
            for port in ports:
                own = {**environment, "RESPITE_METRICS_PORT": str(port)}
                command = [sys.executable, "-m", "stream", "worker"]
                quiet = subprocess.DEVNULL
                workers.append(subprocess.Popen(command, env=own, stdout=quiet, stderr=quiet))
            marks = Watermarks(broker.bootstrap, f"{environment['RESPITE_PREFIX']}courier.watermark")
            marks.wait(time.time())
            deadline = time.monotonic() + _PATIENCE_S
            while not checkpointed(ports):
                if time.monotonic() > deadline:
                    raise SystemExit("no checkpoint of every partition")
                time.sleep(0.5)
            marks.poll()
            owned = {number: worker for number, (_, _, worker) in marks.newest.items()}
            killed = workers[0]
            mine = {number for number, worker in owned.items() if worker.endswith(f"-{killed.pid}")}
            killed_s = time.time()
            killed.send_signal(signal.SIGKILL)
            seconds = marks.wait(killed_s)
        finally:
            for process in workers:
                process.kill()
                process.wait(10)
    report(chosen.riders, events, seconds, mine)


def report(riders: int, events: int, seconds: dict[int, float], mine: set[int]) -> None:
    """Print and keep how long it took; ``mine`` are the killed worker's partitions."""
    print(f"{events:,} events of {riders:,} riders, {PARTITIONS} partitions, 2 workers")
    others = seconds.keys() - mine
    lost, kept = max(seconds[n] for n in mine), max(seconds[n] for n in others)
    rows = [["the killed worker's", len(mine), f"{lost:.1f}"], ["the survivor's", len(others), f"{kept:.1f}"]]
    harness.table(("partitions", "how many", "current again after, s"), rows)
    document = {"riders": riders, "events": events, "killed_s": lost, "survivor_s": kept}
    harness.keep("takeover", document, 1)


if __name__ == "__main__":
    main()
