"""The process `respite ledger` on a real Kafka: killed again and again, every alert is recorded once."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from kafka.admin import KafkaAdminClient

from schemas.hold_ledger import WHOLE, chain_of
from schemas.platform_view import alert_view
from stream.ledger.verify import check_folder
from stream.settings import Settings
from tests.stream.ledger.records import alert, signing

pytestmark = pytest.mark.kafka
ROOT = Path(__file__).resolve().parents[3]
DEADLINE_S = 90.0


class Place:
    """Topics of alerts as a worker writes them, and processes that record them."""

    def __init__(self, broker: str, prefix: str, folder: Path) -> None:
        self.settings = Settings(broker=broker, prefix=prefix, outlets=("alpha",))
        self.folder = folder
        self.running: list[subprocess.Popen[bytes]] = []
        names = (self.settings.alerts_topic, self.settings.alerts_of("alpha"), self.settings.control_topic)
        admin = KafkaAdminClient(bootstrap_servers=broker)
        admin.create_topics({name: {"num_partitions": 2} for name in names})
        admin.close()
        signing(folder)

    def tell(self, first: int, count: int, *, keep: bool = True) -> None:
        """Alerts in one transaction, everybody's and alpha's; aborted if they are not to be kept."""
        asyncio.run(self._tell(first, count, keep=keep))

    async def _tell(self, first: int, count: int, *, keep: bool) -> None:
        producer = AIOKafkaProducer(
            bootstrap_servers=self.settings.broker, transactional_id=self.settings.prefix
        )
        await producer.start()
        await producer.begin_transaction()
        for number in range(first, first + count):
            one = alert(f"{number:032x}", rider=f"r{number}")
            for topic, seen in (
                (self.settings.alerts_topic, one),
                (self.settings.alerts_of("alpha"), alert_view(one)),
            ):
                value = json.dumps(seen).encode()
                await producer.send(topic, key=one["rider_id"].encode(), value=value, partition=number % 2)
        await (producer.commit_transaction() if keep else producer.abort_transaction())
        await producer.stop()

    def start(self) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [
                    sys.executable, "-m", "stream", "ledger", "--broker", self.settings.broker,
                    "--prefix", self.settings.prefix, "--outlets", "alpha", "--metrics-port", "0",
                    "--ledger", str(self.folder / "ledger"), "--ledger-key", str(self.folder / "keys.json"),
                ],
                env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=self.folder,
                stderr=log,
            )  # fmt: skip
        self.running.append(process)
        return process

    def recorded(self, chain: str) -> list[str]:
        raws = b"".join(
            path.read_bytes() for path in sorted((self.folder / "ledger" / chain).glob("*.ndjson"))
        )
        whole = raws[: raws.rfind(b"\n") + 1].splitlines()
        lines = [json.loads(raw) for raw in whole]
        return [line["alert"]["alert_id"] for line in lines if line["line"] == "entry"]

    def until(self, claim: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + DEADLINE_S
        while not claim():
            if time.monotonic() > deadline:
                pytest.fail(
                    f"not in time: {what}\n{(self.folder / 'log').read_text(encoding='utf-8')[-3000:]}"
                )
            time.sleep(0.02)


@pytest.fixture
def place(broker: Any, prefix: str, tmp_path: Path) -> Iterator[Place]:
    made = Place(broker.bootstrap, prefix, tmp_path)
    yield made
    for process in made.running:
        process.kill()
        process.wait()


def test_killed_again_and_again_every_alert_is_recorded_once(place: Place) -> None:
    told = 0
    for _ in range(3):
        process = place.start()
        place.tell(told, 40)
        place.tell(9000, 5, keep=False)
        told += 40
        place.until(lambda: len(place.recorded(WHOLE)) > told - 40, "some are recorded")  # noqa: B023
        process.kill()
        process.wait()
    process = place.start()
    wanted = sorted(f"{number:032x}" for number in range(told))
    for chain in (WHOLE, chain_of("alpha")):
        place.until(lambda: len(place.recorded(chain)) >= told, f"all are recorded in {chain}")  # noqa: B023
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
    for chain in (WHOLE, chain_of("alpha")):
        assert sorted(place.recorded(chain)) == wanted
    for one in check_folder(place.folder / "ledger"):
        assert (one.faults, one.gaps, one.entries) == ([], [], told)


def test_without_topics_it_ends_and_says_what_makes_them(broker: Any, prefix: str, tmp_path: Path) -> None:
    signing(tmp_path)
    found = subprocess.run(
        [
            sys.executable, "-m", "stream", "ledger", "--broker", broker.bootstrap, "--prefix", prefix,
            "--ledger", str(tmp_path / "ledger"), "--ledger-key", str(tmp_path / "keys.json"),
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=tmp_path, capture_output=True, text=True,
        timeout=DEADLINE_S, check=False,
    )  # fmt: skip
    assert found.returncode == 1
    assert f"no such topics on {broker.bootstrap}: {prefix}courier.fatigue-alerts" in found.stderr
