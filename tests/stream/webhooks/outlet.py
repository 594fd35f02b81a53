"""A platform's topics on a real Kafka, and processes ``respite webhooks`` that send what lies there."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient

from stream.settings import Settings
from tests.stream.webhooks.receiver import SECRET, Got, alert

PARTITIONS = 4
DEADLINE_S = 60.0
ROOT = Path(__file__).resolve().parent.parent.parent.parent
FAST = 'retry = {attempts = 4, first = "20ms", longest = "100ms"}\ntimeout = "2s"\n'


class Outlet:
    """A platform's topics, written as the worker writes them, and processes that send what lies there.

    Parameters
    ----------
    made
        The topics are there already; they are a worker's.
    """

    def __init__(self, settings: Settings, folder: Path, *, made: bool = False) -> None:
        self.settings = settings
        self.alerts = f"{settings.alerts_topic}.alpha"
        self.statuses = f"{settings.status_topic}.alpha"
        self.letters = f"{settings.prefix}courier.webhook-dead-letter"
        self._folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []
        if made:
            return
        admin = KafkaAdminClient(bootstrap_servers=settings.broker)
        admin.create_topics(
            {self.alerts: {"num_partitions": PARTITIONS}, self.statuses: {"num_partitions": PARTITIONS}}
        )
        admin.close()

    def write(self, messages: Sequence[tuple[str, str, bytes | None]]) -> None:
        """Topic, rider, value; all in one transaction."""
        asyncio.run(self._write(messages))

    async def _write(self, messages: Sequence[tuple[str, str, bytes | None]]) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self.settings.broker, transactional_id=self.alerts)
        await producer.start()
        async with producer.transaction():
            for topic, rider, value in messages:
                await producer.send(topic, key=rider.encode(), value=value)
        await producer.stop()

    def config(self, url: str, extra: str = FAST, name: str = "one") -> Path:
        path = self._folder / f"{name}.toml"
        path.write_text(
            f'group_prefix = "{self.settings.prefix}hooks"\nmetrics_port = 0\n[[endpoint]]\nname = "one"\n'
            f'platform = "alpha"\nurl = "{url}"\nsecret_env = "SECRET"\nallow_private = true\n{extra}',
            encoding="utf-8",
        )
        return path

    def command(self, *arguments: str) -> list[str]:
        options = ["--broker", self.settings.broker, "--prefix", self.settings.prefix]
        return [sys.executable, "-m", "stream", "webhooks", *arguments, *options]

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(ROOT), "SECRET": SECRET}

    def start(self, config: Path) -> subprocess.Popen[bytes]:
        log = self._folder / f"process-{len(self.processes)}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                self.command("--config", str(config)), env=self.environment, stdout=file, stderr=file,
                cwd=self._folder,
            )  # fmt: skip
        self.processes.append(process)
        return process

    def replay(self, config: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command("replay", "--config", str(config), "--endpoint", "one", *arguments),
            env=self.environment, capture_output=True, text=True, timeout=DEADLINE_S, check=False,
        )  # fmt: skip

    def log(self, number: int = 0) -> str:
        return (self._folder / f"process-{number}.log").read_text(encoding="utf-8", errors="replace")

    def until(self, claim: Callable[[], object], what: str, within_s: float = DEADLINE_S) -> None:
        deadline = time.monotonic() + within_s
        while not claim():
            died = any(process.poll() for process in self.processes if process.returncode != -signal.SIGKILL)
            if died or time.monotonic() > deadline:
                logs = "\n".join(self.log(number)[-3000:] for number in range(len(self.processes)))
                pytest.fail(f"not within {within_s} s: {what}\n{logs}")
            time.sleep(0.02)

    def committed(self) -> int:
        """The sum of what the endpoint's group has committed in the alerts' partitions."""
        return asyncio.run(self._committed())

    async def _committed(self) -> int:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.settings.broker, group_id=f"{self.settings.prefix}hooks-one",
            enable_auto_commit=False,
        )  # fmt: skip
        await consumer.start()
        places = [TopicPartition(self.alerts, number) for number in range(PARTITIONS)]
        consumer.assign(places)
        found = [await consumer.committed(place) or 0 for place in places]
        await consumer.stop()
        return sum(found)

    def metrics(self) -> str:
        found = re.search(r"http://127\.0\.0\.1:\d+/metrics", self.log())
        if found is None:
            return ""
        with urllib.request.urlopen(found[0], timeout=5) as response:  # noqa: S310 - our own
            return str(response.read().decode())

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait(10)


def alerts_for(topic: str, riders: int, each: int) -> list[tuple[str, str, bytes | None]]:
    """Alerts of several riders in turn; the numbers of a rider grow."""
    return [
        (topic, f"r{number % riders}", alert(number, f"r{number % riders}"))
        for number in range(riders * each)
    ]


def numbers_by_rider(got: Sequence[Got]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for one in got:
        found[one.body["rider_id"]].append(one.body["number"])
    return found


def first_of_each(numbers: Sequence[int]) -> list[int]:
    return list(dict.fromkeys(numbers))
