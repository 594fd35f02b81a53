"""A ban that begins for every rider of a city at one second: how soon all holds are in the topic.

All riders are online in one district when a condition is announced that begins some seconds later; then a
second one, of another limit, begins with its announcement. One worker, an API beside it that a
dispatcher asks all the while, Kafka and this program share the machine. Every hold must be in the topic
within 2 s of its instant, the worker's event loop never be held for 50 ms, the dispatcher be answered.

    python benchmarks/bench_ban.py --riders 100000
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from kafka import KafkaConsumer, TopicPartition

from benchmarks.bench_api import ask_single, note, wait_until_live
from benchmarks.harness import about, machine, make_topics, own_environment, running, scrape, wait_until
from deploy.kafka.broker import Broker
from deploy.kafka.processes import free_ports
from schemas.decode import murmur2
from stream.kafka.batch_producer import into_source
from stream.kafka.condition_producer import announce
from stream.output.alert_json import utc
from stream.settings import Settings

PARTITIONS = 4
PATIENCE_S = 300.0
LEAD_S = 15
ZONE = "310105"
#: What is asked of it.
MOST_S, MOST_HELD_S = 2.0, "0.05"
POLICY = """
name = "ban"
version = 1
time_zone = "Asia/Shanghai"
modality = "platform"
title = { zh = "禁令", en = "ban" }
source = "a benchmark"
"""
LIMIT = """
[[limit]]
name = "%(name)s"
kind = "ban"
clock = "online"
condition = "%(name)s"
effect = "hold"
message = { zh = "休息", en = "rest" }
"""
NAMES = ("planned", "sudden")


def rider(number: int) -> bytes:
    """The id of a rider."""
    return b"r%06d" % number


async def go_online(settings: Settings, riders: int) -> None:
    """Every rider begins a session now."""
    at = utc(int(time.time()))
    async with into_source(settings) as bulk:
        for number in range(riders):
            event = {
                "schema": "work-state/1", "event_id": f"e{number}", "rider_id": rider(number).decode(),
                "platform": "meituan", "event_time": at, "type": "online", "zone": ZONE,
            }  # fmt: skip
            key = rider(number)
            await bulk.put(murmur2(key) % bulk.partitions, key, json.dumps(event).encode())


def condition(name: str, from_s: int) -> bytes:
    """An hour of a condition in the district."""
    tree: dict[str, Any] = {
        "schema": "zone-condition/1",
        "condition_id": name,
        "condition": name,
        "zones": [ZONE],
    }
    return json.dumps({**tree, "from": utc(from_s), "until": utc(from_s + 3600)}).encode()


class Holds:
    """When the holds of each limit came to lie in the topic, epoch seconds."""

    def __init__(self, settings: Settings) -> None:
        self._consumer = KafkaConsumer(
            bootstrap_servers=settings.broker, isolation_level="read_committed", auto_offset_reset="earliest"
        )
        self._consumer.assign([TopicPartition(settings.alerts_topic, n) for n in range(PARTITIONS)])
        self.at: dict[str, list[float]] = {name: [] for name in NAMES}

    def poll(self, name: str, count: int) -> bool | None:
        """Read on; True once a limit has so many."""
        for records in self._consumer.poll(timeout_ms=200).values():
            for record in records:
                limit = next(one for one in NAMES if b'"limit":"%s"' % one.encode() in record.value)
                self.at[limit].append(record.timestamp / 1000)
        return True if len(self.at[name]) >= count else None


def held_often(metrics: dict[str, float]) -> float:
    """How often the loop has been held for longer than it may."""
    buckets = {name: value for name, value in metrics.items() if "loop_lag_seconds_bucket" in name}
    below = next(value for name, value in buckets.items() if f'le="{MOST_HELD_S}"' in name)
    return max(buckets.values()) - below


def measure(settings: Settings, ports: dict[str, int], riders: int) -> list[str]:
    """Let both bans begin; the lines of the table. The dispatcher's waits are printed meanwhile."""
    holds, rows = Holds(settings), []
    for name in NAMES:
        planned = name == "planned"
        before = scrape(ports["worker"])
        took: list[float] = []
        names = [rider(number).decode() for number in range(riders)]
        asking = threading.Thread(
            target=lambda: took.extend(ask_single(ports["api"], names, LEAD_S + 20, 100)[0])  # noqa: B023
        )
        asking.start()
        time.sleep(3)
        begin_s = int(time.time()) + (LEAD_S if planned else -60)
        asyncio.run(announce(settings, [condition(name, begin_s)]))
        instant_s = begin_s if planned else int(time.time())
        wait_until(f"all holds of {name}", lambda: holds.poll(name, riders), PATIENCE_S)  # noqa: B023
        asking.join()
        last_s = max(holds.at[name]) - instant_s
        held = held_often(scrape(ports["worker"])) - held_often(before)
        verdict = "yes" if last_s <= MOST_S and held == 0 else "NO"
        rows.append(f"| {name} | {riders:,} | {last_s:.2f} | {held:.0f} | {verdict} |")
        note(f"dispatcher, {name}", took)
    return rows


def main() -> None:
    """Start everything, measure, print tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--riders", type=int, default=100_000)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Broker.running() as broker:
        policy = Path(folder) / "ban.toml"
        policy.write_text(POLICY + "".join(LIMIT % {"name": name} for name in NAMES), encoding="utf-8")
        ports = free_ports(["worker", "api"], {})
        environment = own_environment(
            broker.bootstrap, RESPITE_POLICY=str(policy), RESPITE_METRICS_PORT=str(ports["worker"]),
            RESPITE_API_PORT=str(ports["api"]), RESPITE_SHARED_DIR=str(Path(folder) / "shared"),
        )  # fmt: skip
        settings = Settings(
            broker=broker.bootstrap, prefix=environment["RESPITE_PREFIX"], policy=(str(policy),)
        )
        make_topics(environment, PARTITIONS)
        command = [sys.executable, "-m", "stream"]
        with running("ban-worker", [*command, "worker"], environment):
            wait_until_live(ports["worker"], PARTITIONS)
            asyncio.run(go_online(settings, chosen.riders))
            wait_until(
                "all riders are known",
                lambda: (
                    sum(v for k, v in scrape(ports["worker"]).items() if k.startswith("respite_riders{"))
                    >= chosen.riders
                    or None
                ),
                PATIENCE_S,
            )
            with running("ban-api", [*command, "api", "--no-auth"], environment):
                time.sleep(10)
                rows = measure(settings, ports, chosen.riders)
    print(f"{machine()}; {json.dumps(about())}")
    print("\n| ban | riders | last hold in the topic after, s | loop held > 50 ms, times | within the goal |")
    print("|---|---|---|---|---|")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
