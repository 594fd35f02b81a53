"""Workers as processes, the topics they share, and what is compared of their alerts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition as KafkaPartition

from stream.kafka.topics import provisioning
from stream.settings import Settings

PARTITIONS = 4
DEADLINE_S = 90.0
ROOT = Path(__file__).resolve().parents[3]
#: What may differ between two ways of reading the same evidence.
MAY_DIFFER = ("provisional", "estimated", "detected_at")
Alerts = dict[str, dict[str, Any]]


def written(event_s: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(event_s))


def comparable(alerts: Alerts) -> Alerts:
    return {identity: without_moments(alert) for identity, alert in alerts.items()}


def without_moments(alert: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in alert.items() if name not in MAY_DIFFER}
    if kept["hold"]:
        kept["hold"] = {name: value for name, value in kept["hold"].items() if name != "told_at"}
    return kept


def settings_for(bootstrap: str, prefix: str, **options: Any) -> Settings:
    made = Settings(broker=bootstrap, prefix=prefix, group=prefix, clock="event", metrics_port=0, **options)
    provisioning.ensure_topics(made, PARTITIONS)
    return made


class Topic:
    """What stands in a topic by now, read by another client."""

    def __init__(self, settings: Settings, name: str) -> None:
        self._consumer = KafkaConsumer(
            bootstrap_servers=settings.broker, isolation_level="read_committed", group_id=None,
            auto_offset_reset="earliest",
        )  # fmt: skip
        self._consumer.assign([KafkaPartition(name, number) for number in range(PARTITIONS)])
        self.records: list[Any] = []

    def more(self) -> list[Any]:
        for batch in self._consumer.poll(timeout_ms=200).values():
            self.records.extend(batch)
        return self.records

    def standing(self) -> Alerts:
        """The alerts that stand: per id the last message, unless a later retraction names it."""
        found: Alerts = {}
        for record in self.more():
            alert = json.loads(record.value)
            if alert["kind"] == "retracted":
                found.pop(alert["supersedes"], None)
            else:
                found[alert["alert_id"]] = alert
        return comparable(found)

    def close(self) -> None:
        self._consumer.close()


class Workers:
    """Worker processes and their logs; all are gone in the end."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._settings = settings
        self._folder = folder
        self.running: list[subprocess.Popen[bytes]] = []

    def start(
        self, policy: str | None = None, outlets: Sequence[str] = (), module: str = "stream"
    ) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "RESPITE_METRICS_PORT": "0"}
        command = [sys.executable, "-m", module, "worker", "--clock", self._settings.clock]
        command += ["--broker", self._settings.broker, "--prefix", self._settings.prefix]
        command += ["--group", self._settings.group]
        command += ["--policy", policy] if policy else []
        command += ["--outlets", ",".join(outlets)] if outlets else []
        with (self._folder / f"worker-{len(self.running)}.log").open("wb") as log:
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=self._folder)
        self.running.append(process)
        return process

    def log(self, number: int) -> str:
        return (self._folder / f"worker-{number}.log").read_text(encoding="utf-8", errors="replace")

    def live(self) -> int:
        """How many times a partition has been built up, over all workers."""
        return sum(self.log(number).count(" live ") for number in range(len(self.running)))

    def stop(self) -> None:
        for process in self.running:
            process.kill()
            process.wait(10)


def until(claim: Callable[[], object], what: str, workers: Workers, within_s: float = DEADLINE_S) -> None:
    deadline = time.monotonic() + within_s
    while not claim():
        if time.monotonic() > deadline:
            logs = "\n".join(workers.log(number)[-3000:] for number in range(len(workers.running)))
            pytest.fail(f"not within {within_s} s: {what}\n{logs}")
        time.sleep(0.05)


def after_wake(watermarks: Topic) -> bool:
    """Whether every partition has a watermark of the last seconds."""
    newest = {record.partition: record.timestamp for record in watermarks.more()}
    return len(newest) == PARTITIONS and min(newest.values()) > (time.time() - 6) * 1000
