"""Worker processes on a real Kafka: what stands in the end is what a replay says, whatever happened."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from kafka import KafkaAdminClient

from deploy.kafka.broker import Broker
from schemas.instants import parse_instant
from stream.kafka.topics import wanted
from stream.offline import feed
from stream.offline.replay import replay
from stream.policies.loader import load_all
from stream.settings import Settings
from tests.stream.worker.processes import (
    PARTITIONS,
    Alerts,
    Topic,
    Workers,
    after_wake,
    comparable,
    settings_for,
    until,
    written,
)

pytestmark = pytest.mark.kafka
RIDERS = 400
DAY_S = parse_instant("2026-11-23T00:00:00+08:00")


def events() -> Iterator[dict[str, Any]]:
    """A day on which riders work up to nine hours with short rests, in order of time."""
    found = []
    for rider in range(RIDERS):
        for number in range(6 + rider % 12):
            start_s = DAY_S + 8 * 3600 + (rider * 37) % 3600 + number * 2700
            steps = ((0, "order_accepted"), (600, "order_picked_up"), (2580, "order_delivered"))
            found += [(start_s + after_s, f"r{rider}", kind, f"o{number}") for after_s, kind in steps]
    found.sort()
    for number, (event_s, rider_id, kind, order) in enumerate(found):
        yield {
            "schema": "work-state/1", "event_id": f"e{number}", "rider_id": rider_id, "platform": "A",
            "event_time": written(event_s), "type": kind, "order_id": order,
        }  # fmt: skip


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("events") / "day.ndjson"
    path.write_text("".join(json.dumps(event) + "\n" for event in events()), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def expected(file: Path) -> Alerts:
    settings = Settings()
    found, bad = replay([str(file)], load_all(settings.policies), settings.store(0), None)
    assert not bad
    assert len(found.alerts) > RIDERS
    return comparable({alert["alert_id"]: alert for alert in found.alerts})


@pytest.fixture
def alerts(settings: Settings) -> Iterator[Topic]:
    made = Topic(settings, settings.alerts_topic)
    yield made
    made.close()


def test_two_workers_share_the_partitions_and_one_is_killed(
    settings: Settings, workers: Workers, alerts: Topic, file: Path, expected: Alerts
) -> None:
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    half = file.with_name(f"half-{settings.group}ndjson")
    half.write_text("".join(lines[: len(lines) // 2]), encoding="utf-8")
    first, second = workers.start(), workers.start()
    until(lambda: workers.live() >= PARTITIONS, "all partitions are live", workers)
    asyncio.run(feed.feed(settings, [str(half)]))
    until(lambda: len(alerts.more()) > 20, "first alerts", workers)
    second.send_signal(signal.SIGKILL)
    asyncio.run(feed.feed(settings, [str(file)]))
    until(lambda: alerts.standing() == expected, "the standing alerts of a replay", workers)
    assert first.poll() is None
    statuses = Topic(settings, settings.status_topic)
    until(lambda: len({one.key for one in statuses.more()}) == RIDERS, "a status per rider", workers)
    statuses.close()


async def feed_until(done: asyncio.Event, settings: Settings, file: Path) -> None:
    """Feed the same day again and again; what is known already changes nothing but keeps workers busy."""
    while not done.is_set():
        await feed.feed(settings, [str(file)] * 4)


async def coming_and_going(settings: Settings, workers: Workers, file: Path) -> None:
    done = asyncio.Event()
    feeding = asyncio.ensure_future(feed_until(done, settings, file))
    join = asyncio.to_thread
    try:
        for number in (1, 2):
            another = workers.start()
            await join(until, lambda: workers.log(number).count(" live ") >= 1, "a share", workers)  # noqa: B023
            another.send_signal(signal.SIGTERM)
            assert await join(another.wait, 15) == 0, workers.log(number)
            lives = workers.log(0).count(" live ")
            await join(
                until,
                lambda: workers.log(0).count(" live ") >= lives + PARTITIONS,  # noqa: B023
                "the first has all",
                workers,
            )
    finally:
        done.set()
        await feeding


@pytest.mark.alone
def test_workers_come_and_go_in_the_middle_of_work_and_nobody_dies(
    settings: Settings, workers: Workers, alerts: Topic, file: Path, expected: Alerts
) -> None:
    asyncio.run(feed.feed(settings, [str(file)]))
    first = workers.start()
    until(lambda: workers.log(0).count(" live ") >= PARTITIONS, "the first worker works", workers)
    asyncio.run(coming_and_going(settings, workers, file))
    assert first.poll() is None, workers.log(0)
    until(lambda: alerts.standing() == expected, "the standing alerts of a replay", workers)


async def produce(settings: Settings, key: bytes | None, value: bytes | None, partition: int) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=settings.broker)
    await producer.start()
    batch = producer.create_batch()
    batch.append(key=key, value=value, timestamp=None)
    await (await producer.send_batch(batch, settings.source_topic, partition=partition))
    await producer.stop()


def test_a_record_without_key_and_value_becomes_a_dead_letter(settings: Settings, workers: Workers) -> None:
    asyncio.run(produce(settings, None, None, 1))
    letters = Topic(settings, settings.dead_letter_topic)
    worker = workers.start()
    until(lambda: letters.more() or worker.poll() is not None, "a dead letter", workers)
    assert worker.poll() is None, workers.log(0)
    (letter,) = letters.records
    letters.close()
    headers = dict(letter.headers)
    assert (letter.key, letter.value) == (None, None)
    assert (headers["reason"], headers["partition"], headers["offset"]) == (b"malformed", b"1", b"0")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_stops_when_asked(workers: Workers, number: signal.Signals) -> None:
    worker = workers.start()
    until(lambda: workers.live() >= PARTITIONS, "all partitions are live", workers)
    worker.send_signal(number)
    assert worker.wait(10) == 0, workers.log(0)


def test_a_former_owner_that_wakes_up_late_writes_nothing(
    settings: Settings, workers: Workers, alerts: Topic, file: Path, expected: Alerts
) -> None:
    first = workers.start()
    until(lambda: workers.live() >= PARTITIONS, "all partitions are live", workers)
    first.send_signal(signal.SIGSTOP)
    asyncio.run(feed.feed(settings, [str(file)]))
    workers.start()
    until(lambda: workers.log(1).count(" live ") >= PARTITIONS, "the successor has taken over", workers)
    until(lambda: alerts.standing() == expected, "the standing alerts of a replay", workers)
    first.send_signal(signal.SIGCONT)
    watermarks = Topic(settings, settings.watermark_topic)
    until(lambda: "live" in workers.log(0) and after_wake(watermarks), "both workers go on", workers)
    watermarks.close()
    until(lambda: alerts.standing() == expected, "the same alerts still", workers)


def test_a_worker_without_its_broker_still_stops(tmp_path: Path, prefix: str) -> None:
    with Broker.running(tmp_path / "kafka") as broker:
        workers = Workers(settings_for(broker.bootstrap, prefix), tmp_path)
        try:
            worker = workers.start()
            until(lambda: workers.live() >= PARTITIONS, "all partitions are live", workers)
            broker.kill()
            until(lambda: "Unable connect" in workers.log(0), "the worker misses its broker", workers)
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(15) is not None
        finally:
            workers.stop()


def test_a_damaged_log_ends_the_worker_loudly(tmp_path: Path, prefix: str) -> None:
    with Broker.running(tmp_path / "kafka") as broker:
        settings = settings_for(broker.bootstrap, prefix)
        workers = Workers(settings, tmp_path)
        asyncio.run(produce(settings, b"key", b"to be damaged", 2))
        (segment,) = (tmp_path / "kafka").rglob(f"{settings.source_topic}-2/*.log")
        with segment.open("r+b") as log:
            log.seek(-3, os.SEEK_END)
            log.write(b"\xff")
        try:
            worker = workers.start()
            until(lambda: worker.poll() is not None, "the worker ends", workers, within_s=30)
            assert worker.returncode == 1
            assert "Invalid CRC" in workers.log(0)
        finally:
            workers.stop()


def test_partitions_added_to_every_topic_are_refused_with_the_way_out(
    settings: Settings, workers: Workers, file: Path
) -> None:
    asyncio.run(feed.feed(settings, [str(file)]))
    first = workers.start()
    until(lambda: workers.log(0).count(" live ") >= PARTITIONS, "every partition is live", workers)
    first.send_signal(signal.SIGTERM)
    assert first.wait(15) == 0
    admin = KafkaAdminClient(bootstrap_servers=settings.broker)
    names = [topic.name for topic in wanted.wanted(settings, wanted.SHORTEST_RETENTION_S)]
    admin.create_partitions(dict.fromkeys(names, PARTITIONS + 2))
    admin.close()
    second = workers.start()
    until(lambda: second.poll() is not None, "the worker refuses", workers, within_s=60)
    assert second.returncode == 2
    said = workers.log(1)
    assert f"its state was written for {PARTITIONS} partitions" in said
    assert f"respite topics --partitions {PARTITIONS + 2} --prefix NEW." in said
