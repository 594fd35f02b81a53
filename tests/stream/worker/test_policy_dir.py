"""A worker on a real Kafka takes up policies that appear in its folder, without a restart."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from deploy.kafka.broker import Broker
from tests.short_policies import online_policy
from tests.stream.worker.test_worker import ROOT, Topic, settings_for, written

pytestmark = pytest.mark.kafka
DEADLINE_S = 150.0
BEGIN_S = 1_795_000_000


def online(rider: str, at_s: int) -> dict[str, Any]:
    return {
        "schema": "work-state/1", "event_id": f"{rider}-{at_s}", "rider_id": rider, "platform": "A",
        "event_time": written(at_s), "type": "online" if rider != "clock" else "heartbeat",
    }  # fmt: skip


def until(holds: Callable[[], object]) -> None:
    end_s = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < end_s, "it did not come about"
        time.sleep(0.2)


def asked(address: str) -> str:
    try:
        with urllib.request.urlopen(address) as answer:  # noqa: S310 - of this machine
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        return error.read().decode()


async def _sent(broker: str, topic: str, events: list[dict[str, Any]]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=broker)
    await producer.start()
    try:
        for one in events:
            await producer.send_and_wait(topic, json.dumps(one).encode(), key=one["rider_id"].encode())
    finally:
        await producer.stop()


def test_a_file_that_appears_is_judged_by_and_a_bad_one_is_said(broker: Broker, tmp_path: Path) -> None:
    """Longer because it is one story: each step needs what stands after the one before."""
    settings = settings_for(broker.bootstrap, f"dir{os.getpid()}.")
    folder, log = tmp_path / "policies", tmp_path / "worker.log"
    folder.mkdir()
    (folder / "first.toml").write_text(online_policy("first", 60), encoding="utf-8")
    command = [sys.executable, "-m", "stream", "worker", "--clock", "event", "--broker", settings.broker]
    command += ["--prefix", settings.prefix, "--group", settings.group, "--policy-dir", str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "RESPITE_METRICS_PORT": "0"}
    with log.open("wb") as out:
        worker = subprocess.Popen(command, stdout=out, stderr=out, env=environment)
    alerts = Topic(settings, settings.alerts_topic)

    def reached(policy: str) -> list[str]:
        told = [one for one in alerts.standing().values() if one["kind"] == "limit_reached"]
        return [one["event_time"] for one in told if one["policy"] == policy]

    def send(*events: dict[str, Any]) -> None:
        asyncio.run(_sent(settings.broker, settings.source_topic, list(events)))

    try:
        send(online("r1", BEGIN_S), online("r1", BEGIN_S + 70))
        until(lambda: reached("first@1"))
        address = re.search(r"http://127[^ ]*/metrics", log.read_text())
        assert address is not None
        base = address[0].removesuffix("/metrics")
        (folder / "second.toml").write_text(online_policy("second", 100), encoding="utf-8")
        (folder / "third.toml").write_text("name = ", encoding="utf-8")
        until(lambda: "policies taken up" in log.read_text())
        # Reached before it was named, and told when it is reached after that only.
        send(online("r1", BEGIN_S + 120))
        until(lambda: reached("second@1"))
        assert len(reached("first@1")) == 1
        assert re.search(r"^respite_policy_refused 1\.0$", asked(f"{base}/metrics"), re.MULTILINE)
        assert "third.toml: not TOML" in asked(f"{base}/readyz")
        assert "third.toml: not TOML" in log.read_text()
        (folder / "third.toml").unlink()
        until(lambda: re.search(r"^respite_policy_refused 0\.0$", asked(f"{base}/metrics"), re.MULTILINE))
        assert worker.poll() is None
    finally:
        alerts.close()
        worker.send_signal(signal.SIGTERM)
        worker.wait(timeout=30)
