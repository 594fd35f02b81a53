"""The command ``respite forget``, with and without a worker."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from schemas.decode import murmur2
from stream.settings import Settings
from tests.stream import partition_runs
from tests.stream.worker.processes import PARTITIONS, Topic, Workers, until

pytestmark = pytest.mark.kafka
ROOT = Path(__file__).resolve().parents[3]
RIDER = "r-forget-me"


def forget(broker: str, prefix: str, rider: str, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "stream", "forget", rider, "--broker", broker, "--prefix", prefix, *more]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT
    )


def feed(settings: Settings, events: list[dict[str, Any]]) -> None:
    for number in range(PARTITIONS):
        here = [one for one in events if murmur2(one["rider_id"].encode()) % PARTITIONS == number]
        asyncio.run(
            partition_runs.send(settings, [(one, partition_runs.second_of(one)) for one in here], number)
        )


def newest(statuses: Topic, rider: str) -> object:
    """His newest status as bytes, None for a tombstone, False for none at all."""
    found = sorted((one for one in statuses.more() if one.key == rider.encode()), key=lambda it: it.offset)
    return found[-1].value if found else False


def told_of(alerts: Topic, rider: str) -> set[str]:
    return {key for key, one in alerts.standing().items() if one["rider_id"] == rider}


def test_a_rider_is_forgotten_by_a_running_worker_and_stays_so_over_a_restart(
    settings: Settings, workers: Workers
) -> None:
    statuses = Topic(settings, settings.status_topic)
    alerts = Topic(settings, settings.alerts_topic)
    events = [
        *partition_runs.shift(RIDER, 1_790_000_000, 7),
        *partition_runs.shift("r-keep-me", 1_790_000_000, 7),
    ]
    expected = partition_runs.replayed(settings, events, partition_runs.second_of(events[-1])).alerts
    his = {one["alert_id"] for one in expected if one["rider_id"] == RIDER}
    feed(settings, events)
    worker = workers.start()
    until(lambda: newest(statuses, RIDER) and newest(statuses, "r-keep-me"), "statuses", workers)
    until(lambda: told_of(alerts, RIDER) == his, "alerts", workers)
    assert his
    done = forget(settings.broker, settings.prefix, RIDER)
    assert (done.returncode, done.stderr) == (0, f"{RIDER} has been forgotten\n"), workers.log(0)
    assert newest(statuses, RIDER) is None
    worker.kill()
    worker.wait(10)
    workers.start()
    until(lambda: workers.live() >= 2 * PARTITIONS, "the next one is live", workers)
    feed(settings, [partition_runs.event("r-keep-me", 1_790_020_000 + n, "online") for n in range(3)])
    until(lambda: newest(statuses, "r-keep-me"), "the other goes on", workers)
    again = forget(settings.broker, settings.prefix, RIDER)
    assert again.returncode == 0
    assert newest(statuses, RIDER) is None
    assert told_of(alerts, RIDER) == his, "what was told is not taken back, and nothing more is told"
    statuses.close()
    alerts.close()


def test_an_order_that_nobody_carries_out_says_so_and_stays_written(
    settings: Settings, workers: Workers
) -> None:
    statuses = Topic(settings, settings.status_topic)
    feed(settings, partition_runs.shift(RIDER, 1_790_000_000, 2))
    worker = workers.start()
    until(lambda: newest(statuses, RIDER), "a status", workers)
    worker.kill()
    worker.wait(10)
    waiting = forget(settings.broker, settings.prefix, RIDER, "--within", "2s")
    assert waiting.returncode == 1
    assert f"the status of {RIDER} still stands after 2 s: does a worker run?" in waiting.stderr
    assert newest(statuses, RIDER)
    workers.start()
    until(lambda: newest(statuses, RIDER) is None, "the order is carried out", workers)
    statuses.close()


def test_wrong_ids_topics_and_brokers_have_their_exit_statuses(broker: Any, prefix: str) -> None:
    wrong = forget(broker.bootstrap, prefix, "no rider's id")
    assert wrong.returncode == 2
    assert "\"no rider's id\" is no rider's id: 1 to 64 characters" in wrong.stderr
    missing = forget(broker.bootstrap, prefix, RIDER)
    assert missing.returncode == 2
    assert "is missing" in missing.stderr
    away = forget("127.0.0.1:1", prefix, RIDER)
    assert away.returncode == 1
    assert "127.0.0.1:1" in away.stderr
