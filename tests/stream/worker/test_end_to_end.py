"""The whole way through a real Kafka: what comes out of a worker is what a replay of the same events says."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer

from schemas.decode import murmur2
from stream.offline import feed
from stream.offline.replay import replay
from stream.policies.loader import load_all
from stream.settings import Settings
from tests.short_policies import online_policy
from tests.stream.worker.test_worker import (
    DAY_S,
    PARTITIONS,
    Topic,
    Workers,
    comparable,
    settings_for,
    until,
    written,
)

pytestmark = pytest.mark.kafka
TYPES = (
    "online",
    "order_accepted",
    "order_accepted",
    "order_picked_up",
    "order_delivered",
    "order_delivered",
)
BAD = (b"", b"{bad", b"\xff", b'{"schema":"work-state/2"}', b'{"schema":"work-state/1"}', b"[" * 5000)
REASONS = ("malformed", "malformed", "malformed", "unsupported_schema", "invalid", "malformed")


def happenings(riders: int, count: int) -> list[dict[str, Any]]:
    """A working day of several platforms, stacked orders and missing ends, shuffled within half an hour."""
    rng = random.Random(4)
    found = []
    for number in range(count):
        at = DAY_S + 8 * 3600 + rng.randrange(0, 12 * 3600)
        kind = rng.choice(TYPES)
        event = {
            "schema": "work-state/1", "event_id": f"e{number}", "rider_id": f"r{rng.randrange(riders)}",
            "platform": rng.choice(["meituan", "eleme", "jd"]), "event_time": written(at), "type": kind,
            "zone": rng.choice(["310101", "310105"]),
        }  # fmt: skip
        if kind.startswith("order_"):
            event["order_id"] = f"o{rng.randrange(12)}"
        found.append((at + rng.randrange(0, 1800), event))
    return [event for _, event in sorted(found, key=lambda pair: pair[0])]


def producer(settings: Settings, compression: str | None = None) -> KafkaProducer:
    return KafkaProducer(bootstrap_servers=settings.broker, compression_type=compression, linger_ms=20)


def last_statuses(topic: Topic) -> dict[str, dict[str, Any]]:
    return {record.key.decode(): json.loads(record.value) for record in topic.more()}


@pytest.mark.parametrize("compression", [None, "gzip"])
def test_misplaced_repeated_and_bad_messages_end_at_the_alerts_and_statuses_of_a_replay(
    settings: Settings, workers: Workers, tmp_path: Path, compression: str | None
) -> None:
    """Longer because it is one story: each step needs what stands after the one before."""
    events = happenings(riders=60, count=6000)
    file = tmp_path / "day.ndjson"
    file.write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
    expected, _ = replay([str(file)], load_all(settings.policies), settings.store(0), None)
    rng = random.Random(5)
    bad: list[tuple[int, bytes]] = []
    sending = producer(settings, compression)
    for number, event in enumerate(events):
        value = json.dumps(event).encode()
        home = murmur2(event["rider_id"].encode()) % PARTITIONS
        # Some producers place as they like, or forget the key; some send twice.
        place = rng.randrange(PARTITIONS) if number % 7 == 0 else home
        for _ in range(2 if number % 11 == 0 else 1):
            sending.send(settings.source_topic, value, partition=place)
        if number % 60 == 0:
            which = rng.randrange(len(BAD))
            bad.append((which, BAD[which]))
            sending.send(settings.source_topic, BAD[which], key=b"k", partition=place)
    sending.flush()
    sending.close()
    workers.start()
    alerts, statuses = Topic(settings, settings.alerts_topic), Topic(settings, settings.status_topic)
    letters = Topic(settings, settings.dead_letter_topic)
    until(lambda: workers.live() >= PARTITIONS, "every partition is live", workers)
    # The feed's last heartbeats bring every partition to the same now.
    latest = tmp_path / "latest.ndjson"
    newest = max(events, key=lambda event: event["event_time"])
    latest.write_text(json.dumps(newest) + "\n", encoding="utf-8")
    assert feed.run(settings, [str(latest)]) == 0
    wanted = comparable({alert["alert_id"]: alert for alert in expected.alerts})
    assert len(wanted) > 100
    until(lambda: alerts.standing() == wanted, "the alerts of a replay stand", workers)
    told = last_statuses(statuses)
    assert len(told) == len(expected.statuses)
    for status in expected.statuses:
        same = {"status"} | ({"limit", "policy"} if status["status"] == "hold" else set())
        got = told[status["rider_id"]]
        assert {name: got[name] for name in same} == {name: status[name] for name in same}
    until(lambda: len(letters.more()) >= len(bad), "every bad message is a dead letter", workers)
    refused = sorted((record.value, dict(record.headers)["reason"].decode()) for record in letters.records)
    assert refused == sorted((value, REASONS[which]) for which, value in bad)
    assert all(record.key == b"k" for record in letters.records)
    for topic in (alerts, statuses, letters):
        topic.close()


def test_a_limit_reached_in_silence_is_told_within_two_seconds_of_the_wall_clock(
    broker: Any, prefix: str, tmp_path: Path
) -> None:
    policy = tmp_path / "silent.toml"
    policy.write_text(online_policy("silent", 4), encoding="utf-8")
    settings = settings_for(broker.bootstrap, prefix, policy=(str(policy),)).model_copy(
        update={"clock": "wall"}
    )
    workers = Workers(settings, tmp_path)
    try:
        workers.start(policy=str(policy))
        until(lambda: workers.live() >= PARTITIONS, "every partition is live", workers)
        began_s = int(time.time())
        sending = producer(settings)
        for rider in ("r1", "r2", "r3", "r4"):
            event = {
                "schema": "work-state/1", "event_id": "e", "rider_id": rider, "platform": "A",
                "event_time": written(began_s), "type": "online",
            }  # fmt: skip
            place = murmur2(rider.encode()) % PARTITIONS
            sending.send(settings.source_topic, json.dumps(event).encode(), partition=place)
        sending.flush()
        sending.close()
        alerts = Topic(settings, settings.alerts_topic)
        until(lambda: len(alerts.more()) == 4, "four alerts are told", workers)
        for record in alerts.records:
            alert = json.loads(record.value)
            assert alert["event_time"] == time.strftime(
                "%Y-%m-%dT%H:%M:%S+08:00", time.gmtime(began_s + 4 + 8 * 3600)
            )
            assert record.timestamp / 1000 <= began_s + 4 + 2, "told later than two seconds after the instant"
            assert alert["hold"]["told_at"] is not None
        alerts.close()
    finally:
        workers.stop()
